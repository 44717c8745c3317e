// mem_probe over recorded and broken meminfo files.
#include <gtest/gtest.h>

#include "components/probes/probes.h"
#include "tests/kit/world.h"

namespace schedd::test {
namespace {

struct Memory : ::testing::Test {
    World world{{&probes::kMem, &kTestPolicy}};
    RecordingSink free_sink{types::kMemory};
    RecordingSink total_sink{types::kMemory};

    Memory() {
        set(8000, 1000);
        EXPECT_TRUE(world.apply("create probes/mem mem_probe"));
        free_sink.connect(world.at<Source>("probes/mem/ram_free"));
        total_sink.connect(world.at<Source>("probes/mem/ram_total"));
    }
    void set(int total, int free) {
        world.host.set("proc/meminfo",
                       fmt::format("MemTotal:       {} kB\nMemFree:  {} kB\nMemAvailable: 7 kB\n", total,
                                   free));
    }
    void measure() {
        world.clock.advance(std::chrono::seconds(1));
        world.at<Probe>("probes/mem").run(world.clock.now());
    }
};

using AMemProbe = Memory;

TEST_F(AMemProbe, ReadsFreeAndTotal) {
    measure();
    EXPECT_EQ(world.read("probes/mem/ram_free"), "1000");
    EXPECT_EQ(world.read("probes/mem/ram_total"), "8000");
}
TEST_F(AMemProbe, TellsOnlyWhatChanged) {
    measure();
    measure();
    set(8000, 900);
    measure();
    EXPECT_EQ(free_sink.numbers(), (std::vector<std::int64_t>{1000, 900}));
    EXPECT_EQ(total_sink.numbers(), (std::vector<std::int64_t>{8000}));
}
TEST_F(AMemProbe, KeepsAnUnchangedValueFresh) {
    measure();
    for (int i = 0; i < 10; ++i) measure();
    EXPECT_TRUE(total_sink.collect({})->fresh_at(world.clock.now()));
    EXPECT_EQ(total_sink.collect({})->time, world.clock.now());
}
TEST_F(AMemProbe, WithoutItsFileHasNoValueAndNamesIt) {
    measure();
    world.host.remove("proc/meminfo");
    measure();
    EXPECT_FALSE(free_sink.collect({}));
    EXPECT_NE(world.at<Probe>("probes/mem").trouble().find("proc/meminfo"), std::string::npos);
    EXPECT_NE(world.read("probes/mem/ram_free").find("proc/meminfo"), std::string::npos);
    set(8000, 5);
    measure();
    EXPECT_EQ(world.read("probes/mem/ram_free"), "5");
    EXPECT_EQ(world.at<Probe>("probes/mem").trouble(), "");
    EXPECT_EQ(free_sink.numbers(), (std::vector<std::int64_t>{1000, 5}));
}
TEST_F(AMemProbe, WithGarbageHasNoValue) {
    for (const auto* text :
         {"", "\n\n\n", "MemFree:", "MemFree: x kB\n", "MemFree: -1 kB\n", "MemFree: 1 MB\n",
          "MemFree: 99999999999999999999 kB\n", "MemFree: 18446744073709551615 kB\n", "Mem\0Free: 1 kB"}) {
        world.host.set("proc/meminfo", text);
        measure();
        EXPECT_FALSE(free_sink.collect({})) << text;
        EXPECT_NE(world.at<Probe>("probes/mem").trouble(), "") << text;
    }
}
TEST_F(AMemProbe, WithOneLineMissingStillGivesTheOther) {
    world.host.set("proc/meminfo", "MemTotal: 77 kB\n");
    measure();
    EXPECT_EQ(world.read("probes/mem/ram_total"), "77");
    EXPECT_FALSE(free_sink.collect({}));
}
TEST_F(AMemProbe, LogsItsTroubleOnce) {
    world.host.remove("proc/meminfo");
    for (int i = 0; i < 5; ++i) measure();
    EXPECT_EQ(world.log.count("proc/meminfo"), 1U);
}

} // namespace
} // namespace schedd::test
