// Looking, listing, creating and removing.
#include "cli/fs/view.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "cli/fs/file_text.h"
#include "components/kit/limits.h"

namespace schedd::cli::fs {

namespace {

using What = Place::What;

struct Split {
    std::string_view directory;
    std::string_view name;
};
Split split(std::string_view file) {
    const auto slash = file.rfind('/');
    return {file.substr(0, std::max<std::size_t>(slash, 1)), file.substr(slash + 1)};
}

/// Something that was created, and did not come with `part` itself.
bool holds_made_parts(const Part& part) {
    return std::ranges::any_of(part.children, [](const auto& entry) {
        const auto kind = entry.second.kind;
        return kind == Kind::filter || kind == Kind::policy || kind == Kind::member ||
               holds_made_parts(entry.second);
    });
}

/// The file system that a path is on, told from what the kernel has: a mount that we serve is not asked.
std::optional<std::pair<std::uint32_t, std::uint32_t>> device_of(const std::string& path) {
    struct statx about{};
    if (::statx(AT_FDCWD, path.c_str(), AT_SYMLINK_NOFOLLOW | AT_STATX_DONT_SYNC, STATX_TYPE, &about) != 0)
        return std::nullopt;
    return std::pair(about.stx_dev_major, about.stx_dev_minor);
}

/// What a symlink outside the mount leads to. Our own mount by another path (a bind mount) is not entered.
Outcome<std::optional<std::string>> link_outside(const std::string& path, const std::string& mount_point) {
    const auto device = device_of(path);
    if (!device) return std::nullopt;
    if (device == device_of(mount_point)) {
        const auto above = device_of(mount_point.substr(0, std::max<std::size_t>(mount_point.rfind('/'), 1)));
        if (device != above) return std::unexpected(EPERM);
    }
    char target[4096];
    const auto size = ::readlink(path.c_str(), target, sizeof target);
    if (size < 0) return std::nullopt;
    return std::string(target, static_cast<std::size_t>(size));
}

bool is_linked(const Json& described) {
    return flag_at(field(described, "flow"), "linked") ||
           std::ranges::any_of(field(described, "children"), is_linked);
}

} // namespace

Outcome<Place> View::find(std::string_view file) {
    if (const auto there = daemon_.refresh(); !there) {
        // what is there without a daemon
        static const Mirror kNoParts;
        static const Types kNoTypes;
        auto place = place_of(file, kNoParts, kNoTypes);
        const bool is_fixed = place.what == What::root || place.what == What::slides_top ||
                              (place.what == What::part && place.path.is_root());
        if (!is_fixed) return std::unexpected(error_number(there.error(), Act::read));
        return place;
    }
    auto place = place_of(file, daemon_.mirror(), daemon_.types());
    const bool may_be_new = place.what == What::nothing || place.what == What::may_be_link;
    if (may_be_new && split(file).name.size() > kFileName) return std::unexpected(ENAMETOOLONG);
    return place;
}

Outcome<std::string> View::read_text(const std::string& place) {
    auto text = daemon_.call("Read", {place});
    if (!text) return std::unexpected(error_number(text.error(), Act::read));
    return *text;
}

Outcome<std::optional<View::Link>> View::link_in(const model::Path& sink, const Part& part) {
    const auto is_filter = [](const auto& entry) { return entry.second.kind == Kind::filter; };
    if (std::ranges::any_of(part.children, is_filter)) return std::nullopt;
    const auto text = read_text(sink.text() + ".source");
    if (!text && text.error() != ENOENT) return std::unexpected(text.error());
    const auto source = model::Path::parse(text.value_or(""));
    const auto* linked = source ? daemon_.mirror().find(*source) : nullptr;
    const auto known = links_.find(sink);
    if (!linked || linked->kind != Kind::source) {
        if (known != links_.end()) links_.erase(known);
        return std::nullopt;
    }
    if (known != links_.end() && known->second.source == *source) return known->second;
    if (known != links_.end()) links_.erase(known); // somebody else has linked something else
    return Link{derived_link_name(*source), *source};
}

Outcome<View::Link> View::link_at(const Place& place) {
    if (place.what != What::may_be_link) return std::unexpected(ENOENT);
    auto link = link_in(place.path, *place.part);
    if (!link) return std::unexpected(link.error());
    if (!*link || (*link)->name != place.name) return std::unexpected(ENOENT);
    return std::move(**link);
}

Outcome<Looks> View::look(std::string_view file) {
    const auto place = find(file);
    if (!place) return std::unexpected(place.error());
    if (place->is_directory()) return Looks{};
    if (place->what == What::slides_top) return Looks{Entry::Sort::link, false, kTop.size()};
    if (place->is_file()) {
        const bool is_writable = place->what == What::attribute && !place->attribute->read_only;
        return Looks{Entry::Sort::file, is_writable, kFileBytes};
    }
    const auto link = link_at(*place);
    if (!link) return std::unexpected(link.error());
    return Looks{Entry::Sort::link, false, link_target(place->path, link->source).size()};
}

Outcome<std::vector<Entry>> View::list(std::string_view file) {
    const auto place = find(file);
    if (!place) return std::unexpected(place.error());
    if (place->what == What::nothing) return std::unexpected(ENOENT);
    if (!place->is_directory()) return std::unexpected(ENOTDIR);
    // the fixed directory's entries are the daemon's
    if (place->what != What::root && daemon_.descriptor() < 0) return std::unexpected(ENOTCONN);
    auto entries = entries_of(*place, daemon_.mirror(), daemon_.types());
    if (place->what != What::part || !is_sink(*place->part)) return entries;
    const auto link = link_in(place->path, *place->part);
    if (!link) return std::unexpected(link.error());
    if (*link) entries.push_back({(*link)->name, Entry::Sort::link});
    return entries;
}

Outcome<std::string> View::read_link(std::string_view file) {
    const auto place = find(file);
    if (!place) return std::unexpected(place.error());
    if (place->what == What::slides_top) return std::string(kTop);
    if (place->is_directory() || place->is_file()) return std::unexpected(EINVAL);
    const auto link = link_at(*place);
    if (!link) return std::unexpected(link.error());
    return link_target(place->path, link->source);
}

Outcome<void> View::change(const char* method, const std::vector<Argument>& arguments, Act act) {
    const auto done = daemon_.call(method, arguments, true);
    if (done) return {};
    tell_(done.error().text);
    return std::unexpected(error_number(done.error(), act));
}

Outcome<void> View::make(std::string_view file) {
    const auto [directory, name] = split(file);
    const auto parent = find(directory);
    if (!parent) return std::unexpected(parent.error());
    if (parent->what == What::nothing) return std::unexpected(ENOENT);
    if (parent->what == What::member_group) {
        const auto member = member_name(*parent->group, name);
        if (member.empty()) return std::unexpected(EINVAL);
        return change("Create", {parent->path.child(member).text(), ""}, Act::attach);
    }
    const bool is_fixed = parent->what != What::part || parent->path.is_root();
    const auto kind = is_fixed ? Kind::source : parent->part->kind;
    if (kind != Kind::folder && kind != Kind::scheduler && kind != Kind::port && kind != Kind::filter)
        return std::unexpected(EPERM);
    if (name.size() > kit::limits::kNameLength) return std::unexpected(ENAMETOOLONG);
    return change("Create", {parent->path.child(std::string(name)).text(), ""}, Act::create);
}

bool View::has_link_inside(const model::Path& path) {
    const auto text = daemon_.call("Describe", {path.text()});
    const auto described = text ? parse_json(*text, "Describe") : Answer<Json>(Json());
    return described && is_linked(*described);
}

Outcome<void> View::remove(std::string_view file) {
    const auto place = find(file);
    if (!place) return std::unexpected(place.error());
    if (place->what == What::nothing) return std::unexpected(ENOENT);
    if (place->is_file()) return std::unexpected(ENOTDIR);
    if (place->what == What::may_be_link) return std::unexpected(link_at(*place) ? ENOTDIR : ENOENT);
    const bool is_fixed = place->what != What::part || place->path.is_root();
    const auto kind = is_fixed ? Kind::folder : place->part->kind;
    if (kind == Kind::folder || kind == Kind::source || kind == Kind::port || kind == Kind::process_set ||
        kind == Kind::node)
        return std::unexpected(EPERM);
    const auto done = change("Remove", {place->path.text()}, Act::remove);
    if (done || done.error() != EBUSY) return done;
    const bool is_empty = !holds_made_parts(*place->part) && !has_link_inside(place->path);
    return std::unexpected(is_empty ? EBUSY : ENOTEMPTY);
}

Outcome<void> View::link(std::string_view target, std::string_view from, std::string_view file) {
    const auto [directory, name] = split(file);
    const auto sink = find(directory);
    if (!sink) return std::unexpected(sink.error());
    if (sink->what == What::nothing) return std::unexpected(ENOENT);
    if (name.size() > kFileName) return std::unexpected(ENAMETOOLONG);
    if (sink->what != What::part || !is_sink(*sink->part)) return std::unexpected(EPERM);
    const auto outer = [&](const std::string& path) { return link_outside(path, mount_point_); };
    const auto inner = [&](const std::string& path) -> Outcome<std::optional<std::string>> {
        const auto place = place_of(path, daemon_.mirror(), daemon_.types());
        if (place.what == What::slides_top) return std::string(kTop);
        const auto link = link_at(place);
        if (!link) return std::nullopt;
        return link_target(place.path, link->source);
    };
    const auto led = resolve_target(target, from, mount_point_, outer, inner);
    if (!led) return std::unexpected(led.error());
    const auto source = place_of(*led, daemon_.mirror(), daemon_.types());
    if (source.is_file()) return std::unexpected(ENOTDIR);
    if (!source.is_directory()) return std::unexpected(ENOENT);
    if (source.what != What::part || source.path.is_root()) return std::unexpected(EINVAL);
    auto done = change("Link", {source.path.text(), sink->path.text()}, Act::link);
    if (!done) return done;
    // names of links in parts that others have removed
    std::erase_if(links_, [&](const auto& known) { return !daemon_.mirror().find(known.first); });
    links_.insert_or_assign(sink->path, Link{std::string(name), source.path});
    return done;
}

Outcome<void> View::unlink(std::string_view file) {
    const auto place = find(file);
    if (!place) return std::unexpected(place.error());
    if (place->what != What::nothing && place->what != What::may_be_link) return std::unexpected(EPERM);
    if (const auto link = link_at(*place); !link) return std::unexpected(link.error());
    auto done = change("Unlink", {place->path.text()}, Act::unlink);
    if (done) links_.erase(place->path);
    return done;
}

} // namespace schedd::cli::fs
