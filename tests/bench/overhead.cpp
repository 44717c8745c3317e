// overhead: hackbench and sysbench beside the daemon, which ticks with nothing attached, and a
// stopped one.
#include <algorithm>
#include <csignal>
#include <memory>

#include <fmt/format.h>

#include "tests/bench/bench.h"
#include "tests/bench/daemon_under_test.h"
#include "tests/bench/interrupt.h"
#include "tests/bench/process.h"

namespace schedd::bench {

namespace {

/// A new daemon measures all there is for three seconds, since somebody might look at it, and follows
/// processes for three more; then it rests. The loads are short: how fast the machine is drifts by some per
/// cent within a minute, and a pair should not see it.
constexpr std::int64_t kToRestMs = 8000;

struct Load {
    std::string_view what;
    std::vector<std::string> words;
};

std::vector<Load> loads() {
    return {
        {"hackbench (10 groups, pipes)", {"hackbench", "-p", "-g", "10", "-l", "200"}},
        {"sysbench cpu (2 threads)",
         {"sysbench", "cpu", "--threads=2", "--time=0", "--events=8000", "--cpu-max-prime=10000", "run"}},
        {"sysbench threads (8 threads, 4 locks)",
         {"sysbench", "threads", "--threads=8", "--thread-locks=4", "--time=0", "--events=200", "run"}},
    };
}

Result<std::unique_ptr<DaemonUnderTest>> start_ticking(Run& run) {
    auto daemon = DaemonUnderTest::start(run, {"--actuator=auto"});
    if (!daemon) return daemon;
    auto built = (*daemon)->apply("create probes/cpu\n"
                                  "write probes/cpu.probe_period 100\n"
                                  "create schedulers/LB\n"
                                  "create schedulers/LB/load_balancing\n"
                                  "link probes/cpu/process_load schedulers/LB/load_balancing/process_load\n"
                                  "link probes/cpu/node_load schedulers/LB/load_balancing/node_load\n");
    if (!built) return std::unexpected(built.error());
    return daemon;
}

Result<Ended> run_once(const Load& load) {
    const auto ended = run_to_end(load.words);
    if (!ended) return std::unexpected(ended.error());
    if (ended->exit_code != 0)
        return fail(Errc::io, fmt::format("{} ended with {}", load.words[0], ended->exit_code));
    return ended;
}

struct Times {
    Pairs pairs;
    Pairs cpu; // of the load itself
    double least_with = 0;
    double least_without = 0;

    void add(const Ended& with, const Ended& without) {
        least_with = pairs.empty() ? with.wall_ms : std::min(least_with, with.wall_ms);
        least_without = pairs.empty() ? without.wall_ms : std::min(least_without, without.wall_ms);
        pairs.add(with.wall_ms, without.wall_ms);
        cpu.add(with.cpu_ms, without.cpu_ms);
    }
};

/// At rest the kernel sends the daemon nothing, so a stopped one is as if it were not there.
Result<Ended> alone(const Process& daemon, const Load& load) {
    daemon.signal(SIGSTOP);
    auto ended = run_once(load);
    daemon.signal(SIGCONT);
    return ended;
}

/// Each pair the other way round than the one before: who runs second finds a warmer machine.
Status measure_beside(Run& run, const Load& load) {
    run.progress(load.what);
    if (auto found = find_program(load.words[0]); !found) return std::unexpected(found.error());
    auto daemon = start_ticking(run);
    if (!daemon) return std::unexpected(daemon.error());
    if (auto rested = pause_for_ms(kToRestMs); !rested) return rested;
    if (auto warm = run_once(load); !warm) return std::unexpected(warm.error());
    const auto& process = (*daemon)->process();
    Times times;
    double daemon_ns = 0;
    double beside_ms = 0;
    for (int pair = 0; pair < run.repeats(61, 5); ++pair) {
        if (auto going = not_interrupted(); !going) return going;
        Result<Ended> without = Ended{};
        if (pair % 2 == 1) without = alone(process, load);
        const auto before = process_cpu_ns(process.pid());
        const auto with = run_once(load);
        const auto after = process_cpu_ns(process.pid());
        if (pair % 2 == 0) without = alone(process, load);
        if (!before || !after) return fail(Errc::io, "the daemon has ended");
        if (!with || !without) return std::unexpected(with ? without.error() : with.error());
        times.add(*with, *without);
        daemon_ns += static_cast<double>(*after - *before);
        beside_ms += with->wall_ms;
    }
    run.compared(fmt::format("{} beside the daemon with nothing attached, tick 100 ms, against a stopped one",
                             load.what),
                 "ms", times.pairs, Goal{Goal::Sense::at_most, 1.01},
                 fmt::
                     format("{} pairs; the best of each {:.4f}, CPU time of the load {:.4f}; the daemon took "
                            "{:.2f} % of a core",
                            times.pairs.size(), times.least_with / times.least_without, times.cpu.ratio(),
                            daemon_ns / 1e4 / beside_ms));
    return {};
}

} // namespace

Status overhead(Run& run) {
    for (const auto& load : loads()) {
        if (auto going = not_interrupted(); !going) return going;
        if (auto done = measure_beside(run, load); !done)
            run.not_measured(fmt::format("{} beside the daemon", load.what), "ms",
                             Goal{Goal::Sense::at_most, 1.01}, done.error());
    }
    return {};
}

} // namespace schedd::bench
