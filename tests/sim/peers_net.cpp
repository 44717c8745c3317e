// The simulated network of nodes: programs, clocks, datagrams and what happens to them.
#include "tests/sim/peers_net.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace schedd::test {

namespace {
constexpr std::uint64_t kCluster = 7;
constexpr std::size_t kInbox = 1000; // datagrams that a socket keeps
} // namespace

/// One life of a node, with all that it is given.
struct Machine::Program final : Clock, MachineClocks, Log, Transport, Configuration, NodeListener {
    Program(PeersNet& of, Machine& on) : net(of), machine(on), rng(of.rng_.next()), base_ms(of.now_ms_) {}

    // clocks: the monotonic one drifts, the other one may be stepped
    [[nodiscard]] Time now() const override {
        const auto passed = static_cast<double>(net.now_ms_ - base_ms) * (1 + machine.drift);
        return 1h + std::chrono::microseconds(static_cast<std::int64_t>(passed * 1000));
    }
    [[nodiscard]] std::uint64_t sim_ms(Time at) const {
        const auto passed = std::chrono::duration<double, std::milli>(at - 1h).count() / (1 + machine.drift);
        return base_ms + static_cast<std::uint64_t>(std::max(0.0, passed)) + 1;
    }
    [[nodiscard]] std::uint64_t wall_ms() const override {
        return 1'700'000'000'000 + net.now_ms_ + static_cast<std::uint64_t>(machine.wall_ahead_ms);
    }
    [[nodiscard]] Duration suspended() const override { return machine.asleep; }
    void write(Severity /*severity*/, std::string_view about, std::string_view message) override {
        ++lines;
        if (net.trace)
            fmt::print("{:.3f} {}: {}: {}\n", static_cast<double>(net.now_ms_ - 3'600'000) / 1e3,
                       machine.index, about, message);
    }
    void self_changed(Announced now, Announced before) override {
        if (net.trace)
            fmt::print("{:.3f} {}: {} -> {}\n", static_cast<double>(net.now_ms_ - 3'600'000) / 1e3,
                       machine.index, name_of(before), name_of(now));
    }
    void to_group(Bytes datagram) override { net.sent(machine.index, std::nullopt, datagram); }
    void to(const Address& address, Bytes datagram) override { net.sent(machine.index, address, datagram); }
    void rejoin() override {}

    // a configuration that anybody who has it gives at once
    [[nodiscard]] Digest digest() const override { return is_whole ? Digest{{1, 2, 3}} : Digest{}; }
    [[nodiscard]] Hlc latest() const override { return Hlc::of(1, 0); }
    [[nodiscard]] std::optional<ApplyStatus> applied() const override { return std::nullopt; }
    [[nodiscard]] std::string_view trouble() const override { return {}; }
    [[nodiscard]] bool is_complete() const override { return is_whole; }
    void heard(const Message& message, const Address& /*address*/, Time /*now*/) override {
        is_whole = is_whole || message.core.digest != Digest{};
    }
    void delta(const Message& /*message*/, Time /*now*/) override {}
    void alone(Time /*now*/) override { is_whole = true; }
    void lost(NodeUid /*peer*/, Time /*now*/) override {}

    void peer_changed(const PeerFacts& peer, Standing before) override {
        if (peer.standing == Standing::dead) ++net.totals.deaths;
        if (net.trace)
            fmt::print("{:.3f} {}: {} {} -> {} boot {}.{}\n",
                       static_cast<double>(net.now_ms_ - 3'600'000) / 1e3, machine.index,
                       net.of(peer.uid) ? net.of(peer.uid)->index : 0, name_of(before),
                       name_of(peer.standing), peer.boot.counter, peer.boot.random);
        if (peer.standing == Standing::dead || peer.standing == Standing::left)
            node->values().list(peer.uid, [&](std::string_view path, const Values::Value&) {
                net.blame(fmt::format("{} still has the value {} of {}, which is gone", machine.index, path,
                                      text_of(peer.uid)));
            });
        if (net.observer) net.observer->changed(machine, peer, before);
    }
    void displaced(const Address& /*by*/) override { is_displaced = true; }

    PeersNet& net;
    Machine& machine;
    Rng rng;
    std::uint64_t base_ms;
    bool is_whole = false;
    bool is_displaced = false;
    std::uint64_t lines = 0;
    std::unique_ptr<Node> node;
};

