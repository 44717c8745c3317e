// Several files as one configuration.
#include "tests/unit/config/config_world.h"

namespace schedd::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

Result<Desired> merged(std::string_view first, std::string_view second) {
    return merge(parse_config("a.toml", first).value(), parse_config("b.toml", second).value());
}

TEST(TwoFiles, AddUp) {
    const auto all = merged("[probe.cpu]\n[scheduler.A]\n", "[probe.mem]\n[scheduler.B]\n");
    ASSERT_TRUE(all);
    EXPECT_EQ(all->probes.at(1).name, "mem");
    EXPECT_EQ(all->schedulers.at(1).name, "B");
}

TEST(TwoFiles, MayNameOneProbeIfTheyAgree) {
    const auto all =
        merged("[probe.cpu]\nprobe_period = 5\n", "[probe.cpu]\ntype = \"cpu\"\nprobe_period = \"5\"\n");
    ASSERT_TRUE(all) << all.error().text();
    EXPECT_EQ(all->probes.size(), 1U);
}

TEST(TwoFiles, AreRefusedIfTheyDisagreeOnAProbe) {
    for (const auto* other :
         {"[probe.cpu]\nprobe_period = 6\n", "[probe.cpu]\n", "[probe.cpu]\nprobe_period = 5\nx = 1\n",
          "[probe.cpu]\nprobe_period = 5\ntype = \"mem\"\n"})
        EXPECT_THAT(error_of(merged("[probe.cpu]\nprobe_period = 5\n", other)),
                    AllOf(StartsWith("b.toml:1:"), HasSubstr("at a.toml:1:")))
            << other;
}

TEST(TwoFiles, MayNotDefineTheSameScheduler) {
    EXPECT_THAT(error_of(merged("[scheduler.A]\n", "\n[scheduler.A]\n")),
                AllOf(StartsWith("b.toml:2:"), HasSubstr("first at a.toml:1:")));
}

TEST(DaemonSettings, AreTakenFromEitherFileAndMustAgree) {
    const auto all =
        merged("[daemon]\non_stop = \"leave\"\n", "[daemon]\nscan_period = 200\non_stop = \"leave\"\n");
    ASSERT_TRUE(all) << all.error().text();
    EXPECT_EQ(all->daemon.on_stop, "leave");
    EXPECT_EQ(all->daemon.scan_period_ms, 200U);
    EXPECT_THAT(error_of(merged("[daemon]\ntick_period = 20\n", "[daemon]\ntick_period = 30\n")),
                HasSubstr("tick_period is set twice, to 20 and 30"));
}

} // namespace
} // namespace schedd::test
