// From file names to parts and back.
#include "cli/fs/place.h"

#include <algorithm>
#include <ranges>

namespace schedd::cli::fs {

namespace {

using What = Place::What;

/// The names between slashes; empty ones do not count.
std::vector<std::string_view> words_of(std::string_view file) {
    std::vector<std::string_view> words;
    while (!file.empty()) {
        const auto slash = file.find('/');
        if (slash != 0) words.push_back(file.substr(0, slash));
        if (slash == std::string_view::npos) break;
        file.remove_prefix(slash + 1);
    }
    return words;
}

/// The name of a part that the file name `word` stands for; "" if it is none of the tree's making.
std::string part_name(std::string_view word) {
    auto name = model::unescape_name(word);
    return name && model::escape_name(*name) == word ? *name : std::string();
}

const MemberGroup* group_of(std::string_view member) {
    const auto at = std::ranges::find_if(kMemberGroups, [&](const MemberGroup& group) {
        return member.starts_with(group.prefix);
    });
    return at == std::end(kMemberGroups) ? nullptr : at;
}

const Part* nodes_of(const Mirror& mirror) {
    const auto at = mirror.root().children.find("nodes");
    return at == mirror.root().children.end() ? nullptr : &at->second;
}

/// Nodes have a folder in the tree, but the original knows them below sources only.
bool is_shown(const Place& parent, std::string_view name) {
    return !parent.path.is_root() || name != "nodes";
}

Place step_from_part(const Place& from, std::string_view word, const Mirror& mirror, const Types& types) {
    const Part& part = *from.part;
    if (part.kind == Kind::process_set) {
        for (const auto& group : kMemberGroups)
            if (group.name == word)
                return {.what = What::member_group, .path = from.path, .part = &part, .group = &group};
    } else if (const auto name = part_name(word); !name.empty() && is_shown(from, name)) {
        const auto child = part.children.find(name);
        if (child != part.children.end())
            return {.what = What::part, .path = from.path.child(name), .part = &child->second};
    }
    Place file{.path = from.path, .part = &part};
    if (const auto* attribute = types.attribute(part, word)) {
        file.what = What::attribute;
        file.attribute = attribute;
        return file;
    }
    const bool has_value = part.kind == Kind::source || part.kind == Kind::filter;
    if (has_value && word == kValue) file.what = What::value;
    else if (is_sink(part) && word == kCollectedValue) file.what = What::collected_value;
    else if (part.kind == Kind::source) {
        file.name = part_name(word);
        const auto* nodes = nodes_of(mirror);
        if (nodes && nodes->children.contains(file.name)) file.what = What::node;
    } else if (is_sink(part)) {
        file.what = What::may_be_link;
        file.name = word;
    }
    return file;
}

Place step(const Place& from, std::string_view word, const Mirror& mirror, const Types& types) {
    switch (from.what) {
    case What::root:
        if (word == kTop) return {.what = What::part, .part = &mirror.root()};
        if (word == kSlidesTop) return {.what = What::slides_top};
        return {};
    case What::part: return step_from_part(from, word, mirror, types);
    case What::member_group: {
        const auto name = member_name(*from.group, word);
        const auto child = from.part->children.find(name);
        if (name.empty() || child == from.part->children.end()) return {};
        return {.what = What::part, .path = from.path.child(name), .part = &child->second};
    }
    case What::node:
        if (word != kValue) return {};
        return {.what = What::node_value, .path = from.path, .part = from.part, .name = from.name};
    default: return {};
    }
}

std::vector<Entry> entries_of_part(const Place& directory, const Mirror& mirror, const Types& types) {
    const Part& part = *directory.part;
    std::vector<Entry> entries;
    if (part.kind == Kind::process_set) {
        for (const auto& group : kMemberGroups)
            entries.push_back({std::string(group.name), Entry::Sort::directory});
    } else {
        for (const auto& name : std::views::keys(part.children))
            if (is_shown(directory, name))
                entries.push_back({model::escape_name(name), Entry::Sort::directory});
    }
    const auto add_file = [&](std::string_view name) {
        if (!part.children.contains(name)) entries.push_back({std::string(name), Entry::Sort::file});
    };
    for (const auto& attribute : types.attributes(part)) add_file(attribute.name);
    if (part.kind == Kind::source || part.kind == Kind::filter) add_file(kValue);
    if (is_sink(part)) add_file(kCollectedValue);
    if (const auto* nodes = nodes_of(mirror); nodes && part.kind == Kind::source)
        for (const auto& name : std::views::keys(nodes->children))
            entries.push_back({model::escape_name(name), Entry::Sort::directory});
    return entries;
}

} // namespace

Place place_of(std::string_view file, const Mirror& mirror, const Types& types) {
    Place place{.what = What::root};
    for (const auto word : words_of(file)) {
        place = step(place, word, mirror, types);
        if (place.what == What::nothing) return {};
    }
    return place;
}

std::vector<Entry> entries_of(const Place& directory, const Mirror& mirror, const Types& types) {
    switch (directory.what) {
    case What::root:
        return {{std::string(kTop), Entry::Sort::directory}, {std::string(kSlidesTop), Entry::Sort::link}};
    case What::part: return entries_of_part(directory, mirror, types);
    case What::member_group: {
        std::vector<Entry> entries;
        for (const auto& name : std::views::keys(directory.part->children))
            if (group_of(name) == directory.group)
                entries.push_back(
                    {model::escape_name(std::string_view(name).substr(directory.group->prefix.size())),
                     Entry::Sort::directory});
        return entries;
    }
    case What::node: return {{std::string(kValue), Entry::Sort::file}};
    default: return {};
    }
}

std::string member_name(const MemberGroup& group, std::string_view name) {
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    if (!group.prefix.empty()) {
        const bool is_number = !name.empty() && std::ranges::all_of(name, is_digit);
        return is_number ? std::string(group.prefix) + std::string(name) : std::string();
    }
    auto member = part_name(name);
    return group_of(member) == &group ? member : std::string();
}

std::string derived_link_name(const model::Path& source) {
    std::string name;
    for (const auto& word : source.names() | std::views::drop(1)) {
        if (!name.empty()) name += '.';
        name += model::escape_name(word);
    }
    return name;
}

std::string link_target(const model::Path& sink, const model::Path& source) {
    std::string target;
    for (std::size_t i = 0; i < sink.depth(); ++i) target += "../";
    return target + source.text();
}

} // namespace schedd::cli::fs
