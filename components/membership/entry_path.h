// Entry paths: which are possible, and which lie below which, so that a tombstone takes all below it.
#pragma once

#include <functional>
#include <string_view>

namespace schedd::membership {

/// Between a part's path and the name of its attribute or link: "probes/cpu#probe_period".
constexpr char kAttributeMark = '#';

/// 1 to limits::kPath printable bytes without blanks, no empty name before, between or after '/' and '#', at
/// most one '#', and that in the last name.
[[nodiscard]] bool is_entry_path(std::string_view path);

/// "a/b#c" and "a/b/c" are below "a/b" and "a"; nothing is below itself.
[[nodiscard]] bool is_below(std::string_view path, std::string_view object);

/// The objects that `path` is below, the topmost first, until `visit` returns false. "a/b/c#d" gives "a",
/// "a/b", "a/b/c".
template <class Visit> void each_above(std::string_view path, const Visit& visit) {
    for (std::size_t i = 1; i < path.size(); ++i)
        if ((path[i] == '/' || path[i] == kAttributeMark) && !visit(path.substr(0, i))) return;
}

} // namespace schedd::membership
