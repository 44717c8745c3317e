// ProcessEvents: fork, exec, exit and setsid as the kernel's proc connector tells them.
#pragma once

#include <functional>
#include <memory>
#include <span>

#include "components/model/process_table.h"

struct nl_sock;

namespace schedd::host {

using namespace schedd::model;

class ProcessEvents {
public:
    /// Subscribes. Scan the processes after this returns: what happens from then on is told. Fails with
    /// denied (CAP_NET_ADMIN is missing) or not_supported (not in the first pid and network namespace, or a
    /// kernel without the connector); the caller then lives from scans alone.
    static Result<std::unique_ptr<ProcessEvents>> open();
    /// The kernel counts who listens, and does not notice that a socket is closed: without a word it would go
    /// on making events for nobody.
    ~ProcessEvents();
    ProcessEvents(const ProcessEvents&) = delete;
    ProcessEvents& operator=(const ProcessEvents&) = delete;

    /// Nothing is told from now on, and for the kernel it is as if nobody listened: while nobody else does, a
    /// fork costs it nothing more. What waits is dropped.
    void pause();
    /// Subscribes again; fails as open() does. Scan the processes anew after it returns.
    Status resume();

    /// Readable when there is something to drain; non-blocking.
    [[nodiscard]] int fd() const;

    struct Drained {
        std::size_t events = 0;
        bool lost = false; // the buffer overflowed: the caller must scan
        bool more = false; // the bound on one call was reached; call again in the next turn
    };
    /// Hands the waiting events to `tell`, in order, at most limits::kEventsPerDrain of them.
    Result<Drained> drain(const std::function<void(const ProcessEvent&)>& tell);

private:
    struct Closer {
        void operator()(nl_sock* socket) const;
    };
    explicit ProcessEvents(nl_sock* socket) : socket_(socket) {}
    Status join();
    Status subscribe();
    [[nodiscard]] int send(int operation) const;

    std::unique_ptr<nl_sock, Closer> socket_;
    bool is_listening_ = false; // the kernel has been asked for events
};

/// Translates the netlink bytes of one datagram, which may hold several messages; anything else than a whole
/// connector message of the process events is passed over. Returns how many events were told.
std::size_t translate_process_events(std::span<const unsigned char> datagram,
                                     const std::function<void(const ProcessEvent&)>& tell);

} // namespace schedd::host
