// Errors: their words and their text.
#include "components/kit/result.h"

#include <set>

#include <gtest/gtest.h>

namespace schedd::kit {
namespace {

TEST(AnError, SaysWhatAndWhatWouldBeAccepted) {
    EXPECT_EQ((Error{Errc::busy, "a is busy", "unlink it"}).text(), "a is busy: unlink it");
    EXPECT_EQ((Error{Errc::busy, "a is busy", ""}).text(), "a is busy");
}
TEST(AnError, IsWhatAFailedResultHolds) {
    const Result<int> failed = fail(Errc::denied, "no", "ask");
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error(), (Error{Errc::denied, "no", "ask"}));
}
TEST(AnErrorKind, HasAWordOfItsOwn) {
    std::set<std::string_view> words;
    int count = 0;
    for (int i = 0; i <= static_cast<int>(Errc::io); ++i, ++count)
        words.insert(name_of(static_cast<Errc>(i)));
    EXPECT_EQ(words.size(), static_cast<std::size_t>(count));
    EXPECT_FALSE(words.contains("unknown"));
    EXPECT_EQ(name_of(Errc::type_mismatch), "type_mismatch");
}

} // namespace
} // namespace schedd::kit
