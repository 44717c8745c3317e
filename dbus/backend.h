// Backend: what the bus asks of the daemon behind it; the daemon implements it, tests fake it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "components/model/tree.h"
#include "dbus/holds.h"
#include "dbus/log_knobs.h"
#include "dbus/moves.h"
#include "dbus/nodes.h"

namespace schedd::dbus {

using namespace schedd::kit;

/// One scheduler's row of Status. `subjects` is what its process set matches now, `placed` how many of them
/// it holds somewhere, `moves` how often it changed one since it was created.
struct SchedulerFacts {
    std::string name;
    std::string policy; // name of the policy's type, "" without one
    std::uint64_t members = 0;
    bool handle_all = false;
    std::uint64_t subjects = 0;
    std::uint64_t placed = 0;
    std::uint64_t conflicts = 0;
    std::uint64_t moves = 0;
    std::string ejected; // why its policy was put out of action, "" while it is in it
};

/// The machine as Status shows it: counts of what is online and usable, `online` as a CPU list.
struct TopologyFacts {
    std::uint64_t cpus = 0;
    std::string online;
    std::uint64_t cores = 0;
    std::uint64_t numa = 0;
    std::uint64_t packages = 0;
    std::uint64_t generation = 0;
};

/// The machine CPU by CPU, for Manager.Topology. `present` and `isolated` are CPU lists of the kernel;
/// offline CPUs are in `present` alone, since the kernel says no more of them.
struct MachineFacts {
    model::Topology topology;
    std::string present;
    std::string isolated;
};

/// One thing that schedd can use and a machine may lack. `state` is "ok", "warning" (there, but not as it
/// could be) or "lacks"; what is `essential` and lacks keeps schedd from its work.
struct Check {
    std::string name;
    std::string state;
    bool essential = false;
    std::string found;   // what was seen, and where
    std::string follows; // "" if ok
    std::string remedy;  // "" if ok or if there is none
};

/// What a unit's files ask for and what became of it: attached, waiting, detached (by hand) or opted-out.
struct UnitFileFacts {
    std::string unit;
    std::string scheduler; // "" for an opt-out
    std::string state;
    std::string detail; // why it waits
    std::string where;  // FILE:LINE
};

/// What is known of power, and what was made of it. What nobody says is empty.
struct PowerFacts {
    std::string profile;
    std::string profile_from; // a name on the bus, or "platform_profile"
    std::optional<bool> on_battery;
    std::optional<std::uint64_t> battery_percent;
    std::string degraded;            // why performance is not what it could be
    std::vector<std::string> packed; // "batch on CPUs 4-7": classes of members on fewer CPUs than all
    std::optional<std::uint64_t> cores_asleep; // all but idle, as a cpu probe measured; none without one
    std::vector<std::string> held;             // "performance for scheduler GAMES: held"
    std::vector<std::string> hints;            // how CPUs trade speed for energy because of the profile
    std::string trouble;                       // what was wanted because of the profile and does not hold
};

/// The numbers behind Manager.Status. The number of parts is the tree's own.
struct Facts {
    std::string version;
    std::uint64_t uptime_ms = 0;
    std::string actuator; // "affinity", "cgroup", "dry-run", ...
    std::string on_stop;  // "restore" or "leave"
    TopologyFacts topology;
    std::uint64_t processes = 0; // in the process table
    std::uint64_t ticks = 0;
    std::uint64_t held = 0;                 // targets in the ledger: touched and not yet restored
    std::vector<SchedulerFacts> schedulers; // in stacking order
    std::vector<HoldFacts> holds;
    std::vector<UnitFileFacts> unit_files; // by unit
    MigrationFacts migration;
    PowerFacts power;
};

/// Which scheduler claims a target, and through which member ("session:77", "handle_all").
struct Membership {
    std::string scheduler;
    std::string member;
    std::vector<std::string> considered = {}; // while its policy has decided nothing about the target
};

/// What one stacked scheduler decided for a target, and what became of it.
struct DecisionFacts {
    std::string scheduler;
    std::string cpus; // CPU list
    std::string reason;
    std::optional<std::uint64_t> since_ms;    // how long ago it was decided about this target
    std::string result;                       // placement::Opinion::Result as a word
    std::vector<std::string> considered = {}; // ways not taken, and what would free more; a sentence each
};

/// Why one target is where it is. CPU lists are "" when there is none.
struct Explanation {
    std::string target; // "process:123", "cgroup:/batch"
    std::string comm;
    std::vector<Membership> members;
    std::vector<DecisionFacts> decisions; // in stacking order
    std::string wanted;
    std::string written;
    std::string effective;
    std::string state; // placement::State as a word
    std::string detail;
    std::string settings; // what is set beside CPUs: "CPUWeight=200"
    std::string original; // as captured before the first touch, "" if untouched
    std::string before;   // the same in words
};

/// One target, member or unit whose state is not what was asked for.
struct Finding {
    std::string target;
    std::string scheduler;
    std::string state;
    std::string wanted;
    std::string effective;
    std::string detail;
    bool waits = false; // it cannot hold yet: no drift
};

/// What a rehearsal would write, or put back as it was (`after` is "").
struct PlannedChange {
    std::string target;
    std::string comm;
    std::string before; // CPUs as decided now, "" where it is not held
    std::string after;
    std::string settings;
    std::string scheduler;
    std::string reason;
    std::string conflict; // who wants what and cannot have it; "" if nobody, or not because of this
};

/// Whom a change of the configuration is for: all nodes of the cluster, or this one. The same without peers.
enum class Reach { cluster, node };

/// All calls come from the loop's thread. Strings may hold any bytes; the bus side makes them fit for D-Bus.
class Backend : public HoldKeeper, public LogKnobs, public NodeKeeper, public MoveKeeper {
public:
    [[nodiscard]] virtual model::Tree& tree() = 0;

