// From verbs to entries, and from entries to the fewest verbs.
#include "service/replication.h"

#include <algorithm>
#include <optional>
#include <tuple>

#include <fmt/format.h>

#include "components/model/member.h"

namespace schedd::service {

using membership::Entry;
using membership::Write;

namespace {

constexpr char kSeparator = '#';
constexpr std::string_view kLink = "source";

std::string entry_path(const Path& part, std::string_view attribute) {
    return part.text() + kSeparator + std::string(attribute);
}

/// A member that is named by a number which means something on this node alone, or something below it.
bool is_of_this_node(const Path& path) {
    if (path.depth() < 4 || path.names()[0] != "schedulers" || path.names()[2] != "process_set") return false;
    const auto member = MemberName::parse(path.names()[3]);
    using enum MemberName::Sort;
    return member && (member->sort == process || member->sort == process_children || member->sort == group ||
                      member->sort == session);
}

/// The probe or the scheduler that a path belongs to.
Path object_of(const Path& path) { return Path({path.names()[0], path.names()[1]}); }

bool is_scheduler(const Path& object) { return object.names()[0] == "schedulers"; }

std::string usual_type(const Path& path) {
    if (path.depth() == 2 && is_scheduler(path)) return "scheduler";
    return path.depth() == 4 && path.names()[2] == "process_set" ? "member" : path.leaf();
}

/// What stands at such a path; none where nothing can be created.
std::optional<Kind> kind_at(const Path& path) {
    const auto& names = path.names();
    if (path.depth() < 2) return std::nullopt;
    if (names[0] == "probes") return path.depth() == 2 ? std::optional(Kind::probe) : std::nullopt;
    if (names[0] != "schedulers") return std::nullopt;
    if (path.depth() == 2) return Kind::scheduler;
    if (names[2] == "process_set") return path.depth() == 4 ? std::optional(Kind::member) : std::nullopt;
    if (path.depth() == 3) return Kind::policy;
    return path.depth() >= 5 ? std::optional(Kind::filter) : std::nullopt;
}

bool is_at_or_below(const Path& path, const Path& top) {
    return path.depth() >= top.depth() &&
           std::equal(top.names().begin(), top.names().end(), path.names().begin());
}

bool is_removed(const std::set<Path>& removed, Path path) {
    for (; !path.is_root(); path = path.parent())
        if (removed.contains(path)) return true;
    return false;
}

} // namespace

/// The entries, read. Parts stand in the order they were written in, parents first: who is attached later
/// comes first in the stack, here as there.
struct Replication::Wanted {
    struct Made {
        Path path;
        std::string type;
    };
    std::vector<Made> parts;
    std::set<Path> paths;
    std::map<std::pair<Path, std::string>, std::string> attributes;
    std::map<Path, Path> links;
    std::map<Path, std::uint32_t> entries; // by object
};

/// Verbs by object, in the order they must be carried out in.
struct Replication::Plan {
    struct Object {
        Recipe loosen; // unlinked and removed
        Recipe build;  // made, written, linked
    };
    std::map<Path, Object> objects;

