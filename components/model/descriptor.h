// Descriptor: everything the framework knows about a type of probe, filter or policy; one constant per type.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "components/model/attribute.h"
#include "components/model/part.h"
#include "components/model/value.h"

namespace schedd::kit {
class Clock;
class Host;
class Log;
class Rng;
} // namespace schedd::kit

namespace schedd::model {

class ProcessTable;
class Movement;
class RemoteValues;
struct PowerState;

/// What a part may use of the world, handed to its constructor; all outlive it.
struct Environment {
    const Clock& clock;
    Rng& rng;
    Host& host;
    Log& log;
    ProcessTable& processes;
    const RemoteValues* remote = nullptr; // none: there will never be other nodes
    const Movement* movement = nullptr;   // none: nothing will ever be moved to them
    const PowerState* power = nullptr;    // none: nobody says anything about power
};

struct SourceSpec {
    std::string_view name;
    ValueType type;
    std::string_view doc;
};

/// `wants_updates`: an update that arrives here makes the policy due; otherwise the port is only read.
struct PortSpec {
    std::string_view name;
    ValueType type;
    bool wants_updates = false;
    std::string_view doc;
};

/// A filter takes the type of the sink it is created in, so `input` and `output` have no place here.
struct Descriptor {
    std::string_view name;
    Kind kind;
    std::string_view doc;
    std::unique_ptr<Part> (*make)(const Descriptor& type, std::string name, const Environment& environment);
    AttributeTable attributes = {};
    std::span<const PortSpec> ports = {};
    std::span<const SourceSpec> sources = {};
    std::string_view alias = {};
};

/// The usual `make`: T has the constructor T(const Descriptor&, std::string name, const Environment&).
template <class T>
std::unique_ptr<Part> make_part(const Descriptor& type, std::string name, const Environment& environment) {
    return std::make_unique<T>(type, std::move(name), environment);
}

} // namespace schedd::model