PeersNet::PeersNet(std::uint64_t seed, std::size_t machines) : rng_(seed) {
    for (std::size_t i = 0; i < machines; ++i) {
        auto& machine = *machines_.emplace_back(std::make_unique<Machine>());
        machine.index = i;
        machine.uid = static_cast<NodeUid>(rng_.next() | 1U);
        machine.drift = (chance() - 0.5) * 2e-4; // 100 ppm either way
        machine.wall_ahead_ms = static_cast<std::int64_t>(rng_.below(200)) - 100;
        by_uid_[machine.uid] = i;
    }
    for (std::uint8_t key = 1; key <= 9; ++key) opener_.add(key);
}
PeersNet::~PeersNet() = default;

Node& PeersNet::node(std::size_t index) { return *machines_[index]->program->node; }

Machine* PeersNet::of(NodeUid uid) {
    const auto at = by_uid_.find(uid);
    return at == by_uid_.end() ? nullptr : machines_[at->second].get();
}

void PeersNet::blame(const std::string& what) {
    if (fault.empty())
        fault = fmt::format("after {:.3f} s: {}", static_cast<double>(now_ms_ - 3'600'000) / 1e3, what);
}

Address PeersNet::address_of(std::size_t index) {
    Address address{.ip = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0}, .port = 7420};
    address.ip[14] = static_cast<std::uint8_t>(index >> 8U);
    address.ip[15] = static_cast<std::uint8_t>(index);
    return address;
}

void PeersNet::start(Machine& machine) {
    machine.program = std::make_unique<Machine::Program>(*this, machine);
    auto& program = *machine.program;
    NodeSettings settings;
    settings.cluster = kCluster;
    settings.uid = machine.uid;
    machine.life = ++machine.boots;
    settings.boot = {machine.life, static_cast<std::uint32_t>(rng_.next())};
    settings.name = fmt::format("m{}", machine.index);
    settings.period = period;
    settings.last_number = machine.number;
    settings.addresses = {address_of(machine.index)};
    if (settle) settle(settings);
    program.node = std::make_unique<Node>(settings, NodeWorld{program, program, program.rng, program, program,
                                                              machine.cipher, program});
    program.node->set_listener(&program);
    program.node->recall(machine.disk);
    std::vector<Published> sources;
    for (std::size_t i = 0; i < published; ++i)
        sources.push_back({fmt::format("probes/p{}/value", i), static_cast<std::int32_t>(machine.index)});
    program.node->set_published(std::move(sources));
    machine.disturbed_ms = now_ms_;
    machine.marks.clear();
    machine.paused_until_ms = 0;
    machine.tick_ms = UINT64_MAX;
    plan_tick(machine);
}

void PeersNet::crash(Machine& machine, bool keeps_disk) {
    if (!machine.is_up()) return;
    machine.number = machine.program->node->number();
    machine.disk = machine.program->node->remember();
    if (!keeps_disk) {
        machine.disk.clear();
        machine.number.reset();
        machine.boots = 0;
    }
    machine.program.reset();
    machine.inbox.clear();
    machine.disturbed_ms = now_ms_;
}

void PeersNet::pause(Machine& machine, std::uint64_t for_ms) {
    machine.paused_until_ms = now_ms_ + for_ms;
    machine.disturbed_ms = machine.paused_until_ms;
}

Machine& PeersNet::clone(const Machine& of) {
    auto& machine = *machines_.emplace_back(std::make_unique<Machine>());
    machine.index = machines_.size() - 1;
    machine.uid = of.uid;
    machine.boots = of.boots;
    machine.cipher = of.cipher;
    machine.is_clone = true;
    return machine;
}

bool PeersNet::can_reach(const Machine& from, const Machine& to) const {
    return from.side == to.side && !from.is_outgoing_cut && !to.is_incoming_cut;
}

std::uint32_t PeersNet::keep(std::size_t from, Bytes datagram, bool is_replay) {
    while (!packets_.empty() && packets_.front().sent_ms + 20'000 < now_ms_) {
        packets_.pop_front();
        ++first_packet_;
    }
    auto& packet = packets_.emplace_back();
    packet.bytes.assign(datagram.begin(), datagram.end());
    packet.sender = from;
    packet.is_replay = is_replay;
    packet.sent_ms = now_ms_;
    const auto header = wire::read_header(packet.bytes);
    const auto sealed = Bytes(packet.bytes).subspan(wire::kHeader);
    packet.body.resize(sealed.size());
    const auto size =
        opener_.open(header->key, Bytes(packet.bytes).first(wire::kHeader), sealed, packet.body);
    const auto message = wire::read_body(*header, Bytes(packet.body).first(size.value_or(0)));
    if (message) packet.message = *message;
    else blame("a node has sent what nobody can read");
    return first_packet_ + static_cast<std::uint32_t>(packets_.size() - 1);
}

