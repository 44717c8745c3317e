// Policies that move work away from what a node has too much of: memory pressure, io pressure, hardware
// trouble; and new work that needs room on a disk.
#include <gmock/gmock.h>

#include "components/model/machine_types.h"
#include "tests/unit/policies/sender.h"

namespace schedd::policies {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// relief_probe: what these policies take, set by the test; `load` and so on are what other nodes tell.
class ReliefProbe final : public Probe {
public:
    static constexpr AttributeSpec kAttributes[] = {probe_period()};
    static constexpr SourceSpec kSources[] = {
        {.name = "pressure", .type = types::kPressure, .doc = "x"},
        {.name = "memory", .type = types::kMemory, .doc = "x"},
        {.name = "space", .type = types::kSpace, .doc = "x"},
        {.name = "troubles", .type = types::kCount, .doc = "x"},
        {.name = "rss", .type = types::kMemoryByPid, .doc = "x"},
        {.name = "cgroup", .type = types::kPressureByCgroup, .doc = "x"},
    };
    ReliefProbe(const Descriptor& type, std::string name, const Environment& env)
        : Probe(type, std::move(name), env) {
        for (std::size_t i = 0; i < 4; ++i) adopt(std::make_unique<PlainSource>(kSources[i]));
        const auto no_list = [](const Output::Visit&) {};
        adopt(std::make_unique<LookupSource>(
            kSources[4],
            [this](const Parameter& pid) {
                return found(sizes, static_cast<Pid>(std::get<std::int64_t>(pid)));
            },
            no_list));
        adopt(std::make_unique<LookupSource>(
            kSources[5],
            [this](const Parameter& group) {
                return found(groups, std::string(std::get<std::string_view>(group)));
            },
            no_list));
    }
    void measure(Time /*now*/) override {}

    std::map<Pid, std::int64_t> sizes;
    std::map<std::string, std::int64_t> groups;

private:
    template <class Map> std::optional<Sample> found(const Map& map,
                                                     const typename Map::key_type& key) const {
        const auto at = map.find(key);
        if (at == map.end()) return std::nullopt;
        return Sample{.value = at->second, .time = environment().clock.now()};
    }
};
const Descriptor kReliefProbe{.name = "relief_probe",
                              .kind = Kind::probe,
                              .doc = "Set by hand.",
                              .make = make_part<ReliefProbe>,
                              .attributes = ReliefProbe::kAttributes,
                              .sources = ReliefProbe::kSources};

struct Relieved : testing::Test {
    test::World world;
    test::FakeMover mover;
    Topology topology;
    std::vector<Subject> subjects;
    std::string home;

