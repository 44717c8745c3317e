// Planner: turns the decisions of all stacked schedulers into one verdict per target, and verdicts into
// steps.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "components/placement/actuator.h"

namespace schedd::placement {

/// One scheduler's decision with its place in the stack.
struct Wish {
    std::string scheduler;
    std::string member; // by which the target belongs to that scheduler
    std::int64_t precedence = 0;
    bool is_explicit = true; // false under handle_all
    std::uint64_t order = 0; // larger = attached later
    Decision decision;
    std::vector<Pid> pids; // what the target stands for
    /// Nobody has decided about it, and `decision` is where it may run anyway: it counts only if it has to be
    /// kept off what others were given alone.
    bool is_bystander = false;
};

/// What became of one wish in the stack.
struct Opinion {
    /// `excludes`: it has given these CPUs to somebody else alone; `disputes`: and nothing else would be
    /// left.
    enum class Result { decides, narrows, conflict, excludes, disputes };
    std::string scheduler;
    std::string member;
    CpuSet cpus;
    std::string reason;
    Result result = Result::decides;
    bool operator==(const Opinion&) const = default;
};
std::string_view name_of(Opinion::Result result);

/// What all schedulers together want of one target. `cpus` is empty only if there is nothing usable in it.
struct Verdict {
    CpuSet cpus;
    std::vector<Opinion> opinions; // first in the stack first
    Tuning tuning = {};            // of each setting, what the first that says something wants
    [[nodiscard]] bool has_conflict() const;
    /// Who wants what and cannot have it, as a sentence; "" without a conflict.
    [[nodiscard]] std::string disagreement() const;
    bool operator==(const Verdict&) const = default;
};

/// The stacking rule (design, vocabulary): larger precedence first, then explicit members before handle_all,
/// then the latest attached first. The first decides, the next may only narrow inside it; one that would
/// leave nothing is a conflict and is ignored. A process is also bound by what was decided for its control
/// group by schedulers before it, and the other way round. CPUs outside `usable` do not count.
/// Then what a target was given alone (Decision::alone) is taken from targets of other schedulers, whether
/// they have decided about them or not; the first in the stack has it. Who would be left with nothing keeps
/// its CPUs: a conflict.
std::map<Target, Verdict> combine(std::vector<Wish> wishes, const CpuSet& usable);

/// One act on the machine.
struct Step {
    Target target;
    CpuSet cpus;
    bool grows = false; // the new set holds the old one
    Tuning tuning = {};
};

struct Plan {
    std::vector<Step> steps;      // grow before shrink; within that, outer groups grow first and shrink last
    std::vector<Target> releases; // held, but no longer wanted by anyone: to be restored
};

/// What is held now: the mask last written to each target.
using Holdings = std::map<Target, CpuSet>;

/// Equal masks and tunings make no step. Deterministic: same input, same plan.
Plan make_plan(const std::map<Target, Verdict>& verdicts, const Holdings& held,
               const std::map<Target, Tuning>& tuned = {});

} // namespace schedd::placement
