// Paths: the place of a part in the tree as an object path, and back; one to one for every name there can be.
#pragma once

#include <string>
#include <string_view>

#include "components/model/path.h"

namespace schedd::dbus {

using namespace schedd::kit;

inline constexpr std::string_view kRootPath = "/org/schedd1";

/// probes/cpu/node_load -> /org/schedd1/probes/cpu/node_5fload: every byte outside [A-Za-z0-9] becomes _xx,
/// two lower case hex digits. The root is /org/schedd1.
std::string object_path(const model::Path& path);

/// The inverse. Fails with invalid_value on anything object_path() does not produce, so that no two object
/// paths name one part: another root, empty elements, a bad or needless escape, _00, limits of kit/limits.h
/// exceeded.
Result<model::Path> tree_path(std::string_view object_path);

/// A path as callers name it: in tree notation ("probes/cpu") or as an object path
/// ("/org/schedd1/probes/cpu").
Result<model::Path> parse_path(std::string_view text);

} // namespace schedd::dbus
