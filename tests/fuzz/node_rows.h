// What a node of membership tells of its peers, and what must hold of it at any time.
#pragma once

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <vector>

#include "components/membership/node.h"
#include "components/membership/wire_parts.h"
#include "tests/fuzz/fuzz.h"

namespace schedd::fuzz {

using namespace membership;

/// A peer's state as who only listens believes it to be.
struct Events final : NodeListener {
    void peer_changed(const PeerFacts& peer, Standing before) override {
        require(peer.standing != before, "a change is one");
        require(of(peer.uid) == before, "one change begins where the last has ended", text_of(peer.uid));
        standings[peer.uid] = peer.standing;
    }
    void peer_forgotten(NodeUid uid) override { standings.erase(uid); }
    void self_changed(Announced now, Announced before) override {
        require(before == own, "its own changes follow each other");
        own = now;
    }
    /// Of whom nothing was told: left, as all are before they speak.
    [[nodiscard]] Standing of(NodeUid uid) const {
        const auto at = standings.find(uid);
        return at == standings.end() ? Standing::left : at->second;
    }
    std::map<NodeUid, Standing> standings;
    Announced own = Announced::joining;
};

inline bool is_there(Standing standing) {
    switch (standing) {
    case Standing::dead:
    case Standing::left:
    case Standing::incompatible:
    case Standing::skewed:
    case Standing::clone: return false;
    default: return true;
    }
}

/// All but what changes by itself.
inline bool is_same_row(const PeerFacts& a, const PeerFacts& b) {
    const auto row = [](const PeerFacts& f) {
        return std::tie(f.uid, f.boot, f.number, f.name, f.standing, f.addresses, f.period, f.is_unicast,
                        f.digest, f.applied, f.trouble, f.ring);
    };
    return row(a) == row(b);
}

/// Peers and fingerprint at one moment.
struct Rows {
    std::vector<PeerFacts> all;
    std::uint64_t print = 0;

    explicit Rows(const Node& node) : all(node.peers()), print(node.fingerprint()) {}
    /// The peer, not those who say that they are it.
    [[nodiscard]] const PeerFacts* of(NodeUid uid) const {
        for (const auto& row : all)
            if (row.uid == uid && row.standing != Standing::clone) return &row;
        return nullptr;
    }
    [[nodiscard]] std::size_t count(Standing standing) const {
        return static_cast<std::size_t>(std::ranges::count(all, standing, &PeerFacts::standing));
    }
    [[nodiscard]] std::size_t there() const {
        return static_cast<std::size_t>(
            std::ranges::count_if(all, [](const PeerFacts& row) { return fuzz::is_there(row.standing); }));
    }
    /// No peer is another one; with `peers_only` clones may be, and nobody was heard in between.
    [[nodiscard]] bool is_same(const Rows& other, bool peers_only) const {
        const auto of = [&](const Rows& rows) {
            std::vector<const PeerFacts*> kept;
            for (const auto& row : rows.all)
                if (!peers_only || row.standing != Standing::clone) kept.push_back(&row);
            return kept;
        };
        return std::ranges::equal(of(*this), of(other), [&](const PeerFacts* a, const PeerFacts* b) {
            return is_same_row(*a, *b) && (!peers_only || a->silence == b->silence);
        });
    }
    void check(const NodeSettings& settings, Node& node, std::size_t turn) const;
};

inline void check_row(const PeerFacts& row) {
    require(row.uid != kNobody, "a peer is somebody");
    require(row.number >= -1 && row.number <= wire::kLastNumber, "the number is one");
    require(row.name.size() <= limits::kPeerName && wire::is_plain_text(row.name), "a name is for people");
    require(row.addresses.size() <= limits::kAddresses, "addresses keep to their limit");
    require(row.silence >= Duration{} && row.since >= Duration{}, "ages are ages");
    require(row.loss >= 0 && row.loss <= 1, "a loss is a share");
    if (row.standing == Standing::clone) return;
    require(row.period >= std::chrono::milliseconds(100), "a period is one");
    require(row.standing == Standing::dead || !row.addresses.empty(), "who was heard has an address");
}

/// Rows against each other, and each against what the node says of it when it is asked for it alone; of those
/// of a crowd only some at each turn.
inline void Rows::check(const NodeSettings& settings, Node& node, std::size_t turn) const {
    std::set<NodeUid> uids;
    std::set<NodeId> numbers;
    std::size_t index = 0;
    std::size_t clones = 0;
    for (const auto& row : all) {
        check_row(row);
        if (row.standing == Standing::clone) {
            ++clones;
            continue;
        }
        require(row.uid != settings.uid, "it is no peer of its own");
        require(uids.insert(row.uid).second, "nobody is told twice");
        const bool is_in = fuzz::is_there(row.standing);
        if (is_in && row.number >= 0)
            require(numbers.insert(row.number).second, "a number that two have is one's");
        std::size_t values = 0;
        node.values().list(row.uid, [&](std::string_view path, const Values::Value&) {
            ++values;
            require(path.size() <= limits::kSourcePath && wire::is_plain_text(path), "a path is for people");
        });
        require(values <= limits::kSources, "values keep to their limit");
        require(is_in || values == 0, "who is not there has no values", std::string(name_of(row.standing)));
        if ((index++ + turn) % 8 != 0 && all.size() > 8) continue;
        const auto alone = node.peer(row.uid);
        require(alone && is_same_row(*alone, row), "asked for alone it is the same");
        if (is_in && row.number >= 0)
            require(node.find(std::to_string(row.number)) == row.uid, "it is found by its number");
        const auto text = text_of(row.uid);
        if (text.starts_with("0000") || text == settings.name) continue; // may be a number
        require(node.find(text) == row.uid, "it is found by its uid");
    }
    require(uids.size() <= settings.max_peers, "there are no more peers than may be");
    require(clones <= 16, "there are no more clones than may be");
    require(node.values().nodes() <= there(), "only who is there has told values");
    require(std::ranges::is_sorted(all, {},
                                   [](const PeerFacts& row) {
                                       return std::tuple(static_cast<std::uint32_t>(row.number), row.name,
                                                         row.uid);
                                   }),
            "they are in order");
    require(node.number().value_or(0) >= 0 && node.number().value_or(0) <= wire::kLastNumber,
            "its own number is one");
    require(node.counts().isolated >= Duration{} && node.counts().worst_lag >= Duration{}, "times are times");
    require(!node.is_gone() || node.state() == Announced::leaving, "who is gone has said so");
    require((node.common_features() & ~settings.features) == 0, "common features are its own too");
    const auto offset = node.clock_offset_ms().value_or(0);
    require(offset >= INT32_MIN && offset <= INT32_MAX, "the offset is one of a peer's");
}

/// Why datagrams were dropped between two counts.
inline std::vector<wire::Drop> dropped_since(const Node::Counts& before, const Node::Counts& after) {
    std::vector<wire::Drop> all;
    for (std::size_t i = 0; i < wire::kDrops; ++i)
        for (auto count = before.dropped[i]; count < after.dropped[i]; ++count)
            all.push_back(static_cast<wire::Drop>(i));
    return all;
}

} // namespace schedd::fuzz
