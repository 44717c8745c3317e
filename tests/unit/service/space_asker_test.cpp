// SpaceAsker: answers as they come, and file systems that never give one.
#include "service/host/space_asker.h"

#include <atomic>
#include <future>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "components/kit/limits.h"

namespace schedd::test {
namespace {

using namespace schedd::host;

constexpr auto kLong = std::chrono::minutes(1);

Result<Space> some() { return Space{.free_kib = 20, .total_kib = 100}; }

/// A file system whose server is gone until it is let go; threads that ask it are awaited at the end.
struct Gone {
    std::promise<void> back;
    std::shared_future<void> is_back{back.get_future().share()};
    std::shared_ptr<std::atomic<int>> asking = std::make_shared<std::atomic<int>>(0);

    [[nodiscard]] SpaceAsker::Question question() const {
        return [is_back = is_back, asking = asking]() -> Result<Space> {
            ++*asking;
            is_back.wait();
            --*asking;
            return some();
        };
    }
    void comes_back() {
        back.set_value();
        while (*asking > 0) std::this_thread::yield();
    }
};

TEST(ASpaceAsker, GivesTheAnswerThatItWasGiven) {
    SpaceAsker asker(kLong);
    const auto space = asker.ask("scratch", some);
    ASSERT_TRUE(space);
    EXPECT_EQ(space->free_kib, 20);
    EXPECT_EQ(space->total_kib, 100);
    const auto none = asker.ask("scratch", []() -> Result<Space> { return fail(Errc::denied, "no"); });
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().kind, Errc::denied);
}

TEST(ASpaceAsker, DoesNotWaitForOneThatDoesNotAnswer) {
    SpaceAsker asker(std::chrono::milliseconds(1));
    Gone gone;
    const auto late = asker.ask("mnt", gone.question());
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error().kind, Errc::busy);
    EXPECT_NE(late.error().text().find("/mnt does not answer"), std::string::npos) << late.error().text();
    bool is_asked = false;
    const auto again = asker.ask("mnt", [&]() -> Result<Space> {
        is_asked = true;
        return some();
    });
    ASSERT_FALSE(again);
    EXPECT_NE(again.error().text().find("not answered the last time"), std::string::npos);
    EXPECT_FALSE(is_asked) << "a thread is held up already";
    gone.comes_back();
    SpaceAsker patient(kLong);
    EXPECT_TRUE(patient.ask("mnt", some));
}

TEST(ASpaceAsker, AsksAgainWhenTheAnswerHasCome) {
    SpaceAsker asker(std::chrono::milliseconds(1));
    Gone gone;
    ASSERT_FALSE(asker.ask("mnt", gone.question()));
    gone.comes_back();
    std::optional<Space> space;
    while (!space)
        if (const auto answer = asker.ask("mnt", some)) space = *answer;
    EXPECT_EQ(space->free_kib, 20);
}

TEST(ASpaceAsker, HoldsUpNoMoreThreadsThanTheLimit) {
    SpaceAsker asker(std::chrono::milliseconds(1));
    Gone gone;
    for (std::size_t i = 0; i < limits::kLateAnswers; ++i)
        EXPECT_FALSE(asker.ask("mnt/" + std::to_string(i), gone.question()));
    const auto more = asker.ask("other", some);
    ASSERT_FALSE(more);
    EXPECT_NE(more.error().text().find("too many"), std::string::npos) << more.error().text();
    gone.comes_back();
}

TEST(ASpaceAsker, MayEndBeforeTheAnswer) {
    Gone gone;
    {
        SpaceAsker asker(std::chrono::milliseconds(1));
        ASSERT_FALSE(asker.ask("mnt", gone.question()));
    }
    gone.comes_back();
}

} // namespace
} // namespace schedd::test
