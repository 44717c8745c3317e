// peers: what a node costs among a hundred and a thousand others, and under a flood of forged datagrams; how
// soon a silent one is missed, beside serf and corosync. All of it on bridges and in namespaces of its own.
#include "tests/bench/peers.h"

#include <sstream>

#include <fmt/format.h>
#include <sched.h>
#include <sys/mount.h>

#include "tests/bench/crowd.h"
#include "tests/bench/daemon_under_test.h"
#include "tests/bench/interrupt.h"

namespace schedd::bench {

namespace {

using net::test::Machine;
using net::test::within;
using std::chrono::seconds;

constexpr std::int64_t kWindowMs = 5000;

Goal at_most(double bound) { return {Goal::Sense::at_most, bound}; }

/// How many the node calls alive or late, of those it knows.
std::size_t taken_for_alive(Machine& node) {
    std::istringstream words(node.ask("peers"));
    std::size_t count = 0;
    for (std::string word; words >> word;)
        for (const std::string_view standing : {"alive=", "late="})
            if (word.starts_with(standing)) count += std::stoul(word.substr(standing.size()));
    return count;
}

Status await_all(Machine& node, std::size_t peers) {
    if (within(seconds(60), [&] { return interrupted() || taken_for_alive(node) == peers; }))
        return not_interrupted();
    return fail(Errc::io, fmt::format("the node sees {} of {} peers", taken_for_alive(node), peers),
                node.said().substr(0, 300));
}

/// In ms of CPU for a second, of each.
struct Windows {
    Pairs cpu;
    double heard_per_second = 0;
};
Result<Windows> take_windows(Run& run, pid_t node, const Player& ear) {
    Windows windows;
    const int count = run.repeats(7, 3);
    for (int i = 0; i < count; ++i) {
        const auto ours = process_cpu_ns(node);
        const auto theirs = process_cpu_ns(ear.pid());
        const auto heard = ear.count();
        const auto from = monotonic_ns();
        if (auto rested = pause_for_ms(kWindowMs); !rested) return std::unexpected(rested.error());
        const auto ours_then = process_cpu_ns(node);
        const auto theirs_then = process_cpu_ns(ear.pid());
        const auto passed = static_cast<double>(monotonic_ns() - from);
        if (!ours || !theirs || !ours_then || !theirs_then) return fail(Errc::io, "a program has ended");
        windows.cpu.add(1e3 * static_cast<double>(*ours_then - *ours) / passed,
                        1e3 * static_cast<double>(*theirs_then - *theirs) / passed);
        windows.heard_per_second = 1e9 * static_cast<double>(ear.count() - heard) / passed;
    }
    return windows;
}

void say_memory(Run& run, pid_t pid, const std::string& what) {
    const auto rss = number_in(fmt::format("/proc/{}/status", pid), "VmRSS");
    if (!rss) return run.not_measured(what, "MiB", at_most(16), rss.error());
    run.alone(what, "MiB", static_cast<double>(*rss) / 1024, at_most(16));
}

/// Three machines: of the node, of the ear, of the crowd.
struct Cast {
    Machine& node;
    Machine& ear;
    Machine& crowd;
    explicit Cast(Stage& stage) : node(stage.add()), ear(stage.add()), crowd(stage.add()) {}
};

} // namespace

Status node_among(Run& run, Stage& stage, std::size_t peers) {
    run.progress(fmt::format("a node among {} peers", peers));
    stage.remove_machines();
    Cast cast(stage);
    auto ear = Player::start(cast.ear.holder(), hear_group);
    auto crowd = Player::start(cast.crowd.holder(), [&, peers](Player::Count& sent) {
        speak_as_peers(stage.keys(), peers, sent);
    });
    if (!ear || !crowd) return fail(Errc::io, "no players");
    cast.node.start();
    if (auto there = await_all(cast.node, peers); !there) return there;
    if (auto rested = pause_for_ms(3000); !rested) return rested;
    const auto windows = take_windows(run, cast.node.pid(), *ear);
    if (!windows) return std::unexpected(windows.error());
    if (taken_for_alive(cast.node) != peers) return fail(Errc::io, "peers were lost meanwhile");
    const auto note = fmt::format("the bare one heard {:.0f} datagrams a second", windows->heard_per_second);
    run.compared(fmt::format("CPU of a node among {} peers, against a bare multicast receiver", peers),
                 "ms CPU per s", windows->cpu, peers == 100 ? std::optional(at_most(2)) : std::nullopt, note);
    run.alone(fmt::format("CPU of a node among {} peers", peers), "% of a core", windows->cpu.ours() / 10,
              at_most(peers == 100 ? 0.2 : 1), note);
    if (peers >= 1000)
        say_memory(run, cast.node.pid(), fmt::format("memory of a node among {} peers", peers));
    return {};
}

Status daemon_among_a_thousand(Run& run, Stage& stage) {
    constexpr std::size_t kPeers = 1000;
    run.progress("the daemon among 1000 peers");
    stage.remove_machines();
    Cast cast(stage);
    const auto identity = stage.directory() + "/machine-id";
    if (auto written = write_file(identity, "00000000000000000000000000001234\n"); !written) return written;
    DaemonUnderTest::Surroundings around;
    around.configuration =
        fmt::format("[cluster]\nnode_name = \"tested\"\nnumber = 0\nkeys = \"{}\"\n", stage.keys());
    around.enter = [&] {
        return enter_network_of(cast.node.holder()) && unshare(CLONE_NEWNS) == 0 &&
               mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
               mount(identity.c_str(), "/etc/machine-id", nullptr, MS_BIND, nullptr) == 0;
    };
    auto ear = Player::start(cast.ear.holder(), hear_group);
    auto crowd = Player::start(cast.crowd.holder(),
                               [&](Player::Count& sent) { speak_as_peers(stage.keys(), kPeers, sent); });
    if (!ear || !crowd) return fail(Errc::io, "no players");
    auto daemon = DaemonUnderTest::start(run, {"--actuator=dry-run"}, around);
    if (!daemon) return std::unexpected(daemon.error());
    const auto count = fmt::format("{} --bus {} tree nodes | grep -c 'state=alive'",
                                   run.program("schedd-cli"), (*daemon)->address());
    const auto wanted = fmt::format("{}\n", kPeers + 1);
    std::string seen;
    if (!within(seconds(60), [&] { return (seen = output_of(count)) == wanted || interrupted(); }))
        return fail(Errc::io, "the daemon does not see all 1000 peers, but " + seen);
    if (auto rested = pause_for_ms(5000); !rested) return rested;
    const auto windows = take_windows(run, (*daemon)->process().pid(), *ear);
    if (!windows) return std::unexpected(windows.error());
    run.alone("CPU of the whole daemon among 1000 peers", "% of a core", windows->cpu.ours() / 10, at_most(1),
              fmt::format("{:.0f} datagrams a second; nothing attached, no probe",
                          windows->heard_per_second));
    say_memory(run, (*daemon)->process().pid(), "memory of the whole daemon among 1000 peers");
    return {};
}

Status forged_flood(Run& run, Stage& stage) {
    constexpr std::size_t kRate = 100'000;
    constexpr std::size_t kSources = 4;
    constexpr std::size_t kPeers = 100;
    run.progress("a flood of forged datagrams");
    stage.remove_machines();
    auto& node = stage.add();
    auto& peers = stage.add();
    auto& forger = stage.add();
    for (std::size_t i = 1; i <= kSources; ++i)
        if (!forger.run(fmt::format("ip addr add 10.7.200.{}/16 dev eth0", i)))
            return fail(Errc::io, "no further address can be set");
    auto crowd = Player::start(peers.holder(),
                               [&](Player::Count& sent) { speak_as_peers(stage.keys(), kPeers, sent); });
    if (!crowd) return std::unexpected(crowd.error());
    node.start();
    if (auto there = await_all(node, kPeers); !there) return there;
    const auto calm = node.said().size();
    auto flood = Player::start(forger.holder(), [](Player::Count& sent) { forge(kRate, kSources, sent); });
    if (!flood) return std::unexpected(flood.error());
    if (auto rested = pause_for_ms(2000); !rested) return rested;
    std::vector<double> cpu;
    double rate = 0;
    for (int i = 0; i < run.repeats(5, 3); ++i) {
        const auto used = process_cpu_ns(node.pid());
        const auto sent = flood->count();
        const auto from = monotonic_ns();
        if (auto rested = pause_for_ms(3000); !rested) return rested;
        const auto then = process_cpu_ns(node.pid());
        if (!used || !then) return fail(Errc::io, "the node has ended");
        const auto passed = static_cast<double>(monotonic_ns() - from);
        cpu.push_back(100 * static_cast<double>(*then - *used) / passed);
        rate = 1e9 * static_cast<double>(flood->count() - sent) / passed;
    }
    const auto note =
        fmt::format("{:.0f} forged a second from {} addresses; {}", rate, kSources, node.ask("drops"));
    run.alone("CPU of a node under 100,000 forged datagrams a second", "% of a core", median(cpu),
              at_most(10), note);
    const auto alive = taken_for_alive(node);
    run.alone("peers kept meanwhile, of 100", "peers", static_cast<double>(alive),
              Goal{Goal::Sense::at_least, static_cast<double>(kPeers)});
    std::istringstream said(node.said().substr(calm));
    double lines = 0;
    for (std::string line; std::getline(said, line);)
        if (line.starts_with("log ")) ++lines;
    run.alone("lines logged meanwhile, for 4 sources", "lines", lines, at_most(kSources));
    return {};
}

Status peers(Run& run) {
    auto stage = Stage::make();
    if (!stage) return std::unexpected(stage.error());
    const auto try_it = [&](const char* what, const Status& done) {
        if (!done) run.not_measured(what, "", std::nullopt, done.error());
    };
    try_it("a node among 100 peers", node_among(run, *stage, 100));
    try_it("a node among 1000 peers", node_among(run, *stage, 1000));
    try_it("the daemon among 1000 peers", daemon_among_a_thousand(run, *stage));
    try_it("a flood of forged datagrams", forged_flood(run, *stage));
    for (const std::size_t nodes : {3U, 8U})
        try_it("nodes beside serf and corosync", beside_others(run, *stage, nodes));
    return {};
}

} // namespace schedd::bench
