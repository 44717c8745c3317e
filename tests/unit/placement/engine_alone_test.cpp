// CPUs given away alone, seen by two schedulers: who sees what of the machine, and what becomes of the rest.
#include <gmock/gmock.h>

#include "tests/unit/placement/an_engine.h"

namespace schedd::placement {
namespace {

/// Gives each of its members a CPU alone, from the first one that it sees; members of weight 1 get all that
/// is left.
class Giver final : public Policy {
public:
    using Policy::Policy;
    [[nodiscard]] bool gives_alone() const override { return true; }
    std::vector<Decision> decide(const View& view) override {
        auto left = view.topology.usable();
        std::vector<Decision> all;
        for (const auto& subject : view.subjects) {
            if (subject.weight == 1 || left.empty()) continue;
            const auto one = CpuSet::of(left.first());
            left = left - one;
            all.push_back({subject.target, one, "alone", {}, one});
        }
        for (const auto& subject : view.subjects)
            if (subject.weight == 1) all.push_back({subject.target, left, "the rest"});
        return all;
    }
};
const Descriptor kGiver{.name = "giver",
                        .kind = Kind::policy,
                        .doc = "Gives.",
                        .make = make_part<Giver>,
                        .ports = kOnePort};

/// Gives a member the last three CPUs that it sees alone, if there are as many; all others get the rest,
/// those of weight 1 always.
class Wholesaler final : public Policy {
public:
    using Policy::Policy;
    [[nodiscard]] bool gives_alone() const override { return true; }
    std::vector<Decision> decide(const View& view) override {
        const auto usable = view.topology.usable();
        auto three = usable;
        while (three.count() > 3) three.remove(three.first());
        std::vector<Decision> all;
        for (const auto& subject : view.subjects) {
            const bool is_enough = subject.weight > 1 && three.count() == 3;
            if (is_enough) all.push_back({subject.target, three, "three", {}, three});
            else all.push_back({subject.target, usable, "the rest"});
        }
        return all;
    }
};
const Descriptor kWholesaler{.name = "wholesaler",
                             .kind = Kind::policy,
                             .doc = "Gives three.",
                             .make = make_part<Wholesaler>,
                             .ports = kOnePort};

/// Has no opinion before its port has a value.
class Silent final : public Policy {
public:
    using Policy::Policy;
    std::vector<Decision> decide(const View& /*view*/) override { return {}; }
};
const Descriptor kSilent{.name = "silent",
                         .kind = Kind::policy,
                         .doc = "Waits.",
                         .make = make_part<Silent>,
                         .ports = kOnePort};

struct TwoGivers : EngineWorld {
    TwoGivers() : EngineWorld({&kGiver, &kSilent, &kWholesaler}, plain_machine(4)) {
        for (const Pid pid : {10, 11, 12, 13}) world.start({.pid = pid});
        for (const auto* name : {"A", "B"})
            EXPECT_TRUE(
                world.apply(fmt::format("create schedulers/{0}\ncreate schedulers/{0}/giver\n", name)));
    }
    void attach(const std::string& scheduler, Pid pid, int weight = 100) {
        const auto member = fmt::format("schedulers/{}/process_set/process:{}", scheduler, pid);
        ASSERT_TRUE(world.apply(fmt::format("create {0}\nwrite {0}.weight {1}\n", member, weight)));
        settle();
    }
    void settle() {
        for (int i = 0; i < 4; ++i) tick();
    }
    std::string cpus_of(Pid pid) {
        const auto rows = engine->explain(std::to_string(pid));
        return rows && !rows->empty() ? rows->front().verdict.cpus.text() : "none";
    }
    std::uint64_t steps() const { return engine->steps(); }
};

TEST_F(TwoGivers, DoNotGiveTheSameCpu) {
    attach("B", 10);
    EXPECT_EQ(cpus_of(10), "0");
    attach("A", 11); // comes first by name, and does not see what B has given
    EXPECT_EQ(cpus_of(11), "0");
    EXPECT_EQ(cpus_of(10), "1") << "so B gives way";
    attach("B", 12);
    EXPECT_EQ(cpus_of(12), "2");
    EXPECT_FALSE(engine->explain("10")->front().verdict.has_conflict());
}

TEST_F(TwoGivers, ComeToRest) {
    attach("A", 10);
    attach("B", 11);
    attach("A", 12);
    const auto before = steps();
    for (int i = 0; i < 10; ++i) settle();
    EXPECT_EQ(steps(), before);
}

TEST_F(TwoGivers, LeaveTheOthersOfTheOtherWhatIsLeft) {
    attach("A", 10);
    attach("B", 11, 1);
    EXPECT_EQ(cpus_of(11), "1-3");
    attach("A", 12);
    EXPECT_EQ(cpus_of(11), "2-3");
    ASSERT_TRUE(world.apply("remove schedulers/A/process_set/process:10\n"));
    settle();
    EXPECT_EQ(cpus_of(12), "0");
    EXPECT_EQ(cpus_of(11), "1-3") << "and get it back";
    ASSERT_TRUE(world.apply("remove -r schedulers/A\n"));
    settle();
    EXPECT_EQ(cpus_of(11), "0-3");
}

TEST_F(TwoGivers, LetPrecedenceSayWhoIsFirst) {
    ASSERT_TRUE(world.apply("write schedulers/B.precedence 5\n"));
    attach("A", 10);
    attach("B", 11);
    EXPECT_EQ(cpus_of(11), "0");
    EXPECT_EQ(cpus_of(10), "1");
}

TEST_F(TwoGivers, LetPrecedenceSayWhoIsFirstAlsoWhenTheOtherCameFirst) {
    for (const Pid pid : {10, 11, 12}) attach("A", pid);
    world.start({.pid = 14});
    attach("A", 14); // all four CPUs
    ASSERT_TRUE(world.apply("write schedulers/B.precedence 1000\n"));
    attach("B", 13);
    EXPECT_EQ(cpus_of(13), "0");
    EXPECT_EQ(cpus_of(10), "1");
    EXPECT_EQ(cpus_of(11), "2");
    ASSERT_TRUE(world.apply("write schedulers/B.precedence -1\n"));
    settle();
    EXPECT_EQ(cpus_of(10), "0") << "and precedence can be changed";
}

TEST_F(TwoGivers, KeepOffWhomItsPolicyLeavesAlone) {
    ASSERT_TRUE(world.apply("create schedulers/C\ncreate schedulers/C/silent\n"));
    actuator.set_mask(process(12), cpus("2")); // by its own choice
    attach("C", 11);
    attach("C", 12);
    attach("A", 10);
    EXPECT_EQ(cpus_of(10), "0");
    EXPECT_EQ(mask(11), "1-3");
    EXPECT_EQ(mask(12), "2") << "it is in nobody's way";
    EXPECT_FALSE(ledger.find(process(12)));
    EXPECT_THAT(reason(11), testing::HasSubstr("leaves it alone"));
    attach("A", 13);
    EXPECT_EQ(mask(11), "2-3");
    const auto before = steps();
    settle();
    EXPECT_EQ(steps(), before);
    ASSERT_TRUE(world.apply("remove -r schedulers/A\n"));
    settle();
    EXPECT_EQ(mask(11), "0-3") << "and is put back";
    EXPECT_FALSE(ledger.find(process(11)));
}

TEST_F(TwoGivers, GiveWhomItsPolicyLeavesAloneNoMoreThanItCameWith) {
    ASSERT_TRUE(world.apply("create schedulers/C\ncreate schedulers/C/silent\n"));
    actuator.set_mask(process(11), cpus("0-2"));
    attach("C", 11);
    attach("A", 11, 1);
    attach("B", 10);
    EXPECT_EQ(mask(11), "1-3") << "A has decided so";
    ASSERT_TRUE(world.apply("remove schedulers/A/process_set/process:11\n"));
    settle();
    EXPECT_EQ(mask(11), "1-2");
}

TEST_F(TwoGivers, KeepOffWhoComesLaterAndIsLeftAlone) {
    ASSERT_TRUE(world.apply("create schedulers/C\ncreate schedulers/C/silent\n"));
    attach("A", 10);
    attach("C", 11);
    EXPECT_EQ(mask(11), "1-3");
}

TEST_F(TwoGivers, DisputeTheLastCpuOfWhomItsPolicyLeavesAlone) {
    ASSERT_TRUE(world.apply("create schedulers/C\ncreate schedulers/C/silent\n"));
    actuator.set_mask(process(11), cpus("0"));
    attach("C", 11);
    attach("A", 10);
    EXPECT_EQ(mask(11), "0") << "confining it elsewhere is nobody's decision";
    EXPECT_TRUE(engine->explain("11")->front().verdict.has_conflict());
}

TEST_F(TwoGivers, RehearseTheConflictsThatItWouldMake) {
    for (const Pid pid : {10, 11, 12}) attach("A", pid);
    ASSERT_TRUE(world.apply("create schedulers/C\ncreate schedulers/C/silent\n"));
    actuator.set_mask(process(13), cpus("0"));
    ASSERT_TRUE(world.apply("create schedulers/C/process_set/process:13\n"));
    std::string told;
    for (const auto& change : engine->rehearse(world.clock.now()))
        told += fmt::format("{}: {}", change.target.text(), change.conflict);
    EXPECT_EQ(told, "process:13: A gives CPUs 0 to process:10 alone, and nothing else is left");
}

TEST_F(TwoGivers, SayWhichCpusAreNotThereForOne) {
    attach("A", 10);
    attach("B", 11);
    const auto rows = engine->explain("11").value();
    ASSERT_EQ(rows.front().considered.size(), 1U);
    EXPECT_THAT(rows.front().considered.front(),
                testing::ElementsAre(testing::HasSubstr("CPUs 0 are not there for it: A gave them to "
                                                        "process:10 alone")));
}

TEST_F(TwoGivers, NarrowInsideWhatTheOtherGaveTheirOwnMember) {
    attach("A", 10);
    attach("B", 10, 1); // in both: what A gave it is in B's view
    EXPECT_EQ(cpus_of(10), "0");
    EXPECT_FALSE(engine->explain("10")->front().verdict.has_conflict());
}

TEST_F(TwoGivers, SeeAllWhenNothingElseWouldBeLeft) {
    for (const Pid pid : {10, 11, 12}) attach("A", pid);
    topology.online = topology.allowed = cpus("0-2");
    topology.generation = 2;
    engine->topology_changed();
    attach("B", 13, 1);
    EXPECT_NE(cpus_of(13), "none") << "it must be somewhere";
    EXPECT_TRUE(engine->explain("13")->front().verdict.has_conflict()) << "and that is told";
}

TEST_F(TwoGivers, ComeToRestWhereTheyHaveGivenAllWithAThird) {
    ASSERT_TRUE(world.apply("write schedulers/A.precedence 5\n"));
    for (const auto* name : {"D", "E"})
        ASSERT_TRUE(
            world.apply(fmt::format("create schedulers/{0}\ncreate schedulers/{0}/wholesaler\n", name)));
    for (const Pid pid : {10, 11}) attach("A", pid);
    for (const Pid pid : {10, 11}) attach("E", pid, 1); // what A gave these is not taken from E
    attach("E", 12);
    EXPECT_EQ(cpus_of(12), "2-3") << "all three, but for what A gave 11";
    attach("D", 13); // what A and E have given is the whole machine
    const auto before = steps();
    settle();
    EXPECT_EQ(steps(), before) << "D is content with what A has left, and does not take turns with E";
    EXPECT_EQ(cpus_of(12), "2-3");
}

TEST_F(TwoGivers, RehearseWithoutActing) {
    attach("A", 10);
    attach("B", 11, 1);
    const auto before = steps();
    ASSERT_TRUE(world.apply("create schedulers/A/process_set/process:12\n"
                            "remove schedulers/B/process_set/process:11\n"));
    std::string told;
    for (const auto& change : engine->rehearse(world.clock.now()))
        told += fmt::format("{} {} -> {};", change.target.text(), change.before.text(), change.after.text());
    EXPECT_EQ(told, "process:12  -> 1;process:11 1-3 -> ;");
    EXPECT_EQ(steps(), before);
    EXPECT_TRUE(ledger.find(process(11))) << "it is held still";
}

TEST_F(TwoGivers, RehearseThatWhatANewPolicyHasNotDecidedAboutIsKept) {
    attach("A", 10);
    ASSERT_TRUE(world.apply("remove schedulers/A/giver\ncreate schedulers/A/silent\n"));
    EXPECT_TRUE(engine->rehearse(world.clock.now()).empty());
}

} // namespace
} // namespace schedd::placement
