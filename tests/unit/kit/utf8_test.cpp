// UTF-8 and what only looks like it.
#include "components/kit/utf8.h"

#include <gtest/gtest.h>

namespace schedd::kit {
namespace {

TEST(Utf8, IsToldFromWhatOnlyLooksLikeIt) {
    EXPECT_TRUE(is_utf8(""));
    EXPECT_TRUE(is_utf8("abc \xC3\xA4 \xE2\x82\xAC \xF0\x9F\x98\x80"));
    for (const std::string_view bad :
         {"\xFF", "\xC3", "\x80", "\xC0\xAF", "\xE0\x80\xAF", "\xED\xA0\x80", "\xF4\x90\x80\x80",
          "\xF0\x80\x80\xAF", "\xE2\x82", "\xF5\x80\x80\x80", "\xC3\x28"})
        EXPECT_FALSE(is_utf8(bad)) << testing::PrintToString(bad);
}

} // namespace
} // namespace schedd::kit
