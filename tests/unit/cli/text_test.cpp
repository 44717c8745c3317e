// Escaping, widths and tables.
#include "cli/text.h"

#include <gtest/gtest.h>

namespace schedd::cli {
namespace {

const Look kAscii{.color = false, .utf8 = false, .width = 0};
const Look kColored{.color = true, .utf8 = true, .width = 0};

TEST(AName, IsShownAsItIsWhenHarmless) {
    EXPECT_EQ(shown("unit:foo-1.service ü 漢"), "unit:foo-1.service ü 漢");
}

TEST(AName, LosesItsControlCharacters) {
    EXPECT_EQ(shown("a\x1b[31mb\n\t\x7f"), "a\\x1b[31mb\\x0a\\x09\\x7f");
    EXPECT_EQ(shown(std::string_view("a\0b", 3)), "a\\x00b");
}

TEST(AName, LosesC1ControlsThatTerminalsObeyToo) {
    EXPECT_EQ(shown("\xc2\x9b"
                    "31m"),
              "\\u{9b}31m");
}

TEST(AName, CannotTurnTheDirectionOfTextAround) { EXPECT_EQ(shown("a\u202eb"), "a\\u{202e}b"); }

TEST(AName, ShowsBytesThatAreNotUtf8) {
    EXPECT_EQ(shown("\xff\xc3"), "\\xff\\xc3");
    EXPECT_EQ(shown("\xc0\x80"), "\\xc0\\x80") << "an overlong NUL";
    EXPECT_EQ(shown("\xed\xa0\x80"), "\\xed\\xa0\\x80") << "a surrogate";
    EXPECT_EQ(shown("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80") << "beyond Unicode";
}

TEST(AName, IsAsciiOnAnAsciiTerminal) { EXPECT_EQ(shown("ü漢", kAscii), "\\u{fc}\\u{6f22}"); }

TEST(TheWidth, CountsColumnsNotBytes) {
    EXPECT_EQ(columns("abc"), 3U);
    EXPECT_EQ(columns("ü"), 1U);
    EXPECT_EQ(columns("漢字"), 4U);
    EXPECT_EQ(columns("e\u0301"), 1U) << "a combining accent";
    EXPECT_EQ(columns(paint(kColored, Hue::bad, "abc")), 3U);
    EXPECT_EQ(columns(""), 0U);
}

TEST(Padding, FillsUpToTheWidthInColumns) {
    EXPECT_EQ(pad("漢", 4), "漢  ");
    EXPECT_EQ(pad_left("7", 3), "  7");
    EXPECT_EQ(pad("toolong", 3), "toolong");
}

TEST(Cutting, KeepsWithinTheWidthAndMarksTheCut) {
    EXPECT_EQ(cut("abcdef", 4, {}), "abc…");
    EXPECT_EQ(cut("abcdef", 4, kAscii), "abc~");
    EXPECT_EQ(cut("漢字漢", 4, {}), "漢…") << "a wide character that would stick out is left away";
    EXPECT_EQ(cut("abc", 3, {}), "abc");
    EXPECT_EQ(cut("abc", 0, {}), "");
}

TEST(ATable, AlignsItsColumnsAndEndsLinesWithoutBlanks) {
    EXPECT_EQ(table({{"NAME", "N"}, {"a", "100"}, {"bcdefg", ""}}, {Align::left, Align::right}, {}),
              "NAME      N\na       100\nbcdefg\n");
}

TEST(ATable, AlignsColouredCellsToo) {
    const auto text =
        table({{"A", "B"}, {paint(kColored, Hue::good, "x"), "y"}}, {Align::left, Align::left}, kColored);
    EXPECT_EQ(text, "\x1b[1mA\x1b[0m  \x1b[1mB\x1b[0m\n\x1b[32mx\x1b[0m  y\n");
}

TEST(Paint, SaysNothingWithoutColour) { EXPECT_EQ(paint({}, Hue::bad, "x"), "x"); }

TEST(Wrapping, BreaksBetweenWordsOnly) {
    const std::vector<std::string> words{"aaa", "bb", "", "cccccc"};
    EXPECT_EQ(wrap(words, 6), (std::vector<std::string>{"aaa bb", "cccccc"}));
    EXPECT_EQ(wrap(words, 2), (std::vector<std::string>{"aaa", "bb", "cccccc"}));
    EXPECT_EQ(wrap(words, 0), (std::vector<std::string>{"aaa bb cccccc"}));
    EXPECT_TRUE(wrap({}, 5).empty());
}

TEST(ADuration, ReadsAsPeopleSayIt) {
    EXPECT_EQ(duration_text(0), "0 ms");
    EXPECT_EQ(duration_text(999), "999 ms");
    EXPECT_EQ(duration_text(59'999), "59 s");
    EXPECT_EQ(duration_text(184'000), "3 min 4 s");
    EXPECT_EQ(duration_text(7'500'000), "2 h 5 min");
    EXPECT_EQ(duration_text(356'400'000), "4 d 3 h");
    EXPECT_EQ(duration_text(-5), "0 ms");
}

TEST(ACount, HasItsPlural) {
    EXPECT_EQ(counted(1, "part"), "1 part");
    EXPECT_EQ(counted(0, "part"), "0 parts");
    EXPECT_EQ(counted(2, "process", "processes"), "2 processes");
}

} // namespace
} // namespace schedd::cli
