// Hostile texts, and writing strings so that they read back.
#include "service/config_toml.h"

#include "tests/unit/config/config_world.h"

namespace schedd::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

std::string refusal(std::string_view text) { return error_of(parse_toml("t.toml", text)); }
/// From U+0080 on.
std::string utf8(char32_t c) {
    std::string out;
    const int tail = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    out += static_cast<char>((0xF00U >> tail & 0xFFU) | c >> (6 * tail));
    for (int i = tail - 1; i >= 0; --i) out += static_cast<char>(0x80U | (c >> (6 * i) & 0x3FU));
    return out;
}
std::string times(std::string_view piece, std::size_t count) {
    std::string out;
    for (std::size_t i = 0; i < count; ++i) out += piece;
    return out;
}

TEST(ABrokenText, IsRefusedWithLineAndColumn) {
    EXPECT_THAT(refusal("a = 1\nb = \n"), StartsWith("t.toml:2:"));
    EXPECT_THAT(refusal("[a\n"), StartsWith("t.toml:1:"));
    EXPECT_THAT(refusal("a = 1\na = 2\n"), StartsWith("t.toml:2:"));
    EXPECT_THAT(refusal("[a]\n[b]\n[a]\n"), StartsWith("t.toml:3:"));
    EXPECT_THAT(refusal("a = 99999999999999999999\n"), StartsWith("t.toml:1:"));
}

TEST(ATextThatTripsTheLibrarysAssertions, IsRefusedAllTheSame) {
    for (const auto* text : {"[@", "[@a]", "[[@]]", "[\"", "[']", "[a.@]", "a.", "a.@", "a = {@",
                             "a = {@ = 1}", "[ ", "= 1", "@"})
        EXPECT_NE(refusal(text), "") << text;
}

TEST(OtherThanAscii, StandsInStringsAndCommentsOnly) {
    EXPECT_THAT(refusal("a = 1\n[\xD8\x8F]\n"), StartsWith("t.toml:2:2: "));
    EXPECT_THAT(refusal("\xC3\xA4 = 1\n"), StartsWith("t.toml:1:1: "));
    EXPECT_EQ(refusal("\"\xC3\xA4\" = '\xC3\xA4' # \xC3\xA4\n"), "");
    EXPECT_EQ(refusal("\xEF\xBB\xBF# begins with a byte order mark\na = 1\n"), "");
}

TEST(AnyOtherCharacter, IsRefusedInEveryPlaceWhereALetterMayBeLookedFor) {
    for (char32_t c = 0x80; c < 0x10FFFF; c += c < 0x20000 ? 1 : 509) {
        if (c >= 0xD800 && c < 0xE000) continue;
        const auto letter = utf8(c);
        for (const auto& text :
             {letter + " = 1", "a" + letter + " = 1", "a = " + letter, "a = 0X[\"" + letter, "a = 1" + letter,
              "a = tr" + letter, "[" + letter + "]", "a\"b" + letter + "\" = 1", "a = 2024-01-01" + letter})
            ASSERT_NE(refusal(text), "") << text;
    }
}

TEST(AControlCharacter, IsRefusedWhereverItStands) {
    EXPECT_THAT(refusal("a = 1\nb = \"\x07\"\n"), StartsWith("t.toml:2:"));
    EXPECT_NE(refusal("# \x1B[2J\n"), "");
    EXPECT_EQ(refusal("a = 1\r\n\tb = 'tab\there'\r\n"), "");
}

TEST(ANulByte, IsRefused) { EXPECT_NE(refusal(std::string_view("a = 1\n\0b = 2\n", 13)), ""); }

TEST(InvalidUtf8, IsRefused) {
    EXPECT_NE(refusal("a = \"\xFF\"\n"), "");
    EXPECT_NE(refusal("a = \"\xC3\"\n"), "");
}

TEST(AHugeText, IsRefusedByTheLimitsName) {
    EXPECT_THAT(refusal(std::string(limits::kConfigBytes + 1, '#')), HasSubstr("limit bytes = 1048576"));
    EXPECT_EQ(refusal(std::string(limits::kConfigBytes, '#')), "");
}

TEST(DeepNesting, IsRefusedBeforeItCanExhaustTheStack) {
    EXPECT_THAT(refusal("x = 1\n" + times("a.", 500'000) + "a = 1\n"),
                AllOf(StartsWith("t.toml:2:1: "), HasSubstr("limit dots = 16")));
    EXPECT_THAT(refusal("[" + times("a.", 200'000) + "a]\n"), HasSubstr("dots"));
    EXPECT_NE(refusal("a = " + times("[", 400'000)), "");
    EXPECT_NE(refusal("a = " + times("{a=", 300'000)), "");
}

TEST(DeepNesting, IsSeenBehindAnyString) {
    for (const auto* before :
         {"a = [\"x\", {", "a = ['x', {", "a = [\"\"\"x\"\"\"\"\", {", "a = ['''x''''', {", "a = [\"\", {",
          "a = ['', {", "a = [\"\\\"\", {", "a = [\"\"\"\n\\\"\"\"\", {"})
        EXPECT_THAT(refusal(before + times("b.", 1000) + "b = 1}]\n"), HasSubstr("dots")) << before;
}

TEST(ManyDots, InStringsAndCommentsAreFine) {
    const auto dots = times(".", 1000);
    EXPECT_EQ(refusal("a = \"" + dots + "\" # " + dots + "\nb = '" + dots + "'\n"), "");
    EXPECT_EQ(refusal("a = \"\"\"\n" + dots + "\n\\\"\"\" " + dots + "\"\"\"\n"), "");
    EXPECT_EQ(refusal("a = [\"a.b\", \"c.d\"]\nb.c.d = 1\n"), "");
}

TEST(AString, ReadsBackAsItWasWritten) {
    for (const std::string text :
         {"", "plain", "a\"b\\c", "tab\tnewline\nbell\a", "\x7f", "\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80"}) {
        const auto file = parse_toml("t", "a = " + toml_string(text) + "\n");
        ASSERT_TRUE(file) << toml_string(text) << ": " << error_of(file);
        EXPECT_EQ(*file->table()->at(0).value.text(), text);
    }
}

TEST(AKey, ReadsBackAsItWasWritten) {
    for (const std::string key : {"plain", "CPU-1_x", "a b", "a.b", "", "a/b", "\xC3\xA4"}) {
        const auto file = parse_toml("t", toml_key(key) + " = 1\n");
        ASSERT_TRUE(file) << toml_key(key) << ": " << error_of(file);
        EXPECT_EQ(file->table()->at(0).key, key);
    }
    EXPECT_EQ(toml_key("plain"), "plain");
    EXPECT_EQ(toml_key("a.b"), "\"a.b\"");
}

TEST(ANumber, IsUnsignedUnlessItIsNegative) {
    const auto file = parse_toml("t", "a = 5\nb = -5\nc = 0x10\nd = true\n").value();
    const auto& table = *file.table();
    EXPECT_EQ(*table[0].value.scalar(), AttributeValue(std::uint64_t{5}));
    EXPECT_EQ(*table[1].value.scalar(), AttributeValue(std::int64_t{-5}));
    EXPECT_EQ(*table[2].value.scalar(), AttributeValue(std::uint64_t{16}));
    EXPECT_EQ(table[3].value.sort(), "true or false");
}

} // namespace
} // namespace schedd::test
