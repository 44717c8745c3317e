// What is wrong between this node and the others, as far as this one can see.
#include "service/doctor_network.h"

#include <algorithm>
#include <cmath>

#include <fmt/ranges.h>

namespace schedd::service::doctor {

namespace {

using dbus::InterfaceFacts;
using dbus::NetworkFacts;
using dbus::NodeFacts;

constexpr std::size_t kNamed = 8; // in one row
constexpr std::int64_t kOffsetMs = 1000;
constexpr double kLoss = 0.05;

std::string called(const NodeFacts& node) {
    if (!node.name.empty()) return node.name;
    return node.number < 0 ? text_of(node.uid) : fmt::to_string(node.number);
}

std::string seconds(std::int64_t ms) { return fmt::format("{}.{} s", ms / 1000, ms % 1000 / 100); }

/// The first few, and how many more there are.
std::string listed(const std::vector<std::string>& texts) {
    const std::span<const std::string> first(texts.data(), std::min(texts.size(), kNamed));
    return texts.size() <= kNamed
               ? fmt::format("{}", fmt::join(first, ", "))
               : fmt::format("{} and {} more", fmt::join(first, ", "), texts.size() - kNamed);
}

Check check_interface(const InterfaceFacts& facts) {
    const auto name = "interface-" + facts.name;
    if (!facts.why_not.empty()) return ok(name, "not in use: " + facts.why_not);
    const auto found =
        fmt::format("{}, {} packets received",
                    facts.groups.empty() ? "in no group" : "in " + listed(facts.groups), facts.received);
    if (!facts.trouble.empty())
        return warning(name, found + "; " + facts.trouble, "nodes that are reached only there are not heard");
    return ok(name, found);
}

Check check_interfaces(const NetworkFacts& network) {
    std::vector<std::string> used;
    for (const auto& facts : network.interfaces)
        if (facts.why_not.empty()) used.push_back(facts.name);
    const auto name = "cluster-interfaces";
    if (!used.empty())
        return ok(name, fmt::format("{} on {}, port {}", network.cluster, listed(used), network.port));
    if (!network.is_multicast) return ok(name, "multicast is off; peers are told one by one");
    return lacks(name, "none is up, running, able to multicast, and allowed by [cluster] interfaces",
                 "only nodes named in [cluster] peers are heard",
                 "bring one up, or name the other nodes in [cluster] peers");
}

Check check_querier(const NetworkFacts& network) {
    std::vector<std::string> heard;
    std::vector<std::string> unheard;
    std::vector<std::string> unknown;
    for (const auto& facts : network.interfaces)
        if (facts.why_not.empty())
            (!facts.querier_heard ? unknown : *facts.querier_heard ? heard : unheard).push_back(facts.name);
    const auto name = "multicast-querier";
    const auto others = unknown.empty() ? std::string() : "; the kernel does not tell on " + listed(unknown);
    if (unheard.empty() && heard.empty())
        return ok(name, unknown.empty() ? std::string("no interface is in use") : others.substr(2));
    if (unheard.empty()) return ok(name, "heard on " + listed(heard) + others);
    return warning(name, "none heard on " + listed(unheard) + others,
                   "a switch that snoops stops passing the group on after some minutes; who is lost so is "
                   "told directly instead",
                   "switch on a querier in the network, or snooping off; where no switch snoops, nothing is "
                   "wrong");
}

Check check_strangers(const NetworkFacts& network) {
    const auto name = "cluster-strangers";
    if (network.strangers.empty()) return ok(name, "nobody with another key or cluster was heard");
    std::vector<std::string> texts;
    for (const auto& one : network.strangers)
        texts.push_back(fmt::format("{}: {}, {} packets, the last {} ago", one.address, one.why, one.packets,
                                    seconds(static_cast<std::int64_t>(one.age_ms))));
    return warning(name, listed(texts), "what they send is thrown away",
                   "if they belong here, give them this cluster's name and keys; else give them another "
                   "port");
}

Check check_keys(std::span<const NodeFacts> nodes) {
    const auto self = std::ranges::find_if(nodes, &NodeFacts::is_self);
    std::vector<std::string> others;
    for (const auto& node : nodes)
        // 0: it has not told yet
        if (self != nodes.end() && node.ring != 0 && node.ring != self->ring && !node.is_self &&
            membership::takes_work(node.standing))
            others.push_back(called(node));
    if (others.empty()) return ok("cluster-keys", "all who are there have the same keys");
    return warning("cluster-keys", "other keys than here: " + listed(others),
                   "a key that they lack must not be made active yet, nor one removed that they use",
                   "bring their key files up to date and reload them (restart, where the file is a "
                   "credential)");
}

Check check_clocks(const NetworkFacts& network, std::span<const NodeFacts> nodes) {
    std::vector<std::string> off;
    for (const auto& node : nodes)
        if (!node.is_self && std::abs(node.clock_offset_ms) > kOffsetMs &&
            node.standing != membership::Standing::dead && node.standing != membership::Standing::left)
            off.push_back(fmt::format("{} ({}{})", called(node),
                                      node.clock_offset_ms > 0 ? "behind by " : "ahead by ",
                                      seconds(std::abs(node.clock_offset_ms))));
    const bool is_own = network.clock_offset_ms && std::abs(*network.clock_offset_ms) > kOffsetMs;
    if (off.empty() && !is_own) return ok("cluster-clocks", "all within 1 s of this one");
    const auto own =
        is_own ? fmt::format("this one is {} {} the median; ", seconds(std::abs(*network.clock_offset_ms)),
                             *network.clock_offset_ms > 0 ? "ahead of" : "behind")
               : std::string();
    return warning("cluster-clocks", own + (off.empty() ? "no single one is" : listed(off)),
                   "beyond 30 s a node is not listened to, and takes no changes of the configuration",
                   "run a time service such as chrony on all nodes");
}

Check check_loss(std::span<const NodeFacts> nodes) {
    std::vector<std::string> lossy;
    for (const auto& node : nodes)
        if (!node.is_self && node.loss > kLoss && membership::takes_work(node.standing))
            lossy.push_back(fmt::format("{} {:.0f} %", called(node), std::round(node.loss * 100)));
    if (lossy.empty()) return ok("cluster-loss", "at most 5 % of anybody's heartbeats are lost");
    return warning("cluster-loss", "heartbeats lost from " + listed(lossy),
                   "they are suspected now and then, and get no new work while they are",
                   "look at the links, and at the switches' limits for multicast");
}

} // namespace

void check_network(const NetworkFacts& network, std::span<const NodeFacts> nodes, Checks& out) {
    if (!network.off.empty() && !network.trouble.empty()) {
        out.push_back(lacks("cluster", network.trouble, "this node is alone: no other is heard"));
        return;
    }
    if (!network.off.empty()) {
        out.push_back(ok("cluster", "membership is off: " + network.off));
        return;
    }
    if (!network.trouble.empty())
        out.push_back(
            lacks("cluster", network.trouble, "other nodes are not heard, or do not hear this one"));
    out.push_back(check_interfaces(network));
    for (const auto& facts : network.interfaces) out.push_back(check_interface(facts));
    if (network.is_multicast) out.push_back(check_querier(network));
    out.push_back(check_keys(nodes));
    out.push_back(check_strangers(network));
    out.push_back(check_clocks(network, nodes));
    out.push_back(check_loss(nodes));
}

} // namespace schedd::service::doctor
