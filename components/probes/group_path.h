// Paths of control groups as readers name them, and where the unified hierarchy may be mounted.
#pragma once

#include <array>
#include <string_view>

#include "components/kit/limits.h"

namespace schedd::probes {

using namespace schedd::kit;

/// The unified hierarchy may be mounted at either place.
constexpr std::array<std::string_view, 2> kUnifiedMounts{"sys/fs/cgroup", "sys/fs/cgroup/unified"};

/// "/", "/batch/a": one that cannot lead out of the hierarchy.
constexpr bool is_group_path(std::string_view path) {
    return path.starts_with('/') && path.size() <= limits::kMemberLength &&
           path.find("/..") == std::string_view::npos && path.find("//") == std::string_view::npos &&
           path.find('\0') == std::string_view::npos;
}

} // namespace schedd::probes
