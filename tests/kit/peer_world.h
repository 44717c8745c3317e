// PeerWorld: one node among peers that a test plays by hand, over a network of lists and a clock that it
// moves.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "components/membership/envelope.h"
#include "components/membership/node.h"
#include "tests/kit/manual_clock.h"
#include "tests/kit/null_cipher.h"
#include "tests/kit/recording.h"

namespace schedd::test {

using namespace std::chrono_literals;
using namespace schedd::membership;

class FakeMachineClocks final : public MachineClocks {
public:
    explicit FakeMachineClocks(const Clock& clock) : clock_(clock) {}
    [[nodiscard]] std::uint64_t wall_ms() const override {
        return static_cast<std::uint64_t>(1'700'000'000'000 + milliseconds_of(clock_.now()) + ahead_ms);
    }
    [[nodiscard]] Duration suspended() const override { return asleep; }
    std::int64_t ahead_ms = 0;
    Duration asleep{};

private:
    const Clock& clock_;
};

class FakeConfiguration final : public Configuration {
public:
    [[nodiscard]] Digest digest() const override { return now; }
    [[nodiscard]] Hlc latest() const override { return {}; }
    [[nodiscard]] std::optional<ApplyStatus> applied() const override { return status; }
    [[nodiscard]] std::string_view trouble() const override { return why; }
    [[nodiscard]] bool is_complete() const override { return complete; }
    void heard(const Message& /*message*/, const Address& /*address*/, Time /*now*/) override { ++beats; }
    void delta(const Message& message, Time /*now*/) override { deltas.push_back(message.delta.size()); }
    void alone(Time /*now*/) override {
        ++alones;
        complete = complete || completes_alone;
    }
    void lost(NodeUid peer, Time /*now*/) override { gone.push_back(peer); }

    Digest now;
    std::optional<ApplyStatus> status;
    std::string why;
    bool complete = true;
    bool completes_alone = true;
    int beats = 0;
    int alones = 0;
    std::vector<std::size_t> deltas;
    std::vector<NodeUid> gone;
};

/// 10.0.0.`last`:7420.
inline Address address_of(std::uint8_t last, std::uint16_t port = 7420) {
    return {.ip = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, last}, .port = port};
}

/// What the node sent, opened.
struct SentDatagram {
    std::optional<Address> to; // none: the group
    std::vector<std::byte> bytes;
};

class RecordingTransport final : public Transport {
public:
    void to_group(Bytes datagram) override { keep(std::nullopt, datagram); }
    void to(const Address& address, Bytes datagram) override { keep(address, datagram); }
    void rejoin() override { ++rejoins; }
    std::vector<SentDatagram> sent;
    int rejoins = 0;
    bool keeps = true;

private:
    void keep(std::optional<Address> to, Bytes datagram) {
        if (keeps) sent.push_back({to, {datagram.begin(), datagram.end()}});
    }
};

class PeerListener final : public NodeListener {
public:
    void peer_changed(const PeerFacts& peer, Standing before) override {
        changes.push_back(text_of(peer.uid).substr(14) + " " + std::string(name_of(before)) + " -> " +
                          std::string(name_of(peer.standing)));
    }
    void peer_forgotten(NodeUid uid) override { forgotten.push_back(uid); }
    void peer_told(NodeUid /*uid*/) override { ++told; }
    void self_changed(Announced now, Announced /*before*/) override { own.push_back(now); }
    void displaced(const Address& by) override { displacer = by; }
    std::vector<std::string> changes;
    std::vector<NodeUid> forgotten;
    std::vector<Announced> own;
    std::optional<Address> displacer;
    int told = 0;
};

/// A peer that says what the test wants it to say.
class PlayedPeer {
public:
    static constexpr std::uint64_t kCluster = 7;
    explicit PlayedPeer(std::uint8_t number)
        : uid(static_cast<NodeUid>(number)), at(address_of(number)),
          envelope_(std::make_unique<Envelope>(kCluster, uid, cipher_())) {}
    /// The next datagram, with `change` made to its draft.
    std::vector<std::byte> says(Type type, std::uint64_t wall_ms,
                                const std::function<void(Draft&)>& change = nullptr) {
        Draft draft;
        draft.header.type = type;
        draft.core.boot = boot;
        draft.core.seq = ++seq;
        draft.core.wall_ms = wall_ms;
        draft.core.state = state;
        draft.core.period = period;
        draft.core.incarnation = incarnation;
        if (change) change(draft);
        const auto bytes = envelope_->seal(draft).datagram;
        return {bytes.begin(), bytes.end()};
    }
    NodeUid uid;
    Address at;
    Boot boot{1, 100};
    std::uint64_t seq = 0;
    Announced state = Announced::alive;
    std::uint8_t period = 10;
    std::uint32_t incarnation = 0;
    bool is_silent = false; // sends no heartbeats by itself
    bool answers = false;   // pings
    Time next{};

private:
    static Cipher& cipher_() {
        static NullCipher cipher;
        return cipher;
    }
    std::unique_ptr<Envelope> envelope_;
};

