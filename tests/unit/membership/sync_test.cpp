// Two ends of a synchronisation, frame by frame, and ends that do not keep to the rules.
#include "components/membership/sync.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "components/membership/entries.h"
#include "tests/unit/membership/store_world.h"

namespace schedd::membership {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// One end that stores at once what was brought, and counts frames.
struct End {
    explicit End(Site& site_in, bool is_complete = true)
        : site(site_in), session(site_in.store, site_in.uid, is_complete, [this](Brought& b) -> Status {
              brought = b;
              auto merge = site.store.take_all(b.entries);
              if (!merge) return std::unexpected(merge.error());
              site.store.drop(b.gone);
              site.store.raise({{}, b.their_floor});
              ++stored;
              return {};
          }) {}
    Site& site;
    SyncSession session;
    Brought brought;
    int stored = 0;
    std::size_t frames = 0;
    std::size_t bytes = 0;
};

/// Frames of one to the other until none has any; whether both are done.
bool run(End& a, End& b) {
    for (bool moved = true; moved;) {
        moved = false;
        for (auto [from, to] : {std::pair(&a, &b), std::pair(&b, &a)}) {
            const auto frame = from->session.next();
            if (frame.empty()) continue;
            moved = true;
            ++from->frames;
            from->bytes += frame.size();
            EXPECT_LE(frame.size(), limits::kFrame);
            const auto taken = to->session.take(frame);
            EXPECT_TRUE(taken) << taken.error().text();
            if (!taken) return false;
        }
    }
    return a.session.is_done() && b.session.is_done();
}

TEST(ASynchronisation, GivesBothWhatTheOtherLacks) {
    Site a(1), b(2);
    b.take(a.write({set("both", "t")}));
    a.write({set("a", "1"), set("a#x", "2")});
    b.write({set("b", "1")});
    b.write({gone("both")});
    End left(a), right(b);
    EXPECT_TRUE(run(left, right));
    EXPECT_EQ(a.store.digest(), b.store.digest());
    EXPECT_THAT(a.effective(), ElementsAre("a#x=2", "a=1", "b=1"));
    EXPECT_EQ(left.brought.sent, 3U)
        << "also what the other has removed: the list does not tell why it is not there";
    EXPECT_EQ(right.brought.sent, 2U);
    EXPECT_EQ(left.brought.peer, b.uid);
}

TEST(ASynchronisation, OfEqualsIsTwoFramesEach) {
    Site a(1), b(2);
    b.take(a.write({set("p", "t")}));
    End left(a), right(b);
    EXPECT_TRUE(run(left, right));
    EXPECT_EQ(left.frames, 2U);
    EXPECT_EQ(right.frames, 2U);
    EXPECT_EQ(left.stored + right.stored, 2);
}

TEST(ASynchronisation, BringsAMebibyteToANewcomerInFewFrames) {
    Site full(1), fresh(2);
    std::vector<Write> many;
    for (int i = 0; i < 4000; ++i) many.push_back(set("p" + std::to_string(i), std::string(240, 'x')));
    full.write(many);
    ASSERT_GT(full.store.bytes(), 1U << 20U);
    End left(full), right(fresh, false);
    EXPECT_TRUE(run(left, right));
    EXPECT_EQ(full.store.digest(), fresh.store.digest());
    EXPECT_LE(left.frames, 3 + full.store.bytes() / (limits::kFrame - 1) + 1)
        << "no list for whoever has none";
    EXPECT_LE(right.frames, 3U);
}

TEST(ASynchronisation, CarriesTheLargestEntryOverFrames) {
    Site a(1), b(2);
    a.write({set("big", std::string(limits::kValue, 'x')), set("small", "1")});
    b.write({set("c", std::string(limits::kValue, 'y'))});
    End left(a), right(b);
    EXPECT_TRUE(run(left, right));
    EXPECT_EQ(a.store.digest(), b.store.digest());
}

TEST(ASynchronisation, DoesNotBringAgainWhatIsInQuarantine) {
    Site a(1), ahead(2);
    ahead.wall.now += 86'400'000;
    ahead.write({set("p", "t")});
    {
        End left(a), right(ahead);
        EXPECT_TRUE(run(left, right));
        EXPECT_EQ(right.brought.sent, 1U);
    }
    End left(a), right(ahead);
    EXPECT_TRUE(run(left, right));
    EXPECT_EQ(right.brought.sent, 0U);
    EXPECT_EQ(a.store.size(), 0U);
}

TEST(ASynchronisation, LetsWhoeverWasAwayForLongGiveUpWhatWasRemoved) {
    Site cluster(1), away(2);
    away.take(cluster.write({set("p", "t"), set("q", "t")}));
    cluster.write({gone("p")});
    cluster.wall.now += 10'000;
    ASSERT_EQ(cluster.store.forget_tombstones(cluster.wall.now), 1U);
    away.wall.now += 20'000;
    away.write({set("q#x", "new")}); // since the floor: it is kept
    End left(cluster), right(away);
    EXPECT_TRUE(run(left, right));
    EXPECT_THAT(cluster.effective(), ElementsAre("q#x=new", "q=t"));
    EXPECT_EQ(cluster.store.digest(), away.store.digest());
    EXPECT_EQ(right.brought.gone.size(), 1U);
    EXPECT_EQ(away.store.marks().floor, cluster.store.marks().floor);
}

TEST(ASynchronisation, WithAnEmptyEndTakesNothingFromTheOther) {
    Site full(1), empty(2);
    full.write({set("p", "t")});
    empty.store.raise({{}, Hlc::of(full.wall.now + 1000, 0)}); // whatever it believes to remember
    End left(full), right(empty, false);
    EXPECT_TRUE(run(left, right));
    EXPECT_THAT(left.brought.gone, IsEmpty());
    EXPECT_THAT(full.effective(), ElementsAre("p=t"));
}

TEST(ASynchronisation, CutOffInTheMiddleStoresNothing) {
    Site a(1), b(2);
    std::vector<Write> many;
    for (int i = 0; i < 3000; ++i) many.push_back(set("p" + std::to_string(i), std::string(100, 'x')));
    a.write(many);
    for (int frames = 1; frames < 8; ++frames) {
        End left(a), right(b);
        ASSERT_TRUE(left.session.take(right.session.next()));
        ASSERT_TRUE(left.session.take(right.session.next().empty() ? Octets{std::byte{200}}
                                                                   : Octets{std::byte{201}}));
        for (int i = 0; i < frames; ++i) {
            const auto frame = left.session.next();
            if (frame.empty()) break;
            ASSERT_TRUE(right.session.take(frame));
        }
        EXPECT_FALSE(right.session.is_done());
        EXPECT_EQ(b.store.size(), 0U);
    }
}

struct AHostileEnd : testing::Test {
    Status feed(std::initializer_list<Octets> frames) {
        Site site(1);
        site.write({set("p", "t")});
        End end(site);
        (void)end.session.next();
        Status status;
        for (const auto& frame : frames) {
            status = end.session.take(frame);
            while (!end.session.next().empty()) {}
            if (!status) break;
        }
        EXPECT_THAT(site.effective(), ElementsAre("p=t"));
        return status;
    }
    static Octets frame(std::uint8_t type, std::size_t payload = 0) {
        Octets out{static_cast<std::byte>(type)};
        out.resize(1 + payload);
        return out;
    }
    static Octets hello(std::uint8_t major = 1, std::uint8_t flags = 1) {
        auto out = frame(1, 35);
        out[1] = static_cast<std::byte>(major);
        out[3] = static_cast<std::byte>(flags);
        return out;
    }
};

TEST_F(AHostileEnd, IsRefusedWithTheReason) {
    const auto why = [&](std::initializer_list<Octets> frames) {
        const auto status = feed(frames);
        return status ? std::string("accepted") : status.error().text();
    };
    EXPECT_THAT(why({Octets()}), HasSubstr("empty"));
    EXPECT_THAT(why({frame(1, limits::kFrame)}), HasSubstr("too large"));
    EXPECT_THAT(why({frame(2)}), HasSubstr("out of order"));
    EXPECT_THAT(why({frame(200)}), HasSubstr("greeting"));
    EXPECT_THAT(why({frame(1, 10)}), HasSubstr("too short"));
    EXPECT_THAT(why({hello(2)}), HasSubstr("version 2"));
    EXPECT_THAT(why({hello(), hello()}), HasSubstr("out of order"));
    EXPECT_THAT(why({hello(), frame(9)}), HasSubstr("not known"));
    EXPECT_THAT(why({hello(), frame(2, 25)}), HasSubstr("within a row"));
    EXPECT_THAT(why({hello(), frame(4, 10)}), HasSubstr("not said what it has"));
    EXPECT_THAT(why({hello(), frame(5)}), HasSubstr("not said what it has"));
    EXPECT_THAT(why({hello(), frame(2, 24), frame(5)}), HasSubstr("no end"));
    EXPECT_THAT(why({hello(), frame(3), frame(3)}), HasSubstr("out of order"));
    EXPECT_THAT(why({hello(), frame(3), frame(4, 3), frame(5)}), HasSubstr("cut off"));
    EXPECT_THAT(why({hello(), frame(3), frame(4, 8)}), HasSubstr("cannot be read"));
    EXPECT_THAT(why({hello(), frame(3), frame(5), frame(5)}), HasSubstr("out of order"));
    EXPECT_EQ(why({hello(), frame(200, 5), frame(3), frame(5)}), "accepted");
}

TEST_F(AHostileEnd, MayNotSayThatItHasMoreThanThereCanBe) {
    Site site(1);
    End end(site);
    ASSERT_TRUE(end.session.take(hello()));
    Status status;
    std::size_t frames = 0;
    for (; status && frames < 1000; ++frames) status = end.session.take(frame(2, 24 * 2730));
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().kind, Errc::limit_exceeded);
    EXPECT_LE(frames * 2730, 2 * limits::kEntries + limits::kQuarantine + 2730);
}

