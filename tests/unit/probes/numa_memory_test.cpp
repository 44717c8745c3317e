// numa_memory: memory of the groups that were asked for by node, and what the nodes have left.
#include <gtest/gtest.h>

#include "components/probes/probes.h"
#include "tests/kit/count_new.h"
#include "tests/kit/world.h"

namespace schedd::test {
namespace {

using std::chrono::seconds;

struct NumaMemory : ::testing::Test {
    World world{{&probes::kNumaMemory, &kTestPolicy}};
    NumaMemory() { EXPECT_TRUE(world.apply("create probes/numa_memory")); }
    void set(const std::string& group, std::int64_t kib0, std::int64_t kib1) {
        world.host.set("sys/fs/cgroup" + group + "/memory.numa_stat",
                       fmt::format("anon N0={} N1=0\nfile N0=0 N1={}\n", kib0 * 1024, kib1 * 1024));
    }
    void measure(seconds after = seconds(5)) {
        world.clock.advance(after);
        world.at<Probe>("probes/numa_memory").run(world.clock.now());
    }
    std::optional<std::int64_t> read(std::string_view source, const Parameter& parameter) {
        const auto sample = world.at<Source>("probes/numa_memory/" + std::string(source)).read(parameter);
        if (!sample) return std::nullopt;
        return number_of(sample->value);
    }
    std::optional<std::int64_t> group(std::string_view place) { return read("cgroup_memory", place); }
    std::optional<std::int64_t> node(std::int64_t number) { return read("node_available", number); }
    const std::string& trouble() { return world.at<Probe>("probes/numa_memory").trouble(); }
};

using ANumaMemoryProbe = NumaMemory;

TEST_F(ANumaMemoryProbe, FollowsAGroupFromWhenItIsAskedFor) {
    set("/db", 3072, 1024);
    EXPECT_FALSE(group("/db"));
    measure();
    EXPECT_EQ(group("/db"), 4096);
    EXPECT_EQ(group("0/db"), 3072);
    EXPECT_EQ(group("1/db"), 1024);
    EXPECT_FALSE(group("2/db"));
    EXPECT_EQ(world.read("probes/numa_memory/cgroup_memory[1/db]"), "1024");
    EXPECT_EQ(world.read("probes/numa_memory/cgroup_memory"), "/db 4096\n0/db 3072\n1/db 1024");
    EXPECT_EQ(world.read("probes/numa_memory/followed_memory"), "4096");
    set("/db", 1, 1);
    measure();
    EXPECT_EQ(group("/db"), 2);
    EXPECT_EQ(trouble(), "");
}
TEST_F(ANumaMemoryProbe, ReadsNothingNobodyAskedFor) {
    set("/db", 1, 1);
    measure();
    EXPECT_EQ(world.host.counts().opens, 0U);
    EXPECT_EQ(world.read("probes/numa_memory/followed_memory"), "0");
}
TEST_F(ANumaMemoryProbe, KnowsTheRootGroupAndMixedMachines) {
    set("", 5, 6);
    world.host.set("sys/fs/cgroup/unified/batch/memory.numa_stat", "anon N0=2048\n");
    static_cast<void>(group("/"));
    static_cast<void>(group("/batch"));
    measure();
    EXPECT_EQ(group("1/"), 6);
    EXPECT_EQ(group("0/batch"), 2);
}
TEST_F(ANumaMemoryProbe, DropsAGroupThatIsGoneOrNobodyWantsAnyMore) {
    set("/a", 1, 1);
    set("/b", 1, 1);
    static_cast<void>(group("/a"));
    static_cast<void>(group("/b"));
    measure();
    world.host.remove("sys/fs/cgroup/a/memory.numa_stat");
    measure();
    EXPECT_EQ(world.read("probes/numa_memory/cgroup_memory"), "/b 2\n0/b 1\n1/b 1");
    EXPECT_EQ(trouble(), "") << "groups come and go";
    for (int i = 0; i < 30; ++i) measure();
    EXPECT_EQ(world.host.open_now(), 0U);
    EXPECT_EQ(world.read("probes/numa_memory/cgroup_memory"), "");
}
TEST_F(ANumaMemoryProbe, SaysWhatIsMissingWhereNoGroupHasSuchAFile) {
    static_cast<void>(group("/db"));
    measure();
    EXPECT_NE(trouble().find("memory.numa_stat"), std::string::npos);
    EXPECT_NE(trouble().find("cgroup v2"), std::string::npos);
    EXPECT_FALSE(group("/db"));
    set("/db", 1, 1);
    measure();
    EXPECT_EQ(trouble(), "");
    EXPECT_EQ(group("/db"), 2);
}
TEST_F(ANumaMemoryProbe, HasNoValueForATextItCannotUnderstand) {
    set("/db", 1, 1);
    static_cast<void>(group("/db"));
    measure();
    world.host.set("sys/fs/cgroup/db/memory.numa_stat", "anon N0=-1\n");
    measure();
    EXPECT_FALSE(group("/db"));
    EXPECT_FALSE(group("0/db"));
}
TEST_F(ANumaMemoryProbe, RefusesPlacesThatAreNone) {
    set("/a", 1, 1);
    world.host.set("sys/secret/memory.numa_stat", "anon N0=4096\n");
    for (const std::string place : {"", "a", "0", "-1/a", "+1/a", "0x1/a", "10000/a", "1 /a", "x/a", "0//a",
                                    "0/../../secret", "/a/../a"}) {
        static_cast<void>(group(place));
        measure();
        EXPECT_FALSE(group(place)) << place;
    }
    EXPECT_FALSE(group(std::string(10000, '/')));
    EXPECT_FALSE(read("cgroup_memory", std::int64_t{7}));
    for (const std::int64_t number : {std::int64_t{-1}, std::int64_t{1024}, INT64_MAX})
        EXPECT_FALSE(node(number));
    EXPECT_FALSE(read("node_available", std::string_view("/a")));
}
TEST_F(ANumaMemoryProbe, FollowsNoMoreGroupsThanItsLimit) {
    world.host.set_open_budget(5000);
    for (std::size_t i = 0; i < limits::kMemoryGroups + 10; ++i) {
        set(fmt::format("/g{}", i), 1, 1);
        static_cast<void>(group(fmt::format("/g{}", i)));
    }
    measure();
    EXPECT_EQ(world.host.open_now(), limits::kMemoryGroups);
}
TEST_F(ANumaMemoryProbe, SaysWhatANodeHasLeft) {
    const std::string file = "sys/devices/system/node/node1/meminfo";
    world.host.set(file, "Node 1 MemTotal: 500 kB\nNode 1 MemFree: 100 kB\nNode 1 Inactive(file): 11 kB\n");
    EXPECT_FALSE(node(1));
    EXPECT_FALSE(node(0));
    measure();
    EXPECT_EQ(node(1), 111);
    EXPECT_FALSE(node(0)) << "there is none";
    EXPECT_EQ(world.read("probes/numa_memory/node_available"), "1 111");
    world.host.remove(file);
    measure();
    EXPECT_FALSE(node(1));
}
TEST_F(ANumaMemoryProbe, AllocatesNothingInASteadyPass) {
    ASSERT_TRUE(counting_works());
    set("/db", 3, 4);
    static_cast<void>(group("/db"));
    measure();
    measure();
    auto& probe = world.at<Probe>("probes/numa_memory");
    auto& source = world.at<Source>("probes/numa_memory/cgroup_memory");
    world.clock.advance(seconds(5));
    EXPECT_EQ(allocations_in([&] {
                  probe.run(world.clock.now());
                  static_cast<void>(source.read(Parameter(std::string_view("1/db"))));
              }),
              0U);
}

} // namespace
} // namespace schedd::test
