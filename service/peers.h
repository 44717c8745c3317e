// Peers: what the cluster means to this daemon - its changes told to other nodes and theirs carried out here,
// values of other nodes for chains, this node's own for them.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "dbus/backend.h"
#include "service/net/cluster.h"
#include "service/peer_values.h"
#include "service/replication.h"

namespace schedd::service {

class Peers final : private membership::NodeListener {
public:
    struct Hooks {
        /// To this node's tree, with all that belongs around it.
        std::function<Status(const Recipe&, bool dry_run, Tree::NodeSets)> apply;
        std::function<void()> nodes_changed; // who is there, for policies
        std::function<void()> facts_changed; // anything that is told of nodes, at most once a second or so
    };
    Peers(const Clock& clock, Rng& rng, Log& log) : clock_(clock), rng_(rng), log_(log) {}
    ~Peers() override;

    /// Joins. Without a key membership is off, which is no failure: off() says so. `tree` and what the hooks
    /// use outlive this. Fails with what the cluster could not do without; the daemon goes on alone.
    Status open(const membership::ClusterSettings& settings, const std::string& state_dir, Tree& tree,
                Hooks hooks);
    /// Why membership is off; "" while it is on.
    [[nodiscard]] const std::string& off() const { return off_; }

    /// Readable when turn() has something to do. REQUIRES: it is not off.
    [[nodiscard]] int fd() const { return cluster_->fd(); }
    /// What came, what is due, what is to be told; returns when it wants to be called next.
    Time turn();
    /// The keys are read again: whether they are others. On failure those of before are kept.
    Result<bool> reload_keys();
    /// Says goodbye and waits until that is sent, a quarter of a second.
    void leave();

    /// A change of the tree by its users: all nodes have it, or none. Fails as the tree does, and with
    /// not_applied where the clock is off or too few nodes are heard (config_quorum).
    Status change(const Recipe& recipe, bool dry_run);
    /// This node's files were read again: what the cluster says of their parts holds all the same.
    void look_again() { is_to_carry_out_ = true; }
    Status drain(std::string_view node, bool is_draining, bool dry_run);

    [[nodiscard]] std::vector<dbus::NodeFacts> facts() const;
    [[nodiscard]] std::optional<dbus::NodeFacts> facts(membership::NodeUid uid) const;
    [[nodiscard]] dbus::NetworkFacts network() const;
    /// Values that lost, and changes of objects that were removed meanwhile: for verify.
    [[nodiscard]] std::vector<dbus::Finding> conflicts() const;

    /// For chains and policies; there before the cluster is, and without nodes then.
    [[nodiscard]] const model::RemoteValues& values() const { return values_; }

private:
    void peer_changed(const membership::PeerFacts& peer, membership::Standing before) override;
    void peer_forgotten(membership::NodeUid uid) override;
    void self_changed(membership::Announced now, membership::Announced before) override;
    void displaced(const membership::Address& by) override;

    void tell(Time now);
    void carry_out(Time now);
    void tell_conflicts();
    [[nodiscard]] std::string words_of(const membership::Conflict& conflict) const;
    [[nodiscard]] std::string called(membership::NodeUid uid) const;
    [[nodiscard]] dbus::NodeFacts own_facts() const;
    void add_values(dbus::NodeFacts& facts, Time now) const;

    const Clock& clock_;
    Rng& rng_;
    Log& log_;
    membership::ClusterSettings settings_;
    std::string name_;
    std::string off_ = "it has not been opened";
    bool has_failed_ = false;  // off although there is a key
    std::string displaced_by_; // why it stays out, where another machine has its identity
    Tree* tree_ = nullptr;
    Hooks hooks_;
    std::unique_ptr<net::Cluster> cluster_;
    std::optional<Replication> replication_;
    bool is_to_carry_out_ = false;
    bool are_rows_old_ = true;
    Time carry_out_again_ = kNever; // what failed may go well later
    Time publish_{};
    Time tell_{};
    std::uint64_t told_print_ = 0; // of the nodes, when they were told last
    std::vector<model::NodeState> told_self_;
    PeerValues values_;
    Replication::Outcome outcome_;
    std::set<std::string> told_conflicts_;
};

} // namespace schedd::service
