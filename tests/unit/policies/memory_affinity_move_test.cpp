// memory_affinity with move_memory: whose memory follows, how often, and only where there is room.
#include <gtest/gtest.h>

#include "tests/unit/policies/affinity_world.h"

namespace schedd::test {
namespace {

struct Moving : AffinityWorld {
    Moving() {
        set("move_memory", "true");
        for (const Pid pid : {1, 2, 3}) {
            add(name(pid), pid);
            memory(name(pid), {300, 100});
        }
        update(); // asks for the groups
    }
    static std::string name(Pid pid) { return fmt::format("u{}.service", pid); }
    [[nodiscard]] std::string bound() const {
        std::string all;
        for (const Pid pid : {1, 2, 3}) all += tuning(name(pid)).empty() ? "-" : std::to_string(pid);
        return all;
    }
};

TEST(MovingMemory, IsForOneUnitAMinute) {
    Moving w;
    w.updates(2); // the first asks what the node has left
    EXPECT_EQ(w.bound(), "1--");
    EXPECT_EQ(w.tuning("u1.service"), "AllowedMemoryNodes=0");
    EXPECT_EQ(w.reason("u1.service"),
              "node 0 holds 75 % of its 400 MiB; the other 100 MiB are to be moved there, where "
              "1000000 MiB are left");
    w.updates(11);
    EXPECT_EQ(w.bound(), "1--") << "55 s later";
    w.update();
    EXPECT_EQ(w.bound(), "12-");
    w.updates(12);
    EXPECT_EQ(w.bound(), "123");
    EXPECT_EQ(w.told("rebinds"), "3");
}

TEST(MovingMemory, IsGivenUpWhenItIsNoLongerAllowed) {
    Moving w;
    w.updates(2);
    ASSERT_EQ(w.bound(), "1--");
    w.set("move_memory", "false");
    w.decide();
    EXPECT_EQ(w.bound(), "---");
    EXPECT_EQ(w.cpus("u1.service"), "0-3") << "it is still held";
    EXPECT_EQ(w.reason("u1.service"), "node 0 holds 75 % of its 400 MiB");
}

TEST(MovingMemory, WaitsForRoomOnTheNode) {
    Moving w;
    w.available(0, 199);
    w.updates(20);
    EXPECT_EQ(w.bound(), "---") << "100 MiB are more than half of 199";
    w.available(0, 200);
    w.updates(1);
    EXPECT_EQ(w.bound(), "1--");
}

TEST(MovingMemory, PromisesTheRoomOfANodeOnlyOnce) {
    Moving w;
    w.set("memory_budget", "60");
    w.available(0, 399);
    w.updates(2);
    EXPECT_EQ(w.bound(), "12-") << "100 of 399, then 100 of 299, then 100 of 199 MiB";
}

TEST(MovingMemory, WaitsWhileNobodyKnowsWhatTheNodeHasLeft) {
    Moving w;
    w.world.host.remove("sys/devices/system/node/node0/meminfo");
    w.updates(20);
    EXPECT_EQ(w.bound(), "---");
    ASSERT_TRUE(w.world.apply("unlink schedulers/N/memory_affinity/node_available"));
    w.updates(20);
    EXPECT_EQ(w.bound(), "---");
}

TEST(MovingMemory, IsNotForWhatIsNoUnit) {
    AffinityWorld w;
    w.set("move_memory", "true");
    w.subjects.push_back({Target::cgroup("/batch"), "cgroup:/batch", 100, {}, w.topology.usable()});
    w.subjects.back().group = "/batch";
    w.memory("batch", {300, 100});
    w.updates(5);
    ASSERT_EQ(w.decisions.size(), 1U);
    EXPECT_TRUE(w.decisions[0].tuning.empty());
    EXPECT_EQ(w.told("rebinds"), "0");
}

TEST(MovingMemory, LetsTheMemoryGoBeforeAGroupMoves) {
    Moving w;
    w.updates(2);
    w.memory("u1.service", {0, 400});
    w.updates(3);
    EXPECT_EQ(w.cpus("u1.service"), "4-7");
    EXPECT_EQ(w.tuning("u1.service"), "") << "the budget is spent";
}

} // namespace
} // namespace schedd::test
