// Result and Error: how everything below the bus edge says that something did not work.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace schedd::kit {

/// The kinds of failure. Each has one D-Bus name (dbus/errors) and one meaning everywhere.
enum class Errc {
    no_such_object,         // the path, type or attribute named does not exist
    exists,                 // something of that name is already there
    type_mismatch,          // both sides of a link must agree in type, unit and parameter
    invalid_value,          // a value, name or file that cannot be understood or is out of range
    busy,                   // in use: linked to, has children, already has a source
    cycle,                  // the link would make a chain feed itself
    conflict,               // two schedulers cannot both have their way
    limit_exceeded,         // a named limit from kit/limits.h
    not_attachable,         // this process or group may not be a member
    not_applied,            // the machine did not do what was asked
    cpu_offline,            // the set holds no online CPU
    stale_topology,         // decided on a machine that has changed since
    controller_unavailable, // the kernel interface needed is missing or read-only
    held_by_other,          // somebody else owns it
    denied,                 // no permission
    not_supported,          // understood, but not possible here
    no_value,               // there is nothing to read: not linked, not measured yet, or too old
    io,                     // the operating system refused, `detail` says how
};

/// The stable word of a kind, as used in JSON and logs: "no_such_object".
std::string_view name_of(Errc kind);

/// One failure: kind for programs, `what` (what was wrong and where) and `detail` (what would be accepted,
/// or the cause) for people.
struct Error {
    Errc kind;
    std::string what;
    std::string detail;

    /// "what: detail", or just "what".
    [[nodiscard]] std::string text() const { return detail.empty() ? what : what + ": " + detail; }
    bool operator==(const Error&) const = default;
};

template <class T> using Result = std::expected<T, Error>;
using Status = Result<void>;

/// Shorthand to return a failure from any Result function.
[[nodiscard]] inline std::unexpected<Error> fail(Errc kind, std::string what, std::string detail = {}) {
    return std::unexpected(Error{kind, std::move(what), std::move(detail)});
}

} // namespace schedd::kit
