// Transactions: a recipe happens wholly or not at all, whichever step fails, and a dry run leaves no trace.
#include <gtest/gtest.h>

#include "tests/kit/world.h"

namespace schedd::test {
namespace {

/// A configuration with everything in it: links, filters, members, attributes off their defaults.
constexpr const char* kRich =
    "create probes/cpu\n"
    "create probes/two test_probe\n"
    "write probes/cpu.probe_period 250\n"
    "create schedulers/A\n"
    "write schedulers/A.precedence 5\n"
    "create schedulers/A/test_policy\n"
    "link 'cpu/load | pass(note=7) | threshold(threshold=9)' schedulers/A/test_policy/node_load\n"
    "link cpu/process_load schedulers/A/test_policy/process_load\n"
    "create schedulers/A/process_set/process:10\n"
    "create schedulers/A/process_set/exec:x\n"
    "write schedulers/A/process_set/exec:x.weight 300\n"
    "create schedulers/B\n"
    "create schedulers/B/other_policy\n"
    "link cpu/load schedulers/B/other_policy/node_load\n"
    "write schedulers/B/process_set.handle_all true";

/// Steps that each succeed on kRich, one after the other, and touch everything.
const std::vector<std::string>& steps() {
    static const std::vector<std::string> kSteps{
        "create probes/three test_probe",
        "write probes/cpu.probe_period 999",
        "write probes/cpu.gain 3",
        "unlink schedulers/B/other_policy/node_load",
        "link three/load schedulers/B/other_policy/node_load",
        "write schedulers/B/process_set.handle_all false",
        "create schedulers/B/process_set/process:10",
        "remove schedulers/A/process_set/exec:x",
        "remove -r schedulers/A/test_policy/node_load/threshold",
        "create schedulers/A/test_policy/node_load/pass",
        "link cpu/load schedulers/A/test_policy/node_load/pass",
        "remove probes/two",
        "create probes/two test_probe",
        "remove -r schedulers/A/test_policy",
        "create schedulers/A/other_policy",
        "write schedulers/A/other_policy.factor -50",
        "remove -r schedulers/A",
        "create schedulers/A",
        "write schedulers/A.precedence -5",
        "remove -r schedulers/B",
    };
    return kSteps;
}

struct Transactions : ::testing::Test {
    World world;
    Transactions() {
        world.start({.pid = 10});
        EXPECT_TRUE(world.apply(kRich));
    }
    static std::string first(std::size_t count) {
        std::string lines;
        for (std::size_t i = 0; i < count; ++i) lines += steps()[i] + "\n";
        return lines;
    }
};
using ATransaction = Transactions;

TEST_F(ATransaction, HappensWholly) {
    const auto before = world.dump();
    ASSERT_TRUE(world.apply(first(steps().size())));
    EXPECT_NE(world.dump(), before);
    EXPECT_EQ(world.read("schedulers/A.precedence"), "-5");
}
TEST_F(ATransaction, ThatFailsAtAnyStepLeavesTheTreeAsItWas) {
    const auto before = world.dump();
    for (std::size_t i = 0; i <= steps().size(); ++i) {
        const auto done = world.apply(first(i) + "create probes/nonesuch");
        ASSERT_FALSE(done) << i;
        EXPECT_EQ(done.error().kind, Errc::no_such_object) << done.error().text();
        EXPECT_NE(done.error().text().find("nonesuch"), std::string::npos);
        ASSERT_EQ(world.dump(), before) << "after failing at step " << i;
    }
}
TEST_F(ATransaction, ThatIsOnlyTriedLeavesTheTreeAsItWas) {
    const auto before = world.dump();
    RecordingListener listener;
    world.tree.add_listener(listener);
    for (std::size_t i = 0; i <= steps().size(); ++i) {
        ASSERT_TRUE(world.apply(first(i), true)) << i;
        ASSERT_EQ(world.dump(), before) << "after trying " << i << " steps";
    }
    EXPECT_TRUE(listener.lines().empty());
    EXPECT_FALSE(world.apply("create probes/nonesuch", true));
    world.tree.remove_listener(listener);
}
TEST_F(ATransaction, NamesTheStepThatFailed) {
    const auto done =
        world.apply("create probes/x test_probe\nremove probes/none\ncreate probes/y test_probe");
    ASSERT_FALSE(done);
    EXPECT_NE(done.error().what.find("step 2 of 3 (remove probes/none)"), std::string::npos)
        << done.error().what;
}
TEST_F(ATransaction, ThatWasUndoneStillCarriesValues) {
    ASSERT_FALSE(world.apply("remove -r schedulers/A\ncreate probes/nonesuch"));
    auto& policy = world.at<TestPolicy>("schedulers/A/test_policy");
    const int before = policy.updates();
    world.at<TestProbe>("probes/cpu").push(10, world.clock.now());
    EXPECT_EQ(policy.updates(), before + 1);
    world.at<TestProbe>("probes/cpu").push(8, world.clock.now()); // the threshold stands again
    EXPECT_EQ(policy.updates(), before + 1);
}
TEST_F(ATransaction, ThatFailsTellsNobody) {
    RecordingListener listener;
    world.tree.add_listener(listener);
    const int completions = world.at<TestPolicy>("schedulers/A/test_policy").completions();
    ASSERT_FALSE(
        world.apply("unlink schedulers/A/test_policy/process_load\n"
                    "link cpu/process_load schedulers/A/test_policy/process_load\ncreate probes/nonesuch"));
    EXPECT_TRUE(listener.lines().empty());
    EXPECT_EQ(world.at<TestPolicy>("schedulers/A/test_policy").completions(), completions);
    world.tree.remove_listener(listener);
}
TEST_F(ATransaction, ThatFailsDoesNotChangeWhoCameLast) {
    auto& set = world.at<ProcessSet>("schedulers/B/process_set");
    const auto order = set.handle_all_order();
    ASSERT_FALSE(world.apply("write schedulers/B/process_set.handle_all true\ncreate probes/nonesuch"));
    EXPECT_EQ(set.handle_all_order(), order);
}
TEST_F(ATransaction, OnlyHandlingAllAnewMakesASchedulerTheLatest) {
    auto& set = world.at<ProcessSet>("schedulers/B/process_set");
    const auto order = set.handle_all_order();
    ASSERT_TRUE(world.apply("write schedulers/B/process_set.handle_all false"));
    EXPECT_EQ(set.handle_all_order(), order);
    ASSERT_TRUE(world.apply("write schedulers/B/process_set.handle_all true"));
    EXPECT_GT(set.handle_all_order(), order);
}
TEST_F(ATransaction, OrdersMembersByWhenTheyWereAttached) {
    ASSERT_TRUE(world.apply("create schedulers/C\ncreate schedulers/C/process_set/user:1\ncreate "
                            "schedulers/C/process_set/user:2"));
    EXPECT_LT(world.at<Member>("schedulers/C/process_set/user:1").order(),
              world.at<Member>("schedulers/C/process_set/user:2").order());
    ASSERT_TRUE(
        world.apply("remove schedulers/C/process_set/user:1\ncreate schedulers/C/process_set/user:1"));
    EXPECT_GT(world.at<Member>("schedulers/C/process_set/user:1").order(),
              world.at<Member>("schedulers/C/process_set/user:2").order());
}
TEST_F(ATransaction, MayRemoveWhatItUnlinkedBefore) {
    EXPECT_TRUE(
        world.apply("remove -r schedulers/A\nremove -r schedulers/B\nremove probes/cpu\nremove probes/two"));
    EXPECT_EQ(world.tree.size(), 4U);
}
TEST_F(ATransaction, KeepsCountOfItsParts) {
    const auto count = [&] {
        std::size_t parts = 0;
        for_each_part(world.tree.root(), [&](Part&) { ++parts; });
        return parts;
    };
    EXPECT_EQ(world.tree.size(), count());
    ASSERT_TRUE(world.apply(first(steps().size())));
    EXPECT_EQ(world.tree.size(), count());
}

} // namespace
} // namespace schedd::test
