// What came from the files, and what of it is in them no longer.
#include "service/configured.h"

#include <algorithm>
#include <set>

namespace schedd::service {

using namespace schedd::model;

namespace {

Path member_path(const std::string& scheduler, const std::string& member) {
    return Path({"schedulers", scheduler, "process_set", member});
}

bool is_member(const Path& path) { return path.depth() == 4 && path.names()[2] == "process_set"; }

} // namespace

void Configured::note(const Recipe& done, const Tree& tree) {
    std::erase_if(paths_, [&](const Path& path) { return !tree.find(path); });
    for (const auto& verb : done) {
        const bool is_made =
            verb.what == Verb::Do::create && (verb.path.depth() == 2 || is_member(verb.path));
        if (is_made && std::ranges::find(paths_, verb.path) == paths_.end()) paths_.push_back(verb.path);
    }
}

Recipe Configured::removals(const Desired& desired, const Tree& tree) const {
    std::set<Path> wanted;
    for (const auto& probe : desired.probes) wanted.insert(Path({"probes", probe.name}));
    for (const auto& scheduler : desired.schedulers) {
        wanted.insert(Path({"schedulers", scheduler.name}));
        for (const auto& member : scheduler.members) wanted.insert(member_path(scheduler.name, member.name));
    }
    Recipe recipe;
    const auto remove = [&](const Path& path) {
        recipe.push_back({.what = Verb::Do::remove, .path = path, .recursive = true});
    };
    std::set<Path> gone; // with all below them
    for (const auto* top : {"schedulers", "probes"})
        for (const auto& path : paths_)
            if (path.depth() == 2 && path.names().front() == top && !wanted.contains(path) &&
                tree.find(path)) {
                remove(path);
                gone.insert(path);
            }
    for (const auto& path : paths_)
        if (is_member(path) && !wanted.contains(path) && !gone.contains(path.parent().parent()) &&
            tree.find(path))
            recipe.insert(recipe.begin(), {.what = Verb::Do::remove, .path = path});
    return recipe;
}

} // namespace schedd::service
