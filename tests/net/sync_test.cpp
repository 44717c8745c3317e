// Two hubs that synchronise over TCP on the loopback interface of a namespace of their own.
#include "service/net/sync_hub.h"

#include <cstring>

#include <gmock/gmock.h>
#include <poll.h>

#include "tests/net/fixed_keys.h"
#include "tests/net/own_network.h"

namespace schedd::net {
namespace {

using test::FixedKeys;
using test::Lines;

/// Sends `text` in frames, and is done when as much as was announced has come.
class PlayedSync final : public Sync {
public:
    PlayedSync(std::string text, std::size_t wanted, std::string& got)
        : text_(std::move(text)), wanted_(wanted), got_(got) {}
    std::vector<std::byte> next() override {
        const auto size = std::min(text_.size() - at_, membership::limits::kFrame);
        const auto part = std::as_bytes(std::span(text_)).subspan(at_, size);
        at_ += size;
        return {part.begin(), part.end()};
    }
    Status take(Bytes frame) override {
        got_.append(reinterpret_cast<const char*>(frame.data()), frame.size());
        if (got_.starts_with("refuse")) return fail(Errc::invalid_value, "a frame that cannot be read");
        return {};
    }
    [[nodiscard]] bool is_done() const override { return at_ == text_.size() && got_.size() >= wanted_; }

private:
    std::string text_;
    std::size_t at_ = 0;
    std::size_t wanted_;
    std::string& got_;
};

struct End {
    End(const KeySource& keys, std::uint16_t port, NodeUid uid, std::string says, std::size_t wants) {
        auto opened = SyncHub::open({port, 7, uid}, keys, log);
        EXPECT_TRUE(opened) << opened.error().text();
        hub = std::move(*opened);
        hub->set_hooks({[this, says, wants](std::optional<NodeUid>) {
                            ++asked;
                            return std::make_unique<PlayedSync>(says, wants, got);
                        },
                        [this](std::optional<NodeUid> peer, bool is_complete, Time) {
                            ended.emplace_back(peer, is_complete);
                        }});
    }
    Lines log;
    std::unique_ptr<SyncHub> hub;
    std::string got;
    int asked = 0;
    std::vector<std::pair<std::optional<NodeUid>, bool>> ended;
};

class ASynchronisation : public testing::Test {
protected:
    void SetUp() override { NEEDS_OWN_NETWORK(); }
    static Address at(std::uint16_t port) { return parse_address("127.0.0.1", port).value(); }
    /// Turns of both, until one has ended as often as given; time stands still.
    template <class... Ends> bool run(const End& until, std::size_t count, Ends&... ends) {
        for (int i = 0; i < 2000; ++i) {
            (ends.hub->step(now), ...);
            if (until.ended.size() >= count) return true;
            std::array waiting{pollfd{ends.hub->fd(), POLLIN, 0}...};
            ::poll(waiting.data(), waiting.size(), 5);
        }
        return false;
    }
    Time now{std::chrono::seconds(100)};
    FixedKeys keys{{1, 'k'}};
};

TEST_F(ASynchronisation, CarriesMegabytesBothWays) {
    const std::string much(5'000'000, 'm');
    End caller(keys, 7501, NodeUid{1}, much, 300'000);
    End called(keys, 7502, NodeUid{2}, std::string(300'000, 'l'), much.size());
    caller.hub->call(NodeUid{2}, at(7502), now);
    ASSERT_TRUE(run(caller, 1, caller, called));
    ASSERT_TRUE(run(called, 1, caller, called));
    EXPECT_EQ(called.got, much);
    EXPECT_EQ(caller.got.size(), 300'000U);
    EXPECT_EQ(caller.ended[0], std::make_pair(std::optional(NodeUid{2}), true));
    EXPECT_EQ(called.ended[0], std::make_pair(std::optional<NodeUid>(), true));
    EXPECT_EQ(caller.hub->counts().complete, 1U);
    EXPECT_EQ(caller.hub->going() + called.hub->going(), 0U);
}

TEST_F(ASynchronisation, WithNothingToSayEndsWell) {
    End caller(keys, 7501, NodeUid{1}, "", 0);
    End called(keys, 7502, NodeUid{2}, "", 0);
    caller.hub->call(NodeUid{2}, at(7502), now);
    ASSERT_TRUE(run(caller, 1, caller, called));
    EXPECT_TRUE(caller.ended[0].second);
}

TEST_F(ASynchronisation, WithAStrangerDoesNotBegin) {
    const FixedKeys others{{1, 'x'}};
    End caller(others, 7501, NodeUid{1}, "secret", 1);
    End called(keys, 7502, NodeUid{2}, "ours", 1);
    caller.hub->call(NodeUid{2}, at(7502), now);
    ASSERT_TRUE(run(caller, 1, caller, called));
    EXPECT_FALSE(caller.ended[0].second);
    EXPECT_EQ(called.asked, 0) << "nothing is worked on for a stranger";
    EXPECT_TRUE(called.ended.empty());
    EXPECT_TRUE(called.log.has("sealed with another key")) << called.log.text;
}

TEST_F(ASynchronisation, WithAKeyThatIsNotInTheRingIsNamed) {
    const FixedKeys others{{9, 'x'}};
    End caller(others, 7501, NodeUid{1}, "", 0);
    End called(keys, 7502, NodeUid{2}, "", 0);
    caller.hub->call(NodeUid{2}, at(7502), now);
    ASSERT_TRUE(run(caller, 1, caller, called));
    EXPECT_TRUE(called.log.has("key 9 is not in the ring")) << called.log.text;
}

TEST_F(ASynchronisation, ThatCannotBeReadFailsOnBothSides) {
    End caller(keys, 7501, NodeUid{1}, "refuse", 1);
    End called(keys, 7502, NodeUid{2}, "ours", 100);
    caller.hub->call(NodeUid{2}, at(7502), now);
    ASSERT_TRUE(run(caller, 1, caller, called));
    EXPECT_FALSE(caller.ended[0].second);
    ASSERT_EQ(called.ended.size(), 1U);
    EXPECT_FALSE(called.ended[0].second);
}

TEST_F(ASynchronisation, WithNobodyThereFailsAndIsToldFromTheNextStep) {
    End caller(keys, 7501, NodeUid{1}, "", 0);
    caller.hub->call(NodeUid{2}, at(7599), now);
    EXPECT_TRUE(caller.ended.empty());
    ASSERT_TRUE(run(caller, 1, caller));
    EXPECT_EQ(caller.ended[0], std::make_pair(std::optional(NodeUid{2}), false));
    caller.hub->call(NodeUid{2}, at(7599), now);
    ASSERT_TRUE(run(caller, 2, caller));
    const auto line = caller.log.text.find("has failed");
    ASSERT_NE(line, std::string::npos);
    EXPECT_EQ(caller.log.text.find("has failed", line + 1), std::string::npos) << "told once in ten minutes";
}

TEST_F(ASynchronisation, IsNotBegunTwiceWithOnePeer) {
    End caller(keys, 7501, NodeUid{1}, "", 0);
    End called(keys, 7502, NodeUid{2}, "", 0);
    caller.hub->call(NodeUid{2}, at(7502), now);
    caller.hub->call(NodeUid{2}, at(7502), now);
    ASSERT_TRUE(run(caller, 2, caller, called));
    EXPECT_EQ(caller.hub->counts().refused, 1U);
    EXPECT_EQ(called.asked, 1);
}

/// A connection that says what it is given, and then nothing.
Descriptor stranger(std::uint16_t port, std::string_view says) {
    Descriptor fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const auto to = to_socket(parse_address("127.0.0.1", port).value());
    EXPECT_EQ(::connect(fd.get(), to.get(), to.size), 0);
    if (!says.empty()) {
        EXPECT_EQ(::send(fd.get(), says.data(), says.size(), MSG_NOSIGNAL),
                  static_cast<ssize_t>(says.size()));
    }
    return fd;
}

TEST_F(ASynchronisation, OfOneWhoSaysNothingIsGivenUp) {
    End called(keys, 7502, NodeUid{2}, "", 0);
    const auto fd = stranger(7502, "");
    for (int i = 0; i < 1000 && called.hub->going() == 0; ++i) called.hub->step(now);
    ASSERT_EQ(called.hub->going(), 1U);
    EXPECT_EQ(called.hub->step(now), now + kSyncHello);
    now += kSyncHello;
    called.hub->step(now);
    EXPECT_EQ(called.hub->going(), 0U);
    EXPECT_TRUE(called.log.has("does not prove to be a member"));
    EXPECT_EQ(called.asked, 0);
}

TEST_F(ASynchronisation, OfOneWhoSpeaksSomethingElseIsClosed) {
    for (const std::string& says :
         {std::string("GET / HTTP/1.1\r\nHost: a\r\n\r\nxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"),
          std::string(100'000, '\xff'), std::string(kHello, '\0')}) {
        End called(keys, 7502, NodeUid{2}, "", 0);
        const auto fd = stranger(7502, says);
        for (int i = 0; i < 1000 && called.hub->counts().failed == 0; ++i) called.hub->step(now);
        EXPECT_EQ(called.hub->counts().failed, 1U);
        EXPECT_EQ(called.asked, 0);
    }
}

TEST_F(ASynchronisation, OfAMemberFindsRoomAmongStrangers) {
    End called(keys, 7502, NodeUid{2}, "", 0);
    std::vector<Descriptor> strangers;
    for (int i = 0; i < 30; ++i) {
        strangers.push_back(stranger(7502, ""));
        called.hub->step(now);
        EXPECT_LE(called.hub->going(), membership::limits::kSyncsIn);
    }
    EXPECT_GT(called.hub->counts().refused, 0U);
    End caller(keys, 7501, NodeUid{1}, "", 0);
    caller.hub->call(NodeUid{2}, at(7502), now);
    ASSERT_TRUE(run(caller, 1, caller, called));
    EXPECT_TRUE(caller.ended[0].second);
}

TEST_F(ASynchronisation, HasThePortForItself) {
    End first(keys, 7502, NodeUid{2}, "", 0);
    Lines log;
    const auto second = SyncHub::open({7502, 7, NodeUid{3}}, keys, log);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().kind, Errc::held_by_other);
    EXPECT_THAT(second.error().text(), testing::HasSubstr("TCP port 7502 (IPv4) is taken"));
}

TEST(AThrottle, LetsOneThingBeToldEveryTenMinutes) {
    Throttle throttle;
    EXPECT_TRUE(throttle.may("a", Time{}));
    EXPECT_FALSE(throttle.may("a", Time{}));
    EXPECT_TRUE(throttle.may("b", Time{}));
    EXPECT_FALSE(throttle.may("a", kComplaintEvery - Time{1}));
    EXPECT_TRUE(throttle.may("a", kComplaintEvery));
    for (std::size_t i = 0; i < 2 * kComplaints; ++i) (void)throttle.may(std::to_string(i), kComplaintEvery);
    EXPECT_FALSE(throttle.may("one more", kComplaintEvery)) << "strangers' number is bounded";
}

} // namespace
} // namespace schedd::net
