// Names of errors on the bus.
#include "dbus/errors.h"

#include <set>

#include <gtest/gtest.h>

#include "dbus/text.h"

namespace schedd::dbus {
namespace {

TEST(AnErrorName, IsOnePerKindAndTheKindsOwnWords) {
    std::set<std::string_view> seen;
    for (int i = 0; i <= static_cast<int>(Errc::io); ++i) {
        const auto kind = static_cast<Errc>(i);
        const auto name = error_name(kind);
        ASSERT_TRUE(name.starts_with("org.schedd1.Error.")) << name;
        EXPECT_TRUE(seen.insert(name).second) << name;
        // NoSuchObject <-> no_such_object
        std::string words;
        for (const char c : name.substr(std::string_view("org.schedd1.Error.").size())) {
            if (c >= 'A' && c <= 'Z' && !words.empty()) words += '_';
            words += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
        }
        EXPECT_EQ(words, name_of(kind));
    }
}

TEST(AnErrorMessage, IsTheErrorsTextInUtf8) {
    EXPECT_EQ(error_message({Errc::busy, "x is linked", "unlink it first"}), "x is linked: unlink it first");
    EXPECT_TRUE(is_fit(error_message({Errc::busy, "x\xff", std::string("\0", 1)})));
}

} // namespace
} // namespace schedd::dbus
