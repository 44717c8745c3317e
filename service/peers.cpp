// Joining, the turn, and changes that all nodes are to have.
#include "service/peers.h"

#include <algorithm>
#include <cstdlib>
#include <poll.h>
#include <unistd.h>

#include <fmt/format.h>

#include "components/model/published.h"
#include "service/net/key_ring.h"

namespace schedd::service {

using membership::Announced;
using membership::NodeUid;
using membership::PeerFacts;
using membership::Standing;

namespace {

constexpr Duration kPublish = std::chrono::milliseconds(250); // how old a value may be when it is told
constexpr Duration kTryAgain = std::chrono::seconds(10);      // what the tree has refused
// between looks at what is told of nodes: digests and counts change without an event
constexpr Duration kTell = std::chrono::seconds(1);
constexpr Duration kTellSoon = std::chrono::milliseconds(50);
constexpr auto kGoodbye = std::chrono::milliseconds(300);

std::string host_name() {
    std::array<char, 256> name{};
    return gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

std::string credentials_directory() {
    const char* directory = std::getenv("CREDENTIALS_DIRECTORY");
    return directory ? directory : "";
}

/// What an administrator says of a node itself is not of the tree.
std::string drain_path(NodeUid uid) { return "nodes/" + text_of(uid) + "#drain"; }
bool is_of_the_tree(const membership::Entry& entry) { return !entry.path.starts_with("nodes/"); }

} // namespace

Peers::~Peers() { values_.clear(); }

Status Peers::open(const membership::ClusterSettings& settings, const std::string& state_dir, Tree& tree,
                   Hooks hooks) {
    settings_ = settings;
    tree_ = &tree;
    hooks_ = std::move(hooks);
    const auto keys = net::find_key_file(settings.keys, credentials_directory());
    if (!keys) {
        off_ = "there is no key; `schedd-cli nodes keygen` makes one, see [cluster] in schedd.conf(5)";
        return {};
    }
    name_ = settings.node_name.empty() ? host_name() : settings.node_name;
    auto cluster =
        net::Cluster::open({.settings = settings,
                            .key_file = *keys,
                            .state_directory = state_dir,
                            .host_name = name_,
                            .uid = {}},
                           {.clock = clock_, .log = log_, .rng = rng_, .listener = this, .changed = [this] {
                                is_to_carry_out_ = true;
                            }});
    if (!cluster) {
        off_ = cluster.error().text();
        has_failed_ = true;
        return std::unexpected(cluster.error());
    }
    cluster_ = std::move(*cluster);
    off_.clear();
    replication_.emplace(tree, [this](const Recipe& recipe) {
        return hooks_.apply(recipe, false, Tree::NodeSets::taken);
    });
    is_to_carry_out_ = true;
    log_.write(Severity::notice, "cluster",
               fmt::format("'{}' on port {}, as {}", settings.name, settings.port,
                           text_of(cluster_->node().uid())));
    return {};
}

Time Peers::turn() {
    if (!cluster_) return kNever;
    const Time now = clock_.now();
    if (now >= publish_) {
        std::vector<membership::Published> values;
        for (auto& source : model::published(*tree_))
            values.push_back({std::move(source.path), source.value});
        cluster_->node().set_published(std::move(values));
        publish_ = now + kPublish;
    }
    const Time due = cluster_->turn();
    if (is_to_carry_out_ || now >= carry_out_again_) carry_out(now);
    if (std::exchange(are_rows_old_, false)) {
        if (values_.refresh(cluster_->node(), name_)) hooks_.nodes_changed();
        tell_ = std::min(tell_, now + kTellSoon);
    }
    if (now >= tell_) tell(now);
    return std::min({due, publish_, carry_out_again_, tell_});
}

/// Digests, counts and this node's own number change without an event.
void Peers::tell(Time now) {
    tell_ = now + kTell;
    const auto print = cluster_->node().fingerprint();
    const auto own = own_facts();
    auto self = dbus::states_of(std::span(&own, 1));
    if (print == told_print_ && self == told_self_) return;
    told_print_ = print;
    told_self_ = std::move(self);
    if (values_.refresh(cluster_->node(), name_)) hooks_.nodes_changed();
    hooks_.facts_changed();
}

void Peers::carry_out(Time now) {
    is_to_carry_out_ = false;
    tell_conflicts();
    const auto& store = cluster_->store();
    std::vector<const membership::Entry*> entries;
    for (const auto* entry : store.effective())
        if (is_of_the_tree(*entry)) entries.push_back(entry);
    const auto outcome = replication_->carry_out(entries);
    if (outcome.failed + outcome.unsupported > 0 && outcome != outcome_)
        log_.write(Severity::warning, "cluster",
                   fmt::format("of the configuration {} applied, {} failed, {} not known here: {}",
                               outcome.applied, outcome.failed, outcome.unsupported, outcome.trouble));
    outcome_ = outcome;
    carry_out_again_ = outcome.failed > 0 ? now + kTryAgain : kNever;
    cluster_->replica().report({store.digest(), outcome.applied, outcome.failed, outcome.unsupported},
                               outcome.trouble);
    const auto* drain = store.find(drain_path(cluster_->node().uid()));
    cluster_->drain(drain && !drain->is_tombstone && drain->value == "true");
    are_rows_old_ = true;
}

Status Peers::change(const Recipe& recipe, bool dry_run) {
    const auto apply = [&](bool is_trial) { return hooks_.apply(recipe, is_trial, Tree::NodeSets::checked); };
    if (!cluster_ || dry_run || settings_.local) return apply(dry_run);
    const auto writes = replication_->writes_for(tree_->without_aliases(recipe));
    if (writes.empty()) return apply(false);
    // what the tree refuses is not told; what cannot be told is not done
    if (auto possible = apply(true); !possible) return possible;
    if (!displaced_by_.empty()) return fail(Errc::not_applied, "the cluster", displaced_by_);
    if (auto told = cluster_->write(writes); !told) return told;
    auto done = apply(false);
    carry_out(clock_.now());
    return done;
}

Status Peers::drain(std::string_view node, bool is_draining, bool dry_run) {
    const auto known = facts();
    const auto found = dbus::find_node(known, node, off_);
    if (!found) return std::unexpected(found.error());
    if (dry_run) return {};
    const membership::Write write{.path = drain_path((*found)->uid),
                                  .value = is_draining ? std::optional<std::string>("true") : std::nullopt};
    if (auto told = cluster_->write(std::span(&write, 1)); !told) return told;
    carry_out(clock_.now());
    return {};
}

Result<bool> Peers::reload_keys() {
    if (!cluster_) return false;
    const auto before = cluster_->key_fingerprint();
    if (auto read = cluster_->reload_keys(); !read) return std::unexpected(read.error());
    return cluster_->key_fingerprint() != before;
}

void Peers::leave() {
    if (!cluster_) return;
    cluster_->stop();
    const Time end = clock_.now() + kGoodbye;
    while (!cluster_->is_stopped() && clock_.now() < end) {
        const Time due = std::min(cluster_->turn(), end);
        const auto wait = std::chrono::ceil<std::chrono::milliseconds>(due - clock_.now()).count();
        pollfd nothing{-1, 0, 0};
        poll(&nothing, 0, static_cast<int>(std::clamp<long long>(wait, 1, 50)));
    }
}

void Peers::peer_changed(const PeerFacts& peer, Standing before) {
    are_rows_old_ = true;
    if (peer.standing == Standing::late || (before == Standing::late && peer.standing == Standing::alive))
        return;
    const bool is_bad = peer.standing == Standing::dead || peer.standing == Standing::clone ||
                        peer.standing == Standing::skewed || peer.standing == Standing::incompatible;
    const bool is_new = before == Standing::left || before == Standing::dead;
    log_.write(is_bad ? Severity::warning : Severity::notice, "nodes",
               fmt::format("{} ({}) {} {}", peer.name.empty() ? text_of(peer.uid) : peer.name,
                           peer.addresses.empty() ? "no address" : text_of(peer.addresses.front()),
                           is_new ? "has come and is" : "is", name_of(peer.standing)));
}

void Peers::peer_forgotten(NodeUid /*uid*/) { are_rows_old_ = true; }

void Peers::self_changed(Announced now, Announced before) {
    are_rows_old_ = true;
    log_.write(now == Announced::isolated ? Severity::warning : Severity::notice, "nodes",
               fmt::format("this node is {}, was {}", name_of(now), name_of(before)));
}

void Peers::displaced(const membership::Address& by) {
    are_rows_old_ = true;
    displaced_by_ = fmt::
        format("another machine, {}, has this one's identity: this one stays out of the cluster; give it "
               "a machine-id of its own (systemd-machine-id-setup) and restart schedd",
               text_of(by));
    log_.write(Severity::error, "nodes", displaced_by_);
}

} // namespace schedd::service
