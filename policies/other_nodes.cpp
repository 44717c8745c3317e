// What policies share that send work to other nodes.
#include "policies/other_nodes.h"

#include <algorithm>

#include <fmt/format.h>

namespace schedd::policies {

namespace {

/// Nothing is remembered longer: what a node tells after that contains it, or it never arrived.
constexpr Duration kForgotten = std::chrono::seconds(60);

} // namespace

std::int64_t OtherNode::plain(const Sample& sample) {
    return std::clamp<std::int64_t>(number_of(sample.value), 0, kMostValue);
}

std::vector<OtherNode> other_nodes(const View& view, const Port& port) {
    std::vector<OtherNode> nodes;
    for (const auto& row : view.nodes)
        if (!row.is_self && row.takes_work && row.number >= 0)
            nodes.push_back({&row, port.collected_from(row.number)});
    return nodes;
}

void draw(std::vector<OtherNode>& nodes, std::uint64_t choices, Rng& rng) {
    if (choices == 0) return;
    while (nodes.size() > choices)
        nodes.erase(nodes.begin() + static_cast<std::ptrdiff_t>(rng.below(nodes.size())));
}

std::optional<std::int64_t> load_of(const Subject& subject, const Port& process_load) {
    std::optional<std::int64_t> sum;
    for (const Pid pid : subject.pids)
        if (const auto load = process_load.collected(Parameter(static_cast<std::int64_t>(pid))))
            sum = std::min(sum.value_or(0) + OtherNode::plain(*load), kMostValue);
    return sum;
}

std::string why_not(const View& view, const Subject& subject) {
    return view.movement ? view.movement->why_not(subject.target) : "nothing can be moved from this node";
}

std::int64_t gain_of(const View& view, std::int64_t load, std::int64_t here, std::int64_t there) {
    const auto cpus = std::max(view.topology.usable().count(), 1) * kWhole;
    const auto share = [&](std::int64_t of) { return of <= cpus ? kWhole : cpus * kWhole / of; };
    return std::max<std::int64_t>(load * (share(there) - share(here)) / kWhole, 1);
}

void UnderWay::sent(NodeId node, std::int64_t load, Time now) {
    std::erase_if(sent_, [&](const Sent& sent) { return now - sent.at > kForgotten; });
    sent_.push_back({node, load, now});
}

std::int64_t UnderWay::to(NodeId node, Time told) const {
    std::int64_t sum = 0;
    for (const auto& sent : sent_)
        if (sent.node == node && sent.at + arrives_ > told) sum = std::min(sum + sent.load, kMostValue);
    return sum;
}

void Leaving::nodes_changed(NodesView nodes, NodesView left) {
    if (self_of(nodes)) has_left_ = is_listed_ = false;
    if (!self_of(left) || nodes.empty()) return;
    has_left_ = true;
    is_listed_ = false;
    tried_.clear();
}

std::string Leaving::why(const View& view) const {
    const auto* self = self_of(view.nodes);
    if (self) return self->is_draining ? "this node drains" : "";
    if (!has_left_ || view.nodes.empty() || (is_listed_ && tried_.empty())) return {};
    return "this node is not in the node set any more";
}

/// Nodes that have told nothing are asked only if nobody has told anything.
const NodeRow* Leaving::target(const View& view, const Port& node_load) const {
    auto nodes = other_nodes(view, node_load);
    if (std::ranges::any_of(nodes, [](const OtherNode& node) { return node.told.has_value(); }))
        std::erase_if(nodes, [](const OtherNode& node) { return !node.told; });
    const auto expected = [&](const OtherNode& node) {
        return node.value() + under_way_.to(node.number(), node.told ? node.told->time : Time{});
    };
    const auto best = std::ranges::min_element(nodes, {}, expected);
    return best == nodes.end() ? nullptr : best->row;
}

std::vector<Move> Leaving::next(const View& view, const std::string& why, const Port& node_load,
                                const Port& process_load) {
    follow(view.subjects);
    const auto* movement = view.movement;
    if (!movement || movement->on_going() > 0) return {};
    const auto last = movement->last_start();
    if (last && view.now - *last < kMoveInterval) return {};
    const auto* to = target(view, node_load);
    const auto* chosen = to ? choose(view, process_load) : nullptr;
    if (!chosen) return {};
    ++tried_[chosen->target];
    // also one whose load is not known wants something
    const auto load = std::max<std::int64_t>(load_of(*chosen, process_load).value_or(0), 1);
    under_way_.sent(to->number, load, view.now);
    return {{.target = chosen->target,
             .to = to->number,
             .reason = fmt::format("{}; node {} has least to do", why, text_of(*to))}};
}

/// The one that was tried least often, of these the largest.
const Subject* Leaving::choose(const View& view, const Port& process_load) const {
    const Subject* chosen = nullptr;
    std::pair<int, std::int64_t> rank;
    for (const Subject& subject : view.subjects) {
        const auto tried = tried_.find(subject.target);
        if (has_left_ && tried == tried_.end()) continue;
        const std::pair mine(tried == tried_.end() ? 0 : tried->second,
                             -load_of(subject, process_load).value_or(0));
        if ((chosen && mine >= rank) || !why_not(view, subject).empty()) continue;
        chosen = &subject;
        rank = mine;
    }
    return chosen;
}

void Leaving::follow(const Subjects& subjects) {
    std::erase_if(tried_, [&](const auto& tried) {
        return !subjects.find(tried.first) || (has_left_ && tried.second >= kTries);
    });
    if (!has_left_ || std::exchange(is_listed_, true)) return;
    for (const Subject& subject : subjects) tried_.emplace(subject.target, 0);
}

} // namespace schedd::policies
