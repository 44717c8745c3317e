// Who is busy enough for a power profile to be held.
#include "service/busy_profiles.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "components/model/node_claims.h"
#include "tests/kit/world.h"

namespace schedd::test {
namespace {

using service::BusyProfiles;
using testing::IsEmpty;
using testing::Pair;
using testing::UnorderedElementsAre;

struct Busy : testing::Test {
    Busy() {
        for (const Pid pid : {10, 11, 12}) {
            world.start({.pid = pid, .comm = "work"});
            world.host.set_cpu_time(pid, 1'000'000'000);
        }
        EXPECT_TRUE(world.apply("create schedulers/GAME\nwrite schedulers/GAME.hold_profile performance\n"
                                "create schedulers/GAME/process_set/process:10\n"
                                "create schedulers/GAME/process_set/process:11\n"
                                "create schedulers/OTHER\ncreate schedulers/OTHER/process_set/process:12\n"));
    }
    /// A second in which the processes use so many milliseconds.
    bool pass(std::uint64_t ten_ms, std::uint64_t eleven_ms = 0) {
        world.clock.advance(std::chrono::seconds(1));
        world.host.set_cpu_time(10, ten += ten_ms * 1'000'000);
        world.host.set_cpu_time(11, eleven += eleven_ms * 1'000'000);
        return busy.look(world.clock.now(), {});
    }
    World world;
    std::uint64_t ten = 1'000'000'000;
    std::uint64_t eleven = 1'000'000'000;
    BusyProfiles busy{world.tree, world.host};
};

TEST_F(Busy, IsWhoUsesFivePercentOfACpuTogether) {
    pass(0);
    EXPECT_THAT(busy.wanted(), IsEmpty()) << "what they used before says nothing";
    EXPECT_FALSE(pass(20, 20));
    EXPECT_TRUE(pass(25, 25));
    EXPECT_THAT(busy.wanted(), UnorderedElementsAre(Pair("GAME", "performance")));
}
TEST_F(Busy, LastsOverAPauseButNotForEver) {
    pass(0);
    pass(900);
    for (int i = 0; i < 4; ++i) EXPECT_FALSE(pass(0));
    EXPECT_THAT(busy.wanted(), UnorderedElementsAre(Pair("GAME", "performance")));
    EXPECT_TRUE(pass(0));
    EXPECT_THAT(busy.wanted(), IsEmpty());
}
TEST_F(Busy, EndsAtOnceWithTheLastMember) {
    pass(0);
    pass(900);
    world.end(10);
    world.end(11);
    EXPECT_TRUE(pass(0));
    EXPECT_THAT(busy.wanted(), IsEmpty());
}
TEST_F(Busy, EndsWhenItsSchedulerGoesOrNamesNoneAnyMore) {
    pass(0);
    pass(900);
    ASSERT_TRUE(world.apply("write schedulers/GAME.hold_profile none"));
    EXPECT_TRUE(pass(900));
    EXPECT_THAT(busy.wanted(), IsEmpty());
    ASSERT_TRUE(world.apply("write schedulers/GAME.hold_profile power-saver"));
    pass(900);
    pass(900);
    EXPECT_THAT(busy.wanted(), UnorderedElementsAre(Pair("GAME", "power-saver")));
    ASSERT_TRUE(world.apply("remove -r schedulers/GAME"));
    EXPECT_TRUE(pass(900));
    EXPECT_THAT(busy.wanted(), IsEmpty());
}
TEST_F(Busy, IsNotLookedForWhileNobodyNamesAProfile) {
    ASSERT_TRUE(world.apply("write schedulers/GAME.hold_profile none"));
    pass(0);
    EXPECT_EQ(busy.next_due(), kNever);
}
TEST_F(Busy, IsAlsoWhoseSchedulerDecidesNothing) {
    pass(0);
    pass(900);
    ASSERT_TRUE(world.apply("write schedulers/GAME.active false"));
    for (int i = 0; i < 8; ++i) EXPECT_FALSE(pass(900)) << "a held profile may be why it is not active";
    EXPECT_THAT(busy.wanted(), UnorderedElementsAre(Pair("GAME", "performance")));
}
TEST_F(Busy, IsNobodyWhoseSchedulerIsForOtherNodes) {
    world.cluster.fill(3);
    ASSERT_TRUE(world.apply("write schedulers/GAME.node_set 1-2"));
    for (auto& [scheduler, share] : share_nodes(world.tree)) scheduler->take_share(std::move(share));
    pass(0);
    pass(900);
    EXPECT_THAT(busy.wanted(), IsEmpty());
    ASSERT_TRUE(world.apply("write schedulers/GAME.active false"));
    pass(900);
    EXPECT_THAT(busy.wanted(), IsEmpty());
}

} // namespace
} // namespace schedd::test
