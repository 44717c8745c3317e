// Which cores pools get, keep and give back, on machines where that goes wrong in practice.
#include <gtest/gtest.h>

#include "policies/pool_cores.h"
#include "tests/kit/shapes.h"

namespace schedd::policies {
namespace {

using namespace schedd::test;
using Bounds = PoolCores::Bounds;

struct Cored : PoolCores {
    Cored(const Topology& machine, std::vector<Bounds> bounds) : whole(machine), topology(machine) {
        follow(topology);
        const std::vector<std::size_t> from(bounds.size(), kNew);
        arrange(bounds, from);
        settle(1);
    }
    void online(const std::string& list) {
        set_online(topology, whole, CpuSet::parse(list).value());
        follow(topology);
        settle(1);
    }
    void grow_by(std::size_t pool, int cores) {
        for (int i = 0; i < cores; ++i) EXPECT_TRUE(grow(pool, 1)) << "core " << i;
    }
    [[nodiscard]] std::string text(std::size_t pool) const { return cpus(pool).text(); }

    Topology whole;
    Topology topology;
};

TEST(PoolsOfCores, HaveTheirLeastApartAndGrowNearThemselves) {
    Cored pools(shape_2n16c_smt(), {{.least = 2, .most = 12}, {.least = 1, .most = 64}});
    EXPECT_EQ(pools.text(0), "0-3");
    EXPECT_EQ(pools.text(1), "16-17") << "the node with most left";
    pools.grow_by(0, 6);
    EXPECT_EQ(pools.text(0), "0-15");
    pools.grow_by(0, 1);
    EXPECT_EQ(pools.text(0), "0-15,18-19");
    EXPECT_EQ(pools.place(0), "numa 0-1, l3 0-1");
    EXPECT_EQ(pools.rest().text(), "20-31");
}

TEST(PoolsOfCores, GiveBackWhatTheyTookLast) {
    Cored pools(shape_1n64c_l3_per_8(), {{.least = 1, .most = 20}});
    pools.grow_by(0, 9);
    EXPECT_EQ(pools.text(0), "0-9");
    pools.give_back(0);
    pools.give_back(0);
    EXPECT_EQ(pools.text(0), "0-7");
    EXPECT_EQ(pools.first(0, 3).text(), "0-2");
}

TEST(PoolsOfCores, DoNotLeaveTheDomainOfTheirLevel) {
    Cored pools(shape_8n64c_ccx(), {{.least = 1, .most = 64, .level = PoolLevel::l3},
                                    {.least = 2, .most = 64, .level = PoolLevel::numa},
                                    {.least = 1, .most = 1, .level = PoolLevel::core}});
    pools.grow_by(0, 3);
    EXPECT_FALSE(pools.grow(0, 1));
    EXPECT_EQ(pools.text(0), "0-3");
    pools.grow_by(1, 6);
    EXPECT_FALSE(pools.grow(1, 1));
    EXPECT_EQ(pools.text(1), "8-15");
    EXPECT_FALSE(pools.grow(2, 1)) << "its most";
    EXPECT_EQ(pools.text(2), "16");
    EXPECT_EQ(pools.domain_of(0).text(), "0-3");
    EXPECT_EQ(pools.domain_of(1).text(), "8-15");
}

TEST(PoolsOfCores, LeaveSomeToTheRest) {
    Cored pools(shape_1n2c(), {{.least = 2, .most = 2}});
    EXPECT_EQ(pools.text(0), "0");
    EXPECT_FALSE(pools.grow(0, 1));
    Cored one(machine({}), {{.least = 1, .most = 1}});
    EXPECT_EQ(one.count(0), 0);
    EXPECT_EQ(one.rest().text(), "0");
    one.settle(50);
    EXPECT_EQ(one.rest().text(), "0");
}

TEST(PoolsOfCores, TakeTheirLeastFromTheSurplusOfTheLastAndNotFromTheirLeast) {
    Cored pools(machine({.cores_per_l3 = 8}),
                {{.most = 8}, {.least = 2, .most = 8}, {.least = 1, .most = 8}});
    pools.grow_by(1, 1);
    pools.grow_by(2, 3);
    EXPECT_EQ(pools.free_cores(), 1);
    pools.set_least(0, 2);
    pools.settle(1);
    EXPECT_EQ(pools.count(0), 2);
    EXPECT_EQ(pools.count(1), 3);
    EXPECT_EQ(pools.count(2), 2);
    pools.set_least(0, 8);
    pools.settle(1);
    EXPECT_EQ(pools.count(0), 4) << "what is nobody's least";
    EXPECT_EQ(pools.count(1), 2);
    EXPECT_EQ(pools.count(2), 1);
    pools.settle(3);
    EXPECT_EQ(pools.count(2), 0) << "the rest goes before all";
    EXPECT_EQ(pools.free_cores(), 3);
}

TEST(PoolsOfCores, AtTheirLeastKeepTheirVeryCoresWhileOthersHaveASurplus) {
    Cored pools(machine({.cores_per_l3 = 8}),
                {{.least = 1, .most = 8}, {.least = 1, .most = 8}, {.least = 2, .most = 8}});
    pools.grow_by(1, 3);
    EXPECT_EQ(pools.text(1), "1,4-6");
    pools.set_least(0, 3);
    pools.settle(1);
    EXPECT_EQ(pools.text(0), "0,5-6");
    EXPECT_EQ(pools.text(1), "1,4");
    EXPECT_EQ(pools.text(2), "2-3");
}

TEST(PoolsOfCores, MoveToAnotherDomainOnlyForTheirLeast) {
    Cored pools(shape_8n64c_ccx(), {{.least = 3, .most = 4, .level = PoolLevel::l3}});
    EXPECT_EQ(pools.text(0), "0-2");
    pools.online("0-1,3-63");
    EXPECT_EQ(pools.text(0), "0-1,3") << "its domain has enough";
    pools.online("0,3-63");
    EXPECT_EQ(pools.text(0), "4-6");
    pools.online("0-5,8,12,16,20");
    EXPECT_EQ(pools.text(0), "0-2") << "the domain that has three";
    pools.online("0-1,4-5,8,12");
    EXPECT_EQ(pools.text(0), "0-1") << "none has three, so it stays";
    pools.online("0-63");
    EXPECT_EQ(pools.text(0), "0-2") << "back to its least";
}

TEST(PoolsOfCores, GetAtOnceWhatOneAfterThemLeavesBehind) {
    Cored pools(machine({.l3_per_node = 2, .cores_per_l3 = 4}),
                {{.least = 2, .most = 4, .level = PoolLevel::l3}, {.most = 4, .level = PoolLevel::l3}});
    pools.online("0-3");
    pools.set_least(1, 1);
    pools.settle(1);
    ASSERT_EQ(pools.text(1), "2");
    pools.set_least(0, 4);
    pools.set_least(1, 2);
    pools.online("0-6");
    EXPECT_EQ(pools.text(1), "4-5") << "its domain has one core left, so it moves";
    EXPECT_EQ(pools.text(0), "0-3") << "with the core that was the other's";
}

TEST(PoolsOfCores, KeepWhatIsLeftOfACoreWhenASiblingGoesAway) {
    Cored pools(shape_1n8c_smt(), {{.least = 2, .most = 4}});
    EXPECT_EQ(pools.text(0), "0-1,8-9");
    pools.online("1-15");
    EXPECT_EQ(pools.text(0), "1,8-9");
    pools.online("0-15");
    EXPECT_EQ(pools.text(0), "0-1,8-9");
}

TEST(PoolsOfCores, KeepTheirCoresWhenPoolsAreWrittenAnew) {
    Cored pools(machine({.l3_per_node = 2, .cores_per_l3 = 4}),
                {{.least = 1, .most = 8}, {.least = 1, .most = 8}});
    pools.grow_by(0, 4);
    EXPECT_EQ(pools.text(0), "0-3,5");
    EXPECT_EQ(pools.text(1), "4");
    const Bounds bounds[] = {{.least = 1, .most = 8}, {.least = 1, .most = 8, .level = PoolLevel::l3}};
    const std::size_t from[] = {PoolCores::kNew, 0};
    pools.arrange(bounds, from);
    pools.settle(1);
    EXPECT_EQ(pools.text(1), "0-3") << "the domain in which it has most";
    EXPECT_EQ(pools.text(0), "4") << "what the pool that is gone had is free";
    const Bounds smaller[] = {{.least = 1, .most = 2}};
    const std::size_t second[] = {1};
    pools.arrange(smaller, second);
    EXPECT_EQ(pools.text(0), "0-1");
}

TEST(PoolsOfCores, TakeWhatTheyAreFoundOnAsFarAsItMayBe) {
    Cored pools(shape_2n16c_smt(), {{.least = 1, .most = 3}, {.least = 1, .most = 3}});
    pools.take_found(0, CpuSet::parse("7-11").value(), 1);
    EXPECT_EQ(pools.text(0), "8-11") << "whole cores";
    pools.take_found(0, CpuSet::parse("0-31").value(), 1);
    EXPECT_EQ(pools.text(0), "0-5") << "its most";
    pools.take_found(0, CpuSet::parse("16-17,50").value(), 1);
    EXPECT_EQ(pools.text(0), "0-5") << "another's";
    pools.take_found(0, CpuSet::parse("18-23").value(), 14);
    EXPECT_EQ(pools.text(0), "18-19") << "and what the rest does not need";
}

TEST(PoolsOfCores, HoldTheirPromisesOnEveryShape) {
    for (const auto& shape : all_shapes()) {
        SCOPED_TRACE(shape.name);
        for (const PoolLevel level : {PoolLevel::l3, PoolLevel::numa, PoolLevel::machine}) {
            Cored pools(shape.topology,
                        {{.least = 1, .most = 5, .level = level}, {.least = 1, .most = 1024}});
            while (pools.grow(0, 1)) {}
            while (pools.grow(1, 1)) {}
            EXPECT_EQ(pools.free_cores(), 1);
            EXPECT_FALSE(pools.cpus(0).intersects(pools.cpus(1)));
            EXPECT_EQ((pools.cpus(0) | pools.cpus(1) | pools.rest()), shape.topology.usable());
            EXPECT_TRUE(pools.cpus(0).subset_of(pools.domain_of(0)));
            while (pools.count(1) > 0) pools.give_back(1);
            while (pools.count(0) > 0) pools.give_back(0);
            EXPECT_EQ(pools.rest(), shape.topology.usable());
        }
    }
}

} // namespace
} // namespace schedd::policies
