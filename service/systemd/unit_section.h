// The [X-Schedd] section: what a unit's files ask of schedd, read by systemd's own rules for unit files.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "components/kit/result.h"
#include "components/model/attribute.h"

namespace schedd::systemd {

using namespace schedd::kit;

/// A word with the place where it was said, "FILE:LINE".
struct Said {
    std::string text;
    std::string where;
    bool operator==(const Said&) const = default;
};

/// What one unit asks for. Later files and lines override earlier ones; an empty assignment takes back all
/// that was said before.
struct UnitWish {
    std::vector<Said> schedulers;           // in the order in which they were named, none twice
    std::map<std::string, Said> attributes; // of the member, by name: weight, class, cpus, exclusive...
    std::optional<Said> opt_out;            // OptOut=yes
    std::vector<std::string> complaints;    // what was passed over: "FILE:LINE: what; accepted"
    bool operator==(const UnitWish&) const = default;
    [[nodiscard]] bool empty() const { return schedulers.empty() && attributes.empty() && !opt_out; }
};

/// Adds what `text`, the contents of `file`, says for `unit`. Keys: Scheduler= (names, blank-separated; %n,
/// %p, %i and %% are put in), Weight=, Class=, CPUs=, Exclusive=, Memory=, Quota=, OptOut=. As systemd does,
/// what cannot be understood is passed over with a complaint and the rest counts: comments begin with # or
/// ;, a backslash at the end goes on with the next line, lines are at most limits::kUnitLine bytes.
void read_section(UnitWish& wish, std::string_view unit, std::string_view file, std::string_view text);

/// The key of a member's attribute, "CPUs" for "cpus"; "" if no key gives it.
std::string_view key_of(std::string_view attribute);

/// systemd's words for booleans: 1 yes y true t on, 0 no n false f off, in any case.
std::optional<bool> parse_systemd_boolean(std::string_view text);

} // namespace schedd::systemd
