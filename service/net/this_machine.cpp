// systemd's machine id, and clock_gettime.
#include "service/net/this_machine.h"

#include <cstring>
#include <ctime>

#include <systemd/sd-id128.h>

namespace schedd::net {

namespace {

/// Ours alone: other programs derive other ids from the same machine.
constexpr sd_id128_t kApplication =
    SD_ID128_MAKE(5c, 1e, d0, 8a, 77, 4b, 4d, 63, 9f, 02, e6, 1b, 3a, c5, 90, d4);

Duration read(clockid_t clock) {
    timespec now{};
    clock_gettime(clock, &now);
    return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

} // namespace

Result<membership::NodeUid> machine_uid() {
    sd_id128_t id{};
    if (const int error = sd_id128_get_machine_app_specific(kApplication, &id); error < 0)
        return fail(Errc::no_such_object, "this machine has no identity (/etc/machine-id)",
                    std::string(std::strerror(-error)) + "; systemd-machine-id-setup makes one");
    std::uint64_t uid = 0;
    for (std::size_t i = 0; i < 8; ++i) uid = (uid << 8U) | id.bytes[i];
    return membership::NodeUid{uid == 0 ? 1 : uid};
}

std::uint64_t SystemClocks::wall_ms() const {
    return static_cast<std::uint64_t>(milliseconds_of(read(CLOCK_REALTIME)));
}

/// The two are read one after the other: what lies between is not a suspension.
Duration SystemClocks::suspended() const {
    const auto monotonic = read(CLOCK_MONOTONIC);
    const auto boot = read(CLOCK_BOOTTIME);
    return boot > monotonic ? boot - monotonic : Duration{};
}

} // namespace schedd::net
