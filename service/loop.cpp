// sd-event, wrapped.
#include "service/loop.h"

#include <csignal>
#include <cstring>
#include <ctime>
#include <utility>

#include <fmt/format.h>
#include <sys/epoll.h>
#include <systemd/sd-event.h>

namespace schedd::service {

namespace {

/// Timers may be late by this much, so that the kernel can serve several with one wake-up.
constexpr std::uint64_t kAccuracyUs = 5000;

std::unexpected<Error> refused(std::string_view what, int negative_errno) {
    return fail(Errc::io, fmt::format("event loop: {}", what), std::strerror(-negative_errno));
}

} // namespace

Time MonotonicClock::now() const {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

Result<std::unique_ptr<Loop>> Loop::open() {
    sd_event* event = nullptr;
    if (const int error = sd_event_new(&event); error < 0) return refused("no event loop", error);
    std::unique_ptr<Loop> loop(new Loop(event));
    const auto rung = [](sd_event_source*, std::uint64_t, void*) { return 0; };
    if (const int error =
            sd_event_add_time(event, &loop->timer_, CLOCK_MONOTONIC, UINT64_MAX, kAccuracyUs, rung, nullptr);
        error < 0)
        return refused("no timer", error);
    if (const int error = sd_event_set_watchdog(event, 1); error < 0) return refused("no watchdog", error);
    return loop;
}

Loop::~Loop() {
    for (const auto& watch : watches_) sd_event_source_unref(watch->source_);
    for (const auto& signal : signals_) sd_event_source_unref(signal->source);
    sd_event_source_unref(timer_);
    sd_event_unref(event_);
}

Result<Loop::Watch*> Loop::watch(int fd, short events, std::function<void()> ready) {
    auto watch = std::make_unique<Watch>();
    watch->ready_ = std::move(ready);
    watch->events_ = static_cast<unsigned>(events);
    const auto fired = [](sd_event_source*, int, std::uint32_t, void* data) {
        static_cast<Watch*>(data)->ready_();
        return 0;
    };
    if (const int error = sd_event_add_io(event_, &watch->source_, fd, watch->events_, fired, watch.get());
        error < 0)
        return refused("cannot watch a descriptor", error);
    watches_.push_back(std::move(watch));
    return watches_.back().get();
}

void Loop::Watch::set_events(short events) {
    if (events_ == static_cast<unsigned>(events)) return;
    events_ = static_cast<unsigned>(events);
    sd_event_source_set_io_events(source_, events_);
}

void Loop::Watch::pause() {
    if (std::exchange(is_on_, false)) sd_event_source_set_enabled(source_, SD_EVENT_OFF);
}

void Loop::Watch::resume() {
    if (!std::exchange(is_on_, true)) sd_event_source_set_enabled(source_, SD_EVENT_ON);
}

Status Loop::on_signal(int number, std::function<void()> caught) {
    sigset_t mask;
    sigemptyset(&mask);
    sigaddset(&mask, number);
    if (sigprocmask(SIG_BLOCK, &mask, nullptr) < 0) return refused("cannot block a signal", -errno);
    auto signal = std::make_unique<Signal>(Signal{std::move(caught), nullptr});
    const auto fired = [](sd_event_source*, const signalfd_siginfo*, void* data) {
        static_cast<Signal*>(data)->caught();
        return 0;
    };
    if (const int error = sd_event_add_signal(event_, &signal->source, number, fired, signal.get());
        error < 0)
        return refused("cannot catch a signal", error);
    signals_.push_back(std::move(signal));
    return {};
}

void Loop::wake_at(Time when) {
    if (when == kNever) {
        sd_event_source_set_enabled(timer_, SD_EVENT_OFF);
        return;
    }
    sd_event_source_set_time(timer_, static_cast<std::uint64_t>(
                                         std::chrono::ceil<std::chrono::microseconds>(when).count()));
    sd_event_source_set_enabled(timer_, SD_EVENT_ONESHOT);
}

int Loop::run(const std::function<Time()>& turn) {
    while (true) {
        const Time next = turn();
        if (is_stopped_) return code_;
        wake_at(next);
        if (const int error = sd_event_run(event_, UINT64_MAX); error < 0) return 1;
    }
}

void Loop::stop(int code) {
    is_stopped_ = true;
    code_ = code;
}

} // namespace schedd::service
