// The replica alone: what it tells, when it asks whom, and what it says of itself.
#include "components/membership/replica.h"

#include <gmock/gmock.h>

#include "components/membership/entries.h"
#include "tests/kit/manual_clock.h"
#include "tests/kit/recording.h"
#include "tests/unit/membership/store_world.h"

namespace schedd::membership {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class KeptJournal final : public Journal {
public:
    Status append(std::span<const std::shared_ptr<const Entry>> entries, const Marks& /*marks*/) override {
        if (is_full) return fail(Errc::io, "no space left");
        appended += entries.size();
        return {};
    }
    Status replace(const Store& /*store*/) override {
        if (is_full) return fail(Errc::io, "no space left");
        ++snapshots;
        return {};
    }
    Status set_aside(const Store& store) override {
        aside.push_back(store.size());
        return {};
    }
    bool is_full = false;
    std::size_t appended = 0;
    int snapshots = 0;
    std::vector<std::size_t> aside;
};

class SeenWires final : public Wires {
public:
    void spread(Bytes delta) override { deltas.emplace_back(delta.begin(), delta.end()); }
    void connect(NodeUid peer, const Address& /*address*/) override {
        asked.push_back(static_cast<std::uint64_t>(peer));
    }
    void changed() override { ++changes; }
    std::vector<Octets> deltas;
    std::vector<std::uint64_t> asked;
    int changes = 0;
};

struct AReplica : testing::Test {
    Site site{1};
    test::ManualClock clock;
    Rng rng{7};
    test::RecordingLog log;
    KeptJournal journal;
    SeenWires wires;
    Replica replica{site.store, site.uid, {clock, site.wall, rng, log, journal, wires}};

