// How often a question that costs others time is asked.
#include "service/costly_question.h"

#include <gtest/gtest.h>

namespace schedd::service {
namespace {

using namespace std::chrono_literals;

TEST(ACostlyQuestion, IsAskedAtMostOnceASecond) {
    CostlyQuestion question;
    const kit::Time start{1h};
    ASSERT_TRUE(question.may_be_asked(start));
    question.was_asked(start, start + 1ms);
    EXPECT_FALSE(question.may_be_asked(start + 1ms));
    EXPECT_FALSE(question.may_be_asked(start + 1000ms));
    EXPECT_TRUE(question.may_be_asked(start + 1001ms));
}

TEST(ACostlyQuestion, OfNoLeastTimeMayFollowAtOnceOnACheapOne) {
    CostlyQuestion question{kit::Duration{}};
    const kit::Time start{1h};
    question.was_asked(start, start + 1ms);
    EXPECT_TRUE(question.may_be_asked(start + 10ms));
}

TEST(ACostlyQuestion, TakesAtMostATenthOfTheTime) {
    CostlyQuestion question;
    const kit::Time start{1h};
    question.was_asked(start, start + 5s); // somebody hangs
    EXPECT_FALSE(question.may_be_asked(start + 49s));
    EXPECT_TRUE(question.may_be_asked(start + 50s));
}

} // namespace
} // namespace schedd::service
