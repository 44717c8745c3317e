// Who comes or leaves is decided about alone where a policy can: Policy::revise() through the engine.
#include <gtest/gtest.h>

#include "tests/unit/placement/an_engine.h"

namespace schedd::placement {
namespace {

/// Puts all on 0-1, and whoever comes later, alone, on 2-3; but for those that it is told to leave out.
class Host final : public Policy {
public:
    Host(const Descriptor& type, std::string name, const Environment& environment)
        : Policy(type, std::move(name), environment) {
        make_due();
    }
    std::vector<Decision> decide(const View& view) override {
        ++decided;
        std::vector<Decision> all;
        for (const auto& subject : view.subjects) all.push_back({subject.target, cpus("0-1"), "all"});
        return all;
    }
    std::optional<Revision> revise(const View& view, std::span<const Target> touched) override {
        ++revised;
        last.assign(touched.begin(), touched.end());
        if (is_lost) return std::nullopt;
        Revision some{{}, shifts};
        for (const auto& target : touched)
            if (view.subjects.find(target) && target != left_out)
                some.decisions.push_back({target, where, "new"});
        return some;
    }
    int decided = 0;
    int revised = 0;
    bool is_lost = false;
    Target left_out;
    CpuSet where = cpus("2-3");
    std::vector<Revision::Shift> shifts;
    std::vector<Target> last;
};
const Descriptor kHost{.name = "host",
                       .kind = Kind::policy,
                       .doc = "Hosts.",
                       .make = make_part<Host>,
                       .ports = kOnePort};

struct Revising : EngineWorld {
    Revising() : EngineWorld({&kHost}, plain_machine(4)) {
        for (const Pid pid : {10, 11}) world.start({.pid = pid, .session = 7});
        EXPECT_TRUE(world.apply("create schedulers/S\ncreate schedulers/S/host\n"
                                "create schedulers/S/process_set/session:7\n"));
        tick();
    }
    Host& policy() { return world.at<Host>("schedulers/S/host"); }
};
using APolicyThatRevises = Revising;

TEST_F(APolicyThatRevises, IsAskedAboutWhoComesAlone) {
    EXPECT_EQ(actuator.mask(process(10)), cpus("0-1"));
    ASSERT_EQ(policy().decided, 1);
    world.start({.pid = 12, .session = 7});
    tick();
    EXPECT_EQ(policy().decided, 1);
    EXPECT_EQ(policy().last, std::vector{process(12)});
    EXPECT_EQ(actuator.mask(process(12)), cpus("2-3"));
    EXPECT_EQ(actuator.mask(process(10)), cpus("0-1")) << "what it does not name stays";
    tick();
    EXPECT_EQ(policy().revised, 1) << "nobody came";
    EXPECT_EQ(world.read("schedulers/S/process_set/session:7.effective_cpus"), "0-3");
}

TEST_F(APolicyThatRevises, IsToldWhoLeft) {
    world.end(11);
    actuator.gone.insert(process(11));
    tick();
    EXPECT_EQ(policy().last, std::vector{process(11)});
    EXPECT_EQ(policy().decided, 1);
    EXPECT_EQ(engine->held(), 1U);
    EXPECT_EQ(engine->explain("S")->size(), 1U);
}

TEST_F(APolicyThatRevises, LetsAloneWhomItDoesNotName) {
    policy().left_out = process(12);
    world.start({.pid = 12, .session = 7});
    tick();
    EXPECT_EQ(policy().revised, 1);
    EXPECT_EQ(engine->held(), 2U);
    EXPECT_FALSE(ledger.find(process(12)));
}

TEST_F(APolicyThatRevises, MayDecideAboutAllInstead) {
    policy().is_lost = true;
    world.start({.pid = 12, .session = 7});
    tick();
    EXPECT_EQ(policy().decided, 2);
    EXPECT_EQ(actuator.mask(process(12)), cpus("0-1"));
}

TEST_F(APolicyThatRevises, DecidesAboutAllWhenItIsDue) {
    world.start({.pid = 12, .session = 7});
    policy().make_due();
    tick();
    EXPECT_EQ(policy().revised, 0);
    EXPECT_EQ(policy().decided, 2);
    EXPECT_EQ(actuator.mask(process(12)), cpus("0-1"));
}

TEST_F(APolicyThatRevises, IsEjectedForNonsenseAsEver) {
    policy().where = cpus("7");
    world.start({.pid = 12, .session = 7});
    tick();
    EXPECT_NE(world.read("schedulers/S.ejected").find("none of which is online"), std::string::npos);
    EXPECT_EQ(engine->held(), 0U) << "everything is put back";
    EXPECT_EQ(actuator.mask(process(10)), cpus("0-3"));
}

TEST_F(APolicyThatRevises, MayMoveAllThatWereDecidedAlike) {
    policy().shifts = {{{{}, cpus("0-1"), "all"}, {{}, cpus("0"), "fewer"}}};
    world.start({.pid = 12, .session = 7});
    tick();
    EXPECT_EQ(policy().decided, 1);
    EXPECT_EQ(actuator.mask(process(10)), cpus("0"));
    EXPECT_EQ(actuator.mask(process(11)), cpus("0"));
    EXPECT_EQ(actuator.mask(process(12)), cpus("2-3"));
    EXPECT_EQ(engine->explain("process:10")->front().verdict.opinions.front().reason, "fewer");
    policy().shifts = {{{{}, cpus("0"), "all"}, {{}, cpus("1"), "others"}}};
    world.start({.pid = 13, .session = 7});
    tick();
    EXPECT_EQ(actuator.mask(process(10)), cpus("0")) << "decided for another reason";
}

TEST_F(APolicyThatRevises, IsEjectedForNonsenseAboutMany) {
    policy().shifts = {{{{}, cpus("0-1"), "all"}, {{}, cpus("9"), "nowhere"}}};
    world.start({.pid = 12, .session = 7});
    tick();
    EXPECT_NE(world.read("schedulers/S.ejected").find("those who share on CPUs '9'"), std::string::npos);
    EXPECT_EQ(engine->held(), 0U);
}

TEST_F(APolicyThatRevises, IsToldWhoAsksForSomethingElse) {
    apply("create schedulers/S/process_set/process:10\n"); // the same process by another member
    tick();
    EXPECT_EQ(policy().last, std::vector{process(10)});
    apply("write schedulers/S/process_set/process:10.cpus 2\n");
    policy().last.clear();
    tick();
    EXPECT_EQ(policy().last, std::vector{process(10)});
    EXPECT_EQ(policy().decided, 1);
    apply("write schedulers/S/process_set/process:10.quota 50\n"); // nothing that it sees
    const int asked = policy().revised;
    tick();
    EXPECT_EQ(policy().revised, asked);
}

TEST_F(APolicyThatRevises, IsNotHurriedByWhoCameBeforeIt) {
    world.start({.pid = 12, .session = 7});
    engine->settle(world.clock.now());
    apply("remove schedulers/S/host\ncreate schedulers/S/host\n");
    policy().done(); // as one that waits for its first value
    tick();
    EXPECT_EQ(policy().revised + policy().decided, 0);
    EXPECT_EQ(engine->held(), 2U) << "what is held stays for a while";
}

TEST_F(APolicyThatRevises, HearsOfWhoCameWhileItWasFrozen) {
    engine->freeze(true, {});
    tick();
    world.start({.pid = 12, .session = 7});
    tick();
    EXPECT_EQ(policy().revised, 0);
    engine->freeze(false, {});
    tick();
    EXPECT_EQ(actuator.mask(process(12)), cpus("2-3"));
}

} // namespace
} // namespace schedd::placement
