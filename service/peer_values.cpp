// Which peers count as nodes, and what they have told.
#include "service/peer_values.h"

#include <algorithm>
#include <tuple>

namespace schedd::service {

using membership::Announced;
using membership::PeerFacts;
using membership::Standing;

namespace {

/// Whether it is a node of the cluster as others see it: a suspect one still is, and takes no work.
bool is_there(Standing standing) {
    switch (standing) {
    case Standing::joining:
    case Standing::alive:
    case Standing::late:
    case Standing::suspect:
    case Standing::isolated:
    case Standing::draining: return true;
    case Standing::dead:
    case Standing::left:
    case Standing::incompatible:
    case Standing::skewed:
    case Standing::clone: return false;
    }
    return false;
}

/// By number, those without one last, and then by name.
auto place_of(const model::NodeRow& row) {
    return std::tuple(static_cast<std::uint32_t>(row.number), std::string_view(row.name));
}

} // namespace

bool PeerValues::refresh(const membership::Node& node, const std::string& own_name) {
    const auto state = node.state();
    return take({.number = node.number().value_or(-1),
                 .name = own_name,
                 .takes_work = state == Announced::alive,
                 .is_joining = state == Announced::joining,
                 .is_draining = state == Announced::draining},
                node.peers(), node.values());
}

bool PeerValues::take(model::NodeRow self, std::span<const PeerFacts> peers,
                      const membership::Values& values) {
    std::vector<model::NodeRow> rows;
    uids_.clear();
    self.is_self = true;
    rows.push_back(std::move(self));
    for (const auto& peer : peers) {
        if (!is_there(peer.standing)) continue;
        rows.push_back({.number = peer.number,
                        .name = peer.name,
                        .takes_work = membership::takes_work(peer.standing),
                        .is_joining = peer.standing == Standing::joining,
                        .is_draining = peer.standing == Standing::draining});
        if (peer.number >= 0) uids_.emplace_back(peer.number, peer.uid);
    }
    std::ranges::stable_sort(rows, {}, place_of);
    std::ranges::sort(uids_);
    values_ = &values;
    if (rows == rows_) return false;
    rows_ = std::move(rows);
    return true;
}

bool PeerValues::clear() {
    const bool was_on = !rows_.empty();
    rows_.clear();
    uids_.clear();
    values_ = nullptr;
    return was_on;
}

std::optional<model::Sample> PeerValues::read(model::NodeId node, std::string_view source_path) const {
    const auto at = std::ranges::lower_bound(uids_, node, {}, [](const auto& row) { return row.first; });
    if (at == uids_.end() || at->first != node) return std::nullopt;
    const auto told = values_->read(at->second, source_path);
    if (!told) return std::nullopt;
    return model::Sample{.value = std::int64_t{told->value},
                         .time = told->heard,
                         .fresh_for = 3 * told->period,
                         .origin = node};
}

} // namespace schedd::service
