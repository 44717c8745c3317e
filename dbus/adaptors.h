// Adaptors: for each kind of part the interface it has on the bus; one file per kind, each the twin of a
// model class. They translate and decide nothing: what changes goes through the backend, what is read comes
// from the part.
#pragma once

#include <optional>
#include <string>

#include "dbus/backend.h"
#include "dbus/family.h"
#include "dbus/object.h"
#include "dbus/watches.h"

namespace schedd::dbus {

/// What an adaptor may use besides its part; outlives all objects.
struct Surroundings {
    Backend& backend;
    Watches& watches;
};

Interface probe_interface(model::Probe& probe, Surroundings around);
Interface source_interface(model::Source& source, Surroundings around);
Interface filter_interface(model::Filter& filter, Surroundings around);
Interface port_interface(model::Port& port, Surroundings around);
Interface policy_interface(model::Policy& policy, Surroundings around);
Interface scheduler_interface(model::Scheduler& scheduler, Surroundings around);
Interface process_set_interface(model::ProcessSet& set, Surroundings around);
Interface attachment_interface(model::Member& member, Surroundings around);
FamilyTable node_table(Surroundings around);

/// The interface of any part; none for folders, which are no objects, and for nodes, which share a table.
std::optional<Interface> interface_of(model::Part& part, Surroundings around);

// What the kinds share.

/// An interface with Path, Type and one property per attribute of the part.
Interface part_interface(std::string name, model::Part& part, Surroundings around);
/// Adds Value, Get, List, Watch and Sampled. REQUIRES: the part has an output.
void add_output(Interface& interface, model::Part& part, Surroundings around);
/// Adds CollectedValue and SourceLink. REQUIRES: the part has an input.
void add_input(Interface& interface, model::Part& part);
/// Adds ValueType, Unit and Parameter.
void add_value_type(Interface& interface, const model::ValueType& type);

} // namespace schedd::dbus