struct PeerWorld {
    ManualClock clock;
    FakeMachineClocks clocks{clock};
    Rng rng{1};
    RecordingLog log;
    RecordingTransport transport;
    NullCipher cipher;
    FakeConfiguration configuration;
    PeerListener listener;
    std::unique_ptr<Node> node;
    std::map<std::uint8_t, PlayedPeer> peers;
    Envelope opener{PlayedPeer::kCluster, static_cast<NodeUid>(999), cipher};
    static constexpr NodeUid kSelf = static_cast<NodeUid>(50);

    explicit PeerWorld(const std::function<void(NodeSettings&)>& change = nullptr) {
        NodeSettings settings;
        settings.cluster = PlayedPeer::kCluster;
        settings.uid = kSelf;
        settings.boot = {5, 500};
        settings.name = "self";
        if (change) change(settings);
        node = std::make_unique<Node>(settings,
                                      NodeWorld{clock, clocks, rng, log, transport, cipher, configuration});
        node->set_listener(&listener);
    }
    PlayedPeer& peer(std::uint8_t number) { return peers.try_emplace(number, number).first->second; }
    void hears(PlayedPeer& from, Type type, const std::function<void(Draft&)>& change = nullptr,
               bool is_group = true) {
        node->received({from.at, is_group}, from.says(type, clocks.wall_ms(), change));
    }
    void hears(const PlayedPeer& from, const std::vector<std::byte>& bytes) {
        node->received({from.at, true}, bytes);
    }
    /// Time passes in steps of 10 ms: the node ticks when it wants to, peers beat, and answer pings.
    void run(Duration length, bool ticks = true) {
        for (const auto end = clock.now() + length; clock.now() < end;) {
            clock.advance(10ms);
            for (auto& [number, one] : peers)
                if (!one.is_silent && clock.now() >= one.next) {
                    one.next = clock.now() + one.period * 100ms;
                    hears(one, Type::heartbeat);
                }
            if (ticks && clock.now() >= node->due()) node->tick();
            answer_pings();
        }
    }
    void answer_pings() {
        for (; answered_ < transport.sent.size(); ++answered_) {
            const auto& sent = transport.sent[answered_];
            if (!sent.to) continue;
            for (auto& [number, one] : peers) {
                if (!one.answers || *sent.to != one.at) continue;
                const auto message = opener.open(sent.bytes);
                if (!message || message->header.type != Type::ping) continue;
                const auto nonce = message->nonce;
                hears(one, Type::ack, [&](Draft& draft) { draft.nonce = nonce; }, false);
                return;
            }
        }
    }
    [[nodiscard]] Standing standing(std::uint8_t number) {
        const auto facts = node->peer(static_cast<NodeUid>(number));
        return facts ? facts->standing : Standing::clone; // no peer here is one
    }
    [[nodiscard]] bool knows(std::uint8_t number) {
        return node->peer(static_cast<NodeUid>(number)).has_value();
    }
    /// Datagrams of a type since the last call of forget_sent().
    [[nodiscard]] std::size_t sent(Type type, std::optional<Address> to = std::nullopt, bool is_any = true) {
        std::size_t count = 0;
        for (const auto& one : transport.sent) {
            const auto message = opener.open(one.bytes);
            if (message && message->header.type == type && (is_any || one.to == to)) ++count;
        }
        return count;
    }
    [[nodiscard]] std::size_t sent_to(Type type, const Address& to) { return sent(type, to, false); }
    /// Calls with the last datagram of that type; false if there is none.
    bool last(Type type, const std::function<void(const Message&)>& look) {
        for (auto at = transport.sent.rbegin(); at != transport.sent.rend(); ++at) {
            const auto message = opener.open(at->bytes);
            if (!message || message->header.type != type) continue;
            look(*message);
            return true;
        }
        return false;
    }
    void forget_sent() {
        transport.sent.clear();
        answered_ = 0;
    }
    [[nodiscard]] std::uint64_t dropped(wire::Drop reason) const {
        return node->counts().dropped[static_cast<std::size_t>(reason)];
    }

private:
    std::size_t answered_ = 0;
};

} // namespace schedd::test
