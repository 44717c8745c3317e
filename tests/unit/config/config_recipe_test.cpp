// From a tree to a configuration: the fewest verbs, in an order that works, and none the second time.
#include "tests/unit/config/config_world.h"

namespace schedd::test {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

constexpr std::string_view kPort = "schedulers/CPU_LB/load_balancing/node_load";

std::string slides_with(std::string_view chain) {
    return std::string("[probe.cpu]\n[scheduler.CPU_LB]\npolicy = "
                       "\"load_balancing\"\n[scheduler.CPU_LB.ports]\nnode_load = \"") +
           std::string(chain) + "\"\n";
}

TEST(AnEmptyTree, IsBuiltFromTheProbesUp) {
    const ConfigWorld w;
    EXPECT_THAT(w.verbs_to(kSlides),
                ElementsAre("create probes/cpu", "write probes/cpu.probe_period 500",
                            "create schedulers/CPU_LB", "create schedulers/CPU_LB/process_set/process:10",
                            "create schedulers/CPU_LB/process_set/process:11",
                            "write schedulers/CPU_LB/process_set/process:11.weight 200",
                            "create schedulers/CPU_LB/load_balancing",
                            "write schedulers/CPU_LB/load_balancing.level core",
                            "create schedulers/CPU_LB/load_balancing/node_load/pass",
                            "create schedulers/CPU_LB/load_balancing/node_load/pass/threshold",
                            "write schedulers/CPU_LB/load_balancing/node_load/pass/threshold.threshold 100",
                            "link probes/cpu/load schedulers/CPU_LB/load_balancing/node_load/pass/threshold",
                            "link probes/cpu/process_load schedulers/CPU_LB/load_balancing/process_load"));
}

TEST(AConfiguration, LeavesNothingToDoOnceApplied) {
    ConfigWorld w;
    EXPECT_EQ(w.take(kSlides), "");
    EXPECT_THAT(w.verbs_to(kSlides, true), IsEmpty());
    EXPECT_EQ(w.read("schedulers/CPU_LB/process_set/process:11.weight"), "200");
}

TEST(AChangedAttribute, IsOneWrite) {
    ConfigWorld w;
    ASSERT_EQ(w.take(slides_with("cpu/load | threshold(threshold=100)")), "");
    EXPECT_THAT(w.verbs_to(slides_with("cpu/load | threshold(threshold=70)")),
                ElementsAre("write schedulers/CPU_LB/load_balancing/node_load/threshold.threshold 70"));
}

TEST(AnAttributeThatIsNotNamed, StaysUnlessPruned) {
    ConfigWorld w;
    ASSERT_EQ(w.take("[probe.cpu]\nprobe_period = 500\ngain = 2\n"), "");
    EXPECT_THAT(w.verbs_to("[probe.cpu]\ngain = 2\n"), IsEmpty());
    EXPECT_THAT(w.verbs_to("[probe.cpu]\ngain = 2\n", true),
                ElementsAre("write probes/cpu.probe_period 1000"));
}

TEST(AValueWrittenInAnotherForm, IsTheSameValue) {
    ConfigWorld w;
    ASSERT_EQ(w.take("[probe.cpu]\nprobe_period = 0x1f4\n"), "");
    EXPECT_THAT(w.verbs_to("[probe.cpu]\nprobe_period = \"500\"\n"), IsEmpty());
}

TEST(AChangedChain, IsTakenApartOnlyWhereItDiffers) {
    ConfigWorld w;
    ASSERT_EQ(w.take(slides_with("cpu/load | threshold | pass")), "");
    EXPECT_THAT(w.verbs_to(slides_with("cpu/load | pass")),
                ElementsAre("remove -r schedulers/CPU_LB/load_balancing/node_load/pass/threshold",
                            "link probes/cpu/load schedulers/CPU_LB/load_balancing/node_load/pass"));
    EXPECT_EQ(w.take(slides_with("cpu/load | pass")), "");
    EXPECT_EQ(w.take(slides_with("cpu/load")), "");
    EXPECT_EQ(w.read(std::string(kPort) + ".source"), "probes/cpu/load");
}

TEST(AChain, GrowsAFilterAtEitherEnd) {
    ConfigWorld w;
    ASSERT_EQ(w.take(slides_with("cpu/load")), "");
    EXPECT_THAT(w.verbs_to(slides_with("cpu/load | pass")),
                ElementsAre("unlink schedulers/CPU_LB/load_balancing/node_load",
                            "create schedulers/CPU_LB/load_balancing/node_load/pass",
                            "link probes/cpu/load schedulers/CPU_LB/load_balancing/node_load/pass"));
    ASSERT_EQ(w.take(slides_with("cpu/load | pass")), "");
    EXPECT_EQ(w.take(slides_with("cpu/load | threshold | pass")), "");
    EXPECT_EQ(w.take(slides_with("cpu/load | threshold | pass | pass")), "");
    EXPECT_EQ(w.take(slides_with("cpu/load | pass | threshold")), "");
    EXPECT_EQ(w.read(std::string(kPort) + ".source"), std::string(kPort) + "/threshold");
}

TEST(AFilter, IsReplacedByOneOfAnotherTypeUnderItsName) {
    ConfigWorld w;
    ASSERT_EQ(w.take(slides_with("cpu/load | f:pass(note=3)")), "");
    EXPECT_THAT(w.verbs_to(slides_with("cpu/load | f:threshold")),
                ElementsAre("remove -r schedulers/CPU_LB/load_balancing/node_load/f",
                            "create schedulers/CPU_LB/load_balancing/node_load/f threshold",
                            "link probes/cpu/load schedulers/CPU_LB/load_balancing/node_load/f"));
    EXPECT_EQ(w.take(slides_with("cpu/load | f:threshold")), "");
}

TEST(AnOpenChain, HasNoSourceAndLosesTheOneItHad) {
    ConfigWorld w;
    ASSERT_EQ(w.take(slides_with("cpu/load | pass")), "");
    EXPECT_THAT(w.verbs_to(slides_with("| pass")),
                ElementsAre("unlink schedulers/CPU_LB/load_balancing/node_load/pass"));
    EXPECT_EQ(w.take(slides_with("| pass")), "");
}

TEST(ThePortOfAFilter, IsFedAfterTheFilterIsThere) {
    ConfigWorld w;
    const auto text =
        slides_with("cpu/load | ported") + "\"node_load/ported/extra\" = \"cpu/memory | pass\"\n";
    EXPECT_EQ(w.take(text), "");
    EXPECT_EQ(w.read(std::string(kPort) + "/ported/extra/pass.source"), "probes/cpu/memory");
    // the same filter in a new place takes its port along
    const auto moved =
        slides_with("cpu/load | ported | pass") + "\"node_load/pass/ported/extra\" = \"cpu/memory\"\n";
    EXPECT_EQ(w.take(moved), "");
    EXPECT_EQ(w.read(std::string(kPort) + "/pass/ported/extra.source"), "probes/cpu/memory");
}

TEST(APolicy, IsReplacedWithItsChains) {
    ConfigWorld w;
    ASSERT_EQ(w.take(kSlides), "");
    const std::string other = "[scheduler.CPU_LB]\npolicy = \"other_policy\"\n[scheduler.CPU_LB.ports]\n"
                              "node_load = \"cpu/load\"\n";
    EXPECT_THAT(w.verbs_to(other),
                ElementsAre("remove -r schedulers/CPU_LB/load_balancing",
                            "create schedulers/CPU_LB/other_policy",
                            "link probes/cpu/load schedulers/CPU_LB/other_policy/node_load"));
    EXPECT_EQ(w.take(other), "");
}

TEST(AScheduler, KeepsThePolicyTheFileDoesNotName) {
    ConfigWorld w;
    ASSERT_EQ(w.take(kSlides), "");
    EXPECT_THAT(w.verbs_to("[scheduler.CPU_LB]\nprecedence = 5\n"),
                ElementsAre("write schedulers/CPU_LB.precedence 5"));
}

TEST(WhatAFileDoesNotName, GoesOnlyWithPrune) {
    ConfigWorld w;
    ASSERT_EQ(w.take(kSlides), "");
    const std::string_view less = "[probe.cpu]\n[scheduler.CPU_LB]\npolicy = \"load_balancing\"\n"
                                  "process_set = [\"process:10\"]\n";
    EXPECT_THAT(w.verbs_to(less), IsEmpty());
    EXPECT_THAT(w.verbs_to(less, true),
                ElementsAre("unlink schedulers/CPU_LB/load_balancing/process_load",
                            "remove schedulers/CPU_LB/process_set/process:11",
                            "remove -r schedulers/CPU_LB/load_balancing/node_load/pass",
                            "write probes/cpu.probe_period 1000",
                            "write schedulers/CPU_LB/load_balancing.level auto"));
    EXPECT_EQ(w.take(less, true), "");
}

TEST(AnEmptyFile, RemovesEverythingWithPruneAndNothingWithout) {
    ConfigWorld w;
    const auto bare = w.dump();
    ASSERT_EQ(w.take(kSlides), "");
    EXPECT_THAT(w.verbs_to(""), IsEmpty());
    EXPECT_THAT(w.verbs_to("", true), ElementsAre("remove -r schedulers/CPU_LB", "remove probes/cpu"));
    EXPECT_EQ(w.take("", true), "");
    EXPECT_EQ(w.dump(), bare);
}

TEST(AReplacedProbe, IsLinkedAgainWhereTheConfigurationDoesNotSpeakOfIt) {
    ConfigWorld w;
    ASSERT_EQ(w.take(slides_with("cpu/load | pass")), "");
    EXPECT_THAT(w.verbs_to("[probe.cpu]\ntype = \"other_probe\"\n"),
                ElementsAre("unlink schedulers/CPU_LB/load_balancing/node_load/pass", "remove probes/cpu",
                            "create probes/cpu other_probe",
                            "link probes/cpu/load schedulers/CPU_LB/load_balancing/node_load/pass"));
    EXPECT_EQ(w.take("[probe.cpu]\ntype = \"other_probe\"\n"), "");
    EXPECT_EQ(w.read("probes/cpu.type"), "other_probe");
}

TEST(AReplacedProbe, MustStillGiveWhatOthersTake) {
    ConfigWorld w;
    ASSERT_EQ(w.take(kSlides), "");
    EXPECT_THAT(w.verbs_to("[probe.cpu]\ntype = \"other_probe\"\n"),
                ElementsAre(
                    AllOf(StartsWith("error: t.toml:1:"), HasSubstr("is linked to its process_load"))));
}

TEST(AReplacedProbe, GetsTheLinksTheConfigurationNames) {
    ConfigWorld w;
    ASSERT_EQ(w.take(slides_with("cpu/load | pass")), "");
    const auto text = "probe.cpu.type = \"other_probe\"\n" + slides_with("cpu/load | pass").substr(12);
    EXPECT_EQ(w.take(text), "");
    EXPECT_EQ(w.read(std::string(kPort) + "/pass.source"), "probes/cpu/load");
}

TEST(HandleAll, TurnsIntoMembersAndBackWithPrune) {
    ConfigWorld w;
    const std::string all = "[scheduler.A]\nhandle_all = true\n";
    const std::string one = "[scheduler.A]\nhandle_all = false\nprocess_set = [\"process:10\"]\n";
    ASSERT_EQ(w.take(all), "");
    EXPECT_EQ(w.take(one), "");
    EXPECT_THAT(w.take(all), HasSubstr("has explicit members"));
    EXPECT_EQ(w.take(all, true), "");
}

TEST(Members, AreAttachedInTheOrderOfTheList) {
    ConfigWorld w;
    ASSERT_EQ(w.take("[scheduler.A]\nprocess_set = [\"process:12\", \"process:10\"]\n"), "");
    EXPECT_LT(w.at<Member>("schedulers/A/process_set/process:12").order(),
              w.at<Member>("schedulers/A/process_set/process:10").order());
}

TEST(AMemberThatIsGone, FailsTheWholeConfiguration) {
    ConfigWorld w;
    const auto before = w.dump();
    EXPECT_THAT(w.take("[probe.cpu]\n[scheduler.A]\nprocess_set = [\"process:10\", \"process:99\"]\n"),
                HasSubstr("process:99: there is no such process"));
    EXPECT_EQ(w.dump(), before);
}

TEST(AChainOfEightFilters, IsTheLongest) {
    ConfigWorld w;
    std::string chain = "cpu/load";
    for (std::size_t i = 0; i < limits::kChainLength; ++i) chain += " | pass";
    EXPECT_EQ(w.take(slides_with(chain)), "");
    EXPECT_THAT(w.take(slides_with(chain + " | pass")), HasSubstr("limit filters = 8"));
}

TEST(TenThousandMembers, AreRefusedAsAWhole) {
    ConfigWorld w;
    std::string text = "[scheduler.A]\nprocess_set = [\n";
    for (int i = 0; i < 20'000; ++i) text += fmt::format("\"exec:/bin/{}\",\n", i);
    const auto before = w.dump();
    EXPECT_THAT(w.take(text + "]\n"), HasSubstr("limit"));
    EXPECT_EQ(w.dump(), before);
}

} // namespace
} // namespace schedd::test
