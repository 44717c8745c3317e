// Describe: parts, types and reports as JSON text; any bytes and numbers go in, valid UTF-8 JSON comes out.
#pragma once

#include <string>
#include <vector>

#include "dbus/backend.h"

namespace schedd::dbus {

/// A part and all below it. Ages are counted to the time of the tree's clock.
std::string describe_part(const model::Tree& tree, const model::Part& part);

/// All types of the registry, and the kinds that need none (scheduler, process_set, member).
std::string describe_types(const model::Registry& registry);

/// Manager.Status. `parts` is the size of the tree.
std::string describe_facts(const Facts& facts, std::size_t parts);

/// Manager.Topology and Manager.Doctor.
std::string describe_machine(const MachineFacts& machine);
std::string describe_checks(const std::vector<Check>& checks);

/// Manager.ListNodes.
std::string describe_nodes(const NetworkFacts& network, const std::vector<NodeFacts>& nodes);
std::string describe_place(const TaskPlace& place);
/// A value at another node, as Describe answers it for "NODE:PATH".
std::string describe_remote(const NodeFacts& node, const NodeValue& value);

std::string describe_explanations(const std::vector<Explanation>& explanations);
std::string describe_findings(const std::vector<Finding>& findings, bool dry_run = false);
/// What a recipe did: {"changes":[...],"dry_run":b}.
/// `plan` is what describe_plan() gave, or "" for none; `why` says why there is none.
std::string describe_changes(const std::vector<std::string>& changes, bool dry_run,
                             const std::string& plan = {}, const std::string& why = {});
std::string describe_plan(const std::vector<PlannedChange>& plan);
/// {"status":...,"tree":...,"explain":[...]}
std::string describe_all(const model::Tree& tree, const Facts& facts,
                         const std::vector<Explanation>& explanations);

} // namespace schedd::dbus
