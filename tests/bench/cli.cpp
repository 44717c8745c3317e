// cli: how long `schedd-cli status` takes to a person, against one bare call by busctl and against tuned-adm.
#include <fmt/format.h>
#include <unistd.h>

#include "tests/bench/bench.h"
#include "tests/bench/daemon_under_test.h"
#include "tests/bench/interrupt.h"

namespace schedd::bench {

namespace {

struct Peer {
    std::string what;
    std::vector<std::string> words;
    Goal goal;
};

void contest(Run& run, const std::vector<std::string>& ours, const Peer& peer) {
    const auto refuse = [&](const Error& why) { run.not_measured(peer.what, "ms", peer.goal, why); };
    if (const auto found = find_program(peer.words.front()); !found) return refuse(found.error());
    Pairs pairs;
    // one more than counted: the first reads the programs from the disk
    for (int pair = -1; pair < run.repeats(31, 15); ++pair) {
        const auto our_time = run_to_end(ours);
        const auto their_time = run_to_end(peer.words);
        for (const auto* time : {&our_time, &their_time}) {
            if (!*time) return refuse(time->error());
            if ((*time)->exit_code != 0)
                return refuse(
                    {Errc::io,
                     fmt::format("{} ended with {}", (time == &our_time ? ours : peer.words).front(),
                                 (*time)->exit_code),
                     {}});
        }
        if (auto going = not_interrupted(); !going) return refuse(going.error());
        if (pair >= 0) pairs.add(our_time->wall_ms, their_time->wall_ms);
    }
    run.compared(peer.what, "ms", pairs, peer.goal);
}

} // namespace

Status cli(Run& run) {
    const auto program = run.program("schedd-cli");
    if (access(program.c_str(), X_OK) != 0)
        return fail(Errc::no_such_object, program + " has not been built");
    auto daemon = DaemonUnderTest::start(run, {"--actuator=dry-run"});
    if (!daemon) return std::unexpected(daemon.error());
    if (auto built = (*daemon)->apply(
            "create probes/cpu\ncreate schedulers/CPU_LB\ncreate schedulers/CPU_LB/load_balancing\n"
            "link probes/cpu/node_load schedulers/CPU_LB/load_balancing/node_load\n");
        !built)
        return built;
    const auto& address = (*daemon)->address();
    const std::vector<std::string> status{program, "--bus=" + address, "status"};
    contest(run, status,
            {"schedd-cli status, against busctl call ... Status",
             {"busctl", "--address=" + address, "call", "org.schedd1", "/org/schedd1", "org.schedd1.Manager",
              "Status"},
             {Goal::Sense::at_most, 1.5}});
    contest(run, status,
            {"schedd-cli status, against tuned-adm --version, which asks no daemon",
             {"tuned-adm", "--version"},
             {Goal::Sense::at_most, 0.1}});
    return not_interrupted();
}

} // namespace schedd::bench