    /// What goes is unlinked before it is removed, a probe is there before it is linked to, and gone after.
    [[nodiscard]] Recipe whole() const {
        Recipe recipe;
        const auto add = [&](bool schedulers, auto part) {
            for (const auto& [object, verbs] : objects)
                if (is_scheduler(object) == schedulers)
                    recipe.insert(recipe.end(), (verbs.*part).begin(), (verbs.*part).end());
        };
        add(true, &Object::loosen);
        add(false, &Object::loosen);
        add(false, &Object::build);
        add(true, &Object::build);
        return recipe;
    }
};

std::vector<Write> Replication::writes_for(const Recipe& recipe) const {
    std::vector<Write> writes;
    const auto is_told = [&](const Path& path) {
        return path.depth() >= 2 && !is_of_this_node(path) && path.names()[0] != "nodes";
    };
    // the last word about a path counts
    const auto add = [&](std::string path, std::optional<std::string> value) {
        std::erase_if(writes, [&](const Write& write) { return write.path == path; });
        writes.push_back({.path = std::move(path), .value = std::move(value)});
    };
    for (const auto& verb : tree_.without_aliases(recipe)) {
        if (!is_told(verb.path)) continue;
        switch (verb.what) {
        case Verb::Do::create:
            add(verb.path.text(), verb.word.empty() ? usual_type(verb.path) : verb.word);
            break;
        case Verb::Do::remove: {
            const auto text = verb.path.text();
            std::erase_if(writes, [&](const Write& write) {
                return write.path == text || write.path.starts_with(text + '/') ||
                       write.path.starts_with(text + kSeparator);
            });
            for (auto& path : told_below(verb.path)) add(std::move(path), std::nullopt);
            break;
        }
        case Verb::Do::write: add(entry_path(verb.path, verb.word), text_of(verb.value)); break;
        case Verb::Do::link: add(entry_path(verb.path, kLink), verb.source.text()); break;
        case Verb::Do::unlink:
            if (links_.contains(verb.path)) add(entry_path(verb.path, kLink), std::nullopt);
            break;
        case Verb::Do::read: break;
        }
    }
    return writes;
}

/// The topmost parts, attributes and links at or below a path that entries speak of.
std::vector<std::string> Replication::told_below(const Path& top) const {
    std::vector<std::string> paths;
    std::set<Path> covered;
    for (const auto& path : parts_)
        if (is_at_or_below(path, top) && !is_removed(covered, path)) {
            covered.insert(path);
            paths.push_back(path.text());
        }
    for (const auto& [path, name] : attributes_)
        if (is_at_or_below(path, top) && !is_removed(covered, path)) paths.push_back(entry_path(path, name));
    for (const auto& path : links_)
        if (is_at_or_below(path, top) && !is_removed(covered, path)) paths.push_back(entry_path(path, kLink));
    return paths;
}

Replication::Wanted Replication::read(std::span<const Entry* const> effective, Outcome& outcome) const {
    Wanted wanted;
    std::vector<const Entry*> order(effective.begin(), effective.end());
    std::ranges::stable_sort(order, {}, [](const Entry* entry) {
        return std::tuple(std::ranges::count(entry->path, '/'), entry->stamp);
    });
    std::set<Path> unknown; // parts of types that this version has not
    for (const Entry* entry : order) {
        const auto at = entry->path.find(kSeparator);
        const auto path = Path::parse(std::string_view(entry->path).substr(0, at));
        const bool is_part = at == std::string::npos;
        const auto kind = path ? kind_at(*path) : std::nullopt;
        bool is_known = path && entry->needs == 0 && path->depth() >= 2 && (!is_part || kind) &&
                        !is_of_this_node(*path) && !is_removed(unknown, *path);
        if (is_known && is_part && (kind == Kind::probe || kind == Kind::policy || kind == Kind::filter))
            is_known = tree_.registry().find(*kind, entry->value).has_value();
        if (!is_known) {
            if (is_part && path) unknown.insert(*path);
            ++outcome.unsupported;
            if (outcome.trouble.empty())
                outcome.trouble = fmt::format("{} is not known to this version", entry->path);
            continue;
        }
        ++wanted.entries[object_of(*path)];
        const auto attribute = is_part ? std::string() : entry->path.substr(at + 1);
        if (is_part) {
            wanted.parts.push_back({*path, entry->value});
            wanted.paths.insert(*path);
        } else if (attribute == kLink) {
            if (auto source = Path::parse(entry->value)) wanted.links.emplace(*path, *source);
        } else {
            wanted.attributes.emplace(std::pair(*path, attribute), entry->value);
        }
    }
    return wanted;
}

void Replication::remove_parts(const Wanted& wanted, Plan& plan) const {
    for (const auto& sink : links_)
        if (!wanted.links.contains(sink))
            if (const auto part = tree_.find(sink))
                if (const auto* input = input_of(**part);
                    input && input->source() && input->source()->part().kind() == Kind::source)
                    plan.objects[object_of(sink)].loosen.push_back({.what = Verb::Do::unlink, .path = sink});
    std::set<Path> removed;
    for (const auto& path : parts_) { // parents first
        if (wanted.paths.contains(path) || is_removed(removed, path) || !tree_.find(path)) continue;
        removed.insert(path);
        auto& object = plan.objects[object_of(path)];
        // what goes wholly need not be unlinked before
        std::erase_if(object.loosen, [&](const Verb& verb) { return is_at_or_below(verb.path, path); });
        object.loosen.push_back({.what = Verb::Do::remove, .path = path, .recursive = true});
    }
}

void Replication::make_parts(const Wanted& wanted, Plan& plan) const {
    for (const auto& [path, type] : wanted.parts) {
        const auto part = tree_.find(path);
        auto& object = plan.objects[object_of(path)];
        const auto is_same = [&] {
            if (!(*part)->type()) return true;
            const auto found = tree_.registry().find((*part)->kind(), type);
            return found && *found == (*part)->type();
        };
        if (part && is_same()) continue;
        if (part && parts_.contains(path))
            object.loosen.push_back({.what = Verb::Do::remove, .path = path, .recursive = true});
        const bool has_type = !is_scheduler(path) || (path.depth() != 2 && path.names()[2] != "process_set");
        object.build.push_back(
            {.what = Verb::Do::create, .path = path, .word = has_type ? type : std::string()});
    }
}

void Replication::set_attributes(const Wanted& wanted, Plan& plan) const {
    const auto write = [&](const Path& path, const std::string& name, AttributeValue value) {
        plan.objects[object_of(path)].build.push_back(
            {.what = Verb::Do::write, .path = path, .word = name, .value = std::move(value)});
    };
    for (const auto& [at, text] : wanted.attributes) {
        const auto& [path, name] = at;
        const auto part = tree_.find(path);
        const auto* spec = part ? (*part)->attribute_spec(name) : nullptr;
        const auto value = spec ? parse_attribute(*spec, text) : Result<AttributeValue>(text);
        const auto now = spec ? (*part)->read_attribute(name) : Result<AttributeValue>(text);
        if (!spec || !value || *now != *value) write(path, name, value.value_or(AttributeValue(text)));
    }
    // what nobody says any more goes back to where it started
    for (const auto& [path, name] : attributes_) {
        if (wanted.attributes.contains({path, name})) continue;
        const auto part = tree_.find(path);
        const auto* spec = part ? (*part)->attribute_spec(name) : nullptr;
        if (!spec) continue;
        if (auto initial = parse_attribute(*spec, spec->initial);
            initial && *initial != *(*part)->read_attribute(name))
            write(path, name, *initial);
    }
}

void Replication::link_sinks(const Wanted& wanted, Plan& plan) const {
    for (const auto& [sink, source] : wanted.links) {
        const auto part = tree_.find(sink);
        const auto* input = part ? input_of(**part) : nullptr;
        auto& object = plan.objects[object_of(sink)];
        if (input && input->source()) {
            if (input->source()->part().path() == source) continue;
            if (input->source()->part().kind() == Kind::source)
                object.loosen.push_back({.what = Verb::Do::unlink, .path = sink});
        }
        object.build.push_back({.what = Verb::Do::link, .path = sink, .source = source});
    }
}

Replication::Plan Replication::plan(const Wanted& wanted) const {
    Plan plan;
    remove_parts(wanted, plan);
    make_parts(wanted, plan);
    set_attributes(wanted, plan);
    link_sinks(wanted, plan);
    // an attribute of a part that goes in the same breath is not written
    for (auto& [object, verbs] : plan.objects)
        for (const auto& gone : verbs.loosen)
            if (gone.what == Verb::Do::remove && !wanted.paths.contains(gone.path))
                std::erase_if(verbs.build,
                              [&](const Verb& verb) { return is_at_or_below(verb.path, gone.path); });
    return plan;
}

/// What the tree has now of what was wanted, or had of what was wanted before and could not be undone.
void Replication::note(const Wanted& wanted) {
    parts_.insert(wanted.paths.begin(), wanted.paths.end());
    std::erase_if(parts_, [&](const Path& path) { return !tree_.find(path); });
    for (const auto& [at, text] : wanted.attributes) attributes_.insert(at);
    std::erase_if(attributes_, [&](const auto& at) {
        const auto part = tree_.find(at.first);
        const auto* spec = part ? (*part)->attribute_spec(at.second) : nullptr;
        return !spec || (!wanted.attributes.contains(at) &&
                         *(*part)->read_attribute(at.second) == parse_attribute(*spec, spec->initial));
    });
    for (const auto& [sink, source] : wanted.links) links_.insert(sink);
    std::erase_if(links_, [&](const Path& sink) {
        const auto part = tree_.find(sink);
        const auto* input = part ? input_of(**part) : nullptr;
        return !input || (!wanted.links.contains(sink) && !input->source());
    });
}

Replication::Outcome Replication::carry_out(std::span<const Entry* const> effective) {
    Outcome outcome;
    const auto wanted = read(effective, outcome);
    const auto plan = this->plan(wanted);
    std::map<Path, std::string> refused;
    const auto recipe = plan.whole();
    if (!recipe.empty() && !apply_(recipe)) {
        const auto carry = [&](bool schedulers, bool only_loosened) {
            for (const auto& [object, verbs] : plan.objects) {
                if (is_scheduler(object) != schedulers || verbs.build.empty() != only_loosened) continue;
                auto all = verbs.loosen;
                all.insert(all.end(), verbs.build.begin(), verbs.build.end());
                if (all.empty()) continue;
                if (auto done = apply_(all); !done) refused[object] = done.error().text();
            }
        };
        carry(true, true);
        carry(false, false);
        carry(true, false);
        carry(false, true);
    }
    for (const auto& [object, count] : wanted.entries) {
        const bool is_refused = refused.contains(object);
        (is_refused ? outcome.failed : outcome.applied) += count;
    }
    for (const auto& [object, why] : refused) {
        if (!wanted.entries.contains(object)) ++outcome.failed; // could not be removed
        outcome.trouble = fmt::format("{}: {}", object.text(), why);
    }
    note(wanted);
    return outcome;
}

} // namespace schedd::service