    void hear(const Site& peer, Announced state = Announced::alive, Type type = Type::heartbeat) {
        Message message;
        message.header.sender = peer.uid;
        message.header.type = type;
        message.core.state = state;
        message.core.digest = peer.store.digest();
        message.core.latest = peer.store.latest();
        replica.heard(message, {}, clock.now());
    }
    void pass(Duration time) {
        const auto end = clock.now() + time;
        while (true) {
            const auto next = replica.tick(clock.now());
            if (next > end) break;
            clock.set(std::max(next, clock.now() + 1ms));
        }
        clock.set(end);
        replica.tick(end);
    }
    /// A whole synchronisation between the two, asked for by this one.
    void synchronise(Site& other, bool is_complete = true) {
        const auto mine = replica.sync(other.uid);
        SyncSession theirs(other.store, other.uid, is_complete, [&](Brought& b) -> Status {
            other.take(b.entries);
            other.store.drop(b.gone);
            return {};
        });
        for (bool moved = true; moved;) {
            moved = false;
            if (const auto frame = mine->next(); !frame.empty()) moved = theirs.take(frame).has_value();
            if (const auto frame = theirs.next(); !frame.empty()) moved = mine->take(frame).has_value();
        }
        EXPECT_TRUE(mine->is_done());
        replica.sync_ended(other.uid, mine->is_done(), clock.now());
    }
    Status write(const std::string& path, const std::string& value,
                 std::optional<std::int64_t> offset = std::nullopt) {
        const std::vector changes{set(path, value)};
        return replica.write(changes, offset);
    }
};

TEST_F(AReplica, TellsASmallChangeAndKeepsItFirst) {
    replica.alone(clock.now());
    ASSERT_TRUE(write("p", "t"));
    ASSERT_EQ(wires.deltas.size(), 1U);
    EXPECT_EQ(journal.appended, 1U);
    std::vector<std::string> paths;
    ASSERT_TRUE(entries::decode(wires.deltas[0], [&](Entry&& e) { paths.push_back(e.path); }));
    EXPECT_THAT(paths, ElementsAre("p"));
    EXPECT_EQ(wires.changes, 0) << "whoever writes knows it";
    ASSERT_TRUE(write("p", "t"));
    EXPECT_EQ(wires.deltas.size(), 1U) << "nothing new is not told";
}

TEST_F(AReplica, TellsALargeChangeByItsDigestOnly) {
    replica.alone(clock.now());
    ASSERT_TRUE(write("p", std::string(limits::kDelta, 'x')));
    EXPECT_THAT(wires.deltas, IsEmpty());
    EXPECT_EQ(replica.digest(), site.store.digest());
}

TEST_F(AReplica, TakesADeltaOnceAndHasItCarriedOut) {
    Site other(2);
    Octets delta;
    for (const auto& entry : other.write({set("p", "t"), set("p#x", "1")})) entries::encode(entry, delta);
    Message message;
    message.header.sender = other.uid;
    message.delta = delta;
    for (int i = 0; i < 3; ++i) replica.delta(message, clock.now());
    EXPECT_EQ(wires.changes, 1);
    EXPECT_EQ(journal.appended, 2U);
    EXPECT_EQ(replica.digest(), other.store.digest());
    message.delta = Bytes(delta).first(delta.size() - 1);
    replica.delta(message, clock.now()); // cut: nothing of it
    EXPECT_EQ(wires.changes, 1);
}

TEST_F(AReplica, WritesOnlyWhenItIsCompleteAndItsClockIsRight) {
    EXPECT_EQ(write("p", "t").error().kind, Errc::busy);
    replica.alone(clock.now());
    const auto refused = write("p", "t", 86'400'000);
    EXPECT_EQ(refused.error().kind, Errc::not_applied);
    EXPECT_THAT(refused.error().text(), HasSubstr("86400 s ahead of"));
    EXPECT_THAT(write("p", "t", -40'000).error().text(), HasSubstr("40 s behind"));
    EXPECT_EQ(site.store.size(), 0U);
    EXPECT_TRUE(write("p", "t", 29'000));
}

TEST_F(AReplica, AsksWhoeverHasAnotherDigestWithinAFifthOfASecond) {
    Site other(2);
    other.write({set("p", "t")});
    replica.alone(clock.now());
    hear(other);
    pass(201ms);
    EXPECT_THAT(wires.asked, ElementsAre(2U));
    synchronise(other);
    EXPECT_EQ(wires.changes, 1);
    hear(other);
    pass(10s);
    EXPECT_EQ(wires.asked.size(), 1U);
}

TEST_F(AReplica, LetsWhoeverIsBehindAskFirst) {
    Site other(2);
    replica.alone(clock.now());
    ASSERT_TRUE(write("p", "t"));
    hear(other);
    pass(1900ms);
    EXPECT_THAT(wires.asked, IsEmpty()) << "it is the other's turn";
    pass(500ms);
    EXPECT_THAT(wires.asked, ElementsAre(2U)) << "it has not taken it";
}

TEST_F(AReplica, AsksOneAtATimeAndAnotherAfterAFailure) {
    Site b(2), c(3);
    b.write({set("p", "t")});
    c.write({set("q", "t")});
    replica.alone(clock.now());
    hear(b);
    hear(c);
    pass(300ms);
    ASSERT_EQ(wires.asked.size(), 1U);
    const auto first = NodeUid{wires.asked[0]};
    replica.sync_ended(first, false, clock.now());
    pass(400ms);
    ASSERT_EQ(wires.asked.size(), 2U);
    EXPECT_NE(wires.asked[1], wires.asked[0]);
}

TEST_F(AReplica, BacksOffFromOneThatCannotBeReached) {
    Site b(2);
    b.write({set("p", "t")});
    replica.alone(clock.now());
    std::size_t answered = 0;
    for (int second = 0; second < 120; ++second) {
        hear(b);
        pass(1s);
        for (; answered < wires.asked.size(); ++answered) replica.sync_ended(b.uid, false, clock.now());
    }
    EXPECT_GE(wires.asked.size(), 7U);
    EXPECT_LE(wires.asked.size(), 12U) << "half a second, doubled up to thirty";
    replica.lost(b.uid, clock.now());
    const auto before = wires.asked.size();
    pass(60s);
    EXPECT_EQ(wires.asked.size(), before);
}

TEST_F(AReplica, IsCompleteOnlyAfterAWholeSynchronisationWithACompleteNode) {
    Site fresh(2), full(3);
    full.write({set("p", "t")});
    EXPECT_FALSE(replica.is_complete());
    synchronise(fresh, false);
    EXPECT_FALSE(replica.is_complete());
    hear(full);
    pass(250ms);
    EXPECT_THAT(wires.asked, ElementsAre(3U));
    synchronise(full);
    EXPECT_TRUE(replica.is_complete());
}

TEST_F(AReplica, IsCompleteWhenAllAreNewAndNotBeforeThreeSeconds) {
    Site b(2);
    for (int i = 0; i < 2; ++i) {
        hear(b, Announced::joining);
        pass(1s);
        EXPECT_FALSE(replica.is_complete());
    }
    for (int i = 0; i < 3; ++i) {
        hear(b, Announced::joining);
        pass(1s);
    }
    EXPECT_TRUE(replica.is_complete());
}

TEST_F(AReplica, IsCompleteAtOnceWhenACompleteNodeHasTheSame) {
    Site b(2);
    hear(b, Announced::alive);
    EXPECT_TRUE(replica.is_complete());
}

TEST_F(AReplica, AsksANewcomerAtOnceIfItIsTheOneElected) {
    Site fresh(9);
    replica.alone(clock.now());
    ASSERT_TRUE(write("p", "t"));
    hear(fresh, Announced::joining, Type::join);
    pass(1ms);
    EXPECT_THAT(wires.asked, ElementsAre(9U)) << "there is nobody else";
}

TEST_F(AReplica, DoesNotAskAgainForWhatIsKeptApart) {
    Site ahead(2);
    ahead.wall.now += 86'400'000;
    ahead.write({set("p", "t")});
    replica.alone(clock.now());
    for (int second = 0; second < 30; ++second) {
        hear(ahead);
        const auto before = wires.asked.size();
        pass(1s);
        if (wires.asked.size() > before) synchronise(ahead);
    }
    EXPECT_LE(wires.asked.size(), 2U);
    EXPECT_THAT(replica.trouble(), HasSubstr("stamped in the future"));
    EXPECT_LE(log.count("stamped in the future"), 1U);
    site.wall.now += 86'400'000;
    pass(2s);
    EXPECT_THAT(site.effective(), ElementsAre("p=t"));
    EXPECT_THAT(replica.trouble(), IsEmpty());
}

TEST_F(AReplica, SaysThatTheDiskIsFullAlsoWhenWhatWasKeptApartIsTaken) {
    Site ahead(2);
    ahead.wall.now += 86'400'000;
    ahead.write({set("p", "t")});
    replica.alone(clock.now());
    hear(ahead);
    pass(3s);
    synchronise(ahead);
    ASSERT_THAT(replica.trouble(), HasSubstr("stamped in the future"));
    journal.is_full = true;
    site.wall.now += 86'400'000;
    pass(2s);
    EXPECT_THAT(site.effective(), ElementsAre("p=t"));
    EXPECT_THAT(replica.trouble(), HasSubstr("cannot be kept"));
    EXPECT_EQ(log.count("cannot be kept"), 1U) << "it was not over in between";
    journal.is_full = false;
    pass(10s);
    EXPECT_THAT(replica.trouble(), IsEmpty());
}

TEST_F(AReplica, GoesOnWithAFullDisk) {
    replica.alone(clock.now());
    journal.is_full = true;
    EXPECT_TRUE(write("p", "t"));
    EXPECT_EQ(wires.deltas.size(), 1U);
    EXPECT_THAT(replica.trouble(), HasSubstr("cannot be kept: no space left"));
    EXPECT_TRUE(write("p", "u"));
    EXPECT_EQ(log.count("cannot be kept"), 1U);
    pass(1s);
    journal.is_full = false;
    EXPECT_TRUE(write("p", "v"));
    EXPECT_THAT(replica.trouble(), HasSubstr("cannot be kept")) << "the log lacks what came before";
    pass(10s);
    EXPECT_THAT(replica.trouble(), IsEmpty()) << "by itself, nothing has changed";
    EXPECT_EQ(journal.snapshots, 1) << "the whole was written";
    EXPECT_TRUE(write("p", "w"));
    pass(60s);
    EXPECT_EQ(journal.snapshots, 1);
}

TEST_F(AReplica, MakesASnapshotWhenTheLogHasGrown) {
    replica.alone(clock.now());
    for (int i = 0; i < 40; ++i)
        ASSERT_TRUE(write("p", std::string(10'000, static_cast<char>('a' + i % 26))));
    EXPECT_EQ(journal.snapshots, 1);
}

TEST_F(AReplica, ForgetsRemovalsAfterAWeekOnceAllHaveTheSame) {
    Site b(2), away(3);
    replica.alone(clock.now());
    ASSERT_TRUE(write("p", "t"));
    const std::vector removal{gone("p")};
    hear(away, Announced::alive);
    ASSERT_TRUE(replica.write(removal, std::nullopt));
    replica.lost(away.uid, clock.now());
    b.take(site.all());
    const auto pass_days = [&](int days) {
        for (int hour = 0; hour < 24 * days; ++hour) {
            site.wall.now += 3'600'000;
            clock.advance(1h);
            hear(b);
            replica.tick(clock.now());
        }
    };
    pass_days(6);
    EXPECT_EQ(site.store.size(), 1U) << "less than a week";
    pass_days(2);
    EXPECT_EQ(site.store.size(), 0U) << "and whoever was away is forgotten as well";
    EXPECT_GT(site.store.marks().floor, Hlc{});
    EXPECT_GE(journal.snapshots, 1);
}

TEST_F(AReplica, DoesNotForgetRemovalsWhileSomebodyHasAnotherDigest) {
    Site b(2);
    replica.alone(clock.now());
    ASSERT_TRUE(write("p", "t"));
    const std::vector removal{gone("p")};
    ASSERT_TRUE(replica.write(removal, std::nullopt));
    for (int hour = 0; hour < 24 * 9; ++hour) {
        site.wall.now += 3'600'000;
        clock.advance(1h);
        hear(b);
        replica.tick(clock.now());
    }
    EXPECT_EQ(site.store.size(), 1U);
}

TEST_F(AReplica, SetsItsStoreAsideBeforeItGivesAnythingUp) {
    Site cluster(2);
    const auto made = cluster.write({set("p", "t"), set("q", "t")});
    site.take(made);
    cluster.write({gone("p")});
    ASSERT_EQ(cluster.store.forget_tombstones(cluster.wall.now + 1), 1U);
    synchronise(cluster);
    EXPECT_THAT(journal.aside, ElementsAre(2U));
    EXPECT_THAT(site.effective(), ElementsAre("q=t"));
    EXPECT_EQ(log.count("set aside"), 1U);
    EXPECT_GE(wires.changes, 1);
}

TEST_F(AReplica, TellsItsOwnTroubleInAtMost128Bytes) {
    replica.report({.digest = {}, .applied = 3}, std::string(500, 'x'));
    EXPECT_EQ(replica.trouble().size(), limits::kTrouble);
    EXPECT_EQ(replica.applied()->applied, 3U);
}

} // namespace
} // namespace schedd::membership
