// RuntimeDropIns: the files in which systemd keeps what was set by a bus call, and who else set a property.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "components/kit/result.h"

namespace schedd::actuators {

using namespace schedd::kit;

/// Where a property came from before schedd, which decides what is left in systemd's files afterwards.
enum class Origin { unset, runtime, persistent, file };
std::string_view name_of(Origin origin);
/// Fails with invalid_value.
Result<Origin> parse_origin(std::string_view word);
/// " in its unit files", for people; "" for what was unset.
std::string_view told(Origin origin);

/// systemd's drop-ins of properties set by bus calls: DIRECTORY/system.control/UNIT.d/50-PROPERTY.conf.
class RuntimeDropIns {
public:
    explicit RuntimeDropIns(std::string directory) : directory_(std::move(directory)) {}
    /// `files` are the unit's drop-ins, `is_set` whether the property has a value at all.
    [[nodiscard]] Origin origin_of(const std::string& unit, std::string_view property, bool is_set,
                                   const std::vector<std::string>& files) const;
    /// The one of `files` that sets the property, the last of several; "somebody else" where it is in none.
    static std::string who_set(std::string_view property, const std::vector<std::string>& files);
    /// Removes those of the property; they count more than any other file and would outlive us.
    Status remove(const std::string& unit, std::string_view property) const;

private:
    [[nodiscard]] std::string path(const std::string& unit, std::string_view property,
                                   std::string_view folder) const;
    std::string directory_;
};

} // namespace schedd::actuators
