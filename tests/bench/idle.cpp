// idle: what the daemon takes while nothing happens but its own tick: 200 groups, pressure ten times a
// second.
#include <fmt/format.h>

#include "tests/bench/bench.h"
#include "tests/bench/daemon_under_test.h"
#include "tests/bench/group_farm.h"
#include "tests/bench/interrupt.h"

namespace schedd::bench {

namespace {

constexpr std::size_t kGroups = 200;
constexpr std::int64_t kWindowMs = 2000;

struct Readings {
    std::vector<double> cpu_percent;
    std::vector<double> wakeups;
    std::vector<double> bus_cpu_percent;
    std::int64_t rss_kib = 0;
    std::size_t pressures = 0; // groups that have a pressure value
};

Result<std::int64_t> wakeups_of(pid_t pid) {
    return number_in(fmt::format("/proc/{}/status", pid), "voluntary_ctxt_switches");
}

/// Groups are followed for as long as somebody asks for them; asking is not idling, so it stands between the
/// windows.
Result<std::size_t> ask_for_pressure(BusClient& client, const GroupFarm& farm) {
    std::size_t have = 0;
    for (std::size_t i = 0; i < farm.size(); ++i) {
        if (client.read(fmt::format("probes/pressure/cgroup_cpu_some[{}]", farm.group(i)))) ++have;
        if (auto going = not_interrupted(); !going) return std::unexpected(going.error());
    }
    return have;
}

Status take_window(DaemonUnderTest& daemon, Readings& readings) {
    const auto pid = daemon.process().pid();
    const auto started = monotonic_ns();
    const auto cpu_before = process_cpu_ns(pid);
    const auto wakeups_before = wakeups_of(pid);
    if (auto rested = pause_for_ms(kWindowMs); !rested) return rested;
    const auto cpu_after = process_cpu_ns(pid);
    const auto wakeups_after = wakeups_of(pid);
    const auto ns = static_cast<double>(monotonic_ns() - started);
    if (!cpu_before || !cpu_after || !wakeups_before || !wakeups_after)
        return fail(Errc::io, "the daemon has ended");
    readings.cpu_percent.push_back(100.0 * static_cast<double>(*cpu_after - *cpu_before) / ns);
    readings.wakeups.push_back(1e9 * static_cast<double>(*wakeups_after - *wakeups_before) / ns);
    return {};
}

Result<Readings> read_idle(Run& run, DaemonUnderTest& daemon, const GroupFarm& farm) {
    Readings readings;
    if (auto first = ask_for_pressure(daemon.client(), farm); !first) return std::unexpected(first.error());
    if (auto rested = pause_for_ms(3000); !rested) return std::unexpected(rested.error());
    const int windows = run.repeats(7, 5);
    for (int window = 0; window < windows; ++window) {
        run.progress(fmt::format("window {} of {}", window + 1, windows));
        const auto have = ask_for_pressure(daemon.client(), farm);
        if (!have) return std::unexpected(have.error());
        readings.pressures = *have;
        if (auto rested = pause_for_ms(300); !rested) return std::unexpected(rested.error());
        if (auto taken = take_window(daemon, readings); !taken) return std::unexpected(taken.error());
    }
    const auto rss = number_in(fmt::format("/proc/{}/status", daemon.process().pid()), "VmRSS");
    if (!rss) return std::unexpected(rss.error());
    readings.rss_kib = *rss;
    return readings;
}

} // namespace

Status idle(Run& run) {
    run.progress(fmt::format("making {} control groups", kGroups));
    auto farm = GroupFarm::make(kGroups);
    if (!farm) return std::unexpected(farm.error());
    auto daemon = DaemonUnderTest::start(run, {"--actuator=auto"});
    if (!daemon) return std::unexpected(daemon.error());
    auto built = (*daemon)->apply("create probes/cpu\n"
                                  "write probes/cpu.probe_period 1000\n"
                                  "create probes/pressure\n"
                                  "write probes/pressure.probe_period 100\n"
                                  "create schedulers/LB\n"
                                  "create schedulers/LB/load_balancing\n"
                                  "link probes/cpu/process_load schedulers/LB/load_balancing/process_load\n"
                                  "link probes/cpu/node_load schedulers/LB/load_balancing/node_load\n");
    for (std::size_t i = 0; i < kGroups && built; ++i)
        built = (*daemon)->client().attach("LB", "cgroup:" + farm->group(i));
    if (!built) return built;
    const auto readings = read_idle(run, **daemon, *farm);
    if (!readings) return std::unexpected(readings.error());
    const auto note = fmt::format("cpu probe every 1000 ms, pressure of machine and {} groups every 100 ms",
                                  readings->pressures);
    const auto at_most = [](double bound) { return Goal{Goal::Sense::at_most, bound}; };
    run.alone("daemon at rest, 200 groups, 100 ms tick: CPU", "% of a core", median(readings->cpu_percent),
              at_most(1), note);
    run.alone("daemon at rest, 200 groups, 100 ms tick: wake-ups", "per s", median(readings->wakeups),
              at_most(12), "what other programs fork and end wakes it too");
    run.alone("daemon at rest, 200 groups: resident memory", "MiB",
              static_cast<double>(readings->rss_kib) / 1024, at_most(16));
    return {};
}

} // namespace schedd::bench
