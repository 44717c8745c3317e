// CpuSet: the kernel's list notation and the algebra.
#include "components/model/cpu_set.h"

#include <algorithm>
#include <climits>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "components/kit/rng.h"
#include "tests/kit/count_new.h"

namespace schedd::model {
namespace {

CpuSet set(std::string_view text) { return CpuSet::parse(text).value(); }

TEST(ACpuSet, IsReadAndWrittenInTheKernelsNotation) {
    const std::pair<const char*, const char*> cases[] = {{"", ""},
                                                         {"\n", ""},
                                                         {"0", "0"},
                                                         {"0\n", "0"},
                                                         {"0-3,5\n", "0-3,5"},
                                                         {"5,0-3", "0-3,5"},
                                                         {"1,2,3", "1-3"},
                                                         {"0-1,1-2", "0-2"},
                                                         {"7-7", "7"},
                                                         {"1023", "1023"},
                                                         {"0-1023", "0-1023"},
                                                         {"0,2,4 ", "0,2,4"},
                                                         {"1024", "1024"},
                                                         {"1023-1024,8191", "1023-1024,8191"},
                                                         {"8191,0-8190", "0-8191"}};
    for (const auto& [text, expected] : cases) {
        const auto parsed = CpuSet::parse(text);
        ASSERT_TRUE(parsed) << text;
        EXPECT_EQ(parsed->text(), expected) << text;
    }
}
TEST(ACpuSet, RefusesWhatIsNoList) {
    for (const std::string text :
         {"a",      "-1",        "1-",    "-",     ",",   "1,",  ",1", "1,,2", "3-1",  "8192",
          "0-8192", "1000-9000", "1-2-3", "0-6:2", "0x1", "1 2", " 1", "+1",   "1--2", "99999999999999999999",
          "1;2",    "١"}) {
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
TEST(ACpuSet, NeverHasCpusThatNoMachineHas) {
    CpuSet cpus;
    for (const int cpu : {-1, INT_MIN, limits::kMaxCpus, INT_MAX}) {
        cpus.add(cpu);
        EXPECT_FALSE(cpus.contains(cpu)) << cpu;
        cpus.remove(cpu);
    }
    EXPECT_TRUE(cpus.empty());
}
TEST(ACpuSet, IsNoLargerForThoseThatHaveUsualCpus) {
    EXPECT_LE(sizeof(CpuSet), 136U) << "10,000 subjects have several each";
    CpuSet cpus = CpuSet::range(0, 1023);
    const auto allocations = test::allocations();
    CpuSet copy = cpus;
    copy = (copy | CpuSet::of(1023)) - CpuSet::of(5);
    EXPECT_TRUE(copy.subset_of(cpus));
    EXPECT_EQ(test::allocations(), allocations);
}
TEST(ACpuSet, HasForgottenTheFarCpusThatItLost) {
    auto cpus = set("3,1024,5000,8191");
    cpus.remove(8191);
    cpus.remove(6000);
    EXPECT_EQ(cpus, set("3,1024,5000"));
    EXPECT_EQ(cpus.last(), 5000);
    EXPECT_EQ(cpus - set("1000-8191"), set("3"));
    EXPECT_EQ(cpus & set("0-1023"), CpuSet::of(3));
    cpus.remove(5000);
    cpus.remove(1024);
    EXPECT_EQ(cpus, CpuSet::of(3));
    EXPECT_FALSE((set("2000") & set("3000")).intersects(set("0-8191")));
    auto moved = set("7,7000");
    cpus = std::move(moved);
    moved = set("1");
    EXPECT_EQ(cpus, set("7,7000"));
    EXPECT_EQ(moved, CpuSet::of(1));
}

/// What a CpuSet should do, by the library's own set.
struct Model {
    CpuSet cpus;
    std::set<int> numbers;

    void add(int first, int last) {
        cpus |= CpuSet::range(first, last);
        for (int cpu = first; cpu <= last; ++cpu) numbers.insert(cpu);
    }
    void remove(int cpu) {
        cpus.remove(cpu);
        numbers.erase(cpu);
    }
};

/// Ranges and single CPUs, often around the border of 1,024 and at the ends of words.
Model some(Rng& rng) {
    constexpr int kBorder = 1024;
    Model some;
    const auto any = [&] {
        const int near[] = {0, 63, 64, kBorder - 1, kBorder, kBorder + 64, limits::kMaxCpus - 1};
        if (rng.below(3) == 0) return near[rng.below(std::size(near))];
        return static_cast<int>(rng.below(rng.below(2) == 0 ? kBorder : limits::kMaxCpus));
    };
    for (auto left = rng.below(8); left > 0; --left) {
        const int first = any();
        some.add(first, std::min(limits::kMaxCpus - 1, first + static_cast<int>(rng.below(100))));
    }
    for (auto left = rng.below(6); left > 0; --left) some.remove(any());
    while (rng.below(4) == 0 && !some.numbers.empty()) some.remove(*some.numbers.rbegin());
    return some;
}

void expect_same(const CpuSet& cpus, const std::set<int>& numbers) {
    ASSERT_EQ(cpus.count(), static_cast<int>(numbers.size()));
    ASSERT_EQ(cpus.empty(), numbers.empty());
    ASSERT_EQ(cpus.last(), numbers.empty() ? -1 : *numbers.rbegin());
    int at = -1;
    for (const int number : numbers) {
        ASSERT_TRUE(cpus.contains(number));
        ASSERT_EQ(at = cpus.next(at), number);
    }
    ASSERT_EQ(cpus.next(at), -1);
    CpuSet same;
    for (const int number : numbers) same.add(number);
    ASSERT_EQ(cpus, same) << "however it came about";
    ASSERT_EQ(set(cpus.text()), cpus);
}

TEST(ACpuSet, DoesWhatTheLibrarysSetDoes) {
    Rng rng(7);
    for (int round = 0; round < 150; ++round) {
        SCOPED_TRACE(round);
        const auto a = some(rng);
        const auto b = some(rng);
        expect_same(a.cpus, a.numbers);
        std::set<int> all = a.numbers;
        all.insert(b.numbers.begin(), b.numbers.end());
        std::set<int> shared;
        std::set<int> rest;
        for (const int cpu : a.numbers) (b.numbers.contains(cpu) ? shared : rest).insert(cpu);
        expect_same(a.cpus | b.cpus, all);
        expect_same(a.cpus & b.cpus, shared);
        expect_same(a.cpus - b.cpus, rest);
        ASSERT_EQ(a.cpus.intersects(b.cpus), !shared.empty());
        ASSERT_EQ(a.cpus.subset_of(b.cpus), rest.empty());
        ASSERT_TRUE((a.cpus & b.cpus).subset_of(a.cpus));
        ASSERT_TRUE(a.cpus.subset_of(a.cpus | b.cpus));
        ASSERT_EQ(a.cpus == b.cpus, a.numbers == b.numbers);
        ASSERT_EQ((a.cpus | b.cpus) - (a.cpus & b.cpus), (a.cpus - b.cpus) | (b.cpus - a.cpus));
        auto copy = b.cpus;
        copy = a.cpus;
        expect_same(copy, a.numbers);
    }
}

} // namespace
} // namespace schedd::model
