// Strict number parsing.
#include "components/kit/number.h"

#include <cstdint>

#include <gtest/gtest.h>

namespace schedd::kit {
namespace {

TEST(ANumber, IsReadInDecimalAndHexadecimal) {
    EXPECT_EQ(parse_unsigned("0"), 0U);
    EXPECT_EQ(parse_unsigned("100"), 100U);
    EXPECT_EQ(parse_unsigned("0x64"), 100U);
    EXPECT_EQ(parse_unsigned("0XfF"), 255U);
    EXPECT_EQ(parse_unsigned("18446744073709551615"), UINT64_MAX);
    EXPECT_EQ(parse_unsigned("0xffffffffffffffff"), UINT64_MAX);
}

TEST(ANumber, IsNotOctal) { EXPECT_EQ(parse_unsigned("010"), 10U); }

TEST(ANumber, WithAnythingAroundItIsRefused) {
    for (const auto* text : {"", " ", "x", "0x", "0xg", "-1", "+1", "1x", "1 ", " 1", "1\n", "1.0", "0x-1",
                             "0x+1", "0x0x1", "1e3", "--1", "١"})
        EXPECT_EQ(parse_unsigned(text), std::nullopt) << "'" << text << "'";
    EXPECT_EQ(parse_unsigned(std::string_view("1\0", 2)), std::nullopt);
}

TEST(ANumber, ThatWouldWrapIsRefused) {
    EXPECT_EQ(parse_unsigned("18446744073709551616"), std::nullopt);
    EXPECT_EQ(parse_unsigned("99999999999999999999"), std::nullopt);
    EXPECT_EQ(parse_unsigned("0x10000000000000000"), std::nullopt);
    EXPECT_EQ(parse_unsigned(std::string(10000, '9')), std::nullopt);
}

TEST(AnInteger, MayBeNegative) {
    EXPECT_EQ(parse_integer("-1"), -1);
    EXPECT_EQ(parse_integer("-0x10"), -16);
    EXPECT_EQ(parse_integer("0"), 0);
    EXPECT_EQ(parse_integer("-0"), 0);
}

TEST(AnInteger, HasTheRangeOf64Bits) {
    EXPECT_EQ(parse_integer("9223372036854775807"), INT64_MAX);
    EXPECT_EQ(parse_integer("-9223372036854775808"), INT64_MIN);
    EXPECT_EQ(parse_integer("9223372036854775808"), std::nullopt);
    EXPECT_EQ(parse_integer("-9223372036854775809"), std::nullopt);
}

TEST(AnInteger, WithJunkIsRefused) {
    for (const auto* text : {"", "-", "--1", "+1", "-x", "- 1", "1-"})
        EXPECT_EQ(parse_integer(text), std::nullopt) << "'" << text << "'";
}

} // namespace
} // namespace schedd::kit
