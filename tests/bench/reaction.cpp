// reaction: from the moment a process begins to want a CPU to the CPU set that the daemon writes for it.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <unistd.h>

#include "components/kit/rng.h"
#include "tests/bench/bench.h"
#include "tests/bench/daemon_under_test.h"
#include "tests/bench/interrupt.h"
#include "tests/bench/spinner.h"

namespace schedd::bench {

namespace {

constexpr std::int64_t kTickMs = 100;
constexpr std::int64_t kBornMs = 350; // until what it did and waited when it was born counts no more
constexpr std::int64_t kIdleMs = 150; // attached, and idle
constexpr std::int64_t kPatienceMs = 5000;
constexpr useconds_t kLookUs = 500; // between two looks at its CPUs

struct Peer {
    std::string_view name;
    double period_ms;
    std::string_view source;
};
/// None of them acts more often than this; what they do then is not measured.
constexpr Peer kPeers[] = {
    {"koordlet", 1000, "CPU suppress each second, qosmanager/framework/config.go"},
    {"numad", 5000, "scans every 5 to 15 s, numad(8)"},
    {"irqbalance", 10000, "every 10 s, irqbalance(1)"},
};

/// One process that sleeps, is attached, and begins at any moment of a tick. How long until it is confined,
/// in ms.
Result<double> step(DaemonUnderTest& daemon, kit::Rng& rng) {
    auto spinner = Spinner::start();
    if (!spinner) return std::unexpected(spinner.error());
    if (auto rested = pause_for_ms(kBornMs); !rested) return std::unexpected(rested.error());
    const auto member = fmt::format("process:{}", spinner->pid());
    if (auto attached = daemon.client().attach("LB", member); !attached)
        return std::unexpected(attached.error());
    const auto rest = kIdleMs + static_cast<std::int64_t>(rng.below(kTickMs));
    if (auto rested = pause_for_ms(rest); !rested) return std::unexpected(rested.error());
    usleep(static_cast<useconds_t>(rng.below(1000)));
    const int before = spinner->allowed_cpus();
    if (before < 2)
        return fail(Errc::not_applied, fmt::format("it may run on {} CPUs before it begins", before));
    const auto begun = monotonic_ns();
    spinner->spin();
    while (spinner->allowed_cpus() == before) {
        if (monotonic_ns() - begun > kPatienceMs * 1'000'000)
            return fail(Errc::no_value, fmt::format("it is not confined after {} ms", kPatienceMs));
        usleep(kLookUs);
    }
    const auto ms = static_cast<double>(monotonic_ns() - begun) / 1e6;
    if (spinner->allowed_cpus() != 1) return fail(Errc::not_applied, "it is not on one core");
    auto left = daemon.apply(fmt::format("remove schedulers/LB/process_set/{}\n", member));
    if (!left) return std::unexpected(left.error());
    return ms;
}

double quantile(const std::vector<double>& sorted, double part) {
    const auto at = static_cast<std::size_t>(std::ceil(part * static_cast<double>(sorted.size())));
    return sorted[std::max<std::size_t>(at, 1) - 1];
}

} // namespace

Status reaction(Run& run) {
    if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
        return fail(Errc::not_supported, "there is one CPU: nothing to choose");
    // whether the CPUs are threads of one core does not matter here
    auto daemon = DaemonUnderTest::start(run, {"--actuator=affinity", "--topology=synthetic:core:2 pu:1"});
    if (!daemon) return std::unexpected(daemon.error());
    auto built = (*daemon)->apply(
        fmt::format("create probes/cpu\n"
                    "write probes/cpu.probe_period {}\n"
                    "create schedulers/LB\n"
                    "create schedulers/LB/load_balancing\n"
                    "write schedulers/LB/load_balancing.level core\n"
                    "link probes/cpu/process_load schedulers/LB/load_balancing/process_load\n"
                    "link probes/cpu/node_load schedulers/LB/load_balancing/node_load\n",
                    kTickMs));
    if (!built) return built;
    kit::Rng rng(11);
    std::vector<double> ms;
    const int steps = run.repeats(100, 50);
    for (int i = 0; i < steps; ++i) {
        if (i % 10 == 0) run.progress(fmt::format("step {} of {}", i + 1, steps));
        const auto took = step(**daemon, rng);
        if (!took) return std::unexpected(took.error());
        ms.push_back(*took);
    }
    std::ranges::sort(ms);
    const double half = quantile(ms, 0.5);
    const Goal at_once{Goal::Sense::at_most, kTickMs + 5};
    const Goal two_ticks{Goal::Sense::at_most, 2 * kTickMs};
    run.alone("reaction, a process begins to want a CPU until its CPU set is written: p50", "ms", half,
              at_once,
              fmt::
                  format("{} steps at any moment of a tick of {} ms; p10 {:.0f}, p90 {:.0f}, worst {:.0f} ms",
                         steps, kTickMs, quantile(ms, 0.1), quantile(ms, 0.9), ms.back()));
    run.alone("reaction: p99", "ms", quantile(ms, 0.99), two_ticks);
    for (const auto& peer : kPeers) {
        Pairs pairs;
        pairs.add(half, peer.period_ms);
        run.compared(fmt::format("reaction: p50 against the period of {}", peer.name), "ms", pairs,
                     std::nullopt, fmt::format("documented, not measured: {}", peer.source));
    }
    return {};
}

} // namespace schedd::bench
