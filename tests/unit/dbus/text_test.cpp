// Bytes made fit for D-Bus strings.
#include "dbus/text.h"

#include <gtest/gtest.h>

namespace schedd::dbus {
namespace {

constexpr std::string_view kMark = "\xEF\xBF\xBD";

TEST(AText, StaysAsItIsWhenItIsUtf8) {
    for (const std::string_view text : {"", "plain", "gr\xC3\xBC\xC3\x9F", "\xE2\x82\xAC", "\xF0\x9F\x98\x80",
                                        "\xF4\x8F\xBF\xBD", "\xEF\xB7\x8F", "\xEF\xB7\xB0"}) {
        EXPECT_TRUE(is_fit(text)) << text;
        EXPECT_EQ(fit_text(text), text);
    }
}

TEST(AText, LosesBytesThatAreNoUtf8) {
    struct Row {
        std::string_view bytes;
        int marks;
    };
    const Row rows[] = {
        {"\x80", 1},             // a continuation without a lead
        {"\xC3", 1},             // cut short
        {"\xC0\xAF", 2},         // an overlong '/'
        {"\xE0\x80\xAF", 3},     // overlong in three bytes
        {"\xED\xA0\x80", 3},     // a surrogate
        {"\xF4\x90\x80\x80", 4}, // above U+10FFFF
        {"\xF0\x80\x80\xAF", 4}, // overlong in four bytes
        {"\xEF\xB7\x90", 3},     // a noncharacter, U+FDD0
        {"\xEF\xBF\xBE", 3},     // U+FFFE
        {"\xF0\x9F\xBF\xBF", 4}, // U+1FFFF
        {"\xF4\x8F\xBF\xBF", 4}, // U+10FFFF
        {"\xFF\xFE", 2},
        {std::string_view("\0", 1), 1},
    };
    for (const auto& row : rows) {
        EXPECT_FALSE(is_fit(row.bytes));
        std::string wanted;
        for (int i = 0; i < row.marks; ++i) wanted += kMark;
        EXPECT_EQ(fit_text(row.bytes), wanted);
        EXPECT_TRUE(is_fit(fit_text(row.bytes)));
    }
}

TEST(AText, KeepsWhatStandsBesideABadByte) {
    EXPECT_EQ(fit_text("a\xFF"
                       "b\xC3"),
              "a" + std::string(kMark) + "b" + std::string(kMark));
}

TEST(AText, IsFitAfterwardsWhateverTheByte) {
    for (int first = 0; first < 256; ++first)
        for (int second = 0; second < 256; ++second) {
            const std::string bytes{static_cast<char>(first), static_cast<char>(second)};
            ASSERT_TRUE(is_fit(fit_text(bytes))) << first << " " << second;
        }
}

} // namespace
} // namespace schedd::dbus