    Relieved(const Descriptor& type, const std::vector<std::pair<std::string, std::string>>& links)
        : world({&kReliefProbe, &type}), home("schedulers/S/" + std::string(type.name)) {
        topology.cpus.push_back({});
        topology.online = topology.allowed = CpuSet::of(0);
        std::string recipe = "create probes/relief_probe\ncreate schedulers/S\ncreate " + home + "\n";
        for (const auto& [source, port] : links)
            recipe += fmt::format("link probes/relief_probe/{} {}/{}\n", source, home, port);
        EXPECT_TRUE(world.apply(recipe));
        world.cluster.fill(3);
        pass();
    }
    ReliefProbe& probe() { return world.at<ReliefProbe>("probes/relief_probe"); }
    void pass() { world.clock.advance(std::chrono::seconds(1)); }
    void set(const std::string& source, std::int64_t value) {
        world.at<PlainSource>("probes/relief_probe/" + source)
            .set({.value = value, .time = world.clock.now(), .fresh_for = std::chrono::seconds(3)});
    }
    void tell(NodeId node, const std::string& source, std::int64_t value) {
        world.cluster.tell(node, "probes/relief_probe/" + source, value, world.clock.now());
    }
    void add(Pid pid, const std::string& group = "") {
        subjects.push_back({Target::process(pid, 1), "exec:x", 100, {pid}, topology.online});
        subjects.back().group = group;
    }
    void write(const std::string& what) { ASSERT_TRUE(world.apply("write " + home + "." + what)); }
    std::string state(const std::string& attribute = "state") { return world.read(home + "." + attribute); }
    View view() { return {world.clock.now(), topology, subjects, world.cluster.rows, &mover}; }
    Policy& policy() { return world.at<Policy>(home); }
    std::vector<std::string> moves() {
        policy().done();
        EXPECT_TRUE(policy().decide(view()).empty());
        last = policy().moves(view());
        std::vector<std::string> all;
        for (const auto& move : last) all.push_back(fmt::format("{} -> {}", move.target.pid, move.to));
        return all;
    }
    NodeId place(std::vector<NodeId> refused = {}) {
        NewTask task;
        task.refused = std::move(refused);
        const auto found = policy().place_task(view(), task);
        return found ? found->node : -1;
    }
    std::vector<Move> last;
};

struct ASwapAvoider : Relieved {
    ASwapAvoider()
        : Relieved(kSwapAvoidance,
                   {{"pressure", "memory_pressure"}, {"memory", "free_memory"}, {"rss", "task_rss"}}) {
        for (const auto& [pid, mib] : {std::pair(10, 6000), {11, 3000}, {12, 1000}}) {
            add(pid);
            probe().sizes[pid] = mib * 1024;
        }
    }
    /// An update of the pressure here; the others have what was told them last.
    std::vector<std::string> update(std::int64_t pressure, std::int64_t there = 10, std::int64_t mib = 8000) {
        pass();
        tell(1, "pressure", 200);
        tell(2, "pressure", there);
        tell(1, "memory", 90'000 * 1024);
        tell(2, "memory", mib * 1024);
        set("pressure", pressure);
        EXPECT_TRUE(policy().due());
        return moves();
    }
};

TEST_F(ASwapAvoider, MovesTheLargestThatFitsInHalfOfWhatIsFreeAfterThreeUpdates) {
    EXPECT_THAT(update(150), IsEmpty());
    EXPECT_EQ(state(), "memory pressure is 15 %, beyond 10 % for 1 of 3 updates");
    EXPECT_THAT(update(150), IsEmpty());
    EXPECT_THAT(update(150), ElementsAre("11 -> 2")) << "6000 is more than half of 8000";
    EXPECT_EQ(last[0].gain, 140);
    EXPECT_EQ(last[0].reason, "memory pressure 15 % here, 1 % on node 2 (gamma); it has 3072000 KiB");
    EXPECT_THAT(update(150), IsEmpty()) << "it waits for what comes of that";
}
TEST_F(ASwapAvoider, CountsUpdatesInARowAndEachOnce) {
    EXPECT_THAT(update(150), IsEmpty());
    EXPECT_THAT(update(150), IsEmpty());
    EXPECT_THAT(moves(), IsEmpty());
    EXPECT_THAT(moves(), IsEmpty());
    EXPECT_THAT(update(100), IsEmpty()) << "at the bound is not beyond it";
    EXPECT_THAT(update(150), IsEmpty());
    EXPECT_THAT(update(150), IsEmpty());
    EXPECT_EQ(update(150).size(), 1U);
}
TEST_F(ASwapAvoider, SendsNothingToWhoIsNotWellOrHasNoRoom) {
    write("patience 1");
    EXPECT_THAT(update(150, 51), IsEmpty()) << "more than half of the bound";
    EXPECT_THAT(update(150, 50), ElementsAre("11 -> 2"));
    EXPECT_THAT(update(150, 50, 1000), IsEmpty()) << "not even the smallest fits";
    EXPECT_THAT(state(), HasSubstr("no node is well and has room"));
    world.cluster.rows[2].takes_work = false;
    EXPECT_THAT(update(150), IsEmpty());
}
TEST_F(ASwapAvoider, PassesOverWhoMayNotMove) {
    write("patience 1");
    mover.immobile[Target::process(11, 1)] = "it has a device open";
    EXPECT_THAT(update(150), ElementsAre("12 -> 2"));
    EXPECT_THAT(policy().considered(view(), subjects[1]),
                ElementsAre("it cannot be moved: it has a device open", "it has 3072000 KiB of memory",
                            HasSubstr("15 %"), "node 1 (beta) has 20 %, beyond half of the bound",
                            "node 2 (gamma) has 1 %, below half of the bound"));
}
TEST_F(ASwapAvoider, WithoutAValueDoesNothing) {
    EXPECT_THAT(moves(), IsEmpty());
    EXPECT_EQ(state(), "memory_pressure has no value");
}

struct ADiskBalancer : Relieved {
    ADiskBalancer() : Relieved(kDiskIoBalancing, {{"pressure", "io_pressure"}, {"cgroup", "cgroup_io"}}) {
        add(10, "/a");
        add(11, "/b");
        add(12);
        probe().groups = {{"/a", 200}, {"/b", 350}};
        write("patience 2");
    }
    std::vector<std::string> update(std::int64_t pressure, std::int64_t there = 20) {
        pass();
        tell(1, "pressure", there);
        set("pressure", pressure);
        return moves();
    }
};

TEST_F(ADiskBalancer, MovesWhoWaitsMost) {
    EXPECT_THAT(update(400), IsEmpty());
    EXPECT_THAT(update(400), ElementsAre("11 -> 1"));
    EXPECT_EQ(last[0].reason, "io pressure 40 % here, 2 % on node 1 (beta); it waits 35 % of the time");
    EXPECT_EQ(last[0].gain, 330);
}
TEST_F(ADiskBalancer, LeavesThoseOfWhomNothingIsKnown) {
    probe().groups.clear();
    EXPECT_THAT(update(400), IsEmpty());
    EXPECT_THAT(update(400), IsEmpty());
    EXPECT_EQ(state(), "io pressure 40 %, but no member that waits for io may move");
    EXPECT_EQ(policy().considered(view(), subjects[2])[0], "how much it waits for io is not known");
}
TEST_F(ADiskBalancer, FindsNobodyWhereAllWait) {
    EXPECT_THAT(update(400, 160), IsEmpty());
    EXPECT_THAT(update(400, 160), IsEmpty());
    EXPECT_EQ(state(), "io pressure 40 %, but no other node is well");
}
TEST_F(ADiskBalancer, IsNotNeededBelowTheBound) {
    for (int i = 0; i < 9; ++i) EXPECT_THAT(update(300), IsEmpty());
    EXPECT_EQ(state(), "io pressure is 30 %, not beyond 30 %");
}

struct AScratchPlacer : Relieved {
    AScratchPlacer()
        : Relieved(kScratchSpaceBalancing, {{"space", "free_space"}, {"pressure", "io_pressure"}}) {
        world.cluster.fill(4);
        write("least 10");
        spaces({50, 20, 60, 5});
    }
    /// MiB free on nodes 0, 1, ...
    void spaces(const std::vector<std::int64_t>& mib) {
        set("space", mib[0] * 1024);
        for (std::size_t i = 1; i < mib.size(); ++i) tell(static_cast<NodeId>(i), "space", mib[i] * 1024);
    }
};

TEST_F(AScratchPlacer, KeepsWorkHereWhileThereIsSpace) {
    EXPECT_EQ(place(), 0);
    EXPECT_EQ(state("last_target"), "0");
    spaces({10, 20, 60, 5});
    EXPECT_EQ(place(), 0) << "as much as is wanted is enough";
}
TEST_F(AScratchPlacer, SendsItToWhoHasMost) {
    spaces({9, 20, 60, 5});
    for (int i = 0; i < 20; ++i) EXPECT_EQ(place(), 2) << "two have enough, both are drawn";
    EXPECT_EQ(place({2}), 1);
    EXPECT_EQ(place({1, 2}), -1) << "5 MiB are not enough";
}
TEST_F(AScratchPlacer, LooksAtHowLongTasksWaitForTheDisk) {
    set("pressure", 501);
    EXPECT_EQ(place(), 2);
    tell(2, "pressure", 600);
    EXPECT_EQ(place(), 1);
    set("pressure", 500);
    EXPECT_EQ(place(), 0);
}
TEST_F(AScratchPlacer, KnowingNothingLeavesItToTheNextScheduler) {
    for (int i = 0; i < 4; ++i) pass();
    EXPECT_EQ(place(), -1);
    tell(1, "space", 20 * 1024);
    EXPECT_EQ(place(), 1);
    EXPECT_THAT(policy().considered(view(), {}),
                ElementsAre(HasSubstr("stays"), "node 1 (beta): 20 MiB free",
                            "node 2 (gamma): it has told nothing", HasSubstr("node 3")));
}

struct AFailurePreventer : Relieved {
    AFailurePreventer() : Relieved(kFailurePrevention, {{"troubles", "troubles"}}) {
        add(10);
        add(11);
    }
};

TEST_F(AFailurePreventer, LetsAllBeWhileTheHardwareIsSound) {
    set("troubles", 0);
    EXPECT_THAT(moves(), IsEmpty());
    EXPECT_EQ(state("note"), "");
    EXPECT_EQ(policy().next_due(), kNever);
}
TEST_F(AFailurePreventer, MovesAllAwayWhenItIsNot) {
    set("troubles", 1);
    EXPECT_TRUE(policy().due());
    EXPECT_THAT(moves(), ElementsAre("10 -> 1"));
    EXPECT_EQ(last[0].reason, "this node reports 1 trouble with its hardware; node 1 (beta) has least to do");
    EXPECT_EQ(last[0].gain, 0) << "whatever it costs";
    subjects.erase(subjects.begin());
    EXPECT_LE(policy().next_due(), world.clock.now() + std::chrono::seconds(1));
    pass();
    EXPECT_THAT(moves(), ElementsAre("11 -> 2"));
    subjects.clear();
    EXPECT_THAT(moves(), IsEmpty());
    EXPECT_EQ(policy().next_due(), kNever);
}
TEST_F(AFailurePreventer, SendsNothingToOneInTrouble) {
    set("troubles", 3);
    tell(1, "troubles", 1);
    EXPECT_THAT(moves(), ElementsAre("10 -> 2"));
    tell(2, "troubles", 1);
    EXPECT_THAT(moves(), IsEmpty());
    EXPECT_EQ(policy().considered(view(), subjects[1]).back(), "no other node that takes work is sound");
    write("bound 4");
    EXPECT_THAT(moves(), IsEmpty());
    EXPECT_EQ(state("note"), "");
}
TEST_F(AFailurePreventer, StopsWhenItIsNoNewsAnyMore) {
    set("troubles", 1);
    EXPECT_EQ(moves().size(), 1U);
    set("troubles", 0);
    EXPECT_THAT(moves(), IsEmpty());
}

} // namespace
} // namespace schedd::policies
