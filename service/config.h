// Config: what the configuration files ask for, as a value, and the verbs that bring a tree there.
#pragma once

#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "components/membership/cluster_settings.h"
#include "components/model/tree.h"
#include "service/remote/migration_settings.h"

namespace schedd::service {

using namespace schedd::model;

/// Where something was said, for messages: "50-lb.toml:3:1". Lines and columns count from 1; 0 = not known.
struct Where {
    std::string file;
    unsigned line = 0;
    unsigned column = 0;
    [[nodiscard]] std::string text() const;
};

/// An attribute as written in a file; checked against its declaration by recipe_to().
struct DesiredAttribute {
    std::string name;
    AttributeValue value;
    Where where;
};

struct DesiredProbe {
    std::string name;
    std::string type; // "" = as the name
    std::vector<DesiredAttribute> attributes;
    Where where;
};

struct DesiredMember {
    std::string name; // "process:1"
    std::vector<DesiredAttribute> attributes;
    Where where;
};

/// A sink below the policy, "node_load" or "node_load/freq_limit/last_event", and the chain that feeds it.
struct DesiredPort {
    Path sink;
    std::string chain;
    Where where;
};

struct DesiredScheduler {
    std::string name;
    std::string policy;      // name of the policy part, "" = none named
    std::string policy_type; // "" = as its name
    Where policy_where;
    std::vector<DesiredAttribute> attributes;        // of the scheduler
    std::vector<DesiredAttribute> set_attributes;    // of its process set
    std::vector<DesiredAttribute> policy_attributes; // of its policy
    std::vector<DesiredMember> members;
    std::vector<DesiredPort> ports;
    Where where;
};

/// A scheduler that is made when a process starts one of some programs, for it and its children.
struct DesiredTemplate {
    DesiredScheduler scheduler;    // without members
    std::vector<std::string> exec; // patterns, as of exec: members
};

/// The [daemon], [cluster] and [migration] tables; what is absent is decided by the command line or the
/// default (see schedd.conf(5)).
struct DaemonSettings {
    std::optional<std::string> on_stop;          // restore (default) or leave
    std::optional<std::string> log_level;        // debug, info (default), notice, warning or error
    std::optional<std::string> actuator;         // auto (default), systemd, cgroup, affinity or dry-run
    std::optional<std::string> on_foreign;       // yield (default) or reassert
    std::optional<std::string> reserved_cpus;    // kept for the host: "0-1,16"; none
    std::optional<std::string> frequency;        // off (default) or on: CPUs' energy preference, frequencies
    std::optional<std::uint64_t> scan_period_ms; // between looks for what no event announces; 1000
    std::optional<std::uint64_t> tick_period_ms; // for which process events are gathered; 100
    std::optional<membership::ClusterSettings> cluster; // as one file has it; read at start alone
    Where cluster_where;
    std::optional<remote::MigrationSettings> migration; // as one file has it
    Where migration_where;
};

/// A whole configuration. Parts stand in the order of the files and lines that define them.
struct Desired {
    DaemonSettings daemon;
    std::vector<DesiredProbe> probes;
    std::vector<DesiredScheduler> schedulers;
    std::vector<DesiredTemplate> templates;
};

/// Reads one file. `name` is for messages. Errors say file, line, column and cause: invalid_value for what
/// cannot be understood (unknown keys are listed with the known ones), limit_exceeded beyond
/// limits::kConfigBytes. Neither the tree nor the types are looked at.
Result<Desired> parse_config(std::string_view name, std::string_view text);

/// Both together. A scheduler and a setting may be defined once; a probe again if it is the same. Fails with
/// exists, naming both places.
Result<Desired> merge(Desired first, Desired second);

/// The fewest verbs that make `tree` what is desired, in an order that Tree::apply accepts. Everything is
/// checked against the registry first: types, attributes, ports, sources and their types; errors say file,
/// line and column. Attributes that a file does not name, and parts, stay; with `prune` the parts are removed
/// and the attributes go back to their defaults. Applied, a second call returns an empty recipe.
Result<Recipe> recipe_to(const Desired& desired, const Tree& tree, bool prune);

/// What the tree has refused of it, with file, line and column of the part or attribute that the error names
/// first; as it is if it says that already, or names none.
Error with_place(Error error, const Desired& desired);

/// The tree as a configuration file; parsed again and compared with the tree it gives an empty recipe. With
/// the templates there are; schedulers of these names are left out.
std::string export_toml(const Tree& tree, std::span<const DesiredTemplate> templates = {},
                        const std::set<std::string>& left_out = {});
/// One scheduler, and one template, as their tables in such a file. Members that have ended are comments, as
/// they would be refused, unless not `marks_ended`.
std::string export_scheduler(const Scheduler& scheduler, bool marks_ended = true);
std::string export_template(const DesiredTemplate& made);
/// The verbs that build the tree from nothing. Members are attached in the order they were.
Recipe export_recipe(const Tree& tree);

/// What an administrator, a running system and a package may configure, the later overriding the earlier.
std::vector<std::string> default_directories();

/// Reads schedd.conf and schedulers.d/*.toml of all directories. A file of a later directory replaces the one
/// of the same name in an earlier; an empty one or a link to /dev/null masks it. Missing directories are
/// fine. Nothing but files of at most limits::kConfigBytes is read, at most limits::kConfigFiles of them.
Result<Desired> load_config(std::span<const std::string> directories);

} // namespace schedd::service
