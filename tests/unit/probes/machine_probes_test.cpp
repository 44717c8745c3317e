// cpuspeed_probe, load_probe, processsize_probe and space_probe over made-up files.
#include <gtest/gtest.h>

#include "components/kit/file_space.h"
#include "components/probes/probes.h"
#include "tests/kit/world.h"

namespace schedd::probes {
namespace {

using test::World;

struct Probed : testing::Test {
    World world{{&kCpuSpeed, &kLoad, &kProcessSize, &kSpaceProbe}};

    void create(const std::string& name) { ASSERT_TRUE(world.apply("create probes/" + name)); }
    void measure(const std::string& name, Duration after = std::chrono::seconds(1)) {
        world.clock.advance(after);
        world.at<Probe>("probes/" + name).run(world.clock.now());
    }
    std::string trouble(const std::string& name) { return world.at<Probe>("probes/" + name).trouble(); }
};

using ACpuSpeedProbe = Probed;
using ALoadProbe = Probed;
using AProcessSizeProbe = Probed;

TEST_F(ACpuSpeedProbe, CountsTheCpusAndKnowsWhatEachCanDo) {
    world.host.set("sys/devices/system/cpu/online", "0-2\n");
    for (const int cpu : {0, 1, 2})
        world.host.set(fmt::format("sys/devices/system/cpu/cpu{}/cpufreq/cpuinfo_max_freq", cpu),
                       "3000000\n");
    create("cpuspeed_probe");
    test::RecordingSink connected({"count", "CPUs"});
    connected.connect(world.at<Source>("probes/cpuspeed_probe/connected"));
    measure("cpuspeed_probe");
    measure("cpuspeed_probe");
    EXPECT_EQ(world.read("probes/cpuspeed_probe/connected"), "3");
    EXPECT_EQ(world.read("probes/cpuspeed_probe/speed[2]"), "3000000");
    EXPECT_NE(world.read("probes/cpuspeed_probe/speed[3]").find("no value"), std::string::npos);
    world.host.set("sys/devices/system/cpu/online", "0-1\n");
    measure("cpuspeed_probe");
    EXPECT_EQ(connected.numbers(), (std::vector<std::int64_t>{3, 2})) << "told only when it changes";
}
TEST_F(ACpuSpeedProbe, WithoutItsFileNamesIt) {
    create("cpuspeed_probe");
    measure("cpuspeed_probe");
    EXPECT_NE(trouble("cpuspeed_probe").find("sys/devices/system/cpu/online"), std::string::npos);
    EXPECT_NE(world.read("probes/cpuspeed_probe/connected").find("no value"), std::string::npos);
}

TEST_F(ALoadProbe, CountsWhoCouldRunButItself) {
    world.host.set("proc/loadavg", "0.20 0.18 0.12 4/80 1206\n");
    create("load_probe");
    measure("load_probe");
    EXPECT_EQ(world.read("probes/load_probe/active_tasks"), "3");
    world.host.set("proc/loadavg", "0.20 0.18 0.12 0/80 1206\n");
    measure("load_probe");
    EXPECT_EQ(world.read("probes/load_probe/active_tasks"), "0");
    for (const auto* bad : {"", "1 2 3", "1 2 3 x/9", "1 2 3 99999999999/1"}) {
        world.host.set("proc/loadavg", bad);
        measure("load_probe");
        EXPECT_NE(trouble("load_probe"), "") << bad;
    }
}
TEST_F(ALoadProbe, KnowsHowLongAProcessHasHadNoPause) {
    world.host.set("proc/loadavg", "0 0 0 2/80 6\n");
    create("load_probe");
    world.start({.pid = 70});
    EXPECT_EQ(world.read("probes/load_probe/process_jiffies[70]"), "0") << "followed from now on";
    for (std::uint64_t second = 1; second <= 3; ++second) {
        world.proc.set_times(70, second * 600'000'000, second * 399'000'000);
        measure("load_probe");
    }
    EXPECT_EQ(world.read("probes/load_probe/process_jiffies[70]"), "300");
    world.proc.set_times(70, 4 * 600'000'000ULL - 300'000'000, 3 * 399'000'000ULL);
    measure("load_probe");
    EXPECT_EQ(world.read("probes/load_probe/process_jiffies[70]"), "0") << "it slept";
    EXPECT_EQ(world.read("probes/load_probe/process_jiffies[71]"), "0") << "there is no such process";
    world.end(70);
    EXPECT_EQ(world.read("probes/load_probe/process_jiffies[70]"), "0");
}
TEST_F(ALoadProbe, ForgetsWhomNobodyAsksFor) {
    world.host.set("proc/loadavg", "0 0 0 2/80 6\n");
    create("load_probe");
    world.start({.pid = 70});
    (void)world.read("probes/load_probe/process_jiffies[70]");
    world.host.reset_counts();
    measure("load_probe");
    const auto following = world.host.counts().reads;
    measure("load_probe", std::chrono::seconds(40));
    world.host.reset_counts();
    measure("load_probe");
    EXPECT_EQ(world.host.counts().reads, following - 1);
}

TEST_F(AProcessSizeProbe, ReadsWhenItIsAsked) {
    create("processsize_probe");
    world.start({.pid = 70});
    world.host.set("proc/70/statm", "2500 300 20 1 0 400 0\n");
    world.host.set("proc/70/status", "Name:\twork\nVmPeak:\t 9 kB\nVmRSS:\t    1200 kB\n");
    EXPECT_EQ(world.read("probes/processsize_probe/total_vm[70]"), "2500");
    EXPECT_EQ(world.read("probes/processsize_probe/task_rss[70]"), "1200");
    world.host.set("proc/70/statm", "2600 300 20 1 0 400 0\n");
    EXPECT_EQ(world.read("probes/processsize_probe/total_vm[70]"), "2600");
    for (const auto* nobody : {"71", "0", "-1", "99999999999"})
        EXPECT_NE(world.read(fmt::format("probes/processsize_probe/total_vm[{}]", nobody)).find("no"),
                  std::string::npos)
            << nobody;
    world.host.set("proc/70/status", "Name:\tkthread\n");
    EXPECT_NE(world.read("probes/processsize_probe/task_rss[70]").find("no value"), std::string::npos);
}

/// A host with one file system, at /scratch, and no files.
struct SpaceHost final : Host, FileSpace {
    test::FakeHost none;
    Result<std::unique_ptr<HostFile>> open(const std::string& path) override { return none.open(path); }
    Result<std::string_view> read(const std::string& path, std::span<char> buffer) override {
        return none.read(path, buffer);
    }
    Status list(const std::string& path, const std::function<void(std::string_view)>& visit) override {
        return none.list(path, visit);
    }
    Result<std::string> link_target(const std::string& path) override { return none.link_target(path); }
    [[nodiscard]] std::size_t open_budget() const override { return 0; }

