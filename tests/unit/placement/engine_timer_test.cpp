// Policies that want their turn by themselves, and what subjects tell them about being held.
#include "tests/unit/placement/an_engine.h"

namespace schedd::placement {
namespace {

using std::chrono::milliseconds;

/// Wants to decide every 250 ms, and puts everybody on CPU 2 if told to.
class TimedPolicy final : public Policy {
public:
    using Policy::Policy;
    std::vector<Decision> decide(const View& view) override {
        ++decided;
        next_ = view.now + milliseconds(250);
        seen.assign(view.subjects.begin(), view.subjects.end());
        if (throws) throw std::runtime_error("no more");
        std::vector<Decision> held;
        for (const auto& subject : view.subjects)
            if (holds) held.push_back({subject.target, cpus("2"), "told to"});
        return held;
    }
    [[nodiscard]] Time next_due() const override { return next_; }

    int decided = 0;
    bool holds = false;
    bool throws = false;
    std::vector<Subject> seen;

private:
    Time next_{};
};
const Descriptor kTimed{.name = "timed",
                        .kind = Kind::policy,
                        .doc = "Own turns.",
                        .make = make_part<TimedPolicy>};

struct ATimedPolicy : testing::Test {
    World world{{&kTimed, &kTestProbe}};
    Topology topology = four_cpus();
    FakeActuator actuator{cpus("0-3")};
    MemoryStore store;
    std::vector<std::string> complaints;
    Ledger ledger{store, "boot", "", complaints};
    Engine engine{world.tree, topology, actuator, ledger};

    static Topology four_cpus() {
        Topology topology;
        for (int id = 0; id < 4; ++id) topology.cpus.push_back({.id = id, .core = id});
        topology.online = topology.allowed = cpus("0-3");
        return topology;
    }
    ATimedPolicy() {
        world.start({.pid = 10});
        EXPECT_TRUE(world.apply("create schedulers/S\ncreate schedulers/S/timed\n"
                                "create schedulers/S/process_set/process:10\n"));
    }
    TimedPolicy& policy() { return world.at<TimedPolicy>("schedulers/S/timed"); }
    void tick(int after_ms) {
        world.clock.advance(milliseconds(after_ms));
        engine.tick(world.clock.now());
    }
};

TEST_F(ATimedPolicy, GetsItsTurnsWithoutAnyPort) {
    tick(0);
    EXPECT_EQ(policy().decided, 1);
    EXPECT_EQ(engine.next_due(), world.clock.now() + milliseconds(250)) << "the loop sleeps until then";
    tick(249);
    EXPECT_EQ(policy().decided, 1);
    tick(1);
    EXPECT_EQ(policy().decided, 2);
    policy().make_due();
    tick(1);
    EXPECT_EQ(policy().decided, 3);
}

TEST_F(ATimedPolicy, DoesNotWakeTheLoopWhileItIsFrozenOrEjected) {
    policy().holds = true;
    tick(0);
    engine.freeze(false, {"S"});
    tick(1000);
    EXPECT_EQ(policy().decided, 1);
    EXPECT_GT(engine.next_due(), world.clock.now());
    engine.freeze(false, {});
    policy().throws = true;
    tick(1000);
    EXPECT_EQ(policy().decided, 2);
    tick(1000);
    EXPECT_EQ(policy().decided, 2) << "ejected";
    EXPECT_GT(engine.next_due(), world.clock.now());
}

TEST_F(ATimedPolicy, IsToldWhatSchedulersHold) {
    tick(0);
    ASSERT_EQ(policy().seen.size(), 1U);
    EXPECT_FALSE(policy().seen[0].held);
    policy().holds = true;
    tick(250);
    EXPECT_FALSE(policy().seen[0].held);
    tick(250);
    EXPECT_TRUE(policy().seen[0].held);
    EXPECT_EQ(policy().seen[0].current, cpus("2"));
    policy().holds = false;
    tick(250);
    tick(250);
    EXPECT_FALSE(policy().seen[0].held);
    EXPECT_EQ(policy().seen[0].current, cpus("0-3"));
}

} // namespace
} // namespace schedd::placement
