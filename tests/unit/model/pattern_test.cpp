// Patterns: what stands for what, also where the text holds the signs of a pattern itself.
#include <gtest/gtest.h>

#include "components/model/pattern.h"

namespace schedd::model {
namespace {

TEST(APattern, StandsForTheWholeOfAText) {
    EXPECT_TRUE(matches("unit:web.service", "unit:web.service"));
    EXPECT_FALSE(matches("unit:web", "unit:web.service"));
    EXPECT_FALSE(matches("web.service", "unit:web.service"));
    EXPECT_TRUE(matches("unit:web*", "unit:web"));
    EXPECT_TRUE(matches("*:w?b*vice", "unit:web-1.service"));
    EXPECT_FALSE(matches("unit:w?b", "unit:wb"));
}

TEST(APattern, OfNothingStandsForNothing) {
    EXPECT_TRUE(matches("", ""));
    EXPECT_FALSE(matches("", "a"));
    EXPECT_TRUE(matches("*", ""));
    EXPECT_TRUE(matches("***", "a"));
    EXPECT_FALSE(matches("?", ""));
}

TEST(APattern, TakesAStarInTheTextForAnyOtherLetter) {
    EXPECT_TRUE(matches("exec:*", "exec:*/make"));
    EXPECT_TRUE(matches("exec:*/make", "exec:*/make"));
    EXPECT_TRUE(matches("a*b", "a**cb"));
    EXPECT_FALSE(matches("ab", "a*"));
}

TEST(APattern, GoesBackToTheLastStarOnly) {
    EXPECT_TRUE(matches("*a*b*c", "xaxbxaxbxc"));
    EXPECT_FALSE(matches("*a*b*c", "xaxbxaxbxcx"));
    EXPECT_FALSE(matches(std::string(200, '*') + "b", std::string(5000, 'a')));
}

} // namespace
} // namespace schedd::model
