// Policy: turns an immutable snapshot into decisions with reasons. It sees values through its ports only.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "components/model/cluster.h"
#include "components/model/movement.h"
#include "components/model/port.h"
#include "components/model/setting.h"
#include "components/model/subjects.h"
#include "components/model/topology.h"

namespace schedd::model {

class Tree;

/// The snapshot. Valid during the call it is handed to.
struct View {
    Time now;
    const Topology& topology;
    Subjects subjects; // ordered by target
    /// The nodes of its scheduler's node set that are there, this one too; empty without a cluster.
    NodesView nodes = {};
    /// What may be moved to them; null where nothing can be moved.
    const Movement* movement = nullptr;
};

/// What Policy::revise() says. First all that were decided as `was` in a shift are as its `now` from then on,
/// as when what they share has grown; then `decisions` hold.
struct Revision {
    /// Of both the target means nothing.
    struct Shift {
        Decision was;
        Decision now;
    };
    std::vector<Decision> decisions;
    std::vector<Shift> shifts = {};
};

/// Derive and implement decide(). Ports stand among the children in the order of the descriptor.
class Policy : public Part, public PortOwner {
public:
    Policy(const Descriptor& type, std::string name, const Environment& environment)
        : Part(Kind::policy, std::move(name), &type, type.attributes) {
        for (const PortSpec& spec : type.ports) adopt(std::make_unique<Port>(spec, *this, environment.clock));
    }

    /// All that the policy wants held from now on; a subject not named is left alone (and let go if it was
    /// held). Reasons must be fit for people. Returning the same decisions again costs nothing.
    [[nodiscard]] virtual std::vector<Decision> decide(const View& view) = 0;

    /// Asked instead of decide() when nothing else is new than that the subjects `touched` (ordered by
    /// target) have come, or ask for something else, and are in the view, or have left: what is decided about
    /// those that are there, and about whomever else that concerns; for all others the last decision stays.
    /// None, the default: decide() is to answer for all. `current` and `held` of the others may be as of the
    /// last decide().
    [[nodiscard]] virtual std::optional<Revision> revise(const View& /*view*/,
                                                         std::span<const Target> /*touched*/) {
        return std::nullopt;
    }

    /// Asked after each decide(): what is to be moved to other nodes now. Nothing of it is kept: whether a
    /// move went well is seen by who is here the next time.
    [[nodiscard]] virtual std::vector<Move> moves(const View& /*view*/) { return {}; }

    /// A node for new work that is about to start; none: the next scheduler in the stack is asked, and at
    /// last it stays here. Asked at any time, and may change what the policy remembers.
    [[nodiscard]] virtual std::optional<Destination> place_task(const View& /*view*/,
                                                                const NewTask& /*task*/) {
        return std::nullopt;
    }

    /// What else was possible for a subject and why it was not chosen, and what would free more for it: one
    /// sentence each, with numbers. Asked only when a person wants an explanation, between decisions: `view`
    /// is as things are now, and `subject`, one of its subjects, may not have been decided about yet.
    [[nodiscard]] virtual std::vector<std::string> considered(const View& /*view*/,
                                                              const Subject& /*subject*/) const {
        return {};
    }

    /// What it wants of other parts, as of the last decide(); null, the default: nothing. Carried out by
    /// whoever owns the tree, on this node alone, and taken back when it is wanted no more or the policy is
    /// gone.
    [[nodiscard]] virtual const Settings* settings() const { return nullptr; }
    /// What became of them: "" when all hold, else which do not and why.
    virtual void settings_told(const std::string& /*trouble*/) {}
    /// Whether what the policy names of other parts is there; asked at the end of each transaction, which
    /// fails otherwise.
    [[nodiscard]] virtual Status fits(const Tree& /*tree*/) const { return {}; }

    /// Whether its decisions may say Decision::alone.
    [[nodiscard]] virtual bool gives_alone() const { return false; }

    /// By default every update and every completed chain makes the policy due.
    void told(const Port& /*port*/, const Sample* /*sample*/) override { due_ = true; }
    /// Its scheduler's nodes are others than before, or one of them takes work now, or no more, or drains. Of
    /// this node leaving the set it hears here; what it held is let go, and it is asked for moves() alone.
    virtual void nodes_changed(NodesView /*nodes*/, NodesView /*joined*/, NodesView /*left*/) { due_ = true; }
    /// When it wants to decide though nothing has been told it; for values that no update comes of.
    [[nodiscard]] virtual Time next_due() const { return kNever; }
    [[nodiscard]] bool due() const { return due_; }
    void make_due() { due_ = true; }
    void done() { due_ = false; }

protected:
    [[nodiscard]] const Port& port(std::size_t index) const {
        return static_cast<const Port&>(*children()[index]);
    }

private:
    bool due_ = false;
};

} // namespace schedd::model
