// pressure: PSI shares from totals, machine-wide and for the groups that were asked for.
#include <gtest/gtest.h>

#include "components/probes/probes.h"
#include "components/probes/stall_meter.h"
#include "tests/kit/count_new.h"
#include "tests/kit/world.h"

namespace schedd::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

std::string psi(std::uint64_t some_us, std::uint64_t full_us) {
    return fmt::format("some avg10=0.04 avg60=0.47 avg300=0.20 total={}\nfull avg10=0.00 avg60=0.00 "
                       "avg300=0.00 total={}\n",
                       some_us, full_us);
}

struct Pressure : ::testing::Test {
    World world{{&probes::kPressure, &kTestPolicy}};
    Pressure() {
        for (const auto* name : {"cpu", "memory", "io"}) set(name, 1000, 0);
        EXPECT_TRUE(world.apply("create probes/pressure"));
    }
    void set(const std::string& name, std::uint64_t some_us, std::uint64_t full_us) {
        world.host.set("proc/pressure/" + name, psi(some_us, full_us));
    }
    void measure(milliseconds after = milliseconds(1000)) {
        world.clock.advance(after);
        world.at<Probe>("probes/pressure").run(world.clock.now());
    }
    std::string value(const std::string& source) { return world.read("probes/pressure/" + source); }
    std::optional<std::int64_t> group(const std::string& source, std::string_view path) {
        const auto sample = world.at<Source>("probes/pressure/" + source).read(Parameter(path));
        if (!sample) return std::nullopt;
        return number_of(sample->value);
    }
    const std::string& trouble() { return world.at<Probe>("probes/pressure").trouble(); }
};

using APressureProbe = Pressure;

