// Key files: what is read, what is refused and in which line, and the three steps of a rotation.
#include "components/membership/key_text.h"

#include <algorithm>

#include <gmock/gmock.h>

namespace schedd::test {
namespace {

using namespace membership;
using testing::HasSubstr;
using testing::Not;

const std::string kA = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
const std::string kB = "FFEEDDCCBBAA99887766554433221100ffeeddccbbaa99887766554433221100";

/// "1 3* 255" for keys 1, 3 (active) and 255; or the message.
std::string read(std::string_view text) {
    const auto keys = parse_keys(text, "keys");
    if (!keys) return keys.error().what;
    std::string found;
    for (const auto& key : *keys)
        found += (found.empty() ? "" : " ") + std::to_string(key.id) + (key.is_active ? "*" : "");
    return found;
}

Secret secret_of(std::uint8_t first) {
    Secret secret{};
    secret[0] = std::byte{first};
    return secret;
}

TEST(AKeyFile, WithOneKeyHasItActive) {
    const auto keys = parse_keys("7 " + kA + "\n", "keys");
    ASSERT_TRUE(keys);
    ASSERT_EQ(keys->size(), 1U);
    EXPECT_EQ(keys->front().id, 7);
    EXPECT_TRUE(keys->front().is_active);
    EXPECT_EQ(keys->front().secret[0], std::byte{0x00});
    EXPECT_EQ(keys->front().secret[1], std::byte{0x11});
    EXPECT_EQ(keys->front().secret[31], std::byte{0xff});
}

TEST(AKeyFile, MayHaveCommentsBlanksAndEitherCase) {
    EXPECT_EQ(read("# keys\n\n \t\r\n255 " + kA + "\r\n  3\t" + kB + "  active  # since May\n1 " + kB),
              "1 3* 255");
}

TEST(AKeyFile, NamesTheLineOfWhatIsWrong) {
    EXPECT_EQ(read("# keys\n0 " + kA), "keys:2: the first word is no number from 1 to 255");
    EXPECT_EQ(read("256 " + kA), "keys:1: the first word is no number from 1 to 255");
    EXPECT_EQ(read("-1 " + kA), "keys:1: the first word is no number from 1 to 255");
    EXPECT_EQ(read(kA), "keys:1: the first word is no number from 1 to 255");
    EXPECT_EQ(read("1"), "keys:1: key 1 has no digits");
    EXPECT_EQ(read("1 # " + kA), "keys:1: key 1 has no digits");
    EXPECT_EQ(read("1 " + kA.substr(1)), "keys:1: key 1 has 63 digits");
    EXPECT_EQ(read("1 " + kA + "0"), "keys:1: key 1 has 65 digits");
    EXPECT_EQ(read("1 x" + kA.substr(1)), "keys:1: key 1 has something else than hexadecimal digits");
    EXPECT_EQ(read("1 " + kA.substr(1) + std::string(1, '\0')),
              "keys:1: key 1 has something else than hexadecimal digits");
    EXPECT_EQ(read("1 " + kA + " passive"), "keys:1: more after key 1 than the word active");
    EXPECT_EQ(read("1 " + kA + " active active"), "keys:1: more after key 1 than the word active");
    EXPECT_EQ(read("1 " + kA + "\n\n1 " + kB), "keys:3: key 1 is in line 1 already");
    EXPECT_EQ(read("1 " + kA + " active\n2 " + kB + " active"),
              "keys:2: the key in line 1 is active already");
    EXPECT_EQ(read("1 " + std::string(64, '0')),
              "keys:1: key 1 is the same byte 32 times, which is no secret");
}

TEST(AKeyFile, NeedsAKeyAndOneThatIsActive) {
    EXPECT_EQ(read(""), "keys has no key");
    EXPECT_EQ(read("# none yet\n"), "keys has no key");
    EXPECT_EQ(read("1 " + kA + "\n2 " + kB), "none of the 2 keys in keys is active");
}

TEST(AKeyFile, MayHaveAllNumbersAndNoMoreBytesThanTheLimit) {
    std::string text;
    for (int id = 1; id <= 255; ++id) text += std::to_string(id) + " " + kA + (id == 9 ? " active\n" : "\n");
    EXPECT_EQ(parse_keys(text, "keys")->size(), 255U);
    EXPECT_EQ(free_id(text, "keys").error().kind, Errc::limit_exceeded);
    text += std::string(kKeyFileBytes - text.size(), '#');
    EXPECT_TRUE(parse_keys(text, "keys"));
    text += '#';
    EXPECT_EQ(parse_keys(text, "keys").error().kind, Errc::limit_exceeded);
}

TEST(NoMessage, RepeatsASecret) {
    for (const auto& text : {kA, "1 " + kA + "0", "1 " + kA + " " + kB, kA + " 1", "1 active " + kA,
                             "1 " + kA + "\n1 " + kA, "x" + kA}) {
        const auto keys = parse_keys(text, "keys");
        ASSERT_FALSE(keys);
        EXPECT_THAT(keys.error().text(), Not(HasSubstr(kA.substr(0, 8)))) << text;
        EXPECT_FALSE(keys.error().detail.empty()) << text;
    }
}

TEST(ARotation, IsAddThenActivateThenRemove) {
    auto text = with_key("", "keys", 1, secret_of(1));
    ASSERT_TRUE(text);
    EXPECT_EQ(read(*text), "1*");
    EXPECT_EQ(free_id(*text, "keys"), 2);
    text = with_key("# ours\n" + *text, "keys", 2, secret_of(2));
    ASSERT_TRUE(text);
    EXPECT_EQ(read(*text), "1* 2") << "adding does not activate";
    text = with_active(*text, "keys", 2);
    ASSERT_TRUE(text);
    EXPECT_EQ(read(*text), "1 2*");
    text = without_key(*text, "keys", 1);
    ASSERT_TRUE(text);
    EXPECT_EQ(*text, "# ours\n" + text_of(Key{2, true, secret_of(2)}) + "\n");
    EXPECT_EQ(free_id(*text, "keys"), 3) << "who missed the last step still has a key 1";
}

TEST(AChange, KeepsCommentsOrderAndAKeyThatWasActiveByItself) {
    const std::string before = "# cluster A\n\n9 " + kA + " # made in May\n";
    const auto after = with_key(before, "keys", 3, secret_of(3));
    ASSERT_TRUE(after);
    EXPECT_EQ(*after, "# cluster A\n\n9 " + kA + " active # made in May\n" +
                          text_of(Key{3, false, secret_of(3)}) + "\n");
    EXPECT_EQ(read(*after), "3 9*");
}

TEST(AChange, OfAFileWithoutALastNewlineMakesLines) {
    const auto after = with_key("1 " + kA, "keys", 2, secret_of(2));
    ASSERT_TRUE(after);
    EXPECT_EQ(read(*after), "1* 2");
}

TEST(TheNextNumber, IsAboveAllOthersUntilThereIsNone) {
    EXPECT_EQ(free_id("", "keys"), 1);
    EXPECT_EQ(free_id("200 " + kA, "keys"), 201);
    EXPECT_EQ(free_id("1 " + kA + "\n255 " + kB + "\n2 " + kA, "keys"), 3);
}

TEST(AChange, ThatCannotBeSaysWhy) {
    const std::string two = "1 " + kA + " active\n2 " + kB + "\n";
    EXPECT_EQ(with_key(two, "keys", 2, secret_of(1)).error().kind, Errc::exists);
    EXPECT_EQ(with_key(two, "keys", 0, secret_of(1)).error().kind, Errc::invalid_value);
    EXPECT_EQ(with_active(two, "keys", 3).error().text(), "keys has no key 3: it has 1, 2");
    EXPECT_EQ(without_key(two, "keys", 3).error().kind, Errc::no_such_object);
    EXPECT_EQ(without_key(two, "keys", 1).error().kind, Errc::busy);
    EXPECT_EQ(without_key("1 " + kA, "keys", 1).error().kind, Errc::busy) << "alone is active";
    for (const std::string_view bad : {"1 x", "nonsense"}) {
        EXPECT_EQ(with_key(bad, "keys", 3, secret_of(1)).error().kind, Errc::invalid_value);
        EXPECT_EQ(with_active(bad, "keys", 1).error().kind, Errc::invalid_value);
        EXPECT_EQ(without_key(bad, "keys", 1).error().kind, Errc::invalid_value);
        EXPECT_EQ(free_id(bad, "keys").error().kind, Errc::invalid_value);
    }
}

TEST(AChange, CanMendAFileWithNoneActive) {
    const std::string none = "1 " + kA + "\n2 " + kB + "\n";
    EXPECT_EQ(read(*with_active(none, "keys", 1)), "1* 2");
}

} // namespace
} // namespace schedd::test
