// The same question to three systems on the same kind of bridge: what does each node receive and send at
// rest, and when is one missed that has fallen silent.

#include <array>
#include <functional>

#include <fmt/format.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "tests/bench/interrupt.h"
#include "tests/bench/peers.h"
#include "tests/bench/player.h"
#include "tests/bench/process.h"

namespace schedd::bench {

namespace {

using net::test::Machine;
using net::test::within;
using std::chrono::seconds;

constexpr std::int64_t kTrafficMs = 10'000;

/// One of the three: how it is started on the stage's machines, and what the first node thinks of the others.
struct System {
    std::string name;
    std::vector<Process> processes; // of a machine each; schedd's are the machines' own
    std::function<std::size_t()> others_alive;
    /// When it last said that one is not to be used any more, in ms of the monotonic clock; 0: it does not.
    std::function<double()> suspected_ms;
};

/// In the machine's network, with mounts of its own where `mounts` makes them.
Result<Process> start_in(const Machine& machine, const std::vector<std::string>& words,
                         const std::string& log, const std::function<bool()>& mounts = {}) {
    return Process::start(words, {.has_terminal = false,
                                  .discards = true,
                                  .errors = log,
                                  .environment = {},
                                  .enter = [&machine, mounts] {
                                      return enter_network_of(machine.holder()) && (!mounts || mounts());
                                  }});
}

std::size_t count_of(const std::string& text, std::string_view word) {
    std::size_t count = 0;
    for (auto at = text.find(word); at != std::string::npos; at = text.find(word, at + word.size())) ++count;
    return count;
}

Status start_schedd(Stage& stage, System& system, std::size_t nodes) {
    for (std::size_t i = 0; i < nodes; ++i) stage.at(i).start();
    auto& first = stage.at(0);
    const auto is = [&first](std::string_view standing) {
        const auto text = first.ask("peers");
        const auto at = text.find(fmt::format(" {}=", standing));
        return at == std::string::npos ? 0 : std::stoul(text.substr(at + standing.size() + 2));
    };
    system.others_alive = [is] { return is("alive") + is("late") + is("suspect"); };
    system.suspected_ms = [&first] {
        const auto& said = first.said();
        const auto line = said.rfind(" suspect node");
        const auto at = line == std::string::npos ? line : said.find(" at ", line);
        return at == std::string::npos ? 0.0 : std::stod(said.substr(at + 4));
    };
    return {};
}

Status start_serf(Stage& stage, System& system, std::size_t nodes) {
    if (auto found = find_program("serf"); !found) return std::unexpected(found.error());
    for (std::size_t i = 0; i < nodes; ++i) {
        auto& machine = stage.at(i);
        std::vector<std::string> words{"serf", "agent", fmt::format("-node=node{}", machine.number()),
                                       fmt::format("-bind={}:7946", machine.address()), "-profile=lan",
                                       // 32 bytes: sealed, as ours is
                                       "-encrypt=MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="};
        if (i > 0) words.push_back("-join=" + stage.at(0).address());
        auto process = start_in(machine, words, fmt::format("{}/serf-{}", stage.directory(), i));
        if (!process) return std::unexpected(process.error());
        system.processes.push_back(std::move(*process));
        if (i == 0 && !pause_for_ms(500)) return not_interrupted();
    }
    auto& first = stage.at(0);
    system.others_alive = [&first] {
        const auto members = output_in(first, "serf members -status=alive");
        const auto alive = count_of(members, "alive");
        return alive == 0 ? 0 : alive - 1;
    };
    return {};
}

std::string corosync_conf(const Stage& stage, const std::vector<std::string>& addresses) {
    // Debian's times, and each option as corosync.conf(5) has it; without them it could not run beside others
    std::string text = fmt::format("totem {{\n  version: 2\n  cluster_name: bench\n  transport: knet\n"
                                   "  crypto_cipher: aes256\n  crypto_hash: sha256\n  crypto_model: openssl\n"
                                   "  keyfile: {0}/authkey\n}}\n"
                                   "logging {{\n  to_stderr: yes\n  to_syslog: no\n}}\n"
                                   "quorum {{\n  provider: corosync_votequorum\n}}\n"
                                   "system {{\n  allow_knet_handle_fallback: yes\n  sched_rr: no\n}}\n"
                                   "nodelist {{\n",
                                   stage.directory());
    for (std::size_t i = 0; i < addresses.size(); ++i)
        text += fmt::format("  node {{\n    ring0_addr: {}\n    name: node{}\n    nodeid: {}\n  }}\n",
                            addresses[i], i + 1, i + 1);
    return text + "}\n";
}

/// Its own name, and nothing of it in the machine's /run and /var/lib.
bool enter_corosync(const std::string& name) {
    return unshare(CLONE_NEWNS | CLONE_NEWUTS) == 0 && sethostname(name.c_str(), name.size()) == 0 &&
           mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
           mount("tmpfs", "/run", "tmpfs", 0, "mode=755") == 0 &&
           mount("tmpfs", "/var/lib/corosync", "tmpfs", 0, "mode=700") == 0;
}

Status start_corosync(Stage& stage, System& system, std::size_t nodes) {
    for (const auto* program : {"corosync", "corosync-keygen", "corosync-quorumtool"})
        if (auto found = find_program(program); !found) return std::unexpected(found.error());
    const auto& directory = stage.directory();
    output_of(fmt::format("corosync-keygen -l -k {}/authkey", directory));
    std::vector<std::string> addresses;
    for (std::size_t i = 0; i < nodes; ++i) addresses.push_back(stage.at(i).address());
    const auto file = directory + "/corosync.conf";
    if (auto written = write_file(file, corosync_conf(stage, addresses)); !written) return written;
    for (std::size_t i = 0; i < nodes; ++i) {
        auto process =
            start_in(stage.at(i), {"corosync", "-f", "-c", file}, fmt::format("{}/corosync-{}", directory, i),
                     [i] { return enter_corosync(fmt::format("node{}", i + 1)); });
        if (!process) return std::unexpected(process.error());
        system.processes.push_back(std::move(*process));
    }
    auto& first = stage.at(0);
    system.others_alive = [&first] {
        const auto text = output_in(first, "corosync-quorumtool -s");
        const auto at = text.find("Nodes:");
        const auto members = at == std::string::npos
                                 ? 0UL
                                 : std::stoul("0" + text.substr(text.find_first_of("0123456789", at)));
        return members == 0 ? 0UL : members - 1;
    };
    return {};
}

struct Seen {
    double received = 0, sent = 0, packets = 0; // kB and datagrams a second and node, each with its frame
    double missed = 0;                          // s until the first node does not count the silent one
    double suspected = 0;                       // s until it would not use it, where it says so
};

double since(std::int64_t ns) { return static_cast<double>(monotonic_ns() - ns) / 1e9; }

Result<Seen> look_at(Stage& stage, const System& system, std::size_t nodes) {
    if (!within(seconds(90), [&] { return interrupted() || system.others_alive() == nodes - 1; }))
        return fail(Errc::io, fmt::format("{}: the first node sees {} of {} others", system.name,
                                          system.others_alive(), nodes - 1));
    if (auto rested = pause_for_ms(4000); !rested) return std::unexpected(rested.error());
    Seen seen;
    const auto before = traffic_of(stage.at(0));
    const auto from = monotonic_ns();
    if (auto rested = pause_for_ms(kTrafficMs); !rested) return std::unexpected(rested.error());
    const auto after = traffic_of(stage.at(0));
    seen.received = (after.received_bytes - before.received_bytes) / 1e3 / since(from);
    seen.sent = (after.sent_bytes - before.sent_bytes) / 1e3 / since(from);
    seen.packets = (after.received - before.received + after.sent - before.sent) / since(from);
    // a machine that loses its power: nothing comes from there, no goodbye and no refusal either
    const auto silent = monotonic_ns();
    if (!stage.at(nodes - 1).run("ip link set eth0 down"))
        return fail(Errc::io, "no interface to be set down");
    const bool is_missed =
        within(seconds(120), [&] { return interrupted() || system.others_alive() == nodes - 2; });
    seen.missed = since(silent);
    if (system.suspected_ms) seen.suspected = system.suspected_ms() / 1e3 - static_cast<double>(silent) / 1e9;
    if (!is_missed) return fail(Errc::io, system.name + ": the silent one was not missed in two minutes");
    return seen;
}

using Start = Status (*)(Stage&, System&, std::size_t);

Result<Seen> try_system(Run& run, Stage& stage, const char* name, Start start, std::size_t nodes) {
    run.progress(fmt::format("{} nodes of {}", nodes, name));
    stage.remove_machines();
    for (std::size_t i = 0; i < nodes; ++i) stage.add();
    System system{name, {}, {}, {}};
    if (auto started = start(stage, system, nodes); !started) return std::unexpected(started.error());
    return look_at(stage, system, nodes);
}

} // namespace

Status beside_others(Run& run, Stage& stage, std::size_t nodes) {
    const auto ours = try_system(run, stage, "schedd", start_schedd, nodes);
    if (!ours) return std::unexpected(ours.error());
    const auto count = fmt::format("{} nodes", nodes);
    run.alone(count + ": a silent one is not used any more after", "s", ours->suspected,
              Goal{Goal::Sense::at_most, 3.5},
              "as the first node says; setting the link down takes some ms");
    const std::array<std::pair<const char*, Start>, 2> others{
        {{"serf", start_serf}, {"corosync", start_corosync}}};
    for (const auto& [name, start] : others) {
        const auto theirs = try_system(run, stage, name, start, nodes);
        if (!theirs) {
            run.not_measured(fmt::format("{}, against {}", count, name), "", std::nullopt, theirs.error());
            continue;
        }
        const auto row = [&](const char* what, const char* unit, double a, double b,
                             std::optional<Goal> goal) {
            Pairs pair;
            pair.add(a, b);
            run.compared(fmt::format("{}: {}, against {}", count, what, name), unit, pair, goal);
        };
        row("a silent one is dead after (asked each 0.1 s)", "s", ours->missed, theirs->missed,
            Goal{Goal::Sense::at_most, 1});
        row("received at rest", "kB/s", ours->received, theirs->received, std::nullopt);
        row("sent at rest", "kB/s", ours->sent, theirs->sent, std::nullopt);
        row("packets both ways", "per s", ours->packets, theirs->packets, std::nullopt);
    }
    return {};
}

} // namespace schedd::bench