TEST_F(APressureProbe, HasNoValueBeforeTheSecondMeasurement) {
    measure();
    EXPECT_TRUE(value("cpu_some").starts_with("error"));
    EXPECT_EQ(trouble(), "");
}
TEST_F(APressureProbe, GivesTheShareOfTheLastPeriod) {
    measure();
    set("cpu", 251000, 10000);
    set("memory", 1000, 0);
    set("io", 1001000, 999999);
    measure();
    EXPECT_EQ(value("cpu_some"), "250");
    EXPECT_EQ(value("cpu_full"), "10");
    EXPECT_EQ(value("memory_some"), "0");
    EXPECT_EQ(value("io_some"), "1000");
    EXPECT_EQ(value("io_full"), "999");
    measure();
    EXPECT_EQ(value("cpu_some"), "0");
}
TEST_F(APressureProbe, TakesTheTrueTimeThatHasPassed) {
    measure();
    set("cpu", 1000 + 250000, 0);
    measure(milliseconds(500));
    EXPECT_EQ(value("cpu_some"), "500");
}
TEST_F(APressureProbe, NeverGivesMoreThanAllTheTime) {
    measure();
    set("cpu", 5'000'000, 0);
    measure();
    EXPECT_EQ(value("cpu_some"), "1000");
}
TEST_F(APressureProbe, WhoseTotalWentBackStartsAnew) {
    measure();
    set("cpu", 10, 0);
    measure();
    EXPECT_TRUE(value("cpu_some").starts_with("error"));
    set("cpu", 100010, 0);
    measure();
    EXPECT_EQ(value("cpu_some"), "100");
}
TEST_F(APressureProbe, WithoutAFileKeepsTheOthersAndNamesIt) {
    measure();
    world.host.remove("proc/pressure/memory");
    measure();
    EXPECT_EQ(value("cpu_some"), "0");
    EXPECT_NE(trouble().find("proc/pressure/memory"), std::string::npos);
    EXPECT_NE(value("memory_some").find("proc/pressure/memory"), std::string::npos);
}
TEST_F(APressureProbe, WithoutAFullLineHasNoFullValueOnly) {
    world.host.set("proc/pressure/cpu", "some avg10=0.00 avg60=0.00 avg300=0.00 total=0\n");
    measure();
    measure();
    EXPECT_EQ(value("cpu_some"), "0");
    EXPECT_TRUE(value("cpu_full").starts_with("error"));
    EXPECT_EQ(trouble(), "");
}
TEST_F(APressureProbe, FollowsAGroupFromWhenItIsAskedFor) {
    world.host.set("sys/fs/cgroup/batch/cpu.pressure", psi(0, 0));
    EXPECT_FALSE(group("cgroup_cpu_some", "/batch"));
    measure();
    EXPECT_FALSE(group("cgroup_cpu_some", "/batch"));
    world.host.set("sys/fs/cgroup/batch/cpu.pressure", psi(100000, 50000));
    measure();
    EXPECT_EQ(group("cgroup_cpu_some", "/batch"), 100);
    EXPECT_EQ(group("cgroup_cpu_full", "/batch"), 50);
    EXPECT_EQ(value("cgroup_cpu_some"), "/batch 100");
    EXPECT_FALSE(group("cgroup_io_some", "/batch"));
}
TEST_F(APressureProbe, ReadsNoGroupNobodyAskedFor) {
    world.host.set("sys/fs/cgroup/batch/cpu.pressure", psi(0, 0));
    measure();
    world.host.reset_counts();
    measure();
    EXPECT_EQ(world.host.counts().reads, 3U);
}
TEST_F(APressureProbe, FindsAGroupInTheUnifiedMountOfAMixedMachine) {
    world.host.set("sys/fs/cgroup/unified/batch/memory.pressure", psi(0, 0));
    (void)group("cgroup_memory_full", "/batch");
    measure();
    world.host.set("sys/fs/cgroup/unified/batch/memory.pressure", psi(0, 20000));
    measure();
    EXPECT_EQ(group("cgroup_memory_full", "/batch"), 20);
}
TEST_F(APressureProbe, FindsTheRootGroup) {
    world.host.set("sys/fs/cgroup/io.pressure", psi(0, 0));
    (void)group("cgroup_io_some", "/");
    measure();
    measure();
    EXPECT_EQ(group("cgroup_io_some", "/"), 0);
}
TEST_F(APressureProbe, DropsAGroupThatIsGone) {
    world.host.set("sys/fs/cgroup/batch/cpu.pressure", psi(0, 0));
    (void)group("cgroup_cpu_some", "/batch");
    measure();
    measure();
    EXPECT_EQ(group("cgroup_cpu_some", "/batch"), 0);
    world.host.remove("sys/fs/cgroup/batch/cpu.pressure");
    measure();
    EXPECT_EQ(value("cgroup_cpu_some"), "");
    EXPECT_EQ(trouble(), "");
    EXPECT_EQ(world.host.open_now(), 3U);
}
TEST_F(APressureProbe, DropsAGroupNobodyHasAskedForForAWhile) {
    world.host.set("sys/fs/cgroup/batch/cpu.pressure", psi(0, 0));
    (void)group("cgroup_cpu_some", "/batch");
    for (int i = 0; i < 30; ++i) measure();
    EXPECT_EQ(world.host.open_now(), 4U);
    measure();
    EXPECT_EQ(world.host.open_now(), 3U);
}
TEST_F(APressureProbe, WithAShortPeriodRemembersWhomItIsAskedForOnceASecond) {
    world.host.set("sys/fs/cgroup/batch/cpu.pressure", psi(0, 0));
    ASSERT_TRUE(world.apply("write probes/pressure.probe_period 10"));
    (void)group("cgroup_cpu_some", "/batch");
    for (int i = 0; i < 100; ++i) measure(milliseconds(10));
    EXPECT_EQ(group("cgroup_cpu_some", "/batch"), 0);
    for (int i = 0; i < 1001; ++i) measure(milliseconds(10));
    EXPECT_EQ(world.host.open_now(), 3U) << "ten seconds without a question";
}
TEST_F(APressureProbe, ReadsAGroupAtRestEveryHalfSecondUntilSomethingStallsAgain) {
    const std::string file = "sys/fs/cgroup/batch/cpu.pressure";
    std::uint64_t total = 1000;
    world.host.set(file, psi(total, 0));
    const auto reads_in = [&](int steps, std::uint64_t stalled_us_each) {
        const auto before = world.host.counts().reads;
        for (int i = 0; i < steps; ++i) {
            if (stalled_us_each > 0) world.host.set(file, psi(total += stalled_us_each, 0));
            static_cast<void>(group("cgroup_cpu_some", "/batch"));
            measure(milliseconds(100));
        }
        return world.host.counts().reads - before -
               3 * static_cast<std::size_t>(steps); // those of the machine
    };
    EXPECT_EQ(reads_in(10, 0), 10U);
    EXPECT_LE(reads_in(20, 0), 5U);
    EXPECT_EQ(group("cgroup_cpu_some", "/batch"), 0);
    static_cast<void>(reads_in(5, 50'000)); // found within half a second
    EXPECT_EQ(reads_in(10, 50'000), 10U);
    EXPECT_EQ(group("cgroup_cpu_some", "/batch"), 500);
}
TEST_F(APressureProbe, RefusesPathsThatLeaveTheHierarchy) {
    world.host.set("sys/secret/cpu.pressure", psi(0, 0));
    for (const auto* path : {"", "batch", "/../../secret", "/a/..", "//a", "/a//b"}) {
        (void)group("cgroup_cpu_some", path);
        measure();
        measure();
        EXPECT_FALSE(group("cgroup_cpu_some", path)) << path;
    }
    EXPECT_FALSE(group("cgroup_cpu_some", std::string(10000, '/')));
    EXPECT_FALSE(world.at<Source>("probes/pressure/cgroup_cpu_some").read(Parameter(std::int64_t{7})));
}
TEST_F(APressureProbe, FollowsNoMoreGroupsThanItsLimit) {
    for (std::size_t i = 0; i < limits::kPressureGroups + 10; ++i) {
        const auto path = fmt::format("/g{}", i);
        world.host.set("sys/fs/cgroup" + path + "/cpu.pressure", psi(0, 0));
        (void)group("cgroup_cpu_some", path);
    }
    world.host.set_open_budget(5000);
    measure();
    EXPECT_EQ(world.host.open_now(), limits::kPressureGroups + 3);
}
TEST_F(APressureProbe, AllocatesNothingInASteadyPass) {
    ASSERT_TRUE(counting_works());
    world.host.set("sys/fs/cgroup/batch/cpu.pressure", psi(0, 0));
    (void)group("cgroup_cpu_some", "/batch");
    measure();
    measure();
    auto& probe = world.at<Probe>("probes/pressure");
    auto& source = world.at<Source>("probes/pressure/cgroup_cpu_some");
    world.clock.advance(seconds(1));
    EXPECT_EQ(allocations_in([&] {
                  probe.run(world.clock.now());
                  (void)source.read(Parameter(std::string_view("/batch")));
              }),
              0U);
}

TEST(APressureFile, IsReadWhateverItHolds) {
    EXPECT_EQ((*probes::parse_pressure(psi(5, 6)))[probes::kSome], 5U);
    EXPECT_EQ((*probes::parse_pressure(psi(5, 6)))[probes::kFull], 6U);
    for (const auto* text : {"", "\n", "some", "some total=", "some total=x", "some total=-1", "total=5",
                             "half total=5", "some total=99999999999999999999999", "someone total=5"})
        EXPECT_FALSE(probes::parse_pressure(text)) << text;
    EXPECT_TRUE(probes::parse_pressure("some total=5"));
}

} // namespace
} // namespace schedd::test
