// AnEngine: an engine over a world in memory, with a policy that decides what the test says.
#pragma once

#include <stdexcept>

#include "tests/kit/engine_world.h"

namespace schedd::placement {

using namespace schedd::test;

inline CpuSet cpus(std::string_view list) { return CpuSet::parse(list).value(); }

/// Throws when asked to decide.
class ThrowingPolicy final : public Policy {
public:
    using Policy::Policy;
    std::vector<Decision> decide(const View& /*view*/) override { throw std::runtime_error("out of ideas"); }
};
inline constexpr PortSpec kOnePort[] = {
    {.name = "node_load", .type = types::kLoad, .wants_updates = true, .doc = "x"}};
inline const Descriptor kThrowing{.name = "throwing",
                                  .kind = Kind::policy,
                                  .doc = "Throws.",
                                  .make = make_part<ThrowingPolicy>,
                                  .ports = kOnePort};

struct Heard final : EngineListener {
    std::vector<std::string> lines;
    int progress = 0;
    void progressed() override { ++progress; }
    std::vector<std::string> acts; // on the machine
    void decided(const std::string& scheduler, const Target& target, const Decision& decision) override {
        lines.push_back(scheduler + " " + target.text() + " " + decision.cpus.text());
    }
    void conflicted(const std::string& scheduler, const Target& target,
                    const std::string& /*detail*/) override {
        lines.push_back("conflict " + scheduler + " " + target.text());
    }
    void ejected(const std::string& scheduler, const std::string& why) override {
        lines.push_back("ejected " + scheduler + ": " + why);
    }
    void placed(const Target& target, const Verdict& verdict, const Outcome& outcome) override {
        acts.push_back(
            fmt::format("placed {} {} {}", target.text(), verdict.cpus.text(), name_of(outcome.state)));
    }
    void released(const Target& target, const Outcome& outcome) override {
        acts.push_back(fmt::format("released {} {}", target.text(), name_of(outcome.state)));
    }
    int stale = 0;
    void topology_is_stale() override { ++stale; }
    void disturbed(const Target& target, const Outcome& /*found*/, bool taken_back) override {
        acts.push_back(fmt::format("disturbed {} {}", target.text(), taken_back ? "taken back" : "left"));
    }
};

struct AnEngine : EngineWorld {
    Heard heard;

    static std::vector<const Descriptor*> types() {
        auto all = World::default_types();
        all.push_back(&kThrowing);
        return all;
    }
    AnEngine() : EngineWorld(types(), plain_machine(4)) {
        engine->set_listener(&heard);
        for (const Pid pid : {10, 11, 12}) world.start({.pid = pid});
        EXPECT_TRUE(world.apply("create probes/cpu\ncreate schedulers/S\ncreate schedulers/S/load_balancing\n"
                                "link cpu/load schedulers/S/load_balancing/node_load\n"));
    }
    TestPolicy& policy(std::string_view scheduler = "S") {
        return world.at<TestPolicy>("schedulers/" + std::string(scheduler) + "/load_balancing");
    }
    void attach(Pid pid, std::string scheduler = "S") {
        ASSERT_TRUE(
            world.apply("create schedulers/" + scheduler + "/process_set/process:" + std::to_string(pid)));
    }
    void decide(std::vector<Decision> decisions, std::string_view scheduler = "S") {
        policy(scheduler).set_decisions(std::move(decisions));
        policy(scheduler).make_due();
        tick();
    }
    std::string state(Pid pid, std::string scheduler = "S") {
        return world.read("schedulers/" + scheduler + "/process_set/process:" + std::to_string(pid) +
                          ".state");
    }
    void second_scheduler() {
        ASSERT_TRUE(world.apply("create schedulers/T\ncreate schedulers/T/load_balancing\nlink cpu/load "
                                "schedulers/T/load_balancing/node_load\n"));
    }
};

} // namespace schedd::placement
