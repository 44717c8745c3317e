// schedd-cli against the real daemon: what it exits with, and that what it prints can be fed back.
#include <chrono>
#include <fstream>
#include <thread>

#include <gtest/gtest.h>
#include <unistd.h>

#include "tests/bus/daemon.h"

namespace schedd::test {
namespace {

struct TheCommandLine : testing::Test {
    PrivateBus bus{BusKind::dbus_daemon};
    TemporaryDirectory directory;
    std::unique_ptr<Daemon> daemon;
    std::string output;

    void SetUp() override { start(); }
    void start() {
        daemon = std::make_unique<Daemon>(bus);
        ASSERT_TRUE(daemon->is_running()) << daemon->log();
    }
    /// Another daemon in its place, as a dry run on a machine that is described.
    void start_on(const std::string& machine, const std::string& configuration = "") {
        daemon.reset(); // the bus tells who has the name, not which daemon that is
        daemon =
            std::make_unique<Daemon>(bus, configuration,
                                     std::vector<std::string>{"--actuator=dry-run", "--topology=" + machine});
        ASSERT_TRUE(daemon->is_running()) << daemon->log();
    }
    /// Runs it with these words; its exit code. What it said is in `output`.
    int cli(std::vector<std::string> words, std::vector<std::string> before = {}) {
        before.insert(before.end(), {SCHEDD_CLI, "--bus=" + bus.address()});
        before.insert(before.end(), words.begin(), words.end());
        int code = -1;
        output = run(before, &code);
        return code;
    }
    void build() {
        ASSERT_EQ(cli({"create", "probes/cpu"}), 0) << output;
        ASSERT_EQ(cli({"create", "schedulers/CPU_LB"}), 0) << output;
        ASSERT_EQ(cli({"create", "schedulers/CPU_LB/load_balancing"}), 0) << output;
        ASSERT_EQ(cli({"link", "cpu/node_load | average(half_life=2000) | threshold(threshold=100)",
                       "schedulers/CPU_LB/load_balancing/node_load"}),
                  0)
            << output;
    }
    std::string file(const std::string& name, const std::string& text) const {
        const auto path = directory.path() + "/" + name;
        std::ofstream(path) << text;
        return path;
    }
};

TEST_F(TheCommandLine, ReadsPlacesAsTheyAreWrittenInChains) {
    build();
    EXPECT_EQ(cli({"get", "cpu.probe_period"}), 0) << output;
    EXPECT_EQ(output, "1000\n");
    EXPECT_EQ(cli({"tree", "cpu/node_load"}), 0) << output;
    EXPECT_EQ(cli({"set", "cpu.probe_period", "500"}), 1) << "what changes something takes the whole path";
}

TEST_F(TheCommandLine, GetsAllThatHasAValueAndSaysWhatHasNone) {
    build();
    EXPECT_EQ(cli({"get", "probes/nothing", "probes/cpu.probe_period", "probes/neither"}), 1);
    EXPECT_NE(output.find("probes/cpu.probe_period = 1000"), std::string::npos) << output;
    EXPECT_NE(output.find("there is no probes/nothing"), std::string::npos) << output;
    EXPECT_NE(output.find("there is no probes/neither"), std::string::npos) << output;
}

TEST_F(TheCommandLine, ListsAsJson) {
    build();
    EXPECT_EQ(cli({"tree", "--list=schedulers", "--json=short"}), 0) << output;
    EXPECT_EQ(output, "[\"CPU_LB\"]\n");
}

TEST_F(TheCommandLine, MonitorsNothingThatIsNotThere) {
    EXPECT_EQ(cli({"monitor", "schedulers/nosuch"}), 1);
    EXPECT_NE(output.find("there is no schedulers/nosuch"), std::string::npos) << output;
}

TEST_F(TheCommandLine, SaysWhyAProcessCanBelongToNoScheduler) {
    EXPECT_EQ(cli({"explain", "1"}), 1);
    EXPECT_NE(output.find("PID 1 is never a member"), std::string::npos) << output;
    EXPECT_EQ(cli({"explain", "4194305"}), 1);
    EXPECT_NE(output.find("there is no process 4194305"), std::string::npos) << output;
}

TEST_F(TheCommandLine, ReloadsTheDaemonsOwnSettings) {
    EXPECT_EQ(cli({"reload"}), 0);
    EXPECT_EQ(output, "Nothing to change.\n");
    daemon->configure("30-daemon.toml", "[daemon]\non_stop = \"leave\"\nlog_level = \"error\"\n");
    EXPECT_EQ(cli({"reload", "--dry-run"}), 0);
    EXPECT_NE(output.find("on_stop: the default becomes leave"), std::string::npos) << output;
    EXPECT_EQ(cli({"reload"}), 0);
    EXPECT_NE(output.find("on_stop: the default becomes leave"), std::string::npos) << output;
    EXPECT_EQ(cli({"status"}), 0);
    EXPECT_NE(output.find("on stop: leave"), std::string::npos) << output;
    const auto before = daemon->log();
    EXPECT_EQ(daemon->end(), 0);
    EXPECT_EQ(daemon->log(), before) << "that it stopped is no error";
}

TEST_F(TheCommandLine, KeepsTheFileWhenThereIsNothingToDraw) {
    build();
    const auto picture = file("g.svg", "precious");
    EXPECT_EQ(cli({"graph", "--format=svg", "-o", picture}, {"env", "PATH=/nonexistent"}), 1) << output;
    EXPECT_EQ(content_of(picture), "precious");
}

TEST_F(TheCommandLine, ExportsNoMemberThatHasEnded) {
    Sleeper work;
    ASSERT_EQ(cli({"create", "schedulers/A"}), 0) << output;
    ASSERT_EQ(cli({"attach", "A", work.member()}), 0) << output;
    const auto member = work.member();
    work.end();
    ASSERT_EQ(cli({"export"}), 0) << output;
    EXPECT_NE(output.find("# \"" + member + "\", has ended"), std::string::npos) << output;
    const auto saved = file("saved.toml", output);
    ASSERT_EQ(cli({"export", "--verbs"}), 0) << output;
    EXPECT_EQ(output.find("process_set/"), std::string::npos) << output;
    daemon.reset();
    start();
    EXPECT_EQ(cli({"apply", saved}), 0) << output;
}

TEST_F(TheCommandLine, ExitsWithZeroWhenAllIsWell) {
    build();
    for (const auto* verb : {"status", "tree", "types", "graph", "export", "verify"})
        EXPECT_EQ(cli({verb}), 0) << verb << ": " << output;
    EXPECT_EQ(cli({"get", "probes/cpu.probe_period"}), 0);
    EXPECT_EQ(output, "1000\n");
}

TEST_F(TheCommandLine, ExitsWithOneWhenSomethingIsRefused) {
    build();
    EXPECT_EQ(cli({"remove", "probes/cpu"}), 1);
    EXPECT_NE(output.find("is linked to by"), std::string::npos) << output;
    EXPECT_EQ(cli({"set", "probes/cpu.probe_period", "fast"}), 1);
    EXPECT_NE(output.find("10 to 86400000"), std::string::npos) << output;
}

TEST_F(TheCommandLine, ExitsWithTwoWhenItIsNotUnderstood) {
    EXPECT_EQ(cli({"stauts"}), 2);
    EXPECT_NE(output.find("status"), std::string::npos) << output;
    EXPECT_EQ(cli({"create"}), 2);
    EXPECT_EQ(cli({"status", "--json=yaml"}), 2);
}

TEST_F(TheCommandLine, ExitsWithThreeWhenAFileDiffers) {
    build();
    ASSERT_EQ(cli({"export"}), 0);
    const auto same = file("same.toml", output);
    EXPECT_EQ(cli({"diff", same}), 0) << output;
    const auto other = file("other.toml", "[probe.cpu]\nprobe_period = 700\n");
    EXPECT_EQ(cli({"diff", other}), 3) << output;
    EXPECT_NE(output.find("probe_period"), std::string::npos) << output;
    EXPECT_EQ(cli({"apply", other}), 0) << output;
    EXPECT_EQ(cli({"diff", other}), 0) << output;
}

TEST_F(TheCommandLine, ExitsWithFourWhenTheUserMayNot) {
    if (::geteuid() != 0) GTEST_SKIP() << "only root can become another user";
    const std::vector<std::string> nobody{"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"};
    EXPECT_EQ(cli({"status"}, nobody), 0) << output;
    EXPECT_EQ(cli({"--no-ask-password", "create", "probes/cpu"}, nobody), 4) << output;
}

TEST_F(TheCommandLine, ExitsWithFiveWhenNobodyServes) {
    daemon.reset();
    EXPECT_EQ(cli({"status"}), 5) << output;
    EXPECT_NE(output.find("not running"), std::string::npos) << output;
    int code = 0;
    run({SCHEDD_CLI, "--bus=unix:path=" + directory.path() + "/nothing", "status"}, &code);
    EXPECT_EQ(code, 5);
}

TEST(ACommandLine, EndsWithFourOnABusThatTurnsItsUserAway) {
    if (::geteuid() != 0) GTEST_SKIP() << "only root can become another user";
    for (const auto kind : kBothBuses)
        for (const auto* rules : {"<deny user=\"nobody\"/>", "<deny send_destination=\"org.schedd1\"/>"}) {
            PrivateBus bus(kind, rules);
            ASSERT_EQ(bus.obstacle(), "");
            Daemon daemon(bus);
            int code = -1;
            const std::vector<std::string> words{"setpriv",        "--reuid=65534", "--regid=65534",
                                                 "--clear-groups", SCHEDD_CLI,      "--bus=" + bus.address(),
                                                 "status"};
            const auto output = run(words, &code);
            EXPECT_EQ(code, 4) << rules << ": " << output;
            EXPECT_NE(output.find("permission denied"), std::string::npos) << output;
            bus.end();
            EXPECT_NE(run(words, &code), output);
            EXPECT_EQ(code, 5) << "a bus that is gone is not running";
        }
}

TEST_F(TheCommandLine, BuildsTheSameAgainFromWhatItExported) {
    build();
    ASSERT_EQ(cli({"export"}), 0);
    const auto first = output;
    const auto saved = file("saved.toml", first);
    ASSERT_EQ(cli({"export", "--verbs"}), 0);
    const auto verbs = file("saved.verbs", output);
    daemon.reset();
    start();
    ASSERT_EQ(cli({"apply", saved}), 0) << output;
    ASSERT_EQ(cli({"export"}), 0);
    EXPECT_EQ(output, first);
    daemon.reset();
    start();
    ASSERT_EQ(cli({"apply", "--verbs", verbs}), 0) << output;
    ASSERT_EQ(cli({"export"}), 0);
    EXPECT_EQ(output, first);
}

TEST_F(TheCommandLine, ChangesNothingInADryRun) {
    EXPECT_EQ(cli({"create", "probes/cpu", "--dry-run"}), 0) << output;
    EXPECT_EQ(cli({"get", "probes/cpu.probe_period"}), 1) << output;
}

TEST_F(TheCommandLine, ChangesAllThatIsNamedOrNothing) {
    const Sleeper first;
    const Sleeper second;
    ASSERT_EQ(cli({"create", "schedulers/A"}), 0) << output;
    EXPECT_EQ(cli({"attach", "A", first.member(), "process:1", second.member()}), 1);
    EXPECT_NE(output.find("PID 1"), std::string::npos) << output;
    EXPECT_EQ(cli({"get", "schedulers/A/process_set/" + first.member() + ".state"}), 1) << output;
    EXPECT_EQ(cli({"attach", "--weight=200", "A", first.member(), "exec:/usr/bin/my 'own' tool"}), 0)
        << output;
    EXPECT_EQ(cli({"get", "schedulers/A/process_set/" + first.member() + ".weight"}), 0);
    EXPECT_EQ(output, "200\n");
    EXPECT_EQ(cli({"detach", "A", first.member(), second.member()}), 1);
    EXPECT_EQ(cli({"get", "schedulers/A/process_set/" + first.member() + ".weight"}), 0);
    EXPECT_EQ(cli({"detach", "A", first.member(), "exec:/usr/bin/my 'own' tool"}), 0) << output;
    EXPECT_EQ(cli({"create", "probes/cpu"}), 0);
    EXPECT_EQ(cli({"remove", "probes/cpu", "probes/none"}), 1);
    EXPECT_EQ(cli({"remove", "probes/cpu", "schedulers/A"}), 0) << output;
}

TEST_F(TheCommandLine, SaysWhatTheMachineLacks) {
    const int code = cli({"doctor"});
    EXPECT_TRUE(code == 0 || code == 3) << code << ": " << output;
    const bool is_missing = output.find("Essential, and missing here") != std::string::npos;
    EXPECT_EQ(code, is_missing ? 3 : 0) << output;
    for (const auto* check : {"cpus", "cpuset", "psi", "numa", "pmu", "systemd", "polkit"})
        EXPECT_NE(output.find(check), std::string::npos) << check << " is missing in\n" << output;
    EXPECT_NE(output.find("actuator        dry-run"), std::string::npos) << output;
    EXPECT_EQ(cli({"doctor", "--json=short"}), code);
    EXPECT_NE(output.find(is_missing ? "\"ok\":false" : "\"ok\":true"), std::string::npos) << output;
    daemon.reset();
    EXPECT_EQ(cli({"doctor"}), 5) << output;
    EXPECT_NE(output.find("not running"), std::string::npos) << output;
}

TEST_F(TheCommandLine, DrawsTheMachineWithItsMembers) {
    start_on("synthetic:package:2 numa:1 l3:2 core:2 pu:2");
    ASSERT_EQ(cli({"graph", "--topology"}), 0) << output;
    for (const auto* part :
         {"16 CPUs, 8 cores, 2 NUMA nodes, 2 packages", "NUMA node 1", "L3 3", "core 7", "Nothing is held"})
        EXPECT_NE(output.find(part), std::string::npos) << part << " is missing in\n" << output;
    Sleeper work;
    ASSERT_EQ(cli({"create", "schedulers/EXCL"}), 0) << output;
    ASSERT_EQ(cli({"create", "schedulers/EXCL/exclusive_cores"}), 0) << output;
    ASSERT_EQ(cli({"attach", "--cpus=4", "--exclusive", "--wait", "EXCL", work.member()}), 0) << output;
    ASSERT_EQ(cli({"graph", "--topology", "EXCL"}), 0) << output;
    for (const auto* part : {" 0a  1a ", " 4   5  ", "a    0-3   EXCL"})
        EXPECT_NE(output.find(part), std::string::npos) << part << " is missing in\n" << output;
    EXPECT_NE(output.find(work.member() + " (sleep)"), std::string::npos) << output;
    EXPECT_EQ(cli({"graph", "--topology", "NOBODY"}), 1) << output;
    EXPECT_EQ(cli({"graph", "--topology", "--format=dot"}), 2) << output;
    const auto picture = directory.path() + "/machine.svg";
    ASSERT_EQ(cli({"graph", "--topology", "--format=svg", "-o", picture}, {"env", "PATH=/nonexistent"}), 0)
        << "it takes no graphviz: " << output;
    EXPECT_NE(content_of(picture).find("<title>CPU 15: core 7, L3 3, NUMA node 1</title>"),
              std::string::npos);
    ASSERT_EQ(cli({"graph", "--topology", "--json=short"}), 0) << output;
    EXPECT_EQ(output.rfind("{\"topology\":{\"generation\":1,\"online\":\"0-15\"", 0), 0U) << output;
}

TEST_F(TheCommandLine, ShowsThatNobodyIsPlacedOnReservedCpus) {
    start_on("synthetic:core:8 pu:1", "[daemon]\nreserved_cpus = \"0-1,99\"\n");
    EXPECT_NE(daemon->log().find("99 of 0-1,99 are not there now"), std::string::npos) << daemon->log();
    const auto shared = [&] {
        EXPECT_EQ(cli({"get", "schedulers/X/exclusive_cores.shared_cpus"}), 0) << output;
        return output;
    };
    ASSERT_EQ(cli({"create", "schedulers/X"}), 0) << output;
    ASSERT_EQ(cli({"create", "schedulers/X/exclusive_cores"}), 0) << output;
    const Sleeper work;
    ASSERT_EQ(cli({"attach", "--wait", "X", work.member()}), 0) << output;
    EXPECT_EQ(shared(), "2-7\n");
    daemon->configure("test.toml", "[daemon]\nreserved_cpus = \"0-7\"\n");
    ASSERT_EQ(cli({"reload"}), 0) << output;
    EXPECT_NE(output.find("reserved_cpus: 0-1,99 becomes 0-7"), std::string::npos) << output;
    EXPECT_NE(daemon->log().find("0-7 has no effect: that is all there is"), std::string::npos);
    daemon->configure("test.toml", "[daemon]\nreserved_cpus = \"7\"\n");
    ASSERT_EQ(cli({"reload"}), 0) << output;
    for (int i = 0; i < 200 && shared() != "0-6\n"; ++i)
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    EXPECT_EQ(shared(), "0-6\n");
}

TEST_F(TheCommandLine, TellsAtAttachThatTwoSchedulersCannotBothHaveTheirWay) {
    start_on("synthetic:core:8 pu:1");
    for (const auto* name : {"schedulers/A", "schedulers/B"}) {
        ASSERT_EQ(cli({"create", name}), 0) << output;
        ASSERT_EQ(cli({"create", std::string(name) + "/exclusive_cores"}), 0) << output;
    }
    ASSERT_EQ(cli({"set", "schedulers/B/exclusive_cores.reserved", "0-3"}), 0) << output;
    const Sleeper work;
    const Sleeper other;
    ASSERT_EQ(cli({"attach", "--cpus=4", "--exclusive", "A", work.member()}), 0) << output;
    EXPECT_EQ(cli({"attach", "--cpus=2", "--exclusive", "B", work.member()}), 3) << output;
    EXPECT_NE(output.find("A wants CPUs 0-3, none of which is left beside 4-5"), std::string::npos) << output;
    EXPECT_EQ(cli({"verify"}), 3) << output;
    EXPECT_EQ(cli({"attach", "B", other.member()}), 0) << output;
    ASSERT_EQ(cli({"detach", "B", work.member()}), 0) << output;
    EXPECT_EQ(cli({"verify"}), 0) << output;
    // what one scheduler gives away alone is not there for the other
    ASSERT_EQ(cli({"set", "schedulers/B/exclusive_cores.reserved", ""}), 0) << output;
    ASSERT_EQ(cli({"explain", other.member()}), 0);
    const auto is_told = [&] {
        cli({"explain", other.member()});
        return output.find("B decides CPUs 4-7") != std::string::npos;
    };
    for (int i = 0; i < 100 && !is_told(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(20));
    EXPECT_TRUE(is_told()) << output;
}

TEST_F(TheCommandLine, TellsInADryRunWhoWouldBePlacedWhere) {
    start_on("synthetic:core:8 pu:1");
    ASSERT_EQ(cli({"create", "schedulers/A"}), 0) << output;
    ASSERT_EQ(cli({"create", "schedulers/A/exclusive_cores"}), 0) << output;
    const Sleeper first;
    const Sleeper second;
    const auto has = [&](const std::string& text) { return output.find(text) != std::string::npos; };
    ASSERT_EQ(cli({"attach", "-n", "--cpus=2", "--exclusive", "A", first.member()}), 0) << output;
    EXPECT_TRUE(has(first.member() + " (sleep): not held -> CPUs 0-1 by A: ")) << output;
    ASSERT_EQ(cli({"verify"}), 0);
    ASSERT_EQ(cli({"explain", first.member()}), 1) << "nothing was attached: " << output;
    ASSERT_EQ(cli({"attach", "--wait", "--cpus=2", "--exclusive", "A", first.member()}), 0) << output;
    ASSERT_EQ(cli({"attach", "--wait", "A", second.member()}), 0) << output;
    ASSERT_EQ(cli({"set", "-n", "schedulers/A/exclusive_cores.reserved", "0"}), 0) << output;
    EXPECT_TRUE(has(first.member() + " (sleep): 0-1 -> CPUs 1-2 by A")) << output;
    EXPECT_TRUE(has(second.member() + " (sleep): 2-7 -> CPUs 3-7 by A")) << output;
    ASSERT_EQ(cli({"detach", "-n", "A", first.member()}), 0) << output;
    EXPECT_TRUE(has(first.member() + " (sleep): 0-1 -> put back as it was")) << output;
    ASSERT_EQ(cli({"remove", "-n", "-r", "schedulers/A"}), 0) << output;
    EXPECT_TRUE(has(second.member() + " (sleep): 2-7 -> put back as it was")) << output;
    ASSERT_EQ(cli({"create", "-n", "schedulers/B"}), 0) << output;
    EXPECT_TRUE(has("Nobody would be placed otherwise now.")) << output;
    ASSERT_EQ(cli({"explain", first.member()}), 0) << output;
    EXPECT_TRUE(has("decides CPUs 0-1")) << "all is as it was: " << output;
}

TEST_F(TheCommandLine, DrawsValidGraphs) {
    build();
    ASSERT_EQ(cli({"graph", "--format=dot"}), 0) << output;
    EXPECT_EQ(output.rfind("digraph", 0), 0U) << output;
    EXPECT_NE(output.find("->"), std::string::npos);
    ASSERT_EQ(cli({"graph", "CPU_LB"}), 0);
    for (const auto* stage : {"node_load", "average", "threshold", "load_balancing", "process_set"})
        EXPECT_NE(output.find(stage), std::string::npos) << stage << " is missing in\n" << output;
}

} // namespace
} // namespace schedd::test
