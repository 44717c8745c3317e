// Key files: what is in them is changed line by line, and what is no key file is refused.
#include "cli/key_file.h"

#include <array>

#include <gmock/gmock.h>

namespace schedd::cli {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr std::array<unsigned char, kKeyBytes> kOnes = [] {
    std::array<unsigned char, kKeyBytes> key{};
    key.fill(0x11);
    return key;
}();
const std::string kA(64, 'a');
const std::string kB(64, 'b');
const std::string kOne(64, '1');

std::string text_of(const Answer<ChangedKeys>& changed) {
    return changed ? changed->text : "refused: " + changed.error().text;
}

TEST(ANewKeyFile, HasOneKeyThatIsActive) {
    const auto text = new_key_file(kOnes);
    EXPECT_THAT(text, StartsWith("# "));
    EXPECT_THAT(text, HasSubstr("\n1 " + kOne + " active\n"));
    EXPECT_TRUE(with_key_active(text, 1));
}

TEST(AnAddedKey, IsNotActiveAndComesLast) {
    const auto added = with_key_added("# mine\n1 " + kA + "\n", kOnes);
    EXPECT_EQ(text_of(added), "# mine\n1 " + kA + " active\n2 " + kOne + "\n");
    EXPECT_EQ(added->id, 2U);
}

TEST(AnAddedKey, TakesANumberThatIsNotInUse) {
    EXPECT_EQ(with_key_added("7 " + kA + " active\n3 " + kB + "\n", kOnes)->id, 8U);
    EXPECT_EQ(with_key_added("255 " + kA + "\n", kOnes)->id, 1U);
    EXPECT_EQ(with_key_added("255 " + kA + " active\n1 " + kB + "\n", kOnes)->id, 2U);
    std::string full;
    for (int id = 1; id <= 255; ++id) full += std::to_string(id) + " " + kA + (id == 1 ? " active\n" : "\n");
    EXPECT_THAT(text_of(with_key_added(full, kOnes)), HasSubstr("255 keys already"));
}

TEST(AKeyMadeActive, TakesThatFromTheOther) {
    const auto text = "1 " + kA + " active # old\n# between\n2 " + kB + "\n";
    EXPECT_EQ(text_of(with_key_active(text, 2)), "1 " + kA + "\n# between\n2 " + kB + " active\n");
    EXPECT_EQ(text_of(with_key_active(text, 1)), text);
    EXPECT_THAT(text_of(with_key_active(text, 3)), HasSubstr("there is no key 3; there are: 1, 2"));
    EXPECT_THAT(text_of(with_key_active(text, 0)), HasSubstr("there is no key 0"));
}

TEST(AKeyThatIsRemoved, IsNotTheActiveOne) {
    const auto text = "1 " + kA + "\n2 " + kB + " active\n";
    EXPECT_EQ(text_of(with_key_removed(text, 1)), "2 " + kB + " active\n");
    EXPECT_THAT(text_of(with_key_removed(text, 2)), HasSubstr("activate another first"));
    EXPECT_THAT(text_of(with_key_removed(text, 9)), HasSubstr("there are: 1, 2"));
    EXPECT_THAT(text_of(with_key_removed("1 " + kA + "\n", 1)), HasSubstr("is the active one"));
}

TEST(AKeyFile, ThatCannotBeReadIsLeftAlone) {
    for (const auto* bad : {"x", "1", "0 ", "1 abc", "hello world"})
        EXPECT_THAT(text_of(with_key_added(bad, kOnes)), HasSubstr("line 1 is no key")) << bad;
    for (const auto& bad : {"256 " + kA, "-1 " + kA, "1 " + kA + "0", "1 " + kA + " on",
                            "1 " + kA + " active x", "1 g" + kA.substr(1)})
        EXPECT_THAT(text_of(with_key_added("\n" + bad, kOnes)), HasSubstr("line 2 is no key")) << bad;
    EXPECT_THAT(text_of(with_key_added("", kOnes)), HasSubstr("no key in the file"));
    EXPECT_THAT(text_of(with_key_added("# 1 " + kA, kOnes)), HasSubstr("no key in the file"));
    EXPECT_THAT(text_of(with_key_added("1 " + kA + "\n2 " + kB, kOnes)), HasSubstr("no key is active"));
    EXPECT_THAT(text_of(with_key_added("1 " + kA + " active\n2 " + kB + " active", kOnes)),
                HasSubstr("several keys are active"));
    EXPECT_THAT(text_of(with_key_added("1 " + kA + "\n1 " + kB, kOnes)), HasSubstr("key 1 is there twice"));
    EXPECT_THAT(text_of(with_key_added(std::string(kKeyFileBytes + 1, '\n'), kOnes)),
                HasSubstr("65536 bytes"));
}

TEST(AKeyFile, DoesNotGrowBeyondWhatCanBeRead) {
    const auto text = "1 " + kA + "\n#" + std::string(kKeyFileBytes - 100, 'x');
    EXPECT_THAT(text_of(with_key_added(text, kOnes)), HasSubstr("would have more than 65536 bytes"));
}

TEST(AKeyFile, OfOtherSystemsHasOtherEndsOfLines) {
    EXPECT_EQ(with_key_added("1\t" + kA + "\r\n", kOnes)->id, 2U);
}

} // namespace
} // namespace schedd::cli
