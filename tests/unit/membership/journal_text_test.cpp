// Snapshot and log: what is read back, and what becomes of damage.
#include "components/membership/journal_text.h"

#include <gmock/gmock.h>

#include "components/membership/entries.h"
#include "tests/unit/membership/store_world.h"

namespace schedd::membership {
namespace {

using journal_text::Health;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<std::shared_ptr<const Entry>> shared(const std::vector<Entry>& entries) {
    std::vector<std::shared_ptr<const Entry>> out;
    for (const auto& entry : entries) out.push_back(std::make_shared<const Entry>(entry));
    return out;
}

/// A node with a snapshot of two objects and a log of two changes after it.
struct AJournal : testing::Test {
    AJournal() {
        site.write({set("p", "t"), set("p#x", "1"), set("q", "t")});
        snapshot = journal_text::snapshot(site.store, site.hash);
        log = journal_text::log_header();
        for (const auto& changes : {std::vector{set("p#x", "2")}, std::vector{gone("q")}}) {
            const auto written = shared(site.write(changes));
            const auto record = journal_text::record(written, site.store.marks(), site.wall.now, site.hash);
            ends.push_back(log.size() + record.size());
            log.insert(log.end(), record.begin(), record.end());
        }
    }
    journal_text::Loaded load() { return journal_text::load(snapshot, log, after.store, after.hash); }

