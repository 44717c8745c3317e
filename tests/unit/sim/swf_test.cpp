// Workload logs: what is read of them, and what is refused.
#include "components/sim/swf.h"

#include <gtest/gtest.h>

namespace schedd::sim {
namespace {

using namespace std::chrono_literals;

std::string line(const std::string& submit, const std::string& run, const std::string& allocated,
                 const std::string& requested = "-1") {
    return "1 " + submit + " 5 " + run + " " + allocated + " -1 -1 " + requested +
           " -1 -1 1 3 4 -1 1 -1 -1 -1\n";
}

TEST(ALog, IsReadInOrderOfSubmissionFromItsFirstJob) {
    const auto log =
        parse_swf("a.swf", "; Version: 2.2\n\n" + line("200", "7.5", "4") + line("100", "10", "1"));
    ASSERT_TRUE(log) << log.error().text();
    ASSERT_EQ(log->jobs.size(), 2U);
    EXPECT_EQ(log->jobs[0].submitted, 0s);
    EXPECT_EQ(log->jobs[0].run, 10s);
    EXPECT_EQ(log->jobs[1].submitted, 100s);
    EXPECT_EQ(log->jobs[1].run, 7500ms);
    EXPECT_EQ(log->jobs[1].processors, 4);
}

TEST(ALog, TakesRequestedProcessorsWhereNoneWereAllocated) {
    const auto log = parse_swf("a", line("0", "1", "-1", "16") + line("0", "1", "-1", "-1"));
    ASSERT_TRUE(log);
    EXPECT_EQ(log->jobs[0].processors, 16);
    EXPECT_EQ(log->jobs[1].processors, 1);
}

TEST(ALog, SkipsAndCountsJobsThatNeverRan) {
    const auto log = parse_swf("a", line("0", "-1", "1") + line("0", "0", "1") + line("9", "1", "1"));
    ASSERT_TRUE(log);
    EXPECT_EQ(log->skipped, 2U);
    EXPECT_EQ(log->jobs.size(), 1U);
}

TEST(ALog, HasNoJobThatTookNoTime) {
    const auto log = parse_swf("a", line("0", "1e-12", "1"));
    ASSERT_TRUE(log);
    EXPECT_EQ(log->jobs[0].run, 1ns);
}

TEST(ALog, MayHaveCarriageReturnsTabsAndNoLastNewline) {
    auto text = "\t" + line("0", "1", "1");
    text.replace(text.size() - 1, 1, "\r\n");
    text += line("1", "1", "1");
    text.pop_back();
    const auto log = parse_swf("a", text);
    ASSERT_TRUE(log) << log.error().text();
    EXPECT_EQ(log->jobs.size(), 2U);
}

TEST(ALog, ThatIsNoneIsRefusedWithItsLineAndField) {
    const auto wrong = [](const std::string& text) { return parse_swf("a.swf", text).error().text(); };
    EXPECT_EQ(wrong("; x\n1 2 3\n"), "a.swf:2: field 4 ends there: 18 numbers of at most 1e9 (Standard "
                                     "Workload Format)");
    EXPECT_TRUE(wrong(line("soon", "1", "1")).starts_with("a.swf:1: field 2 is \"soon\""));
    EXPECT_TRUE(wrong(line("1e300", "1", "1")).starts_with("a.swf:1: field 2 is \"1e300\""));
    EXPECT_TRUE(wrong(line("nan", "1", "1")).starts_with("a.swf:1: field 2 is \"nan\""));
    EXPECT_TRUE(wrong(std::string("\x7f"
                                  "ELF\0\x1b[2J",
                                  9))
                    .starts_with("a.swf:1: field 1 is \"?ELF??[2J\""));
    EXPECT_TRUE(wrong("").starts_with("a.swf holds no job"));
    EXPECT_TRUE(wrong(std::string(1 << 20, '9')).find(std::string(40, '9')) == std::string::npos)
        << "no more than a little of a hostile line is repeated";
}

TEST(ALog, BecomesJobsOfThisMachine) {
    const std::vector<LoggedJob> log{{0s, 100s, 4096}, {50s, 10s, 2}, {5000s, 1s, 1}};
    const auto jobs = jobs_of_log(log, 3, 10, 8, 60s);
    ASSERT_EQ(jobs.size(), 2U) << "the last one comes after the end";
    EXPECT_EQ(jobs[0].threads, 8);
    EXPECT_EQ(jobs[0].size, 10s);
    EXPECT_EQ(jobs[1].arrives, 5s);
    EXPECT_EQ(jobs[1].kind, 3);
}

} // namespace
} // namespace schedd::sim
