// What changes is decided, acted on and told alone; it must come to the same as doing all anew.
#include "components/kit/rng.h"
#include "tests/unit/placement/an_engine.h"

namespace schedd::placement {
namespace {

struct Another final : AnEngine {
    void TestBody() override {}
};

/// Some of the targets on some CPUs, in any order.
std::vector<Decision> any_decisions(kit::Rng& rng, std::vector<Target> targets) {
    static const std::vector<std::string> kSets{"0", "1", "2", "3", "0-1", "1-2", "2-3", "0-3"};
    std::vector<Decision> all;
    while (!targets.empty()) {
        const auto at = targets.begin() + static_cast<std::ptrdiff_t>(rng.below(targets.size()));
        if (rng.below(4) != 0) all.push_back({*at, cpus(kSets[rng.below(kSets.size())]), "any"});
        targets.erase(at);
    }
    if (rng.below(2) == 0) std::ranges::sort(all, {}, &Decision::target);
    return all;
}

/// Plays the same decisions to two engines, one of which is told before each that everything may have
/// changed.
void expect_the_same(AnEngine& by_changes, AnEngine& whole, const std::vector<Target>& in_s,
                     const std::vector<Target>& in_t) {
    kit::Rng rng(3);
    bool was_placed = false;
    for (int round = 0; round < 400; ++round) {
        const bool is_s = rng.below(2) == 0;
        const auto decisions = any_decisions(rng, is_s ? in_s : in_t);
        whole.engine->part_changed(whole.world.at<Scheduler>("schedulers/S"), "precedence");
        for (AnEngine* each : {&by_changes, &whole}) each->decide(decisions, is_s ? "S" : "T");
        const auto acts = by_changes.actuator.take_acts();
        was_placed = was_placed || !acts.empty();
        ASSERT_EQ(acts, whole.actuator.take_acts()) << "round " << round;
        ASSERT_EQ(by_changes.heard.lines, whole.heard.lines) << "round " << round;
        ASSERT_EQ(by_changes.heard.acts, whole.heard.acts) << "round " << round;
        ASSERT_EQ(by_changes.world.dump(), whole.world.dump()) << "round " << round;
    }
    EXPECT_TRUE(was_placed);
}

TEST_F(AnEngine, DoesTheSameByChangesAsByTheWhole) {
    Another whole;
    for (AnEngine* each : {static_cast<AnEngine*>(this), static_cast<AnEngine*>(&whole)}) {
        each->second_scheduler();
        for (const Pid pid : {10, 11, 12}) each->attach(pid);
        for (const Pid pid : {11, 12}) each->attach(pid, "T");
        each->tick();
    }
    expect_the_same(*this, whole, {process(10), process(11), process(12)}, {process(11), process(12)});
}

TEST_F(AnEngine, DoesTheSameByChangesWhereGroupsAndProcessesBindEachOther) {
    Another whole;
    for (AnEngine* each : {static_cast<AnEngine*>(this), static_cast<AnEngine*>(&whole)}) {
        each->second_scheduler();
        each->world.host.set("sys/fs/cgroup/cpuset/batch/cgroup.procs", "");
        for (const Pid pid : {30, 31}) each->world.start({.pid = pid, .cgroup = "/batch"});
        ASSERT_TRUE(each->world.apply("create schedulers/S/process_set/cgroup:%2Fbatch"));
        for (const Pid pid : {10, 30, 31}) each->attach(pid, "T");
        each->tick();
    }
    expect_the_same(*this, whole, {Target::cgroup("/batch")}, {process(10), process(30), process(31)});
}

TEST_F(AnEngine, TellsAMemberOfManyAboutTheOneThatChanged) {
    for (const Pid pid : {30, 31, 32}) world.start({.pid = pid, .group = 30});
    ASSERT_TRUE(world.apply("create schedulers/S/process_set/group:30"));
    attach(10);
    decide({{process(10), cpus("3"), "x"},
            {process(30), cpus("0"), "x"},
            {process(31), cpus("1"), "x"},
            {process(32), cpus("1"), "x"}});
    ASSERT_EQ(world.read("schedulers/S/process_set/group:30.wanted_cpus"), "0-1");
    actuator.take_acts();
    decide({{process(10), cpus("3"), "x"},
            {process(30), cpus("0"), "x"},
            {process(31), cpus("2"), "x"},
            {process(32), cpus("1"), "x"}});
    EXPECT_EQ(actuator.take_acts(), std::vector<std::string>{"place process:31 2"});
    EXPECT_EQ(world.read("schedulers/S/process_set/group:30.wanted_cpus"), "0-2");
    decide({{process(10), cpus("3"), "x"}, {process(30), cpus("0"), "x"}});
    EXPECT_EQ(actuator.take_acts(),
              (std::vector<std::string>{"restore process:31 0-3", "restore process:32 0-3"}));
    EXPECT_EQ(world.read("schedulers/S/process_set/group:30.wanted_cpus"), "0");
    EXPECT_EQ(world.read("schedulers/S/process_set/process:10.wanted_cpus"), "3");
}

} // namespace
} // namespace schedd::placement
