// mosix_probe: the original's integers second by second, and values by the speed of cores.
#include <gtest/gtest.h>

#include "components/model/machine_types.h"
#include "components/model/published.h"
#include "components/probes/probes.h"
#include "components/probes/smoothed_load.h"
#include "tests/kit/world.h"

namespace schedd::probes {
namespace {

using test::World;
using Numbers = std::vector<std::int64_t>;

TEST(ASmoothedLoad, RisesAndFallsAsTheOriginalDid) {
    SmoothedLoad load;
    Numbers means;
    for (int second = 0; second < 8; ++second) {
        load.take(1000);
        means.push_back(load.mean());
        EXPECT_EQ(load.upper(), 1000);
    }
    EXPECT_EQ(means, (Numbers{375, 609, 756, 847, 905, 940, 963, 977}));
    Numbers uppers;
    for (int second = 0; second < 4; ++second) {
        load.take(0);
        EXPECT_EQ(load.mean(), 0);
        uppers.push_back(load.upper());
    }
    EXPECT_EQ(uppers, (Numbers{875, 765, 669, 585}));
}
TEST(ASmoothedLoad, OfTwoIsBeyondTheLegacyThresholdInTheThirdSecond) {
    SmoothedLoad load;
    Numbers means;
    for (int second = 0; second < 5; ++second) {
        load.take(2000);
        means.push_back(load.mean());
    }
    EXPECT_EQ(means, (Numbers{750, 1219, 1512, 1695, 1809}));
}
TEST(ASmoothedLoad, OfAProcessIsRoundedDownInEachSecond) {
    std::int64_t load = 0;
    Numbers loads;
    for (int second = 0; second < 3; ++second) loads.push_back(load = smoothed_process_load(load, 1000));
    EXPECT_EQ(loads, (Numbers{375, 609, 755})); // the mean has seven bits more and is rounded: 756
}
TEST(ASmoothedLoad, IsBoundedWhateverItIsGiven) {
    SmoothedLoad load;
    load.take(INT64_MAX);
    EXPECT_EQ(load.upper(), kMostLoad);
    load.take(-7);
    EXPECT_EQ(load.mean(), 0);
}

struct AMosixProbe : testing::Test {
    World world{{&kMosix}};
    test::RecordingSink mean{types::kLoad};
    std::uint64_t busy_ns = 0;

