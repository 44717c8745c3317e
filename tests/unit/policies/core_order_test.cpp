// core_order: pools of every size are packed, nested and made of whole cores.
#include <gtest/gtest.h>

#include <algorithm>

#include "policies/core_order.h"
#include "tests/kit/machine.h"
#include "tests/kit/shapes.h"

namespace schedd::policies {
namespace {

using test::machine;
using test::Shape;

CoreOrder order_of(const Topology& topology) {
    CoreOrder order;
    order.follow(topology);
    return order;
}

std::size_t touched(const Topology& topology, Level level, const CpuSet& pool) {
    return static_cast<std::size_t>(std::ranges::count_if(topology.domains(level), [&](const Domain& domain) {
        return domain.cpus.intersects(pool);
    }));
}

TEST(ACoreOrder, FillsOneCacheAfterTheOtherAndOneNodeAfterTheOther) {
    const auto topology = machine({.nodes = 2, .l3_per_node = 2, .cores_per_l3 = 4});
    const auto order = order_of(topology);
    ASSERT_EQ(order.size(), 16);
    for (int n = 1; n <= 16; ++n) {
        const auto pool = order.first(n);
        EXPECT_EQ(pool.count(), n);
        EXPECT_EQ(touched(topology, Level::l3, pool), static_cast<std::size_t>((n + 3) / 4)) << n;
        EXPECT_EQ(touched(topology, Level::numa, pool), static_cast<std::size_t>((n + 7) / 8)) << n;
        EXPECT_TRUE(order.first(n - 1).subset_of(pool));
    }
}

TEST(ACoreOrder, KeepsThreadsOfACoreTogether) {
    const auto order = order_of(machine({.cores_per_l3 = 4, .threads_per_core = 2}));
    EXPECT_EQ(order.size(), 4);
    EXPECT_EQ(order.first(1).text(), "0-1");
    EXPECT_EQ(order.first(3).text(), "0-5");
    EXPECT_EQ(order.cores_for(1), 1);
    EXPECT_EQ(order.cores_for(3), 2);
    EXPECT_EQ(order.cores_for(8), 4);
    EXPECT_EQ(order.cores_for(9), 4);
}

TEST(ACoreOrder, BeginsWithTheLargestDomainOfAnUnevenMachine) {
    auto topology = machine({.nodes = 2, .cores_per_l3 = 4});
    topology.allowed = CpuSet::parse("2-7").value();
    const auto order = order_of(topology);
    EXPECT_EQ(order.first(4).text(), "4-7") << "one node instead of two";
    EXPECT_EQ(order.first(5).text(), "2,4-7");
}

TEST(ACoreOrder, LeavesFastCoresToOthersFirst) {
    auto topology = machine({.cores_per_l3 = 4});
    for (auto& cpu : topology.cpus) cpu.kind = cpu.id < 2 ? 1 : 0;
    EXPECT_EQ(order_of(topology).first(2).text(), "2-3");
}

/// first(n) by this order.
std::string first(const Topology& topology, KindOrder kinds, int n) {
    CoreOrder order;
    order.follow(topology, kinds);
    return order.first(n).text();
}

TEST(ACoreOrder, MayPutAKindBeforeDomains) {
    auto topology = machine({.nodes = 2, .cores_per_l3 = 4});
    for (auto& cpu : topology.cpus) cpu.kind = cpu.id == 1 || cpu.id >= 6 ? 1 : 0; // fast: 1 and 6-7
    EXPECT_EQ(first(topology, KindOrder::performance, 2), "6-7") << "most of them together";
    EXPECT_EQ(first(topology, KindOrder::performance, 3), "1,6-7");
    EXPECT_EQ(first(topology, KindOrder::performance, 4), "0-1,6-7")
        << "both nodes are in use: the larger one";
    EXPECT_EQ(first(topology, KindOrder::efficient, 3), "0,2-3");
    EXPECT_EQ(first(topology, KindOrder::efficient, 5), "0,2-5");
    EXPECT_EQ(first(topology, KindOrder::any, 3), "0-2");
}

TEST(ACoreOrder, ContinuesWithTheNextKindNearTheFirst) {
    auto topology = machine({.nodes = 3, .cores_per_l3 = 4});
    for (auto& cpu : topology.cpus) cpu.kind = cpu.id == 9 ? 1 : 0;
    EXPECT_EQ(first(topology, KindOrder::performance, 4), "8-11") << "not in the larger rest of another node";
}

TEST(ACoreOrder, FollowsAChangeOfPreference) {
    const auto topology = test::shape_hybrid_8p_16e();
    CoreOrder order;
    EXPECT_TRUE(order.follow(topology, KindOrder::performance));
    EXPECT_EQ(order.first(1).text(), "0-1");
    EXPECT_EQ(order.threads()[0], 2);
    EXPECT_TRUE(order.follow(topology, KindOrder::efficient));
    EXPECT_EQ(order.first(1).text(), "16");
    EXPECT_EQ(order.threads()[0], 1);
    EXPECT_EQ(order.threads().size(), 24U);
    EXPECT_FALSE(order.follow(topology, KindOrder::efficient));
    EXPECT_FALSE(order.follow(topology, KindOrder::slow_in_domain)) << "one cache: the slow ones again";
}

TEST(ACoreOrder, IsWholeAndPackedOnEveryShape) {
    for (const auto& shape : test::all_shapes())
        for (const auto kinds :
             {KindOrder::slow_in_domain, KindOrder::any, KindOrder::performance, KindOrder::efficient}) {
            CoreOrder order;
            order.follow(shape.topology, kinds);
            EXPECT_EQ(order.first(order.size()), shape.topology.usable()) << shape.name;
            EXPECT_EQ(order.size(), static_cast<int>(shape.topology.domains(Level::core).size()))
                << shape.name;
        }
}

TEST(ACoreOrder, KnowsWhichSetsItWouldMake) {
    const auto order = order_of(machine({.cores_per_l3 = 4, .threads_per_core = 2}));
    EXPECT_EQ(order.size_of(CpuSet::parse("0-3").value()), 2);
    EXPECT_EQ(order.size_of(CpuSet::parse("0-7").value()), 4);
    for (const char* other : {"", "0", "0-2", "2-3", "0-15"})
        EXPECT_EQ(order.size_of(CpuSet::parse(other).value()), 0) << other;
}

TEST(ACoreOrder, FindsTheFirstCoreOfASet) {
    const auto order = order_of(machine({.cores_per_l3 = 4, .threads_per_core = 2}));
    EXPECT_EQ(order.first_core_in(CpuSet::parse("3-7").value()).text(), "3");
    EXPECT_EQ(order.first_core_in(CpuSet::parse("4-7").value()).text(), "4-5");
    EXPECT_TRUE(order.first_core_in(CpuSet::parse("100").value()).empty());
}

TEST(ACoreOrder, FollowsCpusThatGoAndComeBack) {
    const auto whole = machine({.cores_per_l3 = 2, .threads_per_core = 2});
    auto topology = whole;
    CoreOrder order;
    EXPECT_TRUE(order.follow(topology));
    EXPECT_FALSE(order.follow(topology));
    test::set_online(topology, whole, CpuSet::parse("1-2").value());
    EXPECT_TRUE(order.follow(topology));
    EXPECT_EQ(order.size(), 2);
    EXPECT_EQ(order.first(1).text(), "1") << "half a core is what is left of it";
    ++topology.generation;
    EXPECT_FALSE(order.follow(topology)) << "counted anew, but the same CPUs";
    test::set_online(topology, whole, whole.online);
    EXPECT_TRUE(order.follow(topology));
    EXPECT_EQ(order.first(1).text(), "0-1");
}

TEST(ACoreOrder, CopesWithAMachineWithoutUsableCpus) {
    auto topology = machine({.cores_per_l3 = 2});
    topology.allowed = {};
    const auto order = order_of(topology);
    EXPECT_EQ(order.size(), 0);
    EXPECT_TRUE(order.first(3).empty());
    EXPECT_EQ(order.cores_for(1), 0);
    EXPECT_TRUE(order.first_core_in(CpuSet::of(0)).empty());
}

TEST(ACoreOrder, CopesWithUnknownCaches) {
    auto topology = machine({.nodes = 2, .cores_per_l3 = 2});
    for (auto& cpu : topology.cpus) cpu.l2 = cpu.l3 = -1;
    EXPECT_EQ(order_of(topology).first(3).text(), "0-2");
}

} // namespace
} // namespace schedd::policies