    Space space{.free_kib = 500, .total_kib = 4000};
    Result<Space> space_of(const std::string& path) override {
        if (path == "scratch") return space;
        return fail(Errc::no_such_object, "there is no /" + path, "");
    }
};

struct ASpaceProbe : testing::Test {
    test::World base;
    SpaceHost host;
    Registry registry{std::vector<const Descriptor*>{&kSpaceProbe}};
    Environment environment{base.clock, base.rng, host, base.log, base.table};
    Tree tree{environment, registry};

    ASpaceProbe() { apply("create probes/space_probe\nwrite probes/space_probe.directory /scratch"); }
    void apply(const std::string& lines) { EXPECT_TRUE(tree.apply(*parse_recipe(lines))); }
    Probe& probe() { return dynamic_cast<Probe&>(**tree.find(*Path::parse("probes/space_probe"))); }
    std::string read(const std::string& source) {
        probe().run(base.clock.now());
        const auto text = tree.read(*tree.locate("probes/space_probe/" + source));
        return text ? *text : text.error().text();
    }
};

TEST_F(ASpaceProbe, ReadsTheFileSystemOfItsPath) {
    EXPECT_EQ(read("free_space"), "500");
    EXPECT_EQ(read("total_space"), "4000");
    host.space.free_kib = 300;
    EXPECT_EQ(read("free_space"), "300");
}
TEST_F(ASpaceProbe, NamesAPathThatIsNotThere) {
    apply("write probes/space_probe.directory /elsewhere");
    EXPECT_EQ(probe().next_due(), Time{}) << "measured at once";
    EXPECT_NE(read("free_space").find("there is no /elsewhere"), std::string::npos);
}
TEST_F(ASpaceProbe, TakesNoPathThatIsNotFromTheRoot) {
    for (const auto* bad : {"tmp", "''"})
        EXPECT_FALSE(tree.apply(*parse_recipe(std::string("write probes/space_probe.directory ") + bad)))
            << bad;
    EXPECT_EQ(read("free_space"), "500");
}
TEST(ASpaceProbeOfARecordedTree, SaysThatItCannotTell) {
    World world{{&kSpaceProbe}};
    ASSERT_TRUE(world.apply("create probes/space_probe"));
    world.at<Probe>("probes/space_probe").run(world.clock.now());
    EXPECT_NE(world.at<Probe>("probes/space_probe").trouble().find("no file systems"), std::string::npos);
}

} // namespace
} // namespace schedd::probes
