// The proc connector (kernel Documentation/driver-api/connector.rst, linux/cn_proc.h) by libnl.
#include "service/host/process_events.h"

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <utility>

#include <linux/cn_proc.h>
#include <linux/connector.h>
#include <netlink/errno.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <poll.h>
#include <sys/socket.h>

#include "components/kit/limits.h"

namespace schedd::host {

namespace {

constexpr int kReceiveBytes = 8 << 20;   // about 50,000 events; a fork bomb between two ticks should fit
constexpr int kAnswerMilliseconds = 500; // the kernel answers at once or never

Error unavailable(std::string_view step, int error) {
    const auto kind = error == -NLE_PERM || error == -NLE_NOACCESS ? Errc::denied : Errc::not_supported;
    return {kind, "process events by the proc connector are not available: " + std::string(step),
            std::string(nl_geterror(error)) + "; processes are found by scans instead"};
}

std::optional<ProcessEvent> translate(const proc_event& event) {
    using What = ProcessEvent::What;
    const auto& data = event.event_data;
    switch (static_cast<unsigned>(event.what)) {
    case proc_event::PROC_EVENT_FORK:
        if (data.fork.child_pid == data.fork.child_tgid)
            return ProcessEvent{What::fork, data.fork.child_tgid, data.fork.child_pid, data.fork.parent_tgid};
        return ProcessEvent{What::thread, data.fork.child_tgid, data.fork.child_pid, data.fork.parent_tgid};
    case proc_event::PROC_EVENT_EXEC:
        return ProcessEvent{What::exec, data.exec.process_tgid, data.exec.process_pid, 0};
    case proc_event::PROC_EVENT_SID:
        return ProcessEvent{What::session, data.sid.process_tgid, data.sid.process_pid, 0};
    case proc_event::PROC_EVENT_EXIT:
        if (data.exit.process_pid == data.exit.process_tgid)
            return ProcessEvent{What::exit, data.exit.process_tgid, data.exit.process_pid, 0};
        return ProcessEvent{What::thread_exit, data.exit.process_tgid, data.exit.process_pid, 0};
    default: return std::nullopt; // uid, gid, comm, ptrace, coredump: nothing here follows them
    }
}

/// Calls `take` with each process event of the datagram, also the answers to commands.
template <class Take> void for_each_event(std::span<const unsigned char> datagram, const Take& take) {
    std::size_t at = 0;
    while (datagram.size() - at >= NLMSG_HDRLEN) {
        nlmsghdr header{};
        std::memcpy(&header, datagram.data() + at, sizeof header);
        if (header.nlmsg_len < NLMSG_HDRLEN || header.nlmsg_len > datagram.size() - at) return;
        const auto payload = datagram.subspan(at + NLMSG_HDRLEN, header.nlmsg_len - NLMSG_HDRLEN);
        cn_msg message{};
        if (payload.size() >= sizeof message) {
            std::memcpy(&message, payload.data(), sizeof message);
            // older and newer kernels differ in the size of the event's union: take what is there, the rest
            // is 0
            const auto body = payload.subspan(sizeof message);
            proc_event event{};
            constexpr std::size_t kSmallest =
                offsetof(proc_event, event_data) + sizeof(proc_event::event_data.ack);
            if (message.id.idx == CN_IDX_PROC && message.id.val == CN_VAL_PROC &&
                body.size() >= message.len && message.len >= kSmallest) {
                std::memcpy(&event, body.data(), std::min<std::size_t>(sizeof event, message.len));
                take(event);
            }
        }
        const std::size_t step = NLMSG_ALIGN(header.nlmsg_len);
        if (step >= datagram.size() - at) return;
        at += step;
    }
}

/// One datagram; its bytes are freed with it. `size` is a negative libnl error, or 0 at the end.
struct Datagram {
    explicit Datagram(nl_sock* socket) : size(nl_recv(socket, &sender, &bytes, nullptr)) {}
    ~Datagram() { std::free(bytes); } // NOLINT: libnl allocates it by malloc
    Datagram(const Datagram&) = delete;
    Datagram& operator=(const Datagram&) = delete;
    [[nodiscard]] bool from_kernel() const { return sender.nl_pid == 0; }
    [[nodiscard]] std::span<const unsigned char> view() const {
        return {bytes, size > 0 ? static_cast<std::size_t>(size) : 0};
    }

