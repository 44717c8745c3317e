// Movement: work that finds a node, or is moved to another one - what policies ask for, and what they and
// probes may know of it; the daemon fills it in, tests by hand.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "components/model/subject.h"

namespace schedd::model {

/// What a policy wants moved to another node, once.
struct Move {
    Target target;      // a subject of its scheduler
    NodeId to = -1;     // a node of its view that takes work, not this one
    std::string reason; // fit for a person: what was seen, what was chosen
    /// Of this node's CPU time per second of what is moved, what it gets more of over there, in thousandths;
    /// who carries it out weighs it against what the move costs. 0: it has to go whatever that costs.
    std::int64_t gain = 0;
};

/// New work that looks for a node.
struct NewTask {
    std::string command = {};         // what is to run, for people
    std::string scheduler = {};       // this one alone is asked; "": those that `caller` is a member of
    Pid caller = 0;                   // who starts it; 0: only schedulers of all processes are asked
    std::vector<NodeId> refused = {}; // tried before, and did not take it
};

/// Where a policy wants new work: a node of its view that takes work and has not refused, or this one.
struct Destination {
    NodeId node = -1;
    std::string reason;
};

/// Of work that moves from this node.
class Movement {
public:
    virtual ~Movement() = default;
    /// Why what runs there cannot be moved away, in words; "" if it may. Answers from what is known: neither
    /// blocks nor asks the outside.
    [[nodiscard]] virtual std::string why_not(const Target& target) const = 0;
    /// When the last move away began; none if there was none.
    [[nodiscard]] virtual std::optional<Time> last_start() const = 0;
    /// Moves away that are under way.
    [[nodiscard]] virtual int on_going() const = 0;
    /// Goes up at each start and end, so that a probe sees those that came and went between two looks.
    [[nodiscard]] virtual std::uint64_t generation() const = 0;
};

} // namespace schedd::model
