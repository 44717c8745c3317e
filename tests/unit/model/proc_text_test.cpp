// Parsers of proc text, with what the kernel writes and what it never would.
#include "components/model/proc_text.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace schedd::model {
namespace {

const std::string kTail =
    " S 7 8 9 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 3 0 4242 1000 50 18446744073709551615 1 1\n";

TEST(ProcStatText, IsRead) {
    const auto text = "123 (make)" + kTail;
    const auto stat = parse_proc_stat(text);
    ASSERT_TRUE(stat);
    EXPECT_EQ(stat->pid, 123);
    EXPECT_EQ(stat->comm, "make");
    EXPECT_EQ(stat->state, 'S');
    EXPECT_EQ(stat->parent, 7);
    EXPECT_EQ(stat->group, 8);
    EXPECT_EQ(stat->session, 9);
    EXPECT_EQ(stat->threads, 3);
    EXPECT_EQ(stat->start_time, 4242U);
    EXPECT_FALSE(stat->kernel_thread);
}
TEST(ProcStatText, HoldsAnyNameOfAProcess) {
    for (const std::string comm : {"", " ", ")", "(", "a) R 1 (b", "x) S 1 1 1", "\n", "((((", "))))"}) {
        const auto text = "5 (" + comm + ")" + kTail;
        const auto stat = parse_proc_stat(text);
        ASSERT_TRUE(stat) << comm;
        EXPECT_EQ(stat->comm, comm);
        EXPECT_EQ(stat->parent, 7);
    }
}
TEST(ProcStatText, KnowsAKernelThreadByItsFlag) {
    EXPECT_TRUE(
        parse_proc_stat("2 (kthreadd) S 0 0 0 0 -1 2129984 0 0 0 0 0 0 0 0 20 0 1 0 5 0 0\n")->kernel_thread);
}
TEST(ProcStatText, ThatIsCutOrGarbledIsRefused) {
    const auto whole = "123 (make)" + kTail;
    // cut anywhere before the end of field 22
    const auto enough = whole.find("4242") + 1;
    for (std::size_t size = 0; size < enough; ++size)
        EXPECT_FALSE(parse_proc_stat(std::string_view(whole).substr(0, size))) << size;
    for (const auto& text :
         std::vector<std::string>{"", "(make)" + kTail, "x (make)" + kTail, "-1 (make)" + kTail,
                                  "0 (make)" + kTail, "99999999999 (make)" + kTail, "1 make" + kTail,
                                  "1 )(" + kTail, std::string(100, '('),
                                  "1 (a) SS 7 8 9 0 -1 0 1 2 3 4 5 6 7 8 20 0 3 0 4242 1\n",
                                  "1 (a) S -7 8 9 0 -1 0 1 2 3 4 5 6 7 8 20 0 3 0 4242 1\n",
                                  "1 (a) S 7 8 9 0 -1 0 1 2 3 4 5 6 7 8 20 0 x 0 4242 1\n"})
        EXPECT_FALSE(parse_proc_stat(text)) << text;
}
TEST(SchedstatText, IsRead) {
    EXPECT_EQ(parse_schedstat("434959 57478 2\n")->run_ns, 434959U);
    EXPECT_EQ(parse_schedstat("434959 57478 2\n")->wait_ns, 57478U);
    EXPECT_EQ(parse_schedstat("18446744073709551615 0 0")->run_ns, UINT64_MAX);
}
TEST(SchedstatText, ThatIsGarbledIsRefused) {
    for (const auto* text : {"", "\n", "1", "1\n2", "x 1", "1 x", "-1 1", "1.0 1", "18446744073709551616 1"})
        EXPECT_FALSE(parse_schedstat(text)) << text;
}
TEST(UptimeText, IsReadInHundredths) {
    EXPECT_EQ(parse_uptime("48172.05 90111.30\n"), 4817205U);
    EXPECT_EQ(parse_uptime("0.00 0.00\n"), 0U);
    EXPECT_EQ(parse_uptime("184467440737095514.99"), 18446744073709551499U);
}
TEST(UptimeText, ThatIsGarbledIsRefused) {
    for (const auto* text : {"", "\n", "1", "1.", ".05", "1.5 2", "1.234 5", "-1.00 5", "1.-5", "x.00",
                             "1.0x", "1 .00", "184467440737095516.00", "99999999999999999999.00"})
        EXPECT_FALSE(parse_uptime(text)) << text;
}
TEST(ProcWords, AreTakenOneByOne) {
    std::string_view text = "  a\tbb 12 \nrest";
    EXPECT_EQ(take_word(text), "a");
    EXPECT_EQ(take_word(text), "bb");
    EXPECT_EQ(take_number(text), 12U);
    EXPECT_EQ(take_word(text), "");
    std::string_view lines = "one\n\ntwo";
    EXPECT_EQ(take_line(lines), "one");
    EXPECT_EQ(take_line(lines), "");
    EXPECT_EQ(take_line(lines), "two");
    EXPECT_EQ(take_line(lines), "");
}
TEST(ProcWords, StayWhenTheyAreNoNumber) {
    std::string_view text = " 12x";
    EXPECT_FALSE(take_number(text));
    EXPECT_EQ(take_word(text), "12x");
}

} // namespace
} // namespace schedd::model
