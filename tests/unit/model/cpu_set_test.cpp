// CpuSet: the kernel's list notation and the algebra.
#include "components/model/cpu_set.h"

#include <climits>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace schedd::model {
namespace {

CpuSet set(std::string_view text) { return CpuSet::parse(text).value(); }

TEST(ACpuSet, IsReadAndWrittenInTheKernelsNotation) {
    const std::pair<const char*, const char*> cases[] =
        {{"", ""},         {"\n", ""},           {"0", "0"},
         {"0\n", "0"},     {"0-3,5\n", "0-3,5"}, {"5,0-3", "0-3,5"},
         {"1,2,3", "1-3"}, {"0-1,1-2", "0-2"},   {"7-7", "7"},
         {"1023", "1023"}, {"0-1023", "0-1023"}, {"0,2,4 ", "0,2,4"}};
    for (const auto& [text, expected] : cases) {
        const auto parsed = CpuSet::parse(text);
        ASSERT_TRUE(parsed) << text;
        EXPECT_EQ(parsed->text(), expected) << text;
    }
}
TEST(ACpuSet, RefusesWhatIsNoList) {
    for (const std::string text : {"a",
                                   "-1",
                                   "1-",
                                   "-",
                                   ",",
                                   "1,",
                                   ",1",
                                   "1,,2",
                                   "3-1",
                                   "1024",
                                   "0-1024",
                                   "1-2-3",
                                   "0-6:2",
                                   "0x1",
                                   "1 2",
                                   " 1",
                                   "+1",
                                   "1--2",
                                   "99999999999999999999",
                                   "1;2",
                                   "١"}) {
        const auto parsed = CpuSet::parse(text);
        ASSERT_FALSE(parsed) << "'" << text << "'";
        EXPECT_EQ(parsed.error().kind, Errc::invalid_value);
    }
    EXPECT_FALSE(CpuSet::parse(std::string(100000, '1')));
}
TEST(ACpuSet, ReadsBackWhatItWrites) {
    CpuSet odd;
    for (int cpu = 1; cpu < limits::kMaxCpus; cpu += 2) odd.add(cpu);
    EXPECT_EQ(set(odd.text()), odd);
    EXPECT_EQ(odd.count(), limits::kMaxCpus / 2);
}
TEST(ACpuSet, KnowsItsMembers) {
    const auto cpus = set("2-4,9");
    EXPECT_EQ(cpus.count(), 4);
    EXPECT_EQ(cpus.first(), 2);
    EXPECT_EQ(cpus.next(4), 9);
    EXPECT_EQ(cpus.next(9), -1);
    EXPECT_EQ(CpuSet().first(), -1);
    constexpr int kLast = limits::kMaxCpus - 1;
    const auto far = set(fmt::format("63-64,{}", kLast));
    EXPECT_EQ(far.next(INT_MIN), 63);
    EXPECT_EQ(far.next(63), 64);
    EXPECT_EQ(far.next(64), kLast);
    for (const int cpu : {kLast, limits::kMaxCpus, INT_MAX}) EXPECT_EQ(far.next(cpu), -1) << cpu;
    EXPECT_TRUE(cpus.contains(3));
    for (const int cpu : {-1, 0, 5, limits::kMaxCpus, INT_MAX, INT_MIN})
        EXPECT_FALSE(cpus.contains(cpu)) << cpu;
}
TEST(ACpuSet, FormsUnionIntersectionAndDifference) {
    EXPECT_EQ((set("0-3") | set("2-5")).text(), "0-5");
    EXPECT_EQ((set("0-3") & set("2-5")).text(), "2-3");
    EXPECT_EQ((set("0-3") - set("2-5")).text(), "0-1");
    EXPECT_TRUE((set("0-1") & set("2-3")).empty());
}
TEST(ACpuSet, ComparesBySubset) {
    EXPECT_TRUE(set("1-2").subset_of(set("0-3")));
    EXPECT_FALSE(set("0-3").subset_of(set("1-2")));
    EXPECT_TRUE(CpuSet().subset_of(set("1")));
    EXPECT_TRUE(set("1-2").intersects(set("2-3")));
    EXPECT_FALSE(set("1").intersects(CpuSet()));
}
TEST(ACpuSet, LosesAndGainsCpus) {
    auto cpus = set("0-3");
    cpus.remove(1);
    cpus.add(8);
    EXPECT_EQ(cpus.text(), "0,2-3,8");
}

} // namespace
} // namespace schedd::model
