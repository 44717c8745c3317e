// UnitName: names of systemd units as systemd writes them, and finding them in the paths of control groups.
#pragma once

#include <string>
#include <string_view>

#include "components/kit/result.h"

namespace schedd::model {

using namespace schedd::kit;

/// Fails with invalid_value unless `name` is one of a unit that has a control group: TYPE is service, scope,
/// slice, socket, mount or swap, the rest letters, digits and ":-_.\@" (unit_name_is_valid() of systemd). A
/// template
/// ("getty@.service") is one too and stands for all its instances.
Status check_unit_name(std::string_view name);

/// "getty@.service": a template, which itself never runs.
bool is_template(std::string_view unit);

/// The unit of that name, or the instance of that template, that a control group of the systemd hierarchy is
/// or is in: "/system.slice/getty.slice/getty@1.service/x" for "getty@.service" gives "getty@1.service"; ""
/// if it is in none. Units of user managers (below "user@UID.service") are others, whatever their name: only
/// the manager itself and what is above it count there.
std::string_view unit_in(std::string_view group, std::string_view unit);
/// The control group of that unit or instance: "/system.slice/getty.slice/getty@1.service" above; ""
/// likewise.
std::string_view group_of_unit(std::string_view group, std::string_view unit);

} // namespace schedd::model
