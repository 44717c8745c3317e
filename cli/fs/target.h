// Where the target of a new symlink leads, seen from whoever makes it: configfs looks it up from the caller's
// working directory, not from the link's.
#pragma once

#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace schedd::cli::fs {

/// What a symlink leads to; none if the path is none; an errno if it must not be looked at.
using ReadLink = std::function<std::expected<std::optional<std::string>, int>(const std::string& path)>;

/// The path from the mount point ("/krg_scheduler/probes/cpu/node_load") that `target` leads to from the
/// directory `from`. All three paths are absolute but `target`, and `mount_point` is free of symlinks.
/// `inner_link` says where symlinks of the file view lead, relative to their directory; `outer_link` is asked
/// of paths outside only, since the file view would wait for itself. Fails with EPERM if it leads elsewhere,
/// as in configfs, and ELOOP. Nothing is looked up in the mount: the target need not be there.
std::expected<std::string, int> resolve_target(std::string_view target, std::string_view from,
                                               std::string_view mount_point, const ReadLink& outer_link,
                                               const ReadLink& inner_link);

} // namespace schedd::cli::fs
