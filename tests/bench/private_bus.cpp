// Starting a dbus-daemon.
#include "tests/bench/private_bus.h"

#include <fmt/format.h>

#include "tests/bench/bus_client.h"

namespace schedd::bench {

std::string PrivateBus::configuration(const std::string& address) {
    return fmt::format(R"(<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>{}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
)",
                       address);
}

Result<PrivateBus> PrivateBus::start() {
    auto directory = ScratchDirectory::make("/tmp");
    if (!directory) return std::unexpected(directory.error());
    const auto address = "unix:path=" + directory->path() + "/bus";
    const auto file = directory->path() + "/bus.conf";
    if (auto written = write_file(file, configuration(address)); !written)
        return std::unexpected(written.error());
    if (auto found = find_program("dbus-daemon"); !found) return std::unexpected(found.error());
    auto process =
        Process::start({"dbus-daemon", "--config-file=" + file, "--nofork"},
                       {.has_terminal = false, .discards = true, .errors = directory->path() + "/log"});
    if (!process) return std::unexpected(process.error());
    if (auto answered = BusClient::open(address, 10'000); !answered) return std::unexpected(answered.error());
    return PrivateBus(std::move(*directory), std::move(*process), address);
}

} // namespace schedd::bench
