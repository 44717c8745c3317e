// Scheduler: a process set, at most one policy, a place in the stack, and the nodes that it is for.
#pragma once

#include <memory>

#include "components/model/node_set.h"
#include "components/model/policy.h"
#include "components/model/process_set.h"

namespace schedd::model {

/// Whether a scheduler is for this node. Unknown: this node has just come and has no sure number yet.
enum class Here { yes, no, unknown };

/// What of the cluster a scheduler has (node_claims.h).
struct NodeShare {
    std::shared_ptr<const std::vector<NodeRow>> nodes; // null: none
    Here here = Here::yes;
    std::string note;
};

class Scheduler final : public Part {
public:
    enum Attribute : std::size_t {
        kPrecedence,
        kEjected,
        kNodeSet,
        kNodeSetExclusive,
        kNodeSetMaxFit,
        kEffectiveNodeSet,
        kNote,
        kActive,
        kHoldProfile
    };
    static const std::vector<AttributeSpec>& table();

    Scheduler(std::string name, const Environment& environment);

    [[nodiscard]] ProcessSet& process_set() const { return static_cast<ProcessSet&>(*children().front()); }
    [[nodiscard]] Policy* policy() const { return static_cast<Policy*>(child_of(Kind::policy)); }
    /// Larger comes first in the stack, before the rule "explicit before handle_all, later before earlier".
    [[nodiscard]] std::int64_t precedence() const { return integer_at(kPrecedence); }
    /// Why the policy was put out of action; empty while it is in it. Cleared by replacing the policy.
    [[nodiscard]] const std::string& ejected() const { return text_at(kEjected); }
    void set_ejected(std::string why) { report(kEjected, std::move(why)); }

    /// As written.
    [[nodiscard]] const NodeSet& node_set() const { return node_set_; }
    [[nodiscard]] bool is_exclusive() const { return flag_at(kNodeSetExclusive); }
    /// The nodes of its set that are there and that no other scheduler has for itself.
    [[nodiscard]] NodesView nodes() const { return nodes_ ? NodesView(*nodes_) : NodesView(); }
    /// Whether it has ever been given a share, be it none.
    [[nodiscard]] bool has_share() const { return nodes_ != nullptr; }
    [[nodiscard]] const std::string& note() const { return text_at(kNote); }
    /// Whether its policy decides on this node.
    [[nodiscard]] Here runs_here() const { return is_active() ? here_ : Here::no; }
    /// Otherwise it decides nothing, and holds nobody.
    [[nodiscard]] bool is_active() const { return flag_at(kActive); }
    /// The desktop's power profile that is to be held while its members are busy; "none" = none.
    [[nodiscard]] const std::string& hold_profile() const { return text_at(kHoldProfile); }
    /// Reports it and tells the policy. True if what it reports, or whether it runs here, is new.
    bool take_share(NodeShare share);

protected:
    Status accepts(std::size_t index, const AttributeValue& value) const override;
    void changed(std::size_t index) override;

private:
    NodeSet node_set_;
    std::shared_ptr<const std::vector<NodeRow>> nodes_;
    Here here_ = Here::yes;
};

} // namespace schedd::model