/// With two parts that this version does not know, one of them twice, and a higher minor version.
std::vector<std::byte> PeersNet::as_newer(Bytes datagram) {
    constexpr std::size_t kMinorTo = 31; // in the body, see PROTOCOL.md
    constexpr std::array<std::uint8_t, 19> kUnknown{0, 99,   0, 3, 1, 2, 3, 0, 99, 0,
                                                    0, 0x7f, 1, 0, 4, 9, 9, 9, 9};
    auto header = wire::read_header(datagram);
    const auto sealed = datagram.subspan(wire::kHeader);
    std::vector<std::byte> body(sealed.size());
    body.resize(opener_.open(header->key, datagram.first(wire::kHeader), sealed, body).value_or(0));
    if (body.size() + kUnknown.size() > wire::kDatagram - wire::kHeader - opener_.overhead())
        return {datagram.begin(), datagram.end()};
    for (const auto byte : kUnknown) body.push_back(std::byte{byte});
    body[kMinorTo] = std::byte{wire::kMinor + 3};
    std::vector<std::byte> out(wire::kHeader + body.size() + opener_.overhead());
    wire::write_header(*header, out.size() - wire::kHeader, Space(out).first(wire::kHeader));
    opener_.seal(header->key, Bytes(out).first(wire::kHeader), body, Space(out).subspan(wire::kHeader));
    return out;
}

void PeersNet::sent(std::size_t from, std::optional<Address> to, Bytes datagram) {
    std::vector<std::byte> newer;
    if (machines_[from]->is_newer) datagram = newer = as_newer(datagram);
    const auto packet = keep(from, datagram, false);
    if (weather.replayed > 0 && rng_.below(20) == 0) {
        Captured one{{datagram.begin(), datagram.end()}, from, now_ms_};
        if (captured_.size() < 500) captured_.push_back(std::move(one));
        else captured_[rng_.below(captured_.size())] = std::move(one);
    }
    if (to) {
        const auto index = std::size_t{to->ip[14]} << 8U | to->ip[15];
        if (index < machines_.size()) carry(packet, from, index, false);
    } else
        for (std::size_t i = 0; i < machines_.size(); ++i)
            if (i != from && (i < observers || from < observers)) carry(packet, from, i, true);
    if (weather.replayed > 0 && chance() < weather.replayed) replay_something();
}

/// An attacker sends again what was heard before, from wherever, to somebody or to all.
void PeersNet::replay_something() {
    if (captured_.empty()) return;
    const auto& one = captured_[rng_.below(captured_.size())];
    if (one.sent_ms + 3000 > now_ms_) return; // not on its way any more
    const auto packet = keep(one.sender, one.bytes, true);
    ++totals.replays;
    for (std::size_t i = 0; i < machines_.size(); ++i)
        if (machines_[i]->uid != machines_[one.sender]->uid)
            deliveries_[(now_ms_ + 1) % kSlots].push_back({packet, static_cast<std::uint16_t>(i), true});
}

bool PeersNet::is_lost(Machine& to) {
    if (weather.burst_loss > 0) {
        while (now_ms_ >= to.burst_ends_ms) {
            to.loses_now = !to.loses_now && to.burst_ends_ms != 0;
            const auto calm = 2000 * (1 - weather.burst_loss) / weather.burst_loss;
            const auto mean = to.loses_now ? 2000.0 : calm;
            to.burst_ends_ms = now_ms_ + 1 + static_cast<std::uint64_t>(mean * 2 * chance());
        }
        if (to.loses_now && chance() < 0.9) return true;
    }
    return weather.loss > 0 && chance() < weather.loss;
}

void PeersNet::carry(std::uint32_t packet, std::size_t from, std::size_t to, bool is_group) {
    auto& receiver = *machines_[to];
    if (!receiver.is_up() || !can_reach(*machines_[from], receiver)) return;
    if (is_lost(receiver)) {
        ++totals.lost;
        return;
    }
    const auto put = [&](std::uint64_t delay) {
        deliveries_[(now_ms_ + 1 + delay) % kSlots].push_back(
            {packet, static_cast<std::uint16_t>(to), is_group});
    };
    auto delay = weather.delay_min_ms + (weather.delay_more_ms ? rng_.below(weather.delay_more_ms) : 0);
    if (weather.delayed > 0 && chance() < weather.delayed) delay += rng_.below(1000);
    put(delay);
    if (weather.duplicated > 0 && chance() < weather.duplicated) put(delay + rng_.below(50));
}

