// Changes by others than root: polkit is asked about every one of them, and nothing waits for it but they.
#include <sstream>

#include <unistd.h>

#include "dbus/limits.h"
#include "tests/bus/attempts.h"
#include "tests/bus/daemon.h"
#include "tests/bus/played_polkit.h"

namespace schedd::test {
namespace {

struct AChange : OnBothBuses {
    void SetUp() override {
        if (::geteuid() != 0) GTEST_SKIP() << "only root can become another user";
        OnBothBuses::SetUp();
        if (IsSkipped()) return;
        build();
        caller = client_of(65534, bus.address());
        before = exported();
    }
    void TearDown() override {
        caller.reset();
        polkit.reset();
        OnBothBuses::TearDown();
    }
    void play(Verdict verdict) { polkit = std::make_unique<PlayedPolkit>(bus.address(), verdict); }
    std::string exported() { return client->call<std::string>("Export", Variants{}).value; }
    /// All there are: the manager's methods, and the writable properties of all objects.
    std::vector<Attempt> attempts() { return all_attempts(*client); }
    static Attempt create(const std::string& path, const Variants& options = {}) {
        return {"Create", "org.schedd1.configure", "/org/schedd1", "org.schedd1.Manager",
                [path, options](sdbus::MethodCall& call) { call << path << std::string() << options; }};
    }
    bool asked(std::size_t times) {
        return client->wait_for([&] { return polkit->asked().size() >= times; });
    }

