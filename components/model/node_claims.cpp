// Sharing nodes among schedulers.
#include "components/model/node_claims.h"

#include <algorithm>
#include <map>
#include <tuple>

#include <fmt/format.h>

namespace schedd::model {

namespace {

/// By place in the view.
using Bits = std::vector<bool>;

bool intersect(const Bits& a, const Bits& b) {
    for (std::size_t i = 0; i < a.size(); ++i)
        if (a[i] && b[i]) return true;
    return false;
}

NodesView nodes_of(const Tree& tree) {
    const auto* remote = tree.environment().remote;
    return remote ? remote->nodes() : NodesView();
}

/// The nodes a set speaks of. One that is joining is not there for anybody but itself.
Bits bits_of(const NodeSet& set, NodesView nodes) {
    Bits bits(nodes.size());
    for (std::size_t i = 0; i < nodes.size(); ++i)
        bits[i] = set.contains(nodes[i]) && (nodes[i].is_self || !nodes[i].is_joining);
    return bits;
}

std::vector<NodeRow> rows_of(const Bits& bits, NodesView nodes) {
    std::vector<NodeRow> rows;
    for (std::size_t i = 0; i < nodes.size(); ++i)
        if (bits[i]) rows.push_back(nodes[i]);
    return rows;
}

std::string text_of(const Bits& bits, NodesView nodes) { return NodeSet::of(rows_of(bits, nodes)).text(); }

/// The nodes that both have.
std::string shared_text(Bits bits, const Bits& others, NodesView nodes) {
    for (std::size_t i = 0; i < bits.size(); ++i) bits[i] = bits[i] && others[i];
    return text_of(bits, nodes);
}

/// A scheduler with what it asks for.
struct Want {
    Scheduler* scheduler;
    Bits bits;
};

class Sharing {
public:
    explicit Sharing(const Tree& tree) : nodes_(nodes_of(tree)), owner_(nodes_.size(), nullptr) {
        std::vector<Want> exclusive;
        for (const auto& part : tree.schedulers().children()) {
            auto* scheduler = static_cast<Scheduler*>(part.get());
            if (scheduler->is_exclusive())
                exclusive.push_back({scheduler, bits_of(scheduler->node_set(), nodes_)});
        }
        std::ranges::sort(exclusive, {}, [](const Want& want) {
            const auto& who = *want.scheduler;
            return std::tuple(who.node_set().is_all(), -who.precedence(), std::string_view(who.name()));
        });
        for (const auto& want : exclusive)
            for (std::size_t i = 0; i < nodes_.size(); ++i)
                if (want.bits[i] && !owner_[i]) owner_[i] = want.scheduler;
        has_exclusive_ = !exclusive.empty();
    }

    NodeShare share_of(const Scheduler& scheduler) {
        NodeShare share;
        const auto& set = scheduler.node_set();
        auto bits = bits_of(set, nodes_);
        std::map<std::string_view, Bits> lost; // to whom
        for (std::size_t i = 0; i < nodes_.size(); ++i) {
            if (!bits[i] || !owner_[i] || owner_[i] == &scheduler) continue;
            bits[i] = false;
            // making room is what "all" means, unless it is all for itself
            if (!set.is_all() || scheduler.is_exclusive())
                lost.try_emplace(owner_[i]->name(), nodes_.size()).first->second[i] = true;
        }
        for (const auto& [owner, theirs] : lost)
            add_note(share, fmt::format("{} {} {}'s alone", text_of(theirs, nodes_),
                                        std::ranges::count(theirs, true) > 1 ? "are" : "is", owner));
        if (auto missing = set.missing(nodes_); !missing.empty()) add_note(share, missing + " not there");
        share.here = here(scheduler, bits);
        auto& rows = rows_[bits];
        if (!rows) rows = std::make_shared<const std::vector<NodeRow>>(rows_of(bits, nodes_));
        share.nodes = rows;
        return share;
    }

private:
    static void add_note(NodeShare& share, std::string_view text) {
        share.note += fmt::format("{}{}", share.note.empty() ? "" : "; ", text);
    }

    [[nodiscard]] Here here(const Scheduler& scheduler, const Bits& bits) const {
        const auto* self = self_of(nodes_);
        if (!self) return Here::yes; // it does not know itself yet: as without a cluster
        const bool is_unsure = self->is_joining && self->number < 0;
        if (is_unsure && (has_exclusive_ || !scheduler.node_set().contains(*self))) return Here::unknown;
        return bits[static_cast<std::size_t>(self - nodes_.data())] ? Here::yes : Here::no;
    }

    NodesView nodes_;
    std::vector<const Scheduler*> owner_; // who has the node exclusively
    bool has_exclusive_ = false;
    std::map<Bits, std::shared_ptr<const std::vector<NodeRow>>> rows_; // many schedulers have the same
};

/// What another would have to give up: nodes that it names, or has for itself.
Status check_one(const Tree& tree, const NodeClaim& claim, NodesView nodes) {
    const auto& scheduler = *claim.scheduler;
    const auto& set = scheduler.node_set();
    const auto where = scheduler.path().text();
    if (const auto missing = claim.names_nodes ? set.missing(nodes) : std::string(); !missing.empty()) {
        std::string there;
        for (const auto& node : nodes.first(std::min<std::size_t>(nodes.size(), 12)))
            there += (there.empty() ? "" : " ") + text_of(node);
        if (nodes.size() > 12) there += " ...";
        return fail(Errc::invalid_value, fmt::format("{}.node_set cannot hold {}: not there", where, missing),
                    "accepted: all, or of " + there);
    }
    if (set.is_all() && !scheduler.is_exclusive()) return {}; // it takes what is left
    const auto bits = bits_of(set, nodes);
    for (const auto& part : tree.schedulers().children()) {
        const auto& other = static_cast<const Scheduler&>(*part);
        if (&other == &scheduler) continue;
        const bool is_in_the_way =
            other.is_exclusive() || (scheduler.is_exclusive() && !other.node_set().is_all());
        if (!is_in_the_way) continue;
        const auto theirs = bits_of(other.node_set(), nodes);
        if (!intersect(bits, theirs)) continue;
        return fail(Errc::busy,
                    fmt::format("{} cannot have {}{}: {} {}", where, shared_text(bits, theirs, nodes),
                                scheduler.is_exclusive() ? " alone" : "", other.path().text(),
                                other.is_exclusive() ? "has it exclusively" : "names it"),
                    fmt::format("take it out of one of the node sets{}",
                                other.is_exclusive() ? ", or write node_set_exclusive false there"
                                                     : ", or write node_set all there"));
    }
    return {};
}

} // namespace

std::vector<std::pair<Scheduler*, NodeShare>> share_nodes(const Tree& tree) {
    Sharing sharing(tree);
    const bool is_alone = nodes_of(tree).empty();
    std::vector<std::pair<Scheduler*, NodeShare>> shares;
    for (const auto& part : tree.schedulers().children()) {
        auto* scheduler = static_cast<Scheduler*>(part.get());
        shares.emplace_back(scheduler, is_alone ? NodeShare() : sharing.share_of(*scheduler));
    }
    return shares;
}

Status check_claims(const Tree& tree, std::span<const NodeClaim> claims) {
    const auto nodes = nodes_of(tree);
    if (nodes.empty()) return {};
    for (const auto& claim : claims)
        if (auto checked = check_one(tree, claim, nodes); !checked) return checked;
    return {};
}

} // namespace schedd::model