void PeersNet::deliver(Machine& machine, std::uint32_t packet, bool is_group) {
    if (!machine.is_up()) return;
    if (now_ms_ < machine.paused_until_ms) {
        if (machine.inbox.size() < kInbox) machine.inbox.emplace_back(packet, is_group);
        else machine.has_overflowed = true;
        return;
    }
    if (packet < first_packet_) return;
    deliver_now(machine, packets_[packet - first_packet_], is_group);
}

void PeersNet::deliver_now(Machine& machine, const Packet& packet, bool is_group) {
    ++totals.deliveries;
    auto& node = *machine.program->node;
    const Arrival arrival{address_of(packet.sender), is_group};
    if (packet.is_replay) return replay_to(machine, packet, arrival);
    if (weather.replayed > 0) {
        const auto& core = packet.message.core;
        auto& mark = machine.marks[packet.message.header.sender];
        if (mark.first == core.boot) mark.second = std::max(mark.second, core.seq);
        else mark = {core.boot, core.seq};
    }
    if (machine.cipher.knows(packet.message.header.key))
        node.received(arrival, packet.message, packet.bytes.size());
    else node.received(arrival, packet.bytes);
    if (machine.program) plan_tick(machine);
}

/// To whoever has it, or newer ones of its life; what never arrived may as well be late, for half a minute.
void PeersNet::replay_to(Machine& machine, const Packet& packet, const Arrival& arrival) {
    const auto& core = packet.message.core;
    const auto uid = packet.message.header.sender;
    const auto mark = machine.marks.find(uid);
    const auto& node = *machine.program->node;
    const auto before = node.peer(uid);
    if (mark == machine.marks.end() || mark->second.first != core.boot || mark->second.second < core.seq ||
        !before || before->boot.counter < core.boot.counter || now_ms_ < machine.disturbed_ms + 60'000 ||
        now_ms_ < machines_[packet.sender]->disturbed_ms + 60'000)
        return;
    machine.program->node->received(arrival, packet.bytes);
    const auto after = node.peer(uid);
    const bool is_same = after && before->standing == after->standing && before->boot == after->boot &&
                         before->number == after->number && before->silence == after->silence;
    if (!is_same)
        blame(fmt::format("a replay of type {} changed what {} makes of {}: {} -> {}, silence {} -> {} ms",
                          static_cast<int>(packet.message.header.type), machine.index, text_of(uid),
                          name_of(before->standing), after ? name_of(after->standing) : "nothing",
                          milliseconds_of(before->silence), after ? milliseconds_of(after->silence) : 0));
    plan_tick(machine);
}

void PeersNet::plan_tick(Machine& machine) {
    const auto due = machine.program->node->due();
    if (due == kNever) return;
    auto at = std::max(machine.program->sim_ms(due), now_ms_ + 1);
    if (now_ms_ < machine.paused_until_ms) at = machine.paused_until_ms;
    at = std::min(at, now_ms_ + kSlots - 1);
    if (machine.tick_ms > now_ms_ && machine.tick_ms <= at) return;
    machine.tick_ms = at;
    ticks_[at % kSlots].push_back(static_cast<std::uint16_t>(machine.index));
}

void PeersNet::tick(Machine& machine) {
    if (!machine.is_up() || machine.tick_ms != now_ms_) return;
    if (now_ms_ < machine.paused_until_ms) return plan_tick(machine);
    auto& node = *machine.program->node;
    if (!machine.inbox.empty()) {
        const auto inbox = std::exchange(machine.inbox, {});
        for (const auto& [packet, is_group] : inbox)
            if (packet >= first_packet_) deliver_now(machine, packets_[packet - first_packet_], is_group);
        if (std::exchange(machine.has_overflowed, false)) node.overflowed();
    }
    if (node.due() <= machine.program->now()) node.tick();
    machine.tick_ms = UINT64_MAX;
    if (node.is_gone()) {
        const bool was_displaced = machine.program->is_displaced;
        if (!was_displaced) crash(machine, true);
        return;
    }
    plan_tick(machine);
}

void PeersNet::run(std::uint64_t for_ms) {
    for (const auto end = now_ms_ + for_ms; now_ms_ < end && fault.empty();) {
        ++now_ms_;
        auto& slot = deliveries_[now_ms_ % kSlots];
        if (!slot.empty()) {
            slot_.swap(slot);
            for (const auto& one : slot_) deliver(*machines_[one.to], one.packet, one.is_group);
            slot_.clear();
        }
        auto& due = ticks_[now_ms_ % kSlots];
        for (std::size_t i = 0; i < due.size(); ++i) tick(*machines_[due[i]]);
        due.clear();
    }
}

} // namespace schedd::test
