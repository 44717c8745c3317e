// The words of the error kinds.
#include "components/kit/result.h"

namespace schedd::kit {

std::string_view name_of(Errc kind) {
    switch (kind) {
    case Errc::no_such_object: return "no_such_object";
    case Errc::exists: return "exists";
    case Errc::type_mismatch: return "type_mismatch";
    case Errc::invalid_value: return "invalid_value";
    case Errc::busy: return "busy";
    case Errc::cycle: return "cycle";
    case Errc::conflict: return "conflict";
    case Errc::limit_exceeded: return "limit_exceeded";
    case Errc::not_attachable: return "not_attachable";
    case Errc::not_applied: return "not_applied";
    case Errc::cpu_offline: return "cpu_offline";
    case Errc::stale_topology: return "stale_topology";
    case Errc::controller_unavailable: return "controller_unavailable";
    case Errc::held_by_other: return "held_by_other";
    case Errc::denied: return "denied";
    case Errc::not_supported: return "not_supported";
    case Errc::no_value: return "no_value";
    case Errc::io: return "io";
    }
    return "unknown";
}

} // namespace schedd::kit