    std::unique_ptr<PlayedPolkit> polkit;
    std::unique_ptr<Client> caller;
    std::string before;
};

INSTANTIATE_TEST_SUITE_P(Bus, AChange, ::testing::ValuesIn(kBothBuses), name_of_bus);

TEST_P(AChange, IsRefusedWhenPolkitDenies) {
    play(Verdict::deny);
    const auto all = attempts();
    std::size_t tried = 0;
    for (const auto& attempt : all) {
        Running running(*caller, attempt);
        ASSERT_TRUE(running.ends(*caller)) << attempt.name;
        EXPECT_EQ(running.error, "org.schedd1.Error.Denied") << attempt.name << ": " << running.message;
        EXPECT_EQ(running.message, attempt.action + " is denied to uid 65534: polkit says no");
        ASSERT_EQ(polkit->asked().size(), ++tried) << attempt.name;
        EXPECT_EQ(polkit->asked().back().action, attempt.action) << attempt.name;
    }
    EXPECT_GT(tried, 16U);
    EXPECT_EQ(exported(), before);
}

TEST_P(AChange, IsMadeWhenPolkitAllows) {
    play(Verdict::allow);
    // the last ones first, since the first remove what the others are about
    for (const auto& attempt : attempts()) {
        Running running(*caller, attempt);
        ASSERT_TRUE(running.ends(*caller)) << attempt.name;
        EXPECT_NE(running.error, "org.schedd1.Error.Denied") << attempt.name << ": " << running.message;
    }
    EXPECT_NE(exported(), before);
    ASSERT_TRUE(caller->create("schedulers/mine"));
    EXPECT_TRUE(client->call<std::string>("Describe", std::string("schedulers/mine")));
    const auto set = caller->set("/org/schedd1/probes/cpu", "Probe", "ProbePeriod", number(700));
    EXPECT_TRUE(set) << set.message;
    EXPECT_EQ(client->read("probes/cpu.probe_period").value, "700");
}

TEST_P(AChange, IsRefusedWhenPolkitHangsAndDies) {
    auto left = attempts();
    while (!left.empty()) {
        play(Verdict::hang);
        std::vector<std::unique_ptr<Running>> running;
        while (!left.empty() && running.size() < kit::limits::kBusChecksPerUser) {
            running.push_back(std::make_unique<Running>(*caller, left.back()));
            left.pop_back();
        }
        ASSERT_TRUE(asked(running.size()));
        EXPECT_TRUE(client->call<std::string>("Status")) << "others are served meanwhile";
        EXPECT_TRUE(caller->call<std::string>("Status")) << "and so is the caller";
        EXPECT_TRUE(client->create("schedulers/others"));
        EXPECT_TRUE(client->remove("schedulers/others"));
        for (const auto& one : running) EXPECT_FALSE(one->is_over) << one->name;
        EXPECT_EQ(exported(), before);
        polkit.reset();
        for (const auto& one : running) {
            ASSERT_TRUE(one->ends(*caller)) << one->name;
            EXPECT_EQ(one->error, "org.schedd1.Error.Denied") << one->name;
            EXPECT_NE(one->message.find("polkit did not answer"), std::string::npos) << one->message;
        }
    }
    EXPECT_EQ(exported(), before);
}

TEST_P(AChange, TakesAnActionThatThePolicyFileDeclares) {
    const auto policy = content_of(std::string(SCHEDD_INTERFACES) + "/org.schedd1.policy");
    for (const auto& attempt : attempts())
        EXPECT_NE(policy.find("<action id=\"" + attempt.action + "\">"), std::string::npos) << attempt.name;
    EXPECT_NE(policy.find("<action id=\"org.schedd1.peers\">"), std::string::npos);
}

TEST_P(AChange, IsMadeAtOnceForRoot) {
    play(Verdict::deny);
    EXPECT_TRUE(client->create("schedulers/roots"));
    EXPECT_TRUE(client->set("/org/schedd1/probes/cpu", "Probe", "ProbePeriod", number(700)));
    EXPECT_TRUE(polkit->asked().empty());
}

TEST_P(AChange, IsToldToPolkitWithItsCallerSchedulerAndMember) {
    play(Verdict::deny);
    const Sleeper work;
    ASSERT_FALSE(caller->call<sdbus::ObjectPath>("Attach", std::string("S"), work.member(), Variants{}));
    ASSERT_FALSE(caller->create("schedulers/S/load_balancing/node_load/threshold"));
    ASSERT_FALSE(caller->create("probes/mem"));
    ASSERT_TRUE(client->call<sdbus::ObjectPath>("Attach", std::string("S"), work.member(), Variants{}));
    const auto member = "/org/schedd1/schedulers/S/process_5fset/process_3a" + std::to_string(work.pid());
    EXPECT_FALSE(caller->set(member, "Attachment", "Weight", number(7)));
    const auto asked = polkit->asked();
    ASSERT_EQ(asked.size(), 4U);
    for (const auto& question : asked) {
        EXPECT_EQ(question.kind, "system-bus-name");
        EXPECT_EQ(question.name, caller->connection().getUniqueName());
        EXPECT_EQ(question.flags, 0U);
    }
    using Details = std::map<std::string, std::string>;
    const Details of_member{{"scheduler", "S"}, {"unit", work.member()}};
    EXPECT_EQ(asked[0].details, of_member);
    EXPECT_EQ(asked[0].action, "org.schedd1.attach");
    EXPECT_EQ(asked[1].details, (Details{{"scheduler", "S"}}));
    EXPECT_EQ(asked[2].details, Details{});
    EXPECT_EQ(asked[3].details, of_member);
    EXPECT_EQ(asked[3].action, "org.schedd1.attach");
}

TEST_P(AChange, LetsAPersonBeAskedOnlyWhenItsCallerSaysSo) {
    play(Verdict::challenge);
    const auto plain = caller->create("probes/mem");
    EXPECT_NE(plain.message.find("option interactive"), std::string::npos) << plain.message;
    const auto asking = caller->create("probes/mem", "", {{"interactive", basic(true)}});
    EXPECT_EQ(asking.error, "Denied");
    EXPECT_NE(asking.message.find("nobody could be asked"), std::string::npos) << asking.message;
    for (const auto* flag : {"true", "false"})
        run({"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "busctl",
             "--address=" + bus.address(), std::string("--allow-interactive-authorization=") + flag, "call",
             "org.schedd1", "/org/schedd1/probes/cpu", "org.freedesktop.DBus.Properties", "Set", "ssv",
             "org.schedd1.Probe", "ProbePeriod", "t", "700"});
    const auto asked = polkit->asked();
    ASSERT_EQ(asked.size(), 4U);
    EXPECT_EQ(asked[0].flags, 0U);
    EXPECT_EQ(asked[1].flags, 1U);
    EXPECT_EQ(asked[2].flags, 1U) << "by the flag of the message";
    EXPECT_EQ(asked[3].flags, 0U);
}

TEST_P(AChange, IsNotMadeWhenItsCallerHasLeft) {
    play(Verdict::hang);
    {
        const Running running(*caller, create("schedulers/orphan"));
        ASSERT_TRUE(asked(1));
    }
    caller.reset();
    ASSERT_TRUE(client->wait_for([&] { return !polkit->called_off().empty(); })) << "no dialog stays open";
    EXPECT_EQ(polkit->called_off().front(), polkit->asked().front().number);
    polkit->decide(Verdict::allow);
    EXPECT_TRUE(client->create("schedulers/S2"));
    EXPECT_EQ(client->call<std::string>("Describe", std::string("schedulers/orphan")).error, "NoSuchObject");
}

TEST_P(AChange, IsMadeOnTheTreeAsItIsWhenPolkitAnswers) {
    play(Verdict::hang);
    Running creates(*caller, create("schedulers/T"));
    Running writes(*caller, {"Set", "", "/org/schedd1/probes/cpu", "org.freedesktop.DBus.Properties",
                             [](sdbus::MethodCall& call) {
                                 call << std::string("org.schedd1.Probe") << std::string("ProbePeriod")
                                      << number(700);
                             }});
    ASSERT_TRUE(asked(2));
    ASSERT_TRUE(client->create("schedulers/T"));
    ASSERT_TRUE(client->remove("probes/cpu", {{"recursive", basic(true)}}));
    ASSERT_TRUE(client->create("probes/cpu"));
    polkit->decide(Verdict::allow);
    ASSERT_TRUE(creates.ends(*caller) && writes.ends(*caller));
    EXPECT_EQ(creates.error, "org.schedd1.Error.Exists") << creates.message;
    EXPECT_EQ(writes.error, "org.schedd1.Error.NoSuchObject") << "it is another probe: " << writes.message;
    EXPECT_EQ(client->read("probes/cpu.probe_period").value, "1000");
}

TEST_P(AChange, WaitsOnlyWithSoManyOthersOfItsUser) {
    play(Verdict::hang);
    std::vector<std::unique_ptr<Running>> running;
    for (std::size_t i = 0; i < kit::limits::kBusChecksPerUser; ++i)
        running.push_back(std::make_unique<Running>(*caller, create("schedulers/s" + std::to_string(i))));
    ASSERT_TRUE(asked(running.size()));
    const auto second = client_of(65534, bus.address());
    const auto refused = second->create("schedulers/more");
    EXPECT_EQ(refused.error, "LimitExceeded");
    EXPECT_NE(refused.message.find("limit changes = 16"), std::string::npos) << refused.message;
    const auto other = client_of(1, bus.address());
    Running others(*other, create("schedulers/others"));
    ASSERT_TRUE(asked(running.size() + 1));
    polkit->decide(Verdict::allow);
    for (const auto& one : running) {
        EXPECT_TRUE(one->ends(*caller));
        EXPECT_EQ(one->error, "") << one->message;
    }
    EXPECT_TRUE(others.ends(*other));
    EXPECT_TRUE(second->create("schedulers/more")) << "there is room again";
}

} // namespace
} // namespace schedd::test
