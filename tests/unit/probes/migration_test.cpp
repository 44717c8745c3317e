// migration_probe: tells of moves when they begin and end, and says at each read what holds.
#include <gtest/gtest.h>

#include "components/probes/probes.h"
#include "tests/kit/fake_mover.h"
#include "tests/kit/world.h"

namespace schedd::probes {
namespace {

using Numbers = std::vector<std::int64_t>;

struct AMigrationProbe : testing::Test {
    test::World world{{&kMigration}};
    test::FakeMover mover;
    Registry registry{std::vector<const Descriptor*>{&kMigration}};
    Environment environment{world.clock, world.rng,      world.host, world.log,
                            world.table, &world.cluster, &mover};
    Tree tree{environment, registry};
    test::RecordingSink last{types::kInstant};
    test::RecordingSink on_going{types::kCount};

    AMigrationProbe() {
        EXPECT_TRUE(tree.apply(*parse_recipe("create probes/migration_probe")));
        last.connect(source("last_migration"));
        on_going.connect(source("migration_on_going"));
    }
    Source& source(const std::string& name) {
        return dynamic_cast<Source&>(*tree.find(*Path::parse("probes/migration_probe/" + name)).value());
    }
    void tick() {
        world.clock.advance(std::chrono::seconds(1));
        dynamic_cast<Probe&>(*source("last_migration").parent()).run(world.clock.now());
    }
    void begin() {
        mover.last = world.clock.now();
        ++mover.under_way;
        ++mover.changes;
    }
    void end() {
        --mover.under_way;
        ++mover.changes;
    }
    std::int64_t now_of(const std::string& name) { return number_of(source(name).read({})->value); }
};

TEST_F(AMigrationProbe, SaysNeverBeforeTheFirst) {
    tick();
    EXPECT_EQ(now_of("last_migration"), 0);
    EXPECT_EQ(now_of("migration_on_going"), 0);
    EXPECT_EQ(last.numbers(), Numbers{});
}
TEST_F(AMigrationProbe, KnowsOfAMoveBeforeItsNextLook) {
    tick();
    begin();
    EXPECT_EQ(now_of("last_migration"), world.clock.now().count());
    EXPECT_EQ(now_of("migration_on_going"), 1);
}
TEST_F(AMigrationProbe, TellsOfEachStartAndEndOnce) {
    tick();
    begin();
    const auto began = world.clock.now().count();
    tick();
    tick();
    EXPECT_EQ(on_going.numbers(), (Numbers{1}));
    end();
    tick();
    EXPECT_EQ(on_going.numbers(), (Numbers{1, 0}));
    EXPECT_EQ(last.numbers(), (Numbers{began, began}));
}
TEST_F(AMigrationProbe, TellsOfOneThatCameAndWentBetweenTwoLooks) {
    tick();
    begin();
    end();
    tick();
    EXPECT_EQ(on_going.numbers(), (Numbers{0}));
    EXPECT_EQ(last.numbers().size(), 1U);
}
TEST(AMigrationProbeWhereNothingMoves, SaysNever) {
    test::World world{{&kMigration}};
    ASSERT_TRUE(world.apply("create probes/migration_probe"));
    world.at<Probe>("probes/migration_probe").run(world.clock.now());
    EXPECT_EQ(world.read("probes/migration_probe/last_migration"), "0");
    EXPECT_EQ(world.read("probes/migration_probe/migration_on_going"), "0");
}

} // namespace
} // namespace schedd::probes
