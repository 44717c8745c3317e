// The packets that the tests of the wire compare.
#include "tests/unit/membership/packets.h"

#include <algorithm>
#include <span>

namespace schedd::test {

using namespace membership;

namespace {

Core core() {
    Core core;
    core.boot = {7, 0xdeadbeef};
    core.seq = 0x0102030405060708;
    core.wall_ms = 1'763'769'600'000;
    core.incarnation = 3;
    core.state = Announced::alive;
    core.period = 10;
    core.minor_min = 0;
    core.minor_max = 2;
    for (std::size_t i = 0; i < 16; ++i) core.digest.bytes[i] = static_cast<std::uint8_t>(0xa0 + i);
    core.latest = Hlc::of(1'763'769'599'000, 5);
    return core;
}

Draft draft(Type type) {
    Draft draft;
    draft.header = {1, type, 0, 9, 0x1122334455667788, NodeUid{0x8877665544332211}};
    draft.core = core();
    return draft;
}

constexpr std::array<Load, 3> kLoads{{{1, 1500}, {2, -1}, {0x0304, 2'147'483'647}}};
constexpr std::array<SourceName, 2> kSources{{{1, "probes/cpu/node_load"}, {2, "probes/mem/free_mem"}}};
constexpr std::array<Suspicion, 2> kSuspicions{
    {{NodeUid{0xaabbccdd00112233}, {4, 0x01020304}, 9}, {NodeUid{1}, {0, 0}, 0}}};
constexpr std::string_view kDelta = "an encoded list of entries";

const std::array<Address, 2>& addresses() {
    static const std::array<Address, 2> all = [] {
        std::array<Address, 2> made{};
        made[0].ip = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 2};
        made[1].ip = {0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3};
        return made;
    }();
    return all;
}

std::vector<Packet> make() {
    auto heartbeat = draft(Type::heartbeat);
    heartbeat.name = "rechner-ä";
    heartbeat.number = 65535;
    heartbeat.loads = kLoads;
    heartbeat.sources = kSources;
    heartbeat.addresses = addresses();
    heartbeat.features = 0x8000000000000001;
    heartbeat.ring = 0x0badcafe0badcafe;
    heartbeat.heard = 999;
    heartbeat.applied = ApplyStatus{{{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}}, 998, 1, 2};
    heartbeat.trouble = "schedulers/A: there is no policy 'mine' here";
    heartbeat.suspicions = kSuspicions;
    auto join = draft(Type::join);
    join.core.state = Announced::joining;
    join.name = "new";
    join.number = -1;
    auto leave = draft(Type::leave);
    leave.core.state = Announced::leaving;
    auto ping = draft(Type::ping);
    ping.nonce = 0x1020304050607080;
    auto ack = draft(Type::ack);
    ack.nonce = 0x1020304050607080;
    auto request = draft(Type::ping_request);
    request.nonce = 1;
    request.target = NodeUid{0xaabbccdd00112233};
    auto suspect = draft(Type::suspect);
    suspect.suspicions = std::span(kSuspicions).first(1);
    auto delta = draft(Type::conf_delta);
    delta.delta = std::as_bytes(std::span(kDelta));
    return {{"heartbeat", heartbeat}, {"join", join},       {"leave", leave},
            {"ping", ping},           {"ack", ack},         {"ping_request", request},
            {"suspect", suspect},     {"conf_delta", delta}};
}

} // namespace

const std::vector<Packet>& packets() {
    static const auto all = make();
    return all;
}

const Packet& packet(Type type) {
    return *std::ranges::find(packets(), type, [](const Packet& packet) { return packet.draft.header.type; });
}

Clear clear_of(const Draft& draft) {
    Clear clear;
    clear.body.resize(wire::kDatagram - wire::kHeader - 40);
    clear.body.resize(wire::write_body(draft, clear.body).size);
    clear.header.resize(wire::kHeader);
    wire::write_header(draft.header, clear.body.size() + 40, clear.header);
    return clear;
}

std::vector<std::byte> with_part(std::vector<std::byte> body, std::uint16_t part, std::string_view bytes) {
    for (const auto number : {std::size_t{part}, bytes.size()}) {
        body.push_back(static_cast<std::byte>(number >> 8U));
        body.push_back(static_cast<std::byte>(number));
    }
    const auto more = std::as_bytes(std::span(bytes));
    body.insert(body.end(), more.begin(), more.end());
    return body;
}

std::string difference(const Message& message, const Draft& draft) {
    std::string found;
    const auto compare = [&](bool is_same, std::string_view what) {
        if (!is_same) found += std::string(what) + " ";
    };
    const auto& core = message.core;
    compare(message.header.major == draft.header.major && message.header.type == draft.header.type &&
                message.header.flags == draft.header.flags && message.header.key == draft.header.key,
            "header");
    compare(message.header.cluster == draft.header.cluster && message.header.sender == draft.header.sender,
            "cluster or sender");
    compare(core.boot == draft.core.boot, "boot");
    compare(core.seq == draft.core.seq, "seq");
    compare(core.wall_ms == draft.core.wall_ms, "wall_ms");
    compare(core.incarnation == draft.core.incarnation, "incarnation");
    compare(core.state == draft.core.state && core.period == draft.core.period, "state or period");
    compare(core.minor_min == draft.core.minor_min && core.minor_max == draft.core.minor_max, "minor");
    compare(core.digest == draft.core.digest && core.latest == draft.core.latest, "digest or latest");
    compare(message.name == draft.name, "name");
    compare(message.number == draft.number, "number");
    compare(std::ranges::equal(rows_of(message.loads), draft.loads), "loads");
    compare(std::ranges::equal(rows_of(message.sources), draft.sources), "sources");
    compare(std::ranges::equal(rows_of(message.addresses), draft.addresses), "addresses");
    compare(message.features == draft.features && message.ring == draft.ring, "features or ring");
    compare(message.heard == draft.heard, "heard");
    compare(message.applied == draft.applied, "applied");
    compare(message.trouble == draft.trouble, "trouble");
    compare(std::ranges::equal(rows_of(message.suspicions), draft.suspicions), "suspicions");
    compare(message.nonce == draft.nonce && message.target == draft.target, "nonce or target");
    compare(std::ranges::equal(message.delta, draft.delta), "delta");
    return found;
}

} // namespace schedd::test
