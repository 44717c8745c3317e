// A walk over path elements, half of it in the mount and half outside.
#include "cli/fs/target.h"

#include <cerrno>

namespace schedd::cli::fs {

namespace {

constexpr int kLinks = 40; // as the kernel follows

bool is_below(std::string_view path, std::string_view top) {
    return path.starts_with(top) && (path.size() == top.size() || path[top.size()] == '/' || top == "/");
}

void go_up(std::string& path) { path.resize(path.rfind('/')); }

} // namespace

std::expected<std::string, int> resolve_target(std::string_view target, std::string_view from,
                                               std::string_view mount_point, const ReadLink& outer_link,
                                               const ReadLink& inner_link) {
    std::string rest =
        target.starts_with('/') ? std::string(target) : std::string(from) + '/' + std::string(target);
    std::string path; // walked so far, without a slash at the end; "" is the root
    int followed = 0;
    while (!rest.empty()) {
        const auto slash = rest.find('/');
        const auto word = rest.substr(0, slash);
        rest.erase(0, slash == std::string::npos ? std::string::npos : slash + 1);
        if (word.empty() || word == ".") continue;
        if (word == "..") {
            if (!path.empty()) go_up(path);
            continue;
        }
        path += '/' + word;
        if (path == mount_point) continue; // asked of it, the file view would wait for itself
        const bool is_inside = is_below(path, mount_point);
        const auto found = is_inside ? inner_link(path.substr(mount_point.size())) : outer_link(path);
        if (!found) return std::unexpected(found.error());
        const auto& link = *found;
        if (!link) continue;
        if (++followed > kLinks) return std::unexpected(ELOOP);
        if (link->starts_with('/')) path.clear();
        else go_up(path);
        rest = *link + '/' + rest;
    }
    if (!is_below(path, mount_point)) return std::unexpected(EPERM);
    auto inside = path.substr(mount_point.size());
    return inside.empty() ? "/" : inside;
}

} // namespace schedd::cli::fs
