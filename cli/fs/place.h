// Place: what stands at a path of the file view, and what a directory holds.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/fs/mirror.h"
#include "cli/fs/types.h"
#include "components/model/path.h"

namespace schedd::cli::fs {

/// The two names of the whole: the code's, and the slides' as a symlink to it.
inline constexpr std::string_view kTop = "krg_scheduler";
inline constexpr std::string_view kSlidesTop = "krg_schedulers";
inline constexpr std::string_view kValue = "value";
inline constexpr std::string_view kCollectedValue = "collected_value";
/// As file systems have it; part names are shorter still (kit::limits::kNameLength).
inline constexpr std::size_t kFileName = 255;

/// The members of a process set by sort; `prefix` is what a name lacks of the member's. "members", which the
/// original has not, is for those that have no directory of their own: its prefix is empty.
struct MemberGroup {
    std::string_view name;
    std::string_view prefix;
};
inline constexpr MemberGroup kMemberGroups[] = {{"single_processes", "process:"},
                                                {"process_groups", "group:"},
                                                {"process_sessions", "session:"},
                                                {"members", ""}};

struct Place {
    enum class What {
        nothing,
        root,         // the mount point
        slides_top,   // the symlink krg_schedulers
        part,         // directory: krg_scheduler itself (the tree's root), folders, all parts
        member_group, // directory in a process set
        node,         // directory of a node in a probe's source
        attribute,    // file, like the next three
        value,
        collected_value,
        node_value,
        may_be_link, // a name in a sink; whether it is a link, its source tells
    };
    What what = What::nothing;
    model::Path path = {};                // of the part it is or belongs to
    const Part* part = nullptr;           // that part
    const MemberGroup* group = nullptr;   // member_group
    const Attribute* attribute = nullptr; // attribute
    std::string name = {};                // of the node as it stands in the tree; of the link

    [[nodiscard]] bool is_directory() const {
        return what == What::root || what == What::part || what == What::member_group || what == What::node;
    }
    [[nodiscard]] bool is_file() const {
        return what == What::attribute || what == What::value || what == What::collected_value ||
               what == What::node_value;
    }
};

/// `file` is absolute from the mount point. What it returns points into `mirror` and `types`.
Place place_of(std::string_view file, const Mirror& mirror, const Types& types);

struct Entry {
    enum class Sort { directory, file, link };
    std::string name;
    Sort sort;
};
/// All but links, which the sources of sinks tell.
std::vector<Entry> entries_of(const Place& directory, const Mirror& mirror, const Types& types);

/// The member of a process set that `name` in `group` stands for, as the tree has it; "" if it can be none:
/// not a number, not escaped as the tree does it, or of a sort that has its own directory.
std::string member_name(const MemberGroup& group, std::string_view name);

/// The name of a link that was not made here: "cpu.node_load". No part and no attribute has a dot in it.
std::string derived_link_name(const model::Path& source);

/// Where a link in the directory of the part `sink` leads, from there: "../../../probes/cpu/node_load".
std::string link_target(const model::Path& sink, const model::Path& source);

} // namespace schedd::cli::fs
