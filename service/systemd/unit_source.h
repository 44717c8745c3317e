// UnitSource: what Attachments asks systemd about its unit files. The bus client implements it, tests fake
// it.
#pragma once

#include <string>
#include <vector>

#include "service/systemd/unit_files.h"

namespace schedd::systemd {

/// Calls block as those of UnitManager do, and fail as they do.
class UnitSource {
public:
    virtual ~UnitSource() = default;
    /// Where systemd looks for unit files, the directories that count most first.
    virtual Result<std::vector<std::string>> search_path() = 0;
    /// All units that systemd has loaded now, without their files.
    virtual Result<std::vector<LoadedUnit>> loaded_units() = 0;
    /// The files of one of them.
    virtual Result<std::vector<std::string>> files_of(const std::string& unit) = 0;
    /// One unit by its name or an alias, whole; systemd loads it if it has not.
    virtual Result<LoadedUnit> find(const std::string& unit) = 0;
    /// Asks it to read its files anew, without waiting: it tells when it has (Reloading).
    virtual Status ask_reload() = 0;
};

} // namespace schedd::systemd
