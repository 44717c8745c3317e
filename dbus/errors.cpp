// The table of error names.
#include "dbus/errors.h"

#include "dbus/text.h"

namespace schedd::dbus {

std::string_view error_name(Errc kind) {
    switch (kind) {
    case Errc::no_such_object: return "org.schedd1.Error.NoSuchObject";
    case Errc::exists: return "org.schedd1.Error.Exists";
    case Errc::type_mismatch: return "org.schedd1.Error.TypeMismatch";
    case Errc::invalid_value: return "org.schedd1.Error.InvalidValue";
    case Errc::busy: return "org.schedd1.Error.Busy";
    case Errc::cycle: return "org.schedd1.Error.Cycle";
    case Errc::conflict: return "org.schedd1.Error.Conflict";
    case Errc::limit_exceeded: return "org.schedd1.Error.LimitExceeded";
    case Errc::not_attachable: return "org.schedd1.Error.NotAttachable";
    case Errc::not_applied: return "org.schedd1.Error.NotApplied";
    case Errc::cpu_offline: return "org.schedd1.Error.CpuOffline";
    case Errc::stale_topology: return "org.schedd1.Error.StaleTopology";
    case Errc::controller_unavailable: return "org.schedd1.Error.ControllerUnavailable";
    case Errc::held_by_other: return "org.schedd1.Error.HeldByOther";
    case Errc::denied: return "org.schedd1.Error.Denied";
    case Errc::not_supported: return "org.schedd1.Error.NotSupported";
    case Errc::no_value: return "org.schedd1.Error.NoValue";
    case Errc::io: return "org.schedd1.Error.Io";
    }
    return "org.schedd1.Error.Io";
}

std::string error_message(const Error& error) { return fit_text(error.text()); }

} // namespace schedd::dbus