TEST_F(AHostileEnd, MayNotSendMoreBytesThanASynchronisationHas) {
    Site site(1);
    End end(site);
    ASSERT_TRUE(end.session.take(hello()));
    Status status;
    std::size_t sent = 0;
    for (; status && sent < 100U << 20U; sent += limits::kFrame)
        status = end.session.take(frame(200, limits::kFrame - 1));
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().kind, Errc::limit_exceeded);
    EXPECT_LE(sent, limits::kSyncBytes + limits::kFrame);
}

TEST(AnEntry, ReadsBackWithAllItsParts) {
    Entry entry{.path = "a/b#c", .value = "v", .stamp = Hlc::of(77, 3), .writer = NodeUid{9}};
    entry.seen = {{NodeUid{1}, Hlc{5}}, {NodeUid{4}, Hlc{6}}};
    entry.needs = 300;
    entry.flags = 0x80;
    entry.extension = "later";
    Octets octets;
    entries::encode(entry, octets);
    EXPECT_EQ(octets.size(), entries::encoded_size(entry));
    std::vector<Entry> read;
    ASSERT_TRUE(entries::decode(octets, [&](Entry&& e) { read.push_back(std::move(e)); }));
    EXPECT_THAT(read, ElementsAre(entry));
}

TEST(AnEntry, IsOfTheseBytes) {
    Octets octets;
    entries::encode({.path = "p", .value = "tt", .stamp = Hlc{0x0102030405060708}, .writer = NodeUid{0x11}},
                    octets);
    std::string text;
    for (const auto byte : octets) text += fmt::format("{:02x}", std::to_integer<unsigned>(byte));
    EXPECT_EQ(text, "0000001d"
                    "0102030405060708"
                    "0000000000000011"
                    "00"
                    "0000"
                    "00"
                    "0001"
                    "00000002"
                    "70"
                    "7474");
}

TEST(AnEntry, CutAtAnyByteOrDamagedInLengthsIsNotRead) {
    Octets octets;
    Entry entry{.path = "a/b", .value = "v", .stamp = Hlc{7}, .writer = NodeUid{9}};
    entry.seen = {{NodeUid{1}, Hlc{5}}};
    entries::encode(entry, octets);
    const auto ignore = [](Entry&&) {};
    for (std::size_t size = 1; size < octets.size(); ++size)
        EXPECT_FALSE(entries::decode(Bytes(octets).first(size), ignore)) << size;
    for (const std::size_t at : {0U, 1U, 2U, 23U, 24U, 26U, 28U}) {
        auto damaged = octets;
        damaged[at] = std::byte{0xff};
        EXPECT_FALSE(entries::decode(damaged, ignore)) << at;
    }
}

} // namespace
} // namespace schedd::membership
