// The difference between a tree and what is wanted, as verbs.
#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "components/model/sink_type.h"
#include "service/config_toml.h"
#include "service/config_wanted.h"

namespace schedd::service {

namespace {

Path path_of(const Output& output) { return output.part().path(); }

/// Five lists, carried out one after the other: what is in the way is taken apart from the sinks down to the
/// probes, then everything is built from the probes up.
class Difference {
public:
    Difference(const Tree& tree, const Wanted& wanted, bool prune)
        : tree_(tree), wanted_(wanted), prune_(prune) {
        for (const auto& part : wanted.parts)
            if (part.kind == Kind::policy) with_policy_.insert(part.path.parent());
    }

    Result<Recipe> recipe() {
        find_removals(tree_.root());
        find_unlinks(tree_.root());
        for (const auto& part : wanted_.parts) build(part);
        for (const auto& [sink, source] : wanted_.sinks)
            if (!source.is_root() && !is_linked(sink, source))
                links_.push_back({.what = Verb::Do::link, .path = sink, .source = source});
        if (auto kept = keep_other_links(); !kept) return std::unexpected(kept.error());
        Recipe all;
        for (auto* list : {&unlinks_, &removes_, &removes_of_probes_, &builds_, &links_})
            all.insert(all.end(), std::make_move_iterator(list->begin()),
                       std::make_move_iterator(list->end()));
        return all;
    }

private:
    [[nodiscard]] bool is_removed(Path path) const {
        for (; !path.is_root(); path = path.parent())
            if (removed_.contains(path)) return true;
        return false;
    }
    [[nodiscard]] bool is_linked(const Path& sink, const Path& source) const {
        if (is_removed(sink) || unlinked_.contains(sink)) return false;
        const auto part = tree_.find(sink);
        const auto* input = part ? input_of(**part) : nullptr;
        return input && input->source() && path_of(*input->source()) == source;
    }

    /// Whether a part of the tree is in the way of what is wanted, or, with prune, simply not wanted.
    [[nodiscard]] bool must_go(const Part& part, const Path& path) const {
        if (const auto* want = wanted_.find(path)) return want->type != part.type();
        if (prune_) return true;
        const Path above = path.parent();
        if (part.kind() == Kind::filter) return wanted_.sinks.contains(above);
        return part.kind() == Kind::policy && with_policy_.contains(above);
    }

    void find_removals(const Part& part) {
        for (const auto& child : part.children()) {
            const auto path = child->path();
            const bool is_fixed = child->is_default() || child->kind() == Kind::folder;
            if (is_fixed || !must_go(*child, path)) {
                find_removals(*child);
                continue;
            }
            removed_.insert(path);
            const bool is_probe = child->kind() == Kind::probe;
            const bool is_leaf = is_probe || child->kind() == Kind::member;
            (is_probe ? removes_of_probes_ : removes_)
                .push_back({.what = Verb::Do::remove, .path = path, .recursive = !is_leaf});
        }
    }

    /// Links of sinks that stay, to a source that is not wanted there or goes away.
    void find_unlinks(const Part& part) {
        const auto path = part.path();
        if (removed_.contains(path)) return;
        const auto* input = input_of(part);
        if (input && input->source() && input->source()->part().kind() == Kind::source) {
            const auto source = path_of(*input->source());
            const auto decided = wanted_.sinks.find(path);
            const bool is_decided = decided != wanted_.sinks.end();
            const bool is_other = is_decided ? decided->second != source : prune_;
            if (is_other || is_removed(source)) unlink(path);
            if (!is_decided && !prune_ && is_removed(source)) others_.emplace_back(path, source);
        }
        for (const auto& child : part.children()) find_unlinks(*child);
    }
    void unlink(const Path& sink) {
        unlinked_.insert(sink);
        unlinks_.push_back({.what = Verb::Do::unlink, .path = sink});
    }

    /// Sinks the configuration does not speak of keep their links when the probe below them is replaced.
    Status keep_other_links() {
        for (const auto& [sink, source] : others_) {
            const auto* probe = wanted_.find(source.parent());
            const auto& part = *tree_.find(sink).value();
            const auto type = type_of_sink(part, *input_of(part));
            const auto fits = [&](const SourceSpec& spec) {
                return spec.name == source.leaf() && spec.type == type;
            };
            if (std::ranges::none_of(probe->type->sources, fits))
                return fail_at(probe->where, Errc::busy,
                               fmt::format("{} cannot become a {}: {} is linked to its {}",
                                           probe->path.text(), probe->type->name, sink.text(), source.leaf()),
                               "unlink that first");
            links_.push_back({.what = Verb::Do::link, .path = sink, .source = source});
        }
        return {};
    }

    void build(const WantedPart& want) {
        const auto found = is_removed(want.path) ? Result<Part*>(nullptr) : tree_.find(want.path);
        const Part* present = found ? *found : nullptr;
        if (!present && want.kind != Kind::process_set)
            builds_.push_back({.what = Verb::Do::create, .path = want.path, .word = want.word});
        for (const auto& spec : want.table) {
            if (spec.read_only || spec.is_alias) continue;
            const auto initial = parse_attribute(spec, spec.initial).value();
            const auto current = present ? present->read_attribute(spec.name).value() : initial;
            const auto given = std::ranges::find(want.attributes, spec.name, &DesiredAttribute::name);
            const bool is_given = given != want.attributes.end();
            if (!is_given && !prune_) continue;
            auto value = is_given ? check_attribute(spec, given->value).value() : initial;
            if (value == current) continue;
            builds_.push_back({.what = Verb::Do::write,
                               .path = want.path,
                               .word = std::string(spec.name),
                               .value = std::move(value)});
        }
    }

    const Tree& tree_;
    const Wanted& wanted_;
    bool prune_;
    std::set<Path> with_policy_; // schedulers whose policy is named
    std::set<Path> removed_;
    std::set<Path> unlinked_;
    std::vector<std::pair<Path, Path>> others_; // sink, source
    Recipe unlinks_;
    Recipe removes_;
    Recipe removes_of_probes_;
    Recipe builds_;
    Recipe links_;
};

} // namespace

Result<Recipe> recipe_to(const Desired& desired, const Tree& tree, bool prune) {
    const auto wanted = want(desired, tree, prune);
    if (!wanted) return std::unexpected(wanted.error());
    return Difference(tree, *wanted, prune).recipe();
}

} // namespace schedd::service
