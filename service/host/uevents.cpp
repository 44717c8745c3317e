// Kernel uevents (man 7 netlink, NETLINK_KOBJECT_UEVENT) by libnl.
#include "service/host/uevents.h"

#include <cstdlib>

#include <netlink/errno.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <sys/socket.h>

#include "components/kit/limits.h"

namespace schedd::host {

namespace {

constexpr int kKernelGroup = 1;        // group 2 is udev's, which anybody privileged may fake
constexpr int kReceiveBytes = 1 << 20; // a whole machine of CPUs going offline at once

Error unavailable(int error) {
    return {Errc::not_supported, "kernel events about CPUs are not available",
            std::string(nl_geterror(error)) + "; CPUs that come and go are noticed by checks only"};
}

} // namespace

void CpuEvents::Closer::operator()(nl_sock* socket) const { nl_socket_free(socket); }

Result<std::unique_ptr<CpuEvents>> CpuEvents::open() {
    nl_sock* socket = nl_socket_alloc();
    if (socket == nullptr) return std::unexpected(unavailable(-NLE_NOMEM));
    std::unique_ptr<CpuEvents> events(new CpuEvents(socket));
    nl_socket_disable_auto_ack(socket);
    if (const int error = nl_connect(socket, NETLINK_KOBJECT_UEVENT); error < 0)
        return std::unexpected(unavailable(error));
    if (const int error = nl_socket_add_membership(socket, kKernelGroup); error < 0)
        return std::unexpected(unavailable(error));
    if (::setsockopt(nl_socket_get_fd(socket), SOL_SOCKET, SO_RCVBUFFORCE, &kReceiveBytes,
                     sizeof kReceiveBytes) != 0)
        nl_socket_set_buffer_size(socket, kReceiveBytes, 0);
    if (const int error = nl_socket_set_nonblocking(socket); error < 0)
        return std::unexpected(unavailable(error));
    return events;
}

int CpuEvents::fd() const { return nl_socket_get_fd(socket_.get()); }

Result<bool> CpuEvents::drain() {
    bool changed = false;
    for (std::size_t read = 0; read < limits::kEventsPerDrain; ++read) {
        sockaddr_nl sender{};
        unsigned char* bytes = nullptr;
        const int size = nl_recv(socket_.get(), &sender, &bytes, nullptr);
        const std::unique_ptr<unsigned char, void (*)(void*)> owner(bytes, std::free);
        if (size == -NLE_AGAIN || size == 0) return changed;
        if (size == -NLE_INTR) continue;
        if (size == -NLE_NOMEM) { // ENOBUFS: something was lost, which may have been a CPU
            changed = true;
            continue;
        }
        if (size < 0) return fail(Errc::io, "reading kernel events about CPUs", nl_geterror(size));
        if (sender.nl_pid != 0) continue; // not from the kernel
        changed |= is_cpu_change({reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size)});
    }
    return changed;
}

bool is_cpu_change(std::string_view message) {
    bool cpu = false;
    bool came_or_went = false;
    while (!message.empty()) {
        const auto end = message.find('\0');
        const auto line = message.substr(0, end);
        if (line == "SUBSYSTEM=cpu") cpu = true;
        for (const std::string_view action :
             {"ACTION=online", "ACTION=offline", "ACTION=add", "ACTION=remove"})
            if (line == action) came_or_went = true;
        message.remove_prefix(end == std::string_view::npos ? message.size() : end + 1);
    }
    return cpu && came_or_went;
}

} // namespace schedd::host
