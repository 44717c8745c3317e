// Attributes: text and typed values against their declarations.
#include "components/model/attribute.h"

#include <gtest/gtest.h>

#include "components/kit/limits.h"

namespace schedd::model {
namespace {

constexpr AttributeSpec kPeriod{.name = "period",
                                .unit = "ms",
                                .initial = "10",
                                .minimum = 10,
                                .maximum = 1000};
constexpr AttributeSpec kSigned{.name = "signed",
                                .kind = AttributeKind::integer,
                                .minimum = -5,
                                .maximum = 5};
constexpr AttributeSpec kFlag{.name = "flag", .kind = AttributeKind::boolean, .initial = "false"};
constexpr AttributeSpec kText{.name = "text", .kind = AttributeKind::text, .initial = ""};
constexpr AttributeSpec kChoice{.name = "level",
                                .kind = AttributeKind::choice,
                                .initial = "auto",
                                .choices = "auto core l3"};

std::string parsed(const AttributeSpec& spec, std::string_view text) {
    const auto value = parse_attribute(spec, text);
    return value ? text_of(*value) : "refused";
}

TEST(AnAttribute, IsReadFromTextByItsKind) {
    EXPECT_EQ(parsed(kPeriod, "500"), "500");
    EXPECT_EQ(parsed(kPeriod, "0x64"), "100");
    EXPECT_EQ(parsed(kSigned, "-5"), "-5");
    for (const auto* yes : {"true", "yes", "1"}) EXPECT_EQ(parsed(kFlag, yes), "true");
    for (const auto* no : {"false", "no", "0"}) EXPECT_EQ(parsed(kFlag, no), "false");
    EXPECT_EQ(parsed(kText, "any thing"), "any thing");
    EXPECT_EQ(parsed(kChoice, "l3"), "l3");
}
TEST(AnAttribute, IsRangeChecked) {
    EXPECT_EQ(parsed(kPeriod, "9"), "refused");
    EXPECT_EQ(parsed(kPeriod, "10"), "10");
    EXPECT_EQ(parsed(kPeriod, "1000"), "1000");
    EXPECT_EQ(parsed(kPeriod, "1001"), "refused");
    EXPECT_EQ(parsed(kSigned, "-6"), "refused");
    EXPECT_EQ(parsed(kSigned, "6"), "refused");
}
TEST(AnAttribute, RefusesJunk) {
    for (const auto* junk :
         {"", " ", "x", "12x", "12 ", " 12", "12\n", "-1", "1.5", "1e2", "+12", "99999999999999999999"})
        EXPECT_EQ(parsed(kPeriod, junk), "refused") << junk;
    for (const auto* junk : {"", "TRUE", "2", "on", "yes "})
        EXPECT_EQ(parsed(kFlag, junk), "refused") << junk;
    for (const auto* junk : {"", "aut", "auto core", "core ", "L3", "l"})
        EXPECT_EQ(parsed(kChoice, junk), "refused") << junk;
    EXPECT_EQ(parsed(kText, "a\nb"), "refused");
    EXPECT_EQ(parsed(kText, std::string_view("a\0b", 3)), "refused");
    EXPECT_EQ(parsed(kText, std::string(limits::kTextValue + 1, 'x')), "refused");
    EXPECT_NE(parsed(kText, std::string(limits::kTextValue, 'x')), "refused");
    EXPECT_EQ(parsed(kText, "a \xFF\xFF\xFF\xFD c"), "refused") << "no skin could carry it";
    EXPECT_EQ(parsed(kText, "\xC3\xA4"), "\xC3\xA4");
}
TEST(AnAttribute, NamesItselfTheUnitAndTheRangeWhenItRefuses) {
    const auto error = parse_attribute(kPeriod, "5").error();
    EXPECT_EQ(error.kind, Errc::invalid_value);
    for (const auto* word : {"period", "5", "10", "1000", "ms"})
        EXPECT_NE(error.text().find(word), std::string::npos) << word << " in " << error.text();
    EXPECT_NE(parse_attribute(kChoice, "x").error().text().find("auto core l3"), std::string::npos);
    EXPECT_LT(parse_attribute(kPeriod, std::string(100000, 'x')).error().text().size(), 300U);
}
TEST(AnAttribute, TakesATypedValueOfItsOwnSort) {
    EXPECT_TRUE(check_attribute(kPeriod, std::uint64_t{500}));
    EXPECT_TRUE(check_attribute(kPeriod, std::int64_t{500}));
    EXPECT_TRUE(check_attribute(kPeriod, std::string("500")));
    EXPECT_TRUE(check_attribute(kFlag, true));
    EXPECT_TRUE(std::holds_alternative<std::uint64_t>(*check_attribute(kPeriod, std::int64_t{500})));
}
TEST(AnAttribute, RefusesATypedValueOfAnotherSort) {
    EXPECT_FALSE(check_attribute(kPeriod, true));
    EXPECT_FALSE(check_attribute(kFlag, std::uint64_t{1}));
    EXPECT_FALSE(check_attribute(kText, std::uint64_t{1}));
    EXPECT_FALSE(check_attribute(kChoice, false));
    EXPECT_FALSE(check_attribute(kPeriod, std::int64_t{-500}));
    EXPECT_FALSE(check_attribute(kSigned, UINT64_MAX));
}
TEST(AnAttribute, HasANameOnTheBus) {
    EXPECT_EQ(camel_case("probe_period"), "ProbePeriod");
    EXPECT_EQ(camel_case("value"), "Value");
    EXPECT_EQ(camel_case("l3_cache"), "L3Cache");
    EXPECT_EQ(camel_case(""), "");
}
TEST(AnAttribute, SaysWhatItAccepts) {
    EXPECT_EQ(accepted_by(kFlag), "true or false");
    EXPECT_NE(accepted_by(kPeriod).find("10 to 1000"), std::string::npos);
    EXPECT_NE(accepted_by({.name = "n", .minimum = 3}).find("from 3"), std::string::npos);
    EXPECT_EQ(name_of(AttributeKind::unsigned_number), "unsigned");
}

} // namespace
} // namespace schedd::model
