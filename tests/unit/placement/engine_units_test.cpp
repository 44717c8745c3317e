// Units that do not run, or that somebody else sets: when the engine looks, what it leaves alone, what it
// tells.
#include "tests/unit/placement/an_engine.h"

namespace schedd::placement {
namespace {

/// Units that run or not, and that somebody else has set or not.
struct UnitActuator final : Actuator {
    bool runs = false;
    bool is_foreign = false;
    int places = 0;
    Tuning recorded;

    [[nodiscard]] std::string_view name() const override { return "units"; }
    [[nodiscard]] bool handles(Target::Sort) const override { return true; }
    Result<CpuSet> current(const Target&) override { return cpus("0-3"); }
    Result<std::string> capture(const Target&) override { return std::string("original"); }
    Result<std::string> capture_child(const Target&, const std::string&, const CpuSet&,
                                      const Target&) override {
        return fail(Errc::no_such_object, "a child");
    }
    Outcome place(const Target&, const CpuSet& wanted) override {
        ++places;
        return {runs ? State::applied : State::pending, wanted, wanted, {}};
    }
    Outcome check(const Target&, const CpuSet& written) override {
        if (is_foreign) return {State::foreign, written, {}, "somebody else set it"};
        return {runs ? State::applied : State::pending, written, written, {}};
    }
    Tuning written_tuning(const std::string&) const override { return recorded; }
    Outcome tune(const Target&, const Tuning& tuning, const std::string&, Outcome outcome) override {
        tunings.push_back(tuning.text());
        return outcome;
    }
    Outcome check_tuning(const Target&, const Tuning&, Outcome outcome) override { return outcome; }
    Outcome restore(const Target&, const std::string&) override { return {State::free, {}, {}, {}}; }
    std::vector<std::string> tunings;
};

const auto kFoo = Target::unit("foo.service");

struct AUnitsEngine : testing::Test {
    World world{AnEngine::types()};
    Topology topology;
    UnitActuator actuator;
    MemoryStore store;
    std::vector<std::string> complaints;
    std::optional<Ledger> ledger;
    std::optional<Engine> engine;
    Heard heard;

    AUnitsEngine() {
        for (int id = 0; id < 4; ++id) topology.cpus.push_back({.id = id, .core = id});
        topology.online = topology.allowed = cpus("0-3");
    }
    void start_engine() {
        ledger.emplace(store, "boot", store.text, complaints);
        engine.emplace(world.tree, topology, actuator, *ledger);
        engine->set_listener(&heard);
        ASSERT_TRUE(world.apply("create probes/cpu\ncreate schedulers/S\ncreate schedulers/S/load_balancing\n"
                                "link cpu/load schedulers/S/load_balancing/node_load\n"
                                "create schedulers/S/process_set/unit:foo.service"));
        auto& policy = world.at<TestPolicy>("schedulers/S/load_balancing");
        policy.set_decisions({{kFoo, cpus("1"), "x"}});
        policy.make_due();
        tick();
        tick();
    }
    void tick(Duration step = std::chrono::milliseconds(20)) {
        world.clock.advance(step);
        engine->tick(world.clock.now());
    }
    std::string state() { return world.read("schedulers/S/process_set/unit:foo.service.state"); }
};

TEST_F(AUnitsEngine, SeesAtOnceThatAUnitWhichWaitedHasStarted) {
    start_engine();
    ASSERT_EQ(state(), "pending");
    actuator.runs = true; // PID 1 starts it: what ExecStartPre= runs is its first process
    world.start({.pid = 20, .cgroup = "/system.slice/foo.service"});
    tick();
    EXPECT_EQ(state(), "applied");
}

TEST_F(AUnitsEngine, LeavesAUnitThatDoesNotRunToWhoSetItSince) {
    start_engine();
    const int before = actuator.places;
    actuator.is_foreign = true;
    for (int i = 0; i < 12; ++i) tick(std::chrono::seconds(1));
    EXPECT_EQ(state(), "foreign");
    EXPECT_EQ(actuator.places, before);
    engine->reconcile(kFoo); // somebody starts it
    engine->reconcile();     // systemd reads its files anew
    EXPECT_EQ(actuator.places, before);
}

TEST_F(AUnitsEngine, DoesNotWriteOverWhatWasSetJustBeforeTheUnitStarted) {
    actuator.runs = true;
    start_engine();
    ASSERT_EQ(state(), "applied");
    const int before = actuator.places;
    actuator.is_foreign = true;
    engine->reconcile(kFoo);
    tick();
    EXPECT_EQ(actuator.places, before);
    EXPECT_EQ(state(), "foreign");
}

TEST_F(AUnitsEngine, TakesBackWhatVerifyFoundFirst) {
    actuator.runs = true;
    start_engine();
    engine->set_on_foreign(Engine::OnForeign::reassert);
    const int before = actuator.places;
    actuator.is_foreign = true;
    engine->check_all(); // somebody verifies before the notice of the write is dealt with
    EXPECT_EQ(actuator.places, before + 1);
    EXPECT_FALSE(heard.acts.empty()) << "and it is told";
}

TEST_F(AUnitsEngine, GivesAUnitTheWeightAndQuotaOfItsMember) {
    actuator.runs = true;
    start_engine();
    const std::string member = "schedulers/S/process_set/unit:foo.service.";
    ASSERT_TRUE(world.apply("write " + member + "weight 200\nwrite " + member + "quota 150\n"));
    tick();
    ASSERT_FALSE(actuator.tunings.empty());
    EXPECT_EQ(actuator.tunings.back(), "CPUWeight=200 CPUQuota=150%");
    EXPECT_EQ(engine->explain("unit:foo.service").value().at(0).verdict.tuning.text(),
              "CPUWeight=200 CPUQuota=150%");
    ASSERT_TRUE(world.apply("write " + member + "weight 100\nwrite " + member + "quota 0\n"));
    tick();
    EXPECT_EQ(actuator.tunings.back(), "");
    ASSERT_TRUE(world.apply("write " + member + "quota 50\n")); // which no policy is shown
    tick();
    EXPECT_EQ(actuator.tunings.back(), "CPUQuota=50%");
}

TEST_F(AUnitsEngine, PutsBackATuningOfAnEarlierRunThatNobodyWantsNow) {
    actuator.runs = true;
    store.text.clear();
    {
        Ledger earlier(store, "boot", "", complaints);
        ASSERT_TRUE(earlier.record({{kFoo, {"units", "original", cpus("1")}}}));
    }
    actuator.recorded.cpu_weight = 200;
    start_engine();
    EXPECT_EQ(actuator.tunings, std::vector<std::string>{""}) << "told to be without one";
}

} // namespace
} // namespace schedd::placement