    void create() {
        tell_queues(0);
        ASSERT_TRUE(world.apply("create probes/mosix_probe"));
        mean.connect(world.at<Source>("probes/mosix_probe/norm_mean_load"));
        probe().run(world.clock.now());
    }
    Probe& probe() { return world.at<Probe>("probes/mosix_probe"); }
    void tell_queues(std::uint64_t more_ns) {
        busy_ns += more_ns;
        world.host.set("proc/schedstat",
                       fmt::format("version 15\ntimestamp 1\ncpu0 0 0 0 0 0 0 {} 0 9\n", busy_ns));
    }
    /// A second in which so many thousandths of a task were runnable.
    void second(std::int64_t load) {
        tell_queues(static_cast<std::uint64_t>(load) * 1'000'000);
        world.clock.advance(std::chrono::seconds(1));
        probe().run(world.clock.now());
    }
    std::string read(const std::string& source) { return world.read("probes/mosix_probe/" + source); }
    void set_cores(const std::vector<std::pair<int, int>>& khz_and_rank) {
        const auto last = khz_and_rank.size() - 1;
        world.host.set("sys/devices/system/cpu/online", fmt::format("0-{}\n", last));
        for (std::size_t i = 0; i <= last; ++i) {
            const auto cpu = fmt::format("sys/devices/system/cpu/cpu{}/", i);
            world.host.set(cpu + "cpufreq/cpuinfo_max_freq", fmt::format("{}\n", khz_and_rank[i].first));
            if (khz_and_rank[i].second > 0)
                world.host.set(cpu + "cpu_capacity", fmt::format("{}\n", khz_and_rank[i].second));
        }
    }
};

TEST_F(AMosixProbe, MeasuresTheMachineOnceASecond) {
    create();
    EXPECT_NE(read("mean_load"), "0") << "there is no load before the second look";
    second(1000);
    second(1000);
    EXPECT_EQ(read("mean_load"), "609");
    EXPECT_EQ(read("upper_load"), "1000");
    EXPECT_EQ(read("single_process_load"), "1000");
    second(0);
    EXPECT_EQ(read("mean_load"), "0");
    EXPECT_EQ(read("upper_load"), "875");
    EXPECT_EQ(mean.numbers(), (Numbers{375, 609, 0}));
}
TEST_F(AMosixProbe, KeepsItsSecondWhateverItsPeriod) {
    create();
    for (int i = 0; i < 4; ++i) {
        tell_queues(250'000'000);
        world.clock.advance(std::chrono::milliseconds(250));
        probe().run(world.clock.now());
    }
    EXPECT_EQ(mean.numbers(), (Numbers{375}));
    tell_queues(3'000'000'000);
    world.clock.advance(std::chrono::seconds(3));
    probe().run(world.clock.now());
    EXPECT_EQ(mean.numbers(), (Numbers{375, 847})) << "three seconds at once are three steps";
}
TEST_F(AMosixProbe, FollowsEachProcessFromItsStart) {
    world.start({.pid = 60}); // somebody was there before: who is new is born
    create();
    world.start({.pid = 70});
    Numbers loads;
    for (std::uint64_t i = 1; i <= 3; ++i) {
        world.proc.set_times(70, i * 600'000'000, i * 400'000'000);
        second(1000);
        loads.push_back(std::stoll(read("process_load[70]")));
    }
    EXPECT_EQ(loads, (Numbers{375, 609, 755}));
    world.end(70);
    EXPECT_NE(read("process_load[70]").find("no value"), std::string::npos);
}
TEST_F(AMosixProbe, WithEqualCoresNormalisesNothing) {
    set_cores({{3'000'000, 1024}, {3'000'000, 1024}});
    world.cluster.fill(2);
    world.cluster.tell(1, "probes/mosix_probe/core_speed", 3'030'000, world.clock.now());
    create();
    second(1000);
    EXPECT_EQ(read("norm_mean_load"), "375");
    EXPECT_EQ(read("norm_upper_load"), "1000");
    EXPECT_EQ(read("norm_single_process_load"), "1000");
    EXPECT_EQ(read("core_speed"), "3000000");
}
TEST_F(AMosixProbe, WithoutKnownSpeedsNormalisesNothing) {
    world.cluster.fill(2);
    world.cluster.tell(1, "probes/mosix_probe/core_speed", 4'000'000, world.clock.now());
    create();
    second(1000);
    EXPECT_EQ(read("norm_upper_load"), "1000");
    EXPECT_NE(read("core_speed").find("no value"), std::string::npos);
}
TEST_F(AMosixProbe, OnSlowerCoresThanAnotherNodesLooksMoreLoaded) {
    set_cores({{2'000'000, 0}, {2'000'000, 0}});
    world.cluster.fill(2);
    create();
    world.cluster.tell(1, "probes/mosix_probe/core_speed", 4'000'000, world.clock.now());
    second(1000);
    EXPECT_EQ(read("upper_load"), "1000");
    EXPECT_EQ(read("norm_upper_load"), "2000");
    EXPECT_EQ(read("norm_mean_load"), "750");
    EXPECT_EQ(read("norm_single_process_load"), "2000");
    for (int i = 0; i < 4; ++i) second(1000);
    EXPECT_EQ(read("norm_upper_load"), "1000") << "what a node told long ago counts no more";
}
TEST_F(AMosixProbe, CountsSlowKindsOfCoreWithWhatTheyGetDone) {
    set_cores({{4'000'000, 1024}, {4'000'000, 512}}); // 4 GHz and half of it: 3 GHz each
    create();
    second(900);
    EXPECT_EQ(read("upper_load"), "900");
    EXPECT_EQ(read("norm_upper_load"), "1200");
}
TEST_F(AMosixProbe, TellsOthersWhatBalancersNeed) {
    set_cores({{2'000'000, 0}});
    create();
    second(1000);
    std::vector<std::string> told;
    for (const auto& each : published(world.tree))
        if (each.value) told.push_back(each.path);
    EXPECT_EQ(told, (std::vector<std::string>{"probes/mosix_probe/core_speed",
                                              "probes/mosix_probe/norm_single_process_load",
                                              "probes/mosix_probe/norm_upper_load"}));
}
TEST_F(AMosixProbe, WithoutItsFileHasNoLoadAndNamesIt) {
    create();
    second(1000);
    world.host.remove("proc/schedstat");
    world.clock.advance(std::chrono::seconds(1));
    probe().run(world.clock.now());
    EXPECT_NE(read("mean_load").find("proc/schedstat"), std::string::npos);
    EXPECT_EQ(read("single_process_load"), "1000");
}

} // namespace
} // namespace schedd::probes
