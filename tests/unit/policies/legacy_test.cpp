// The legacy scheduler as a whole: its chains, second by second, from the files of proc to what is moved.
#include <gmock/gmock.h>

#include "components/probes/probes.h"
#include "policies/policies.h"
#include "tests/kit/engine_world.h"
#include "tests/kit/fake_mover.h"

namespace schedd::policies {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::StartsWith;

/// As the script of the original sets it up.
constexpr std::string_view kScript =
    "create probes/mosix_probe\n"
    "create probes/migration_probe\n"
    "create schedulers/rr\n"
    "create schedulers/rr/round_robin_balancer\n"
    "write schedulers/rr/process_set.handle_all true\n"
    "create schedulers/mosix\n"
    "create schedulers/mosix/mosix_load_balancer\n"
    "create schedulers/mosix/mosix_load_balancer/local_load/freq_limit_filter\n"
    "create schedulers/mosix/mosix_load_balancer/local_load/freq_limit_filter/threshold_filter\n"
    "create schedulers/mosix/mosix_load_balancer/remote_load/remote_cache_filter\n"
    "create schedulers/mosix/mosix_load_balancer/single_process_load/remote_cache_filter\n"
    "write schedulers/mosix/mosix_load_balancer/local_load/freq_limit_filter.min_interval 2000000000\n"
    "write schedulers/mosix/mosix_load_balancer/local_load/freq_limit_filter/threshold_filter.threshold "
    "1500\n"
    "write schedulers/mosix/mosix_load_balancer/remote_load/remote_cache_filter.polling_period 1000\n"
    "link probes/migration_probe/last_migration "
    "schedulers/mosix/mosix_load_balancer/local_load/freq_limit_filter/last_event\n"
    "link probes/mosix_probe/norm_upper_load "
    "schedulers/mosix/mosix_load_balancer/remote_load/remote_cache_filter\n"
    "link probes/mosix_probe/norm_single_process_load "
    "schedulers/mosix/mosix_load_balancer/single_process_load/remote_cache_filter\n"
    "link probes/mosix_probe/process_load schedulers/mosix/mosix_load_balancer/process_load\n"
    "link probes/mosix_probe/norm_mean_load "
    "schedulers/mosix/mosix_load_balancer/local_load/freq_limit_filter/threshold_filter\n"
    "write schedulers/mosix/process_set.handle_all true\n";

struct TheLegacyScheduler : testing::Test {
    test::World base; // its clock, files and processes; the tree is another, because work moves here
    test::FakeMover mover;
    Registry registry{std::vector<const Descriptor*>{&probes::kMosix, &probes::kMigration,
                                                     &filters::kThreshold, &filters::kFreqLimit,
                                                     &filters::kRemoteCache, &kMosixLoadBalancer,
                                                     &kRoundRobinBalancer}};
    Environment environment{base.clock, base.rng, base.host, base.log, base.table, &base.cluster, &mover};
    Tree tree{environment, registry};
    Topology topology = test::plain_machine(1);
    test::FakeActuator actuator{topology.online};
    test::MemoryStore store;
    std::vector<std::string> complaints;
    placement::Ledger ledger{store, "boot", "", complaints};
    placement::Engine engine{tree, topology, actuator, ledger};
    std::map<Pid, std::uint64_t> hogs; // and what they ran, in ms
    std::int64_t node_1 = 0;           // its load

    TheLegacyScheduler() {
        base.cluster.fill(2);
        engine.set_mover(&mover);
        const auto done = tree.apply(*parse_recipe(kScript));
        EXPECT_TRUE(done) << done.error().text();
    }
    void hog(Pid pid) {
        base.start({.pid = pid});
        hogs[pid] = 0;
    }
    /// A second passes; who was asked to move has begun to.
    void second() {
        base.clock.advance(std::chrono::seconds(1));
        for (auto& [pid, ran] : hogs) {
            ran += 1000;
            base.proc.set_times(pid, ran * 1'000'000);
        }
        busy_ms += hogs.size() * 1000;
        base.host.set("proc/schedstat",
                      fmt::format("version 15\ntimestamp 1\ncpu0 0 0 0 0 0 0 {} 0 9\n", busy_ms * 1'000'000));
        tell("norm_upper_load", node_1);
        tell("norm_single_process_load", 1000);
        engine.tick(base.clock.now());
    }
    void tell(const std::string& source, std::int64_t value) {
        base.cluster.tell(1, "probes/mosix_probe/" + source, value, base.clock.now());
    }
    /// How many moves each of the next seconds brings.
    std::vector<std::size_t> seconds(int count) {
        std::vector<std::size_t> moves;
        for (int i = 0; i < count; ++i) {
            mover.asked.clear();
            second();
            moves.push_back(mover.asked.size());
            if (mover.asked.empty()) continue;
            mover.last = base.clock.now();
            ++mover.changes;
            last_asked = mover.asked.back();
        }
        return moves;
    }
    std::uint64_t busy_ms = 0;
    std::string last_asked;
};

TEST_F(TheLegacyScheduler, MovesOneOfTwoToAnIdleNodeAtItsThirdUpdate) {
    hog(20);
    hog(21);
    second(); // the first look knows no load yet
    EXPECT_THAT(mover.asked, IsEmpty());
    EXPECT_THAT(seconds(3), ElementsAre(0, 0, 1)) << "750, 1219, 1512";
    EXPECT_THAT(last_asked, StartsWith("mosix process:21 -> 1: load 1512 here, on node 1 (beta) 0, with one "
                                       "more and a margin 1300"));
    hogs.erase(21);
    base.end(21);
    node_1 = 1000;
    EXPECT_THAT(seconds(30), testing::Each(0)) << "one each: nobody comes back";
}
TEST_F(TheLegacyScheduler, LeavesTwoSecondsBetweenTwoMoves) {
    for (const Pid pid : {20, 21, 22, 23, 24, 25}) hog(pid);
    second();
    const auto moves = seconds(8);
    for (std::size_t i = 0; i + 1 < moves.size(); ++i) EXPECT_LE(moves[i] + moves[i + 1], 1U) << i;
    EXPECT_EQ(moves, (std::vector<std::size_t>{1, 0, 1, 0, 1, 0, 1, 0})) << "6 x 375 is beyond 1500 at once";
}
TEST_F(TheLegacyScheduler, LeavesTwoAgainstOneAsTheyAre) {
    hog(20);
    hog(21);
    node_1 = 1000;
    second();
    EXPECT_THAT(seconds(20), testing::Each(0));
}
TEST_F(TheLegacyScheduler, SendsNewWorkRoundTheNodes) {
    second();
    std::vector<NodeId> nodes;
    for (int i = 0; i < 3; ++i) {
        const auto placed = engine.place_task({}, base.clock.now());
        ASSERT_TRUE(placed);
        EXPECT_EQ(placed->scheduler, "rr");
        nodes.push_back(placed->to.node);
    }
    EXPECT_THAT(nodes, ElementsAre(1, 0, 1));
}

} // namespace
} // namespace schedd::policies
