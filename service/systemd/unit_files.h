// Unit files: which units have an [X-Schedd] section, and what the files that systemd loaded for them say.
#pragma once

#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "service/systemd/unit_section.h"

namespace schedd::systemd {

/// What systemd has loaded for a unit.
struct LoadedUnit {
    std::string id; // the name it goes by, also when it was asked for by an alias
    bool is_active = false;
    bool exists = false;            // false: its name is known, but there is no file
    std::vector<std::string> files; // the fragment, then the drop-ins in the order in which they count
};

/// The names of files and directories that hold an [X-Schedd] section: of what systemd has loaded only these
/// are worth a question.
class SectionIndex {
public:
    /// Looks through systemd's search path (its property UnitPath). Costs a read of every unit file there is,
    /// some milliseconds on a usual machine; missing directories are fine.
    static SectionIndex scan(std::span<const std::string> directories);

    [[nodiscard]] bool empty() const { return names_.empty(); }
    /// Whether one of the unit's files may have the section: its own, its template's, one for names that
    /// begin as its does ("foo-.service.d"), or one for all of its type ("service.d").
    [[nodiscard]] bool may_concern(std::string_view unit) const;
    /// Whether a file or directory with the section is called after this very unit.
    [[nodiscard]] bool names(std::string_view unit) const { return names_.contains(unit); }
    /// Names of single units among them, perhaps aliases; no templates.
    [[nodiscard]] std::vector<std::string> single_units() const;

private:
    std::set<std::string, std::less<>> names_;
};

/// The names that drop-ins for this unit go by, the most particular first (systemd.unit(5)): "a-b@c.service",
/// "a-b@.service", "a-.service", "service".
std::vector<std::string> names_for_drop_ins(std::string_view unit);

/// What the files of a unit say together. A file that cannot be read is a complaint.
UnitWish wish_of(const LoadedUnit& unit);

} // namespace schedd::systemd
