// Failure: what a verb ends with when it does not succeed, and the exit codes everything here promises.
#pragma once

#include <expected>
#include <string>
#include <utility>

namespace schedd::cli {

/// The process's exit status. Documented in the manual page; scripts rely on the numbers.
enum class Exit : int {
    ok = 0,
    error = 1,       // refused or failed, nothing was changed unless the message says so
    usage = 2,       // the command line itself cannot be understood
    drift = 3,       // verify or diff found a difference or conflict, doctor something missing
    denied = 4,      // no permission
    not_running = 5, // no daemon, no bus, or they went away in mid-stream
};

/// `text` is for people: what was wrong, where, and what would be accepted. `error` is for programs: the name
/// of the D-Bus error, where the failure was one.
struct Failure {
    Exit exit = Exit::error;
    std::string text;
    std::string error = {};
    bool operator==(const Failure&) const = default;
};

template <class T> using Answer = std::expected<T, Failure>;

[[nodiscard]] inline std::unexpected<Failure> give_up(Exit exit, std::string text) {
    return std::unexpected(Failure{exit, std::move(text)});
}

} // namespace schedd::cli
