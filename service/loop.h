// Loop: the one thread's event loop on sd-event, and the monotonic clock it runs on.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "components/kit/clock.h"
#include "components/kit/result.h"

struct sd_event;
struct sd_event_source;

namespace schedd::service {

using namespace schedd::kit;

/// CLOCK_MONOTONIC, the clock of sd-event's timers and of every deadline in the daemon.
class MonotonicClock final : public Clock {
public:
    [[nodiscard]] Time now() const override;
};

/// Outside events only mark work; the turn, which runs after every wake-up, does it.
class Loop {
public:
    /// Fails with io when the kernel refuses an epoll descriptor.
    static Result<std::unique_ptr<Loop>> open();
    ~Loop();
    Loop(const Loop&) = delete;
    Loop& operator=(const Loop&) = delete;

    /// A descriptor that is polled; `events` as in poll(2). The handle pauses and resumes it; destroyed with
    /// the loop.
    class Watch {
    public:
        void set_events(short events);
        void pause();
        void resume();

    private:
        friend class Loop;
        sd_event_source* source_ = nullptr;
        std::function<void()> ready_;
        bool is_on_ = true;
        unsigned events_ = 0;
    };
    /// `fd` outlives the loop or is paused before it is closed.
    Result<Watch*> watch(int fd, short events, std::function<void()> ready);
    /// Blocks the signal for the process and delivers it here.
    Status on_signal(int number, std::function<void()> caught);

    /// Runs until stop(): `turn` is called after every wake-up and returns when it next wants one (kNever:
    /// only on events). Returns stop()'s code.
    int run(const std::function<Time()>& turn);
    void stop(int code);

private:
    explicit Loop(sd_event* event) : event_(event) {}
    void wake_at(Time when);

    struct Signal {
        std::function<void()> caught;
        sd_event_source* source = nullptr;
    };
    sd_event* event_;
    sd_event_source* timer_ = nullptr;
    std::vector<std::unique_ptr<Watch>> watches_;
    std::vector<std::unique_ptr<Signal>> signals_;
    bool is_stopped_ = false;
    int code_ = 0;
};

} // namespace schedd::service
