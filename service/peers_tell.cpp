// What is known of other nodes, for chains, policies and people.
#include <algorithm>

#include <fmt/format.h>

#include "components/model/published.h"
#include "service/peers.h"

namespace schedd::service {

using membership::NodeUid;
using membership::PeerFacts;
using membership::Standing;

namespace {

constexpr std::size_t kConflictsTold = 64;

Standing standing_of(membership::Announced state) {
    switch (state) {
    case membership::Announced::joining: return Standing::joining;
    case membership::Announced::alive: return Standing::alive;
    case membership::Announced::isolated: return Standing::isolated;
    case membership::Announced::draining: return Standing::draining;
    case membership::Announced::leaving: return Standing::left;
    }
    return Standing::joining;
}

std::string value_of(const membership::Entry& entry) {
    return entry.is_tombstone ? "removed" : "'" + entry.value + "'";
}

} // namespace

/// What became of a write that does not hold.
std::string Peers::words_of(const membership::Conflict& conflict) const {
    const auto& [lost, won] = std::tie(conflict.lost, conflict.won);
    if (conflict.is_orphan)
        return fmt::format("{} changed it after {} had removed {}: it does not hold", called(lost.writer),
                           called(won.writer), won.path);
    return fmt::format("{} wrote {} while {} wrote {}, which holds", called(lost.writer), value_of(lost),
                       called(won.writer), value_of(won));
}

/// By its name if it has told one.
std::string Peers::called(NodeUid uid) const {
    const auto peer = cluster_->node().peer(uid);
    auto name = uid == cluster_->node().uid() ? name_ : peer ? peer->name : std::string();
    return name.empty() ? "node " + text_of(uid) : name;
}

/// Of what lost, or hangs below what is gone, that was not there before.
void Peers::tell_conflicts() {
    auto all = cluster_->store().orphans();
    std::ranges::copy(cluster_->store().conflicts(), std::back_inserter(all));
    std::set<std::string> told;
    for (const auto& conflict : all) {
        auto text = conflict.lost.path + ": " + words_of(conflict);
        if (!told_conflicts_.contains(text) && told.size() < kConflictsTold)
            log_.write(Severity::warning, "cluster", text + " ('schedd-cli verify' lists them)");
        told.insert(std::move(text));
    }
    told_conflicts_ = std::move(told);
}

void Peers::add_values(dbus::NodeFacts& facts, Time now) const {
    cluster_->node().values().list(facts.uid, [&](std::string_view path, const auto& value) {
        facts.values.push_back({.path = std::string(path),
                                .value = value.value,
                                .age_ms = static_cast<std::uint64_t>(milliseconds_of(now - value.heard)),
                                .is_fresh = now - value.heard <= 3 * value.period});
    });
}

dbus::NodeFacts Peers::own_facts() const {
    const auto& node = cluster_->node();
    dbus::NodeFacts facts;
    facts.uid = node.uid();
    facts.number = node.number().value_or(-1);
    facts.name = name_;
    facts.is_self = true;
    facts.state = name_of(node.state());
    facts.standing = standing_of(node.state());
    facts.ring = cluster_->key_fingerprint();
    facts.period = settings_.period;
    for (const auto& link : cluster_->links())
        if (link.is_fit())
            for (auto address : link.addresses) {
                address.port = settings_.port;
                facts.addresses.push_back(address);
            }
    const auto& store = cluster_->store();
    facts.digest = store.digest();
    facts.applied =
        membership::ApplyStatus{store.digest(), outcome_.applied, outcome_.failed, outcome_.unsupported};
    facts.trouble = cluster_->replica().trouble(); // what its heartbeats say
    if (facts.trouble.empty()) facts.trouble = node.number_trouble();
    if (!displaced_by_.empty()) facts.trouble = displaced_by_;
    for (const auto& source : model::published(*tree_))
        if (source.value) facts.values.push_back({source.path, *source.value, 0, true});
    return facts;
}

std::vector<dbus::NodeFacts> Peers::facts() const {
    std::vector<dbus::NodeFacts> all;
    if (!cluster_) return all;
    const Time now = clock_.now();
    all.push_back(own_facts());
    for (auto& peer : cluster_->node().peers()) {
        dbus::NodeFacts facts;
        static_cast<PeerFacts&>(facts) = std::move(peer);
        facts.state = name_of(facts.standing);
        add_values(facts, now);
        all.push_back(std::move(facts));
    }
    // those without a number at the end
    std::ranges::sort(all, {}, [](const auto& node) {
        return std::tuple(node.number < 0, node.number, node.name, node.uid);
    });
    return all;
}

std::optional<dbus::NodeFacts> Peers::facts(NodeUid uid) const {
    if (!cluster_) return std::nullopt;
    if (uid == cluster_->node().uid()) return own_facts();
    auto peer = cluster_->node().peer(uid);
    if (!peer) return std::nullopt;
    dbus::NodeFacts facts;
    static_cast<PeerFacts&>(facts) = std::move(*peer);
    facts.state = name_of(facts.standing);
    add_values(facts, clock_.now());
    return facts;
}

dbus::NetworkFacts Peers::network() const {
    dbus::NetworkFacts facts;
    facts.off = off_;
    facts.cluster = settings_.name;
    facts.port = settings_.port;
    facts.is_multicast = settings_.multicast;
    if (!cluster_) {
        if (has_failed_) facts.trouble = off_;
        return facts;
    }
    facts.trouble = displaced_by_;
    for (const auto& trouble : cluster_->troubles())
        facts.trouble += (facts.trouble.empty() ? "" : "; ") + trouble.text();
    for (const auto& link : cluster_->links()) {
        dbus::InterfaceFacts row;
        row.name = link.facts.name;
        row.why_not = link.unfit;
        row.querier_heard = cluster_->querier_heard(link.facts.name);
        for (const auto& group : cluster_->groups()) {
            if (group.link.index != link.facts.index) continue;
            if (group.is_joined) row.groups.push_back(text_of(group.group));
            if (!group.trouble.empty()) row.trouble = group.trouble;
            row.received += group.counts.received;
        }
        facts.interfaces.push_back(std::move(row));
    }
    std::ranges::sort(facts.interfaces, {}, &dbus::InterfaceFacts::name);
    for (const auto& one : cluster_->node().strangers())
        facts.strangers.push_back({text_of(one.from), std::string(membership::wire::name_of(one.why)),
                                   one.datagrams,
                                   static_cast<std::uint64_t>(milliseconds_of(clock_.now() - one.last))});
    facts.clock_offset_ms = cluster_->node().clock_offset_ms();
    return facts;
}

std::vector<dbus::Finding> Peers::conflicts() const {
    std::vector<dbus::Finding> findings;
    if (!cluster_) return findings;
    auto all = cluster_->store().orphans();
    std::ranges::copy(cluster_->store().conflicts(), std::back_inserter(all));
    for (const auto& conflict : all) {
        if (findings.size() >= kConflictsTold) break;
        dbus::Finding finding;
        finding.target = conflict.lost.path;
        finding.state = conflict.is_orphan ? "orphan" : "conflict";
        finding.wanted = conflict.lost.value;
        finding.effective = conflict.won.is_tombstone ? "" : conflict.won.value;
        finding.detail = words_of(conflict);
        findings.push_back(std::move(finding));
    }
    for (const auto& entry : cluster_->store().quarantined()) {
        if (findings.size() >= kConflictsTold) break;
        dbus::Finding finding;
        finding.target = entry.path;
        finding.state = "quarantined";
        finding.wanted = entry.value;
        finding.detail = fmt::format("{} has stamped it with a time that has not come yet: set its clock",
                                     called(entry.writer));
        findings.push_back(std::move(finding));
    }
    return findings;
}

} // namespace schedd::service
