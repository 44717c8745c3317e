// Every refusal a caller can provoke has its own name, and leaves nothing behind.
#include "tests/bus/daemon.h"

namespace schedd::test {
namespace {

struct ARefusal : OnBothBuses {
    void SetUp() override {
        OnBothBuses::SetUp();
        if (IsSkipped() || HasFatalFailure()) return;
        build();
        before = client->call<std::string>("Export", Variants{{"format", basic("verbs")}}).value;
    }
    void TearDown() override {
        if (client) {
            EXPECT_EQ(client->call<std::string>("Export", Variants{{"format", basic("verbs")}}).value,
                      before);
        }
        OnBothBuses::TearDown();
    }
    std::string attach(const std::string& member) {
        return client->call<sdbus::ObjectPath>("Attach", std::string("S"), member, Variants{}).error;
    }
    std::string before;
};

INSTANTIATE_TEST_SUITE_P(Bus, ARefusal, ::testing::ValuesIn(kBothBuses), name_of_bus);

TEST_P(ARefusal, NamesWhatIsNotThere) {
    EXPECT_EQ(client->create("probes/x", "no_such_type").error, "NoSuchObject");
    EXPECT_EQ(client->remove("probes/x").error, "NoSuchObject");
    EXPECT_EQ(client->read("probes/cpu.colour").error, "NoSuchObject");
    EXPECT_EQ(client->call<std::string>("Describe", std::string("nowhere")).error, "NoSuchObject");
    EXPECT_EQ(client->call("Detach", std::string("S"), std::string("process:1"), Variants{}).error,
              "NoSuchObject");
    EXPECT_EQ(attach("process:2147483647"), "NoSuchObject");
    EXPECT_EQ(client->call("Unlink", std::string("schedulers/S/load_balancing/node_load"), Variants{}).error,
              "NoSuchObject");
}

TEST_P(ARefusal, NamesWhatIsThereAlready) {
    EXPECT_EQ(client->create("probes/cpu").error, "Exists");
    EXPECT_EQ(client->create("schedulers/S/echo_policy").error, "Busy");
}

TEST_P(ARefusal, NamesBadValues) {
    EXPECT_EQ(client->create("probes/a b").error, "InvalidValue");
    EXPECT_EQ(client->create("probes/" + std::string(10'000, 'x'), "cpu").error, "InvalidValue");
    EXPECT_EQ(client->create("probes/..").error, "InvalidValue");
    for (const auto& value :
         {basic("junk"), basic("1x"), number(1), number(UINT64_MAX), basic(true), basic(1.5), basic("")})
        EXPECT_EQ(client
                      ->call("Write", std::string("probes/cpu"), std::string("probe_period"), value,
                             Variants{})
                      .error,
                  "InvalidValue");
    EXPECT_EQ(attach("nonsense"), "InvalidValue");
    EXPECT_EQ(attach("process:0"), "InvalidValue");
    EXPECT_EQ(client->link("cpu/node_load | ", "schedulers/S/load_balancing/node_load").error,
              "InvalidValue");
    EXPECT_EQ(client->apply_verbs("create probes/a cpu\nfrobnicate\n").error, "InvalidValue");
    const auto toml = client->call<std::string>("Apply", std::string("[probe.cpu\n"), Variants{});
    EXPECT_EQ(toml.error, "InvalidValue");
    EXPECT_FALSE(toml.message.empty());
}

TEST_P(ARefusal, NamesAVariantThatNobodyCanUse) {
    EXPECT_EQ(client
                  ->call("Write", std::string("probes/cpu"), std::string("probe_period"),
                         sdbus::Variant(std::vector<std::string>{"a"}), Variants{})
                  .error,
              "InvalidValue");
    EXPECT_EQ(client
                  ->create("probes/x", "cpu", {{"attributes", sdbus::Variant(std::vector<std::uint64_t>{1})}})
                  .error,
              "InvalidValue");
    EXPECT_EQ(client->create("probes/x", "cpu", {{"attributes", basic(true)}}).error, "InvalidValue");
}

TEST_P(ARefusal, NamesUnknownOptionsOfEveryMethod) {
    const std::string s;
    const Variants odd{{"colour", basic("red")}};
    EXPECT_EQ(client->create("probes/x", "cpu", odd).error, "InvalidValue");
    EXPECT_EQ(client->remove("probes/cpu", odd).error, "InvalidValue");
    EXPECT_EQ(client->call("Write", std::string("probes/cpu"), std::string("probe_period"), number(500), odd)
                  .error,
              "InvalidValue");
    EXPECT_EQ(client->link("cpu/node_load", "schedulers/S/load_balancing/node_load", odd).error,
              "InvalidValue");
    EXPECT_EQ(client->call("Unlink", std::string("schedulers/S/load_balancing/node_load"), odd).error,
              "InvalidValue");
    EXPECT_EQ(client->call<std::string>("Apply", s, odd).error, "InvalidValue");
    EXPECT_EQ(client->call<sdbus::ObjectPath>("Attach", std::string("S"), std::string("user:0"), odd).error,
              "InvalidValue");
    EXPECT_EQ(client->call("Detach", std::string("S"), std::string("user:0"), odd).error, "InvalidValue");
    EXPECT_EQ(client->call<std::string>("Reload", odd).error, "InvalidValue");
    const auto refused = client->call<std::string>("Export", odd);
    EXPECT_EQ(refused.message, "there is no option 'colour': it may be: dry_run interactive local format");
}

TEST_P(ARefusal, NamesWhoMayNotBeAMember) {
    EXPECT_EQ(attach("process:1"), "NotAttachable");
    EXPECT_EQ(attach("process:" + std::to_string(daemon->pid())), "NotAttachable");
}

TEST_P(ARefusal, NamesWhatCannotBeDoneAtAll) {
    EXPECT_EQ(client->create("colours/red").error, "NoSuchObject");
    EXPECT_EQ(client->remove("probes").error, "NotSupported");
    EXPECT_EQ(client->remove("probes/cpu/node_load").error, "NotSupported");
    EXPECT_EQ(client->link("probes/cpu", "schedulers/S/load_balancing/node_load").error, "TypeMismatch");
    EXPECT_EQ(client->link("schedulers/S/load_balancing/node_load", "schedulers/S/load_balancing/node_load")
                  .error,
              "Cycle");
}

TEST_P(ARefusal, NamesAReadOnlyAttribute) {
    EXPECT_EQ(client
                  ->call("Write", std::string("schedulers/S"), std::string("ejected"), basic("x"), Variants{})
                  .error,
              "NotSupported");
    EXPECT_EQ(client->set("/org/schedd1/schedulers/S", "Scheduler", "Ejected", basic("x")).error,
              "org.freedesktop.DBus.Error.PropertyReadOnly");
}

TEST_P(ARefusal, NamesAConflict) {
    ASSERT_TRUE(client->call("Write", std::string("schedulers/S/process_set"), std::string("handle_all"),
                             basic(true), Variants{}));
    Sleeper work;
    EXPECT_EQ(attach(work.member()), "Conflict");
    ASSERT_TRUE(
        client->set("/org/schedd1/schedulers/S/process_5fset", "ProcessSet", "HandleAll", basic(false)));
}

TEST_P(ARefusal, NamesTheLimitThatWasHit) {
    std::string recipe;
    while (recipe.size() <= (1U << 20U))
        recipe += "# a comment that fills the recipe up to its limit of bytes\n";
    const auto large = client->apply_verbs(recipe);
    EXPECT_EQ(large.error, "LimitExceeded");
    EXPECT_NE(large.message.find("limit bytes = 1048576"), std::string::npos) << large.message;
    std::string chain = "cpu/node_load";
    for (int i = 0; i < 9; ++i) chain += " | threshold";
    EXPECT_FALSE(client->link(chain, "schedulers/S/load_balancing/node_load"));
}

TEST_P(ARefusal, LeavesNothingOfARecipeBehind) {
    const auto refused = client->apply_verbs(
        "create probes/extra cpu\ncreate schedulers/T\ncreate schedulers/T/no_such_policy\n");
    EXPECT_EQ(refused.error, "NoSuchObject");
    EXPECT_NE(refused.message.find("step 3 of 3"), std::string::npos) << refused.message;
}

TEST_P(ARefusal, OfAWrongSignatureComesFromTheLibrary) {
    EXPECT_EQ(client->call("Remove", std::string("probes/cpu")).error,
              "org.freedesktop.DBus.Error.InvalidArgs");
    EXPECT_EQ(client->call("NoSuchMethod").error, "org.freedesktop.DBus.Error.UnknownMethod");
    EXPECT_FALSE(client->set("/org/schedd1/probes/cpu", "Probe", "ProbePeriod", basic("500")));
    EXPECT_EQ(client->get("/org/schedd1/probes/gpu", "Probe", "ProbePeriod").error,
              "org.freedesktop.DBus.Error.UnknownObject");
}

} // namespace
} // namespace schedd::test
