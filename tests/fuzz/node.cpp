// Operations on one node of membership, with a key and a clock of its own: datagrams that are sealed well,
// raw, changed or sent again, time, other addresses, restarts; a byte for each and its operands.
#include <algorithm>
#include <map>

#include "components/membership/bytes.h"
#include "components/membership/wire_parts.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/node_rows.h"
#include "tests/kit/peer_world.h"

using namespace schedd;
using namespace schedd::membership;
using namespace std::chrono_literals;
using fuzz::require;
using wire::Drop;
using Datagram = std::vector<std::byte>;

namespace {

constexpr int kOperations = 100; // of an input
constexpr int kTurns = 300;      // of the node in an input; then time only passes
constexpr std::size_t kHistory = 32;
constexpr std::uint64_t kFirstUid = 48; // 50 is the node's own

/// What is left of the input; 0 when there is nothing.
class Input {
public:
    Input(const std::uint8_t* data, std::size_t size) : rest_(std::as_bytes(std::span(data, size))) {}
    [[nodiscard]] bool is_over() const { return rest_.empty(); }
    std::uint8_t byte() {
        if (rest_.empty()) return 0;
        const auto first = std::to_integer<std::uint8_t>(rest_[0]);
        rest_ = rest_.subspan(1);
        return first;
    }
    /// A byte of length, counted in fives if `is_long`, and so many bytes.
    Bytes bytes(bool is_long = false) {
        const auto length = std::min(byte() * std::size_t{is_long ? 5U : 1U}, rest_.size());
        const auto taken = rest_.first(length);
        rest_ = rest_.subspan(length);
        return taken;
    }

private:
    Bytes rest_;
};

std::string text_of(Bytes bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

/// As test::NullCipher, with a tag that costs little: the node and what looks at it seal and open all the
/// time.
class QuickCipher final : public Cipher {
public:
    static constexpr std::uint8_t kKey = 1;
    [[nodiscard]] std::size_t overhead() const override { return 2 * kSum; }
    [[nodiscard]] std::uint8_t active() const override { return kKey; }
    [[nodiscard]] bool knows(std::uint8_t key) const override { return key == kKey; }
    [[nodiscard]] std::uint64_t fingerprint() const override { return kKey; }
    std::size_t seal(std::uint8_t /*key*/, Bytes clear, Bytes body, Space out) override {
        Pen pen(out);
        pen.number(sum_of(clear));
        pen.bytes(body);
        pen.number(sum_of(body));
        return pen.used();
    }
    [[nodiscard]] std::optional<std::size_t> open(std::uint8_t /*key*/, Bytes clear, Bytes sealed,
                                                  Space out) const override {
        Reader reader(sealed);
        if (reader.number<std::uint64_t>() != sum_of(clear)) return std::nullopt;
        const auto body = reader.take(sealed.size() - overhead());
        if (reader.number<std::uint64_t>() != sum_of(body)) return std::nullopt;
        std::ranges::copy(body, out.begin());
        return body.size();
    }

private:
    static constexpr std::size_t kSum = 8;
    static std::uint64_t sum_of(Bytes bytes) { return std::hash<std::string>{}(text_of(bytes)); }
};

/// What the node may use of the world; what it sends is looked at and forgotten.
struct World {
    test::ManualClock clock;
    test::FakeMachineClocks clocks{clock};
    Rng rng{1};
    test::RecordingLog log;
    test::RecordingTransport transport;
    QuickCipher cipher;
    test::FakeConfiguration configuration;
    Envelope opener{test::PlayedPeer::kCluster, static_cast<NodeUid>(999), cipher};
    std::unique_ptr<Node> node;
};

/// What the fuzzer makes one machine say next.
struct Speaker {
    Boot boot{1, 100};
    std::uint64_t seq = 0;
    std::uint32_t incarnation = 0;
};

/// A datagram that the node was given.
struct Given {
    Arrival arrival;
    Datagram bytes;
    NodeUid sender{};
    Boot boot;
    bool is_taken = false;
};

class Play {
public:
    explicit Play(Input& input);
    void run();

private:
    void operate(std::uint8_t operation);
    void start();
    void restart();
    void turn();
    void pass(Duration length);
    [[nodiscard]] Duration length(std::uint8_t code);
    void say();
    void say_body();
    void crowd();
    void give(const Arrival& arrival, Bytes datagram);
    void give_again(bool is_changed);
    [[nodiscard]] Datagram seal(Header header, Bytes body);
    [[nodiscard]] Arrival arrival_of(NodeUid uid, bool is_other, bool is_group) const;
    [[nodiscard]] NodeUid whom();
    std::size_t check_sent();
    void look();
    [[nodiscard]] Node& node() { return *world_.node; }

    Input& in_;
    NodeSettings settings_;
    World world_;
    fuzz::Events events_;
    std::map<NodeUid, Speaker> speakers_;
    std::vector<Given> given_;
    Datagram last_sent_;
    std::uint64_t last_seq_ = 0;
    std::uint64_t nonce_ = 1; // of its last ping
    std::optional<fuzz::Rows> rows_;
    int turns_ = 0;
    int idle_turns_ = 0; // at one time
    std::size_t looks_ = 0;
};

Play::Play(Input& input) : in_(input) {
    const auto bits = in_.byte();
    settings_.cluster = test::PlayedPeer::kCluster;
    settings_.uid = test::PeerWorld::kSelf;
    settings_.boot = {5, 500};
    settings_.name = "self";
    if (bits & 1U) settings_.max_peers = 4;
    settings_.is_replay_monotonic = (bits & 2U) != 0;
    settings_.uses_group = (bits & 4U) == 0;
    if (bits & 8U) settings_.number = 3;
    if (bits & 16U) settings_.peers = {test::address_of(1), test::address_of(77)};
    if (bits & 32U) settings_.period = 100ms;
    settings_.addresses = {test::address_of(50)};
    world_.configuration.complete = (bits & 64U) == 0;
    settings_.features = 3;
    start();
    look();
}

void Play::start() {
    world_.node =
        std::make_unique<Node>(settings_, NodeWorld{world_.clock, world_.clocks, world_.rng, world_.log,
                                                    world_.transport, world_.cipher, world_.configuration});
    last_seq_ = 0;
    last_sent_.clear();
    rows_.reset();
    events_ = {};
    node().set_listener(&events_);
}

/// The program ends and begins anew with what it has kept.
void Play::restart() {
    const auto kept = node().remember();
    require(kept.size() <= settings_.max_peers, "no more is kept than there may be");
    settings_.last_number = node().number();
    ++settings_.boot.counter;
    start();
    node().recall(kept);
    const auto rows = node().peers();
    require(rows.size() <= kept.size(), "only what was kept is recalled");
    for (const auto& row : rows) {
        require(row.standing == Standing::dead, "who is recalled is dead until it is heard");
        events_.standings[row.uid] = row.standing;
    }
}

void Play::run() {
    for (int i = 0; i < kOperations && !in_.is_over(); ++i) {
        operate(in_.byte());
        look();
    }
    pass(7s); // whoever is silent now is dead
    look();
}

void Play::operate(std::uint8_t operation) {
    switch (operation % 20U) {
    case 0: pass(std::chrono::milliseconds(10 * in_.byte())); break;
    case 1: pass(length(in_.byte())); break;
    case 2: // it stood still
        world_.clock.advance(length(in_.byte()));
        turn();
        break;
    case 3: say(); break;
    case 4: say_body(); break;
    case 5: {
        const auto from = in_.byte();
        const auto raw = in_.bytes(true);
        give({test::address_of(from), (from & 1U) != 0}, raw);
        break;
    }
    case 6: give_again(false); break;
    case 7: give_again(true); break;
    case 8: give({test::address_of(50), true}, Datagram(last_sent_)); break; // an echo
    case 9: crowd(); break;
    case 10: node().leave(); break;
    case 11: {
        std::vector<Address> own;
        for (const auto byte : in_.bytes())
            own.push_back(test::address_of(std::to_integer<std::uint8_t>(byte)));
        node().network_changed(own);
        break;
    }
    case 12: node().overflowed(); break;
    case 13: node().drain((in_.byte() & 1U) != 0); break;
    case 14: node().set_name(settings_.name = text_of(in_.bytes())); break;
    case 15: {
        std::vector<Published> sources;
        const auto count = in_.byte() % 80U;
        const auto step = in_.byte();
        for (std::size_t i = 0; i < count; ++i)
            sources.push_back({"s" + std::to_string(i * step),
                               i % 3 == 2 ? std::nullopt : std::optional(static_cast<std::int32_t>(i))});
        node().set_published(std::move(sources));
        break;
    }
    case 16: node().spread(in_.bytes(true)); break;
    case 17: restart(); break;
    case 18: { // its wall clock is set, or the machine slept
        const auto code = in_.byte();
        if (code & 1U) world_.clocks.asleep += length(code);
        else world_.clocks.ahead_ms += (static_cast<std::int64_t>(code) - 128) * 500;
        break;
    }
    case 19: {
        auto& configuration = world_.configuration;
        const auto code = in_.byte();
        configuration.complete = (code & 1U) != 0;
        configuration.now.bytes[0] = code & 2U;
        configuration.status.reset();
        if (code & 4U) configuration.status = ApplyStatus{configuration.now, code, 1, 0};
        configuration.why = text_of(in_.bytes());
        break;
    }
    default: break;
    }
}

/// Tenths of a second, then seconds, hours.
Duration Play::length(std::uint8_t code) {
    if (code < 100) return code * 100ms;
    if (code < 200) return (code - 90) * 1s;
    return (code - 199) * 4h;
}

void Play::turn() {
    ++turns_;
    const bool is_over = node().is_gone();
    const auto now = world_.clock.now();
    const auto next = node().tick();
    require(next == node().due(), "a turn tells when the next is due");
    const auto sent = check_sent();
    require(!is_over || sent == 0, "who is gone is silent");
    idle_turns_ = next <= now ? idle_turns_ + 1 : 0;
    require(idle_turns_ < 4, "turns come to an end");
    require(node().is_gone() ? next == kNever : next <= now + 1s + 2 * settings_.period,
            "a turn is due within two periods until it is gone");
}

void Play::pass(Duration length) {
    const auto end = world_.clock.now() + length;
    for (int i = 0; i < 60 && turns_ < kTurns && node().due() <= end; ++i) {
        world_.clock.set(std::max(world_.clock.now(), node().due()));
        turn();
    }
    world_.clock.set(end);
    if (node().due() <= end) turn();
}

Datagram Play::seal(Header header, Bytes body) {
    Datagram out(wire::kHeader + body.size() + world_.cipher.overhead());
    header.cluster = settings_.cluster;
    header.key = world_.cipher.active();
    const auto clear = Space(out).first(wire::kHeader);
    wire::write_header(header, out.size() - wire::kHeader, clear);
    (void)world_.cipher.seal(header.key, clear, body, Space(out).subspan(wire::kHeader));
    return out;
}

Arrival Play::arrival_of(NodeUid uid, bool is_other, bool is_group) const {
    const auto number = static_cast<std::uint8_t>(uid);
    return {test::address_of(static_cast<std::uint8_t>(is_other ? number + 128 : number)), is_group};
}

/// Some with lower and some with higher uids than the node itself, which is one of them.
NodeUid Play::whom() { return static_cast<NodeUid>(kFirstUid + in_.byte() % 8U); }

/// A datagram with a core that fits what was said before, and parts from the input.
void Play::say() {
    const auto uid = whom();
    auto& speaker = speakers_[uid];
    Header header;
    header.sender = uid;
    const auto type = in_.byte();
    header.type = static_cast<Type>(1 + type % 9U);
    header.flags = type >> 6U;
    const auto life = in_.byte();
    if (life % 8U == 5) speaker = {{speaker.boot.counter + 1, speaker.boot.random}};
    if (life % 8U == 6) speaker = {{speaker.boot.counter - 1, speaker.boot.random}};
    if (life % 8U == 7) speaker = {{speaker.boot.counter, speaker.boot.random + life}};
    if (life & 64U) ++speaker.incarnation;
    speaker.seq += life & 128U ? life & 127U : 1U;
    const auto look = in_.byte();
    const auto clock = in_.byte();
    auto wall = world_.clocks.wall_ms();
    if (clock >= 200) wall += (std::uint64_t{clock} - 228U) * 2'000U; // also back
    std::array<std::byte, wire::kDatagram> body{};
    Pen pen(body);
    pen.number(speaker.boot.counter);
    pen.number(speaker.boot.random);
    pen.number(speaker.seq);
    pen.number(wall);
    pen.number(speaker.incarnation);
    const auto state = look & 7U;
    pen.number(static_cast<std::uint8_t>(state >= 1 && state <= 5 ? state : 2));
    pen.number(static_cast<std::uint8_t>(look & 8U ? 1 + clock % 30U : 10));
    pen.number(std::uint16_t{1});                                     // minor versions
    pen.number(std::uint64_t{look & 16U ? 0U : 0xa0a1a2a3a4a5a6a7U}); // digest
    pen.number(std::uint64_t{0});
    pen.number(Hlc::of(wall, 1).bits);
    if (look & 32U) { // the answer that it waits for
        pen.number(static_cast<std::uint16_t>(wire::Part::nonce));
        pen.number(std::uint16_t{8});
        pen.number(nonce_);
    }
    pen.bytes(in_.bytes());
    give(arrival_of(uid, (look & 128U) != 0, (look & 64U) == 0), seal(header, Space(body).first(pen.used())));
}

/// Sealed all the same, with everything in it from the input.
void Play::say_body() {
    Header header;
    header.sender = static_cast<NodeUid>(in_.byte());
    header.major = static_cast<std::uint8_t>(1 + in_.byte() / 128U);
    header.type = static_cast<Type>(in_.byte());
    header.flags = in_.byte();
    const auto body = in_.bytes(true);
    give(arrival_of(header.sender, false, true), seal(header, body));
}

/// Many speak at once; they want numbers.
void Play::crowd() {
    const auto first = in_.byte();
    const auto count = 1U + in_.byte() % 16U;
    for (unsigned i = 0; i < count; ++i) {
        const auto uid = static_cast<NodeUid>(1000 + first + i);
        auto& speaker = speakers_[uid];
        Draft draft;
        draft.header.sender = uid;
        draft.core.boot = speaker.boot;
        draft.core.seq = ++speaker.seq;
        draft.core.wall_ms = world_.clocks.wall_ms();
        draft.core.state = Announced::alive;
        draft.number = static_cast<NodeId>(i % 8U);
        std::array<std::byte, wire::kDatagram> body{};
        const auto written = wire::write_body(draft, body);
        give(arrival_of(uid, false, true), seal(draft.header, Bytes(body).first(written.size)));
    }
}

void Play::give_again(bool is_changed) {
    const auto which = in_.byte();
    if (given_.empty()) return;
    auto again = given_[which % given_.size()];
    if (is_changed) {
        if (again.bytes.empty()) return;
        again.bytes[in_.byte() % again.bytes.size()] ^= std::byte{static_cast<std::uint8_t>(1U + which / 2U)};
        return give(again.arrival, again.bytes);
    }
    if (which & 128U) again.arrival.from = test::address_of(200);
    const auto before = fuzz::Rows(node());
    give(again.arrival, again.bytes);
    const auto* row = before.of(again.sender);
    const bool is_known = row && row->boot == again.boot && row->standing != Standing::incompatible;
    if (again.is_taken && is_known)
        require(fuzz::Rows(node()).is_same(before, true), "what was heard once says nothing again");
}

void Play::give(const Arrival& arrival, Bytes datagram) {
    const Datagram bytes(datagram.begin(), datagram.end()); // of its own, lest more is read unnoticed
    const auto counted = node().counts();
    const fuzz::Rows before(node());
    const auto due = node().due();
    node().received(arrival, bytes);
    const auto sent = check_sent();
    require(sent <= 2, "one datagram is answered by two at most");
    const auto now = node().counts();
    const auto dropped = fuzz::dropped_since(counted, now);
    require(dropped.size() <= 1 && now.received - counted.received <= 1, "it is counted once");
    const bool is_taken = now.received > counted.received && dropped.empty();
    if (!dropped.empty() && dropped[0] != Drop::major && dropped[0] != Drop::self) {
        const fuzz::Rows after(node());
        const bool is_opened =
            dropped[0] == Drop::replay || dropped[0] == Drop::skew || dropped[0] == Drop::full;
        require(after.is_same(before, is_opened), "what is dropped changes nothing");
        require(is_opened || (sent == 0 && node().due() == due), "what cannot be read does nothing");
    }
    const auto message = world_.opener.open(bytes);
    Given given{arrival, bytes, kNobody, {}, is_taken};
    if (message) {
        given.sender = message->header.sender;
        given.boot = message->core.boot;
    }
    if (given_.size() >= kHistory) given_.erase(given_.begin());
    given_.push_back(std::move(given));
}

/// How many; each can be read, and is the next of this life.
std::size_t Play::check_sent() {
    const auto count = world_.transport.sent.size();
    std::optional<unsigned> heard;
    for (auto& sent : world_.transport.sent) {
        require(sent.bytes.size() <= wire::kDatagram, "a datagram keeps to its limit");
        const auto message = world_.opener.open(sent.bytes);
        require(message.has_value(), "what it sends can be read");
        const auto& core = message->core;
        require(message->header.sender == settings_.uid && core.boot.counter == settings_.boot.counter,
                "it speaks for itself");
        require(core.seq > last_seq_ || sent.bytes == last_sent_, "it counts what it sends");
        require(core.wall_ms == world_.clocks.wall_ms(), "it is of now");
        last_seq_ = core.seq;
        if (message->header.type == Type::ping) nonce_ = message->nonce.value_or(nonce_);
        if (message->header.type == Type::heartbeat) heard = message->heard;
        last_sent_ = std::move(sent.bytes);
    }
    world_.transport.sent.clear();
    if (heard) { // nothing happens to peers after a heartbeat in the same turn
        const fuzz::Rows rows(node());
        require(*heard >= rows.count(Standing::alive) && *heard <= rows.there(),
                "it tells how many it hears");
    }
    return count;
}

void Play::look() {
    (void)check_sent();
    fuzz::Rows rows(node());
    rows.check(settings_, node(), looks_++);
    for (const auto& row : rows.all)
        require(row.standing == Standing::clone || events_.of(row.uid) == row.standing,
                "every change of a peer is told", membership::text_of(row.uid));
    for (const auto& [uid, standing] : events_.standings)
        require(rows.of(uid) != nullptr, "who is forgotten is told", membership::text_of(uid));
    require(events_.own == node().state(), "every change of its own is told");
    if (rows_ && rows_->print == rows.print)
        require(rows.is_same(*rows_, false), "rows with the same fingerprint are the same");
    rows_ = std::move(rows);
    world_.log.clear();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Input input(data, size);
    Play(input).run();
    return 0;
}