    /// Tree::apply with what belongs around it: after a member was removed, its targets have been restored
    /// and read back when this returns.
    virtual Status apply(const model::Recipe& recipe, bool dry_run, Reach reach) = 0;
    /// Attaches a unit now and for good, by a drop-in file of its own; the attributes are the member's.
    virtual Status attach_persistently(const std::string& scheduler, const std::string& member,
                                       const std::map<std::string, std::string>& attributes,
                                       bool dry_run) = 0;
    /// Takes it out of that file and out of the scheduler. Fails with no_such_object if schedd did not write
    /// it.
    virtual Status detach_persistently(const std::string& scheduler, const std::string& member,
                                       bool dry_run) = 0;
    /// Makes the tree agree with a configuration in TOML; with `prune`, what it does not name is removed.
    /// Returns the verbs that were (or, with `dry_run`, would be) carried out, as recipe lines.
    virtual Result<std::vector<std::string>> apply_config(std::string_view toml, bool dry_run, bool prune,
                                                          Reach reach) = 0;
    /// Re-reads the configuration files; all or nothing. Returns the verbs carried out, as recipe lines.
    virtual Result<std::vector<std::string>> reload(bool dry_run) = 0;
    /// The present configuration as TOML, and as the verbs that build it from nothing.
    [[nodiscard]] virtual std::string export_config() const = 0;
    [[nodiscard]] virtual std::vector<model::Verb> export_verbs() const = 0;

    /// What the changes would place, as JSON (describe_plan()); nothing is changed. REQUIRES: a dry run of
    /// them went well. Fails with busy (asked too often), io.
    virtual Result<std::string> rehearse(const model::Recipe& recipe) = 0;

    [[nodiscard]] virtual Facts facts() const = 0;
    /// The topology facts alone: cheap, called for single properties.
    [[nodiscard]] virtual TopologyFacts topology() const = 0;
    [[nodiscard]] virtual MachineFacts machine() const = 0;
    /// Looks at the machine anew for what it lacks; the same checks in the same order every time.
    virtual std::vector<Check> examine() = 0;
    /// `what` is a member ("process:12", "cgroup:/a"), a pid ("12") or a scheduler's name. Fails with
    /// no_such_object when it names none of these, invalid_value when it cannot be read.
    [[nodiscard]] virtual Result<std::vector<Explanation>> explain(std::string_view what) const = 0;
    /// All that is held, for Dump.
    [[nodiscard]] virtual std::vector<Explanation> explain_all() const = 0;
    /// Reads back every held target now; the findings are those that are not as wanted (none: all is well).
    virtual Result<std::vector<Finding>> verify() = 0;
};

} // namespace schedd::dbus