    Site site{1};
    Site after{1};
    Octets snapshot;
    Octets log;
    std::vector<std::size_t> ends; // of the log's records
};

TEST_F(AJournal, ReadsBackWhatWasWritten) {
    const auto loaded = load();
    EXPECT_EQ(loaded.snapshot, Health::good);
    EXPECT_EQ(loaded.log, Health::good);
    EXPECT_EQ(loaded.log_good, log.size());
    EXPECT_TRUE(loaded.has_history);
    EXPECT_THAT(loaded.complaints, IsEmpty());
    EXPECT_EQ(after.store.digest(), site.store.digest());
    EXPECT_EQ(after.store.marks(), site.store.marks());
}

TEST_F(AJournal, IsReadEvenWhenTheClockHasLostItsTime) {
    after.wall.now = 0;
    load();
    EXPECT_EQ(after.store.digest(), site.store.digest());
    EXPECT_THAT(after.store.quarantined(), IsEmpty());
}

TEST_F(AJournal, OfNothingIsThatOfANewcomer) {
    const auto loaded = journal_text::load({}, {}, after.store, after.hash);
    EXPECT_EQ(loaded.snapshot, Health::absent);
    EXPECT_EQ(loaded.log, Health::absent);
    EXPECT_FALSE(loaded.has_history);
    EXPECT_THAT(loaded.complaints, IsEmpty());
}

TEST_F(AJournal, IsReadUpToARecordThatIsNotComplete) {
    log.resize(ends[1] - 3);
    const auto loaded = load();
    EXPECT_EQ(loaded.log, Health::torn);
    EXPECT_EQ(loaded.log_good, ends[0]);
    ASSERT_EQ(loaded.complaints.size(), 1U);
    EXPECT_THAT(loaded.complaints[0], HasSubstr("not complete"));
    EXPECT_THAT(after.effective(), ElementsAre("p#x=2", "p=t", "q=t"));
}

TEST_F(AJournal, IsTornAtAnyByteWithoutHalfATransaction) {
    const auto whole = log;
    for (std::size_t size = 12; size < whole.size(); ++size) {
        log.assign(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
        Site fresh(1);
        const auto loaded = journal_text::load(snapshot, log, fresh.store, fresh.hash);
        const bool is_edge = size == 12 || size == ends[0];
        EXPECT_EQ(loaded.log, is_edge ? Health::good : Health::torn) << size;
        EXPECT_EQ(loaded.log_good, size < ends[0] ? 12U : ends[0]) << size;
    }
}

TEST_F(AJournal, SaysWhenTheLogIsDamagedInTheMiddle) {
    log[20] ^= std::byte{1};
    const auto loaded = load();
    EXPECT_EQ(loaded.log, Health::corrupted);
    EXPECT_EQ(loaded.log_good, 12U);
    EXPECT_THAT(loaded.complaints, ElementsAre(HasSubstr("damaged after 12 of")));
    EXPECT_THAT(after.effective(), ElementsAre("p#x=1", "p=t", "q=t")) << "the snapshot is good";
}

TEST_F(AJournal, WithADamagedSnapshotIsThatOfANewcomer) {
    for (std::size_t at = 0; at < snapshot.size(); ++at) {
        auto damaged = snapshot;
        damaged[at] ^= std::byte{0x40};
        Site fresh(1);
        const auto loaded = journal_text::load(damaged, log, fresh.store, fresh.hash);
        if (at == 9 || at == 10 || at == 11) continue; // the minor version, and what is reserved
        EXPECT_TRUE(loaded.snapshot == Health::corrupted || loaded.snapshot == Health::newer) << at;
        EXPECT_FALSE(loaded.has_history) << at;
        EXPECT_EQ(fresh.store.size(), 0U) << at;
        EXPECT_EQ(fresh.store.latest(), site.store.latest()) << "the log still tells the time";
        EXPECT_EQ(fresh.store.marks().floor, Hlc{});
    }
}

TEST_F(AJournal, WithACutSnapshotIsThatOfANewcomer) {
    for (std::size_t size = 1; size < snapshot.size(); ++size) {
        Site fresh(1);
        const auto loaded = journal_text::load(Bytes(snapshot).first(size), {}, fresh.store, fresh.hash);
        EXPECT_EQ(loaded.snapshot, Health::corrupted) << size;
        EXPECT_EQ(fresh.store.size(), 0U) << size;
    }
}

TEST_F(AJournal, OfANewerVersionIsNotRead) {
    snapshot[8] = std::byte{2};
    log[8] = std::byte{2};
    const auto loaded = load();
    EXPECT_EQ(loaded.snapshot, Health::newer);
    EXPECT_EQ(loaded.log, Health::newer);
    EXPECT_EQ(loaded.complaints.size(), 2U);
    EXPECT_FALSE(loaded.has_history);
    EXPECT_EQ(after.store.size(), 0U);
}

TEST(ASnapshot, KeepsConflictsAndTheFloor) {
    Site a(1), b(2), after(1);
    const auto one = a.write({set("p#x", "1")});
    b.wall.now += 9;
    a.take(b.write({set("p#x", "2")}));
    a.write({gone("old")});
    ASSERT_EQ(a.store.forget_tombstones(a.wall.now + 100), 1U);
    journal_text::load(journal_text::snapshot(a.store, a.hash), {}, after.store, after.hash);
    ASSERT_EQ(after.store.conflicts().size(), 1U);
    EXPECT_EQ(after.store.conflicts()[0].lost.value, "1");
    EXPECT_EQ(after.store.conflicts()[0].noticed_wall_ms, a.store.conflicts()[0].noticed_wall_ms);
    EXPECT_EQ(after.store.marks(), a.store.marks());
    EXPECT_NE(after.store.marks().floor, Hlc{});
    EXPECT_EQ(after.store.digest(), a.store.digest());
}

TEST(ALog, TellsConflictsAgain) {
    Site a(1), b(2), after(1);
    Octets log = journal_text::log_header();
    const auto keep = [&](const std::vector<Entry>& entries) {
        const auto record = journal_text::record(shared(entries), a.store.marks(), a.wall.now, a.hash);
        log.insert(log.end(), record.begin(), record.end());
    };
    const auto first = a.write({set("p#x", "1")});
    keep(first);
    b.wall.now += 9;
    const auto other = b.write({set("p#x", "2")});
    const auto merge = a.store.take_all(other);
    ASSERT_TRUE(merge);
    ASSERT_EQ(merge->kept.size(), 1U);
    keep({*merge->kept[0]});
    journal_text::load({}, log, after.store, after.hash);
    ASSERT_EQ(after.store.conflicts().size(), 1U);
    EXPECT_EQ(after.store.conflicts()[0].lost.value, "1");
    EXPECT_EQ(after.store.conflicts()[0].noticed_wall_ms, a.wall.now);
}

} // namespace
} // namespace schedd::membership