    sockaddr_nl sender{};
    unsigned char* bytes = nullptr;
    int size;
};

} // namespace

void ProcessEvents::Closer::operator()(nl_sock* socket) const { nl_socket_free(socket); }

Result<std::unique_ptr<ProcessEvents>> ProcessEvents::open() {
    nl_sock* socket = nl_socket_alloc();
    if (socket == nullptr) return std::unexpected(unavailable("no memory for the socket", -NLE_NOMEM));
    std::unique_ptr<ProcessEvents> events(new ProcessEvents(socket));
    nl_socket_disable_auto_ack(socket);
    nl_socket_disable_seq_check(socket);
    if (const int error = nl_connect(socket, NETLINK_CONNECTOR); error < 0)
        return std::unexpected(unavailable("connecting", error));
    // libnl sets buffers within rmem_max only; with CAP_NET_ADMIN more is possible, without it the default
    // stays
    if (::setsockopt(nl_socket_get_fd(socket), SOL_SOCKET, SO_RCVBUFFORCE, &kReceiveBytes,
                     sizeof kReceiveBytes) != 0)
        nl_socket_set_buffer_size(socket, kReceiveBytes, 0);
    if (const int error = nl_socket_set_nonblocking(socket); error < 0)
        return std::unexpected(unavailable("making the socket non-blocking", error));
    if (auto joined = events->join(); !joined) return std::unexpected(joined.error());
    return events;
}

ProcessEvents::~ProcessEvents() {
    if (is_listening_) static_cast<void>(send(PROC_CN_MCAST_IGNORE));
}

Status ProcessEvents::join() {
    if (const int error = nl_socket_add_membership(socket_.get(), CN_IDX_PROC); error < 0)
        return std::unexpected(unavailable("joining the multicast group (needs CAP_NET_ADMIN)", error));
    return subscribe();
}

void ProcessEvents::pause() {
    if (std::exchange(is_listening_, false)) static_cast<void>(send(PROC_CN_MCAST_IGNORE));
    nl_socket_drop_membership(socket_.get(), CN_IDX_PROC);
    // the kernel's answer among them, which must not be taken for that to the next subscription
    for (bool has_more = true; has_more;) has_more = Datagram(socket_.get()).size > 0;
}

Status ProcessEvents::resume() {
    if (is_listening_) return {};
    return join();
}

/// A negative libnl error on failure.
int ProcessEvents::send(int operation) const {
    std::array<unsigned char, sizeof(cn_msg) + sizeof(proc_cn_mcast_op)> request{};
    cn_msg head{};
    head.id = {CN_IDX_PROC, CN_VAL_PROC};
    head.len = sizeof(proc_cn_mcast_op);
    const auto wanted = static_cast<proc_cn_mcast_op>(operation);
    std::memcpy(request.data(), &head, sizeof head);
    std::memcpy(request.data() + sizeof head, &wanted, sizeof wanted);
    return nl_send_simple(socket_.get(), NLMSG_DONE, 0, request.data(), request.size());
}

Status ProcessEvents::subscribe() {
    if (const int error = send(PROC_CN_MCAST_LISTEN); error < 0)
        return std::unexpected(unavailable("subscribing", error));
    is_listening_ = true;
    // The kernel answers with an event "none" that carries an errno. From another pid or user namespace it
    // does not answer at all. Events that come before the answer are dropped: the caller scans afterwards.
    std::optional<std::uint32_t> answer;
    for (int waits = 0; !answer && waits < 100; ++waits) {
        pollfd wait{fd(), POLLIN, 0};
        if (::poll(&wait, 1, kAnswerMilliseconds) <= 0) break;
        const Datagram datagram(socket_.get());
        if (datagram.size <= 0 || !datagram.from_kernel()) continue;
        for_each_event(datagram.view(), [&](const proc_event& event) {
            if (static_cast<unsigned>(event.what) == proc_event::PROC_EVENT_NONE)
                answer = event.event_data.ack.err;
        });
    }
    if (!answer)
        return std::unexpected(
            unavailable("the kernel does not answer (another pid, user or network namespace?)",
                        -NLE_OPNOTSUPP));
    if (*answer != 0)
        return std::unexpected(
            unavailable("the kernel refused", -nl_syserr2nlerr(static_cast<int>(*answer))));
    return {};
}

int ProcessEvents::fd() const { return nl_socket_get_fd(socket_.get()); }

Result<ProcessEvents::Drained> ProcessEvents::drain(const std::function<void(const ProcessEvent&)>& tell) {
    Drained drained;
    for (std::size_t read = 0; read < limits::kEventsPerDrain; ++read) {
        const Datagram datagram(socket_.get());
        if (datagram.size == -NLE_AGAIN || datagram.size == 0) return drained;
        if (datagram.size == -NLE_NOMEM) { // libnl's word for ENOBUFS: the kernel dropped events
            drained.lost = true;
            continue;
        }
        if (datagram.size == -NLE_INTR) continue;
        if (datagram.size < 0) return fail(Errc::io, "reading process events", nl_geterror(datagram.size));
        if (datagram.from_kernel()) drained.events += translate_process_events(datagram.view(), tell);
    }
    drained.more = true;
    return drained;
}

std::size_t translate_process_events(std::span<const unsigned char> datagram,
                                     const std::function<void(const ProcessEvent&)>& tell) {
    std::size_t told = 0;
    for_each_event(datagram, [&](const proc_event& event) {
        if (const auto translated = translate(event)) {
            tell(*translated);
            ++told;
        }
    });
    return told;
}

} // namespace schedd::host
