// The store's rules, each with a small worked case.
#include "components/membership/store.h"

#include <gmock/gmock.h>

#include "components/membership/entries.h"
#include "tests/unit/membership/store_world.h"

namespace schedd::membership {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(AStore, StampsATransactionWithOneStampLaterThanAllItHasSeen) {
    Site site(1);
    const auto first = site.write({set("probes/cpu", "cpu"), set("probes/cpu#probe_period", "500")});
    ASSERT_EQ(first.size(), 2U);
    EXPECT_EQ(first[0].stamp, first[1].stamp);
    EXPECT_EQ(first[0].stamp.wall_ms(), site.wall.now);
    Site other(2);
    other.wall.now = site.wall.now - 5000; // five seconds behind, within bounds
    other.take(first);
    const auto second = other.write({set("probes/cpu#probe_period", "700")});
    ASSERT_EQ(second.size(), 1U);
    EXPECT_GT(second[0].stamp, first[0].stamp);
    EXPECT_EQ(second[0].stamp.wall_ms(), first[0].stamp.wall_ms()) << "it counts on in the same millisecond";
}

TEST(AStore, LetsTheLastWriterWinWhateverComesFirst) {
    Site a(1), b(2), c(3);
    const auto older = a.write({set("x/y", "1")});
    b.take(older);
    const auto newer = b.write({set("x/y", "2")});
    EXPECT_EQ(c.store.take(newer[0]), Store::Taken::newer);
    EXPECT_EQ(c.store.take(older[0]), Store::Taken::older);
    EXPECT_EQ(c.store.take(newer[0]), Store::Taken::known);
    EXPECT_EQ(c.store.find("x/y")->value, "2");
    EXPECT_EQ(c.store.digest(), b.store.digest());
    EXPECT_THAT(c.store.conflicts(), IsEmpty()) << "the second writer knew the first value";
}

TEST(AStore, BreaksEqualStampsByTheWriter) {
    Site a(1), b(2);
    b.wall.now = a.wall.now;
    const auto one = a.write({set("x", "a")});
    const auto two = b.write({set("x", "b")});
    ASSERT_EQ(one[0].stamp, two[0].stamp);
    a.take(two);
    b.take(one);
    EXPECT_EQ(a.store.find("x")->value, "b");
    EXPECT_EQ(a.store.digest(), b.store.digest());
}

TEST(ATombstone, RemovesAllOlderAtAndBelowItsPath) {
    Site a(1), b(2);
    const auto made = a.write({set("schedulers/A", "scheduler"), set("schedulers/A#precedence", "3"),
                               set("schedulers/A/p", "echo"), set("schedulers/A/p/in#source", "probes/cpu/x"),
                               set("schedulers/AB", "scheduler"), set("schedulers/A-1", "scheduler")});
    const auto removed = a.write({gone("schedulers/A")});
    EXPECT_THAT(a.effective(), ElementsAre("schedulers/A-1=scheduler", "schedulers/AB=scheduler"));
    EXPECT_EQ(a.store.size(), 3U) << "what was removed takes no room";
    b.take(removed);
    b.take(made); // late
    EXPECT_EQ(b.store.digest(), a.store.digest());
    EXPECT_EQ(b.effective(), a.effective());
}

TEST(ATombstone, StaysInForceUnderWhatIsMadeAnew) {
    Site a(1), b(2);
    const auto made = a.write({set("p", "t"), set("p#x", "1")});
    const auto removed = a.write({gone("p")});
    const auto again = a.write({set("p", "t")});
    b.take(again);
    b.take(made);
    EXPECT_THAT(b.effective(), ElementsAre("p#x=1", "p=t")) << "the removal has not come yet";
    b.take(removed);
    EXPECT_THAT(b.effective(), ElementsAre("p=t"));
    EXPECT_EQ(a.store.digest(), b.store.digest());
}

TEST(ATombstone, IsCoveredByALaterOneAbove) {
    Site a(1);
    a.write({set("a", "t"), set("a/b", "t")});
    a.write({gone("a/b")});
    a.write({gone("a")});
    ASSERT_EQ(a.store.size(), 1U);
    EXPECT_EQ(a.all()[0].path, "a");
}

TEST(ATombstone, LeavesWhatWasWrittenWithIt) {
    Site a(1), b(2);
    a.write({set("p", "old"), set("p#x", "1")});
    const auto replaced = a.write({gone("p"), set("p", "new"), set("p#y", "2")});
    EXPECT_THAT(a.effective(), ElementsAre("p#y=2", "p=new"));
    b.take(replaced);
    EXPECT_EQ(a.store.digest(), b.store.digest());
    const auto undone = a.write({set("q", "t"), set("q#z", "1"), gone("q")});
    ASSERT_EQ(undone.size(), 1U) << "what is removed in the same breath was never there";
    EXPECT_TRUE(undone[0].is_tombstone);
}

TEST(AWrite, OfWhatIsSoAlreadyIsNone) {
    Site a(1);
    a.write({set("p", "t")});
    const auto generation = a.store.generation();
    EXPECT_THAT(a.write({set("p", "t")}), IsEmpty());
    a.write({gone("p")});
    EXPECT_THAT(a.write({gone("p")}), IsEmpty());
    EXPECT_THAT(a.write({gone("p#x")}), IsEmpty()) << "it went with p";
    EXPECT_GT(a.store.generation(), generation);
}

TEST(AnOrphan, IsKeptAndShownButNotCarriedOut) {
    Site a(1), b(2);
    exchange(a, b);
    b.take(a.write({set("p", "t")}));
    const auto removed = a.write({gone("p")});
    b.wall.now = a.wall.now + 10;
    const auto late = b.write({set("p#x", "9")}); // b does not know yet
    a.take(late);
    b.take(removed);
    EXPECT_THAT(a.effective(), IsEmpty());
    EXPECT_THAT(b.effective(), IsEmpty());
    EXPECT_EQ(a.store.digest(), b.store.digest());
    const auto orphans = a.store.orphans();
    ASSERT_EQ(orphans.size(), 1U);
    EXPECT_EQ(orphans[0].lost.value, "9");
    EXPECT_EQ(orphans[0].won.path, "p");
    EXPECT_TRUE(orphans[0].is_orphan);
    b.take(a.write({set("p", "t")}));
    EXPECT_THAT(a.effective(), ElementsAre("p=t")) << "what is made anew starts clean";
    EXPECT_EQ(b.effective(), a.effective());
    EXPECT_THAT(b.store.orphans(), IsEmpty());
}

TEST(Conflicts, AreNotedOnlyForWhatTheWinnerDidNotKnow) {
    Site a(1), b(2);
    b.take(a.write({set("p#x", "0")}));
    const auto one = a.write({set("p#x", "1")});
    b.wall.now = a.wall.now + 5;
    b.write({set("p#x", "2")});
    const auto two = b.write({set("p#x", "3")}); // twice, so that the winner's predecessor is gone
    a.take(two);
    b.take(one);
    for (const auto* site : {&a, &b}) {
        ASSERT_LE(site->store.conflicts().size(), 2U);
        ASSERT_GE(site->store.conflicts().size(), 1U);
        EXPECT_EQ(site->store.conflicts()[0].lost.value, "1");
        EXPECT_EQ(site->store.conflicts()[0].won.value, "3");
        EXPECT_EQ(site->store.conflicts()[0].noticed_wall_ms, site->wall.now);
    }
    const auto after = a.write({set("p#x", "4")});
    b.take(after);
    for (const auto* site : {&a, &b})
        EXPECT_THAT(site->store.conflicts(), IsEmpty()) << "who wrote the fourth knew the third";
}

TEST(Conflicts, EndWithTheRemovalOfWhatTheyAreAbout) {
    Site a(1), b(2);
    b.take(a.write({set("p", "t"), set("pq", "t")}));
    const auto one = a.write({set("p#x", "1"), set("pq#x", "1")});
    b.wall.now = a.wall.now + 5;
    a.take(b.write({set("p#x", "2"), set("pq#x", "2")}));
    b.take(one);
    ASSERT_EQ(a.store.conflicts().size(), 2U);
    b.take(a.write({gone("p")}));
    for (const auto* site : {&a, &b}) {
        ASSERT_EQ(site->store.conflicts().size(), 1U);
        EXPECT_EQ(site->store.conflicts()[0].lost.path, "pq#x");
    }
}

TEST(Conflicts, AreNoneBetweenTheSameWords) {
    Site a(1), b(2);
    const auto one = a.write({set("probes/cpu", "cpu")});
    const auto two = b.write({set("probes/cpu", "cpu")});
    a.take(two);
    b.take(one);
    EXPECT_THAT(a.store.conflicts(), IsEmpty());
    EXPECT_THAT(b.store.conflicts(), IsEmpty());
    EXPECT_EQ(a.store.digest(), b.store.digest());
}

TEST(Conflicts, ShowAValueThatARemovalDidNotKnow) {
    Site a(1), b(2);
    b.take(a.write({set("p", "t")}));
    const auto set_there = a.write({set("p#x", "7")});
    b.wall.now = a.wall.now + 5;
    const auto removed = b.write({gone("p")});
    a.take(removed);
    ASSERT_EQ(a.store.conflicts().size(), 1U);
    EXPECT_EQ(a.store.conflicts()[0].lost.value, "7");
    EXPECT_TRUE(a.store.conflicts()[0].won.is_tombstone);
    b.take(set_there);
    EXPECT_EQ(b.store.conflicts().size(), 1U);
}

TEST(Quarantine, KeepsWhatComesFromTheFutureUntilItsTimeHasCome) {
    Site a(1), day_ahead(2);
    day_ahead.wall.now += 86'400'000;
    const auto future = day_ahead.write({set("p", "t"), set("p#x", "1")});
    const auto before = a.store.latest();
    EXPECT_EQ(a.store.take(future[0]), Store::Taken::quarantined);
    EXPECT_EQ(a.store.take(future[1]), Store::Taken::quarantined);
    EXPECT_EQ(a.store.take(future[1]), Store::Taken::known);
    EXPECT_EQ(a.store.latest(), before) << "the own stamp does not follow it";
    EXPECT_THAT(a.effective(), IsEmpty());
    EXPECT_THAT(a.store.release_quarantined().kept, IsEmpty());
    a.wall.now += 86'400'000 - limits::kAheadMs + 1;
    EXPECT_EQ(a.store.release_quarantined().kept.size(), 2U);
    EXPECT_THAT(a.effective(), ElementsAre("p#x=1", "p=t"));
    EXPECT_THAT(a.store.quarantined(), IsEmpty());
}

TEST(Quarantine, IsBounded) {
    Site a(1), ahead(2);
    ahead.wall.now += 86'400'000;
    for (std::size_t i = 0; i < limits::kQuarantine + 10; ++i)
        a.take(ahead.write({set("p" + std::to_string(i), "t")}));
    EXPECT_EQ(a.store.quarantined().size(), limits::kQuarantine);
}

TEST(AStore, DoesNotWriteWhenItsClockIsFarBehindTheConfiguration) {
    Site a(1);
    a.write({set("p", "t")});
    a.wall.now -= 86'401'000;
    EXPECT_THAT(a.write({set("p", "u")}), IsEmpty());
    ASSERT_TRUE(a.trouble);
    EXPECT_EQ(a.trouble->kind, Errc::not_applied);
    EXPECT_THAT(a.trouble->text(), HasSubstr("86400 s behind"));
}

TEST(AStore, RefusesThe65537thEntryAndTakesRemovalsEvenThen) {
    Site a(1);
    std::vector<Write> many;
    for (std::size_t i = 0; i < limits::kEntries; ++i) many.push_back(set("p" + std::to_string(i), "t"));
    EXPECT_EQ(a.write(many).size(), limits::kEntries);
    EXPECT_THAT(a.write({set("one_more", "t")}), IsEmpty());
    ASSERT_TRUE(a.trouble);
    EXPECT_EQ(a.trouble->kind, Errc::limit_exceeded);
    EXPECT_THAT(a.trouble->text(), HasSubstr("65537 entries"));
    EXPECT_EQ(a.store.size(), limits::kEntries) << "nothing of it was stored";
    EXPECT_EQ(a.write({gone("p7")}).size(), 1U);
    EXPECT_EQ(a.write({set("p8", "u")}).size(), 1U) << "what is there can be changed";
}

TEST(AStore, RefusesTooManyBytesLongValuesAndOddPaths) {
    Site a(1);
    const std::string big(limits::kValue, 'x');
    std::vector<Write> many;
    for (int i = 0; i < 256; ++i) many.push_back(set("p" + std::to_string(i), big));
    EXPECT_THAT(a.write(many), IsEmpty());
    EXPECT_EQ(a.trouble->kind, Errc::limit_exceeded);
    a.trouble.reset();
    EXPECT_THAT(a.write({set("p", big + "x")}), IsEmpty());
    EXPECT_EQ(a.trouble->kind, Errc::limit_exceeded);
    for (const std::string& path :
         {std::string(), std::string("/a"), std::string("a/"), std::string("a//b"), std::string("a b"),
          std::string("a#"), std::string("a#b/c"), std::string("a\nb"), std::string(256, 'a')}) {
        a.trouble.reset();
        EXPECT_THAT(a.write({set("fine", "1"), set(path, "t")}), IsEmpty()) << path;
        ASSERT_TRUE(a.trouble) << path;
        EXPECT_EQ(a.trouble->kind, Errc::invalid_value);
    }
    EXPECT_EQ(a.store.size(), 0U);
}

TEST(AStore, TakesTheUnionOfTwoFullHalvesAndNotMore) {
    Site a(1), b(2), c(3);
    std::vector<Write> ours, theirs, further;
    for (std::size_t i = 0; i < limits::kEntries; ++i) {
        ours.push_back(set("a" + std::to_string(i), "t"));
        theirs.push_back(set("b" + std::to_string(i), "t"));
    }
    further.push_back(set("c", "t"));
    a.write(ours);
    a.take(b.write(theirs));
    EXPECT_EQ(a.store.size(), 2 * limits::kEntries);
    ASSERT_FALSE(a.trouble);
    a.take(c.write(further));
    ASSERT_TRUE(a.trouble);
    EXPECT_EQ(a.trouble->kind, Errc::limit_exceeded);
    EXPECT_EQ(a.store.size(), 2 * limits::kEntries);
    EXPECT_EQ(a.write({set("a1", "u")}).size(), 1U) << "what is there can be changed";
    EXPECT_EQ(a.write({set("new", "t")}).size(), 0U);
}

TEST(Forgetting, DropsOldTombstonesAndKeepsWhatTheyRemovedFromComingBack) {
    Site a(1), away(2);
    const auto made = a.write({set("p", "t"), set("p#x", "1"), set("q", "t")});
    away.take(made);
    a.write({gone("p")});
    EXPECT_EQ(a.store.forget_tombstones(a.wall.now), 0U) << "it is not older than that";
    EXPECT_EQ(a.store.forget_tombstones(a.wall.now + 1), 1U);
    EXPECT_EQ(a.store.size(), 1U);
    // the one that was away comes back with what was removed
    EXPECT_EQ(a.store.take(made[0]), Store::Taken::refused);
    auto list = a.store.summary();
    std::ranges::sort(list, {}, &Summary::key);
    const auto difference = away.store.difference(list, a.store.marks().floor);
    EXPECT_EQ(difference.gone.size(), 2U);
    EXPECT_THAT(difference.lacking, IsEmpty());
    away.store.drop(difference.gone);
    EXPECT_EQ(away.store.digest(), a.store.digest());
}

TEST(Forgetting, KeepsATombstoneThatMakesAnOrphan) {
    Site a(1), b(2);
    b.take(a.write({set("p", "t")}));
    const auto removed = a.write({gone("p")});
    b.wall.now = a.wall.now + 5;
    a.take(b.write({set("p#x", "1")}));
    EXPECT_EQ(a.store.forget_tombstones(a.wall.now + 1000), 0U);
    EXPECT_THAT(a.effective(), IsEmpty());
    EXPECT_EQ(a.store.orphans().size(), 1U);
}

TEST(AStore, KeepsItsStampWhenAllElseGoes) {
    Site a(1);
    a.write({set("p", "t")});
    const auto latest = a.store.latest();
    a.store.clear();
    EXPECT_EQ(a.store.size(), 0U);
    EXPECT_EQ(a.store.digest(), Digest{});
    EXPECT_EQ(a.store.latest(), latest);
    a.wall.now -= 20'000;
    EXPECT_GT(a.write({set("p", "t")})[0].stamp, latest);
}

} // namespace
} // namespace schedd::membership
