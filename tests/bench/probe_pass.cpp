// probe-pass: what it costs to measure every process once, against the usual monitors, and how that grows.
#include <csignal>

#include <fmt/format.h>

#include "tests/bench/bench.h"
#include "tests/bench/daemon_under_test.h"
#include "tests/bench/interrupt.h"
#include "tests/bench/monitor.h"
#include "tests/bench/passes.h"
#include "tests/bench/sleepers.h"
#include "tests/bench/synthetic_tree.h"

namespace schedd::bench {

namespace {

constexpr std::size_t kProcesses = 10000;
constexpr std::string_view kMs = "ms CPU per refresh";
constexpr std::string_view kNs = "ns CPU per process";

struct Peer {
    Monitor::Spec spec;
    Goal goal;
};

std::vector<Peer> peers() {
    return {
        {{"top -b -d1", {"top", "-b", "-d1", "-w160"}, false, "top - "}, {Goal::Sense::at_most, 1.0 / 8}},
        {{"htop -d10", {"htop", "-d10"}, true, ""}, {Goal::Sense::at_most, 1.0 / 15}},
        {{"pidstat -u 1", {"pidstat", "-u", "1"}, true, ""}, {Goal::Sense::at_most, 1.0 / 40}},
    };
}

/// What a monitor's row is called, with the number of processes.
std::string against(std::string_view ours, std::string_view peer) {
    return fmt::format("{}, {} processes, against {}", ours, kProcesses, peer);
}

/// A monitor that runs, or the reason why it does not, and its pairs with both sides of ours.
struct Contest {
    Peer peer;
    Result<Monitor> monitor;
    Pairs probe;
};

Status against_monitors(Run& run) {
    auto passes = Passes::over_all("/");
    if (!passes) return std::unexpected(passes.error());
    std::vector<Contest> contests;
    for (const auto& peer : peers()) {
        run.progress("starting " + peer.spec.name);
        contests.push_back({peer, Monitor::start(peer.spec), {}});
    }
    // the same pause for all sides: caches are as cold for the one as for the other
    const int refreshes = run.repeats(3, 2);
    const int pairs = run.repeats(7, 3);
    for (int pair = 0; pair < pairs; ++pair) {
        run.progress(fmt::format("10,000 processes, pair {} of {}", pair + 1, pairs));
        for (auto& contest : contests) {
            if (!contest.monitor) continue;
            const auto ours = (*passes)->measure(refreshes, 1000);
            if (!ours) return std::unexpected(ours.error());
            const auto theirs = contest.monitor->measure(refreshes);
            if (theirs) contest.probe.add(*ours / 1e6, *theirs / 1e6);
            else contest.monitor = std::unexpected(theirs.error());
        }
    }
    for (auto& contest : contests) {
        const auto what = against("cpu probe", contest.peer.spec.name);
        if (contest.monitor) run.compared(what, std::string(kMs), contest.probe, contest.peer.goal);
        else run.not_measured(what, std::string(kMs), contest.peer.goal, contest.monitor.error());
    }
    return not_interrupted();
}

/// The probe in the daemon itself, with all that a tick does beside it: events, decisions, the bus.
Status daemon_against_top(Run& run) {
    const auto peer = peers().front();
    const auto what =
        against("the whole daemon per tick, handle_all, load_balancing, dry-run", peer.spec.name);
    auto daemon = DaemonUnderTest::start(run, {"--actuator=dry-run"});
    if (!daemon) {
        run.not_measured(what, std::string(kMs), peer.goal, daemon.error());
        return {};
    }
    auto built = (*daemon)->apply("create probes/cpu\n"
                                  "create schedulers/ALL\n"
                                  "create schedulers/ALL/load_balancing\n"
                                  "link probes/cpu/process_load schedulers/ALL/load_balancing/process_load\n"
                                  "link probes/cpu/node_load schedulers/ALL/load_balancing/node_load\n"
                                  "write schedulers/ALL/process_set.handle_all true\n");
    auto monitor = Monitor::start(peer.spec);
    if (!built || !monitor) {
        run.not_measured(what, std::string(kMs), peer.goal, built ? monitor.error() : built.error());
        return {};
    }
    if (auto rested = pause_for_ms(4000); !rested) return rested;
    constexpr int kTicks = 3;
    Pairs pairs;
    for (int pair = 0; pair < run.repeats(7, 3); ++pair) {
        run.progress(fmt::format("daemon, pair {}", pair + 1));
        (*daemon)->process().signal(SIGCONT);
        if (auto rested = pause_for_ms(500); !rested) return rested; // the tick it missed
        const auto before = process_cpu_ns((*daemon)->process().pid());
        if (auto rested = pause_for_ms(kTicks * 1000); !rested) return rested;
        const auto after = process_cpu_ns((*daemon)->process().pid());
        (*daemon)->process().signal(SIGSTOP);
        const auto theirs = monitor->measure(kTicks);
        if (!before || !after || !theirs) {
            run.not_measured(what, std::string(kMs), peer.goal,
                             !theirs   ? theirs.error()
                             : !before ? before.error()
                                       : after.error());
            return {};
        }
        pairs.add(static_cast<double>(*after - *before) / kTicks / 1e6, *theirs / 1e6);
    }
    (*daemon)->process().signal(SIGCONT);
    run.compared(what, std::string(kMs), pairs, peer.goal, "a cross-check; its goal is the probe's own");
    return {};
}

/// Cost per process among `many`, against that among `few`. Each side has the files to itself while it is
/// measured.
Result<Pairs> growth(Run& run, const std::string& root, const std::vector<pid_t>& few,
                     const std::vector<pid_t>& many, std::int64_t apart_ms) {
    Pairs pairs;
    for (int pair = 0; pair < run.repeats(7, 3); ++pair) {
        run.progress(fmt::format("{} and {} processes, pair {}", many.size(), few.size(), pair + 1));
        double per_process[2] = {};
        for (const bool is_many : {false, true}) {
            auto passes = Passes::over(root, is_many ? many : few);
            if (!passes) return std::unexpected(passes.error());
            // a multiple of eight: as often as a task without a file of its own has its turn
            const auto ns = (*passes)->measure(8, apart_ms);
            if (!ns) return std::unexpected(ns.error());
            per_process[is_many ? 1 : 0] = *ns / static_cast<double>((*passes)->processes());
        }
        pairs.add(per_process[1], per_process[0]);
    }
    return pairs;
}

void report_growth(Run& run, const std::string& what, double bound, const Result<Pairs>& pairs) {
    const Goal goal{Goal::Sense::at_most, bound};
    if (pairs) run.compared(what, std::string(kNs), *pairs, goal);
    else run.not_measured(what, std::string(kNs), goal, pairs.error());
}

std::vector<pid_t> first(const std::vector<pid_t>& pids, std::size_t count) {
    return {pids.begin(), pids.begin() + static_cast<std::ptrdiff_t>(std::min(count, pids.size()))};
}

Result<Pairs> real_growth(Run& run, Sleepers& sleepers) {
    run.progress("20,000 processes");
    if (auto grown = sleepers.grow_to(20000); !grown) return std::unexpected(grown.error());
    return growth(run, "/", first(sleepers.pids(), 1000), sleepers.pids(), 250);
}

Result<Pairs> synthetic_growth(Run& run) {
    constexpr std::size_t kMany = 50000;
    run.progress("writing a tree of 50,000 processes");
    const auto tree = SyntheticTree::make(kMany);
    if (!tree) return std::unexpected(tree.error());
    std::vector<pid_t> pids;
    for (std::size_t i = 0; i < kMany; ++i) pids.push_back(static_cast<pid_t>(SyntheticTree::kFirstPid + i));
    return growth(run, tree->root(), first(pids, 10000), pids, 20);
}

} // namespace

Status probe_pass(Run& run) {
    if (auto raised = host::raise_file_limit(); !raised) return std::unexpected(raised.error());
    run.progress("forking 10,000 processes");
    {
        auto sleepers = Sleepers::start(kProcesses);
        if (!sleepers) return std::unexpected(sleepers.error());
        if (auto done = against_monitors(run); !done) return done;
        if (auto done = daemon_against_top(run); !done) return done;
        report_growth(run, "cpu probe, among 20,000 processes against among 1,000", 1.5,
                      real_growth(run, *sleepers));
    }
    report_growth(run, "cpu probe, synthetic tree of 50,000 processes against 10,000 of it", 1.3,
                  synthetic_growth(run));
    return not_interrupted();
}

} // namespace schedd::bench
