// From what unit files say to members of the tree, and back.
#include "service/systemd/attachments.h"

#include <algorithm>

#include <fmt/format.h>

#include "components/kit/log.h"
#include "components/model/unit_name.h"
#include "service/systemd/drop_in.h"

namespace schedd::systemd {

namespace {

constexpr std::string_view kPrefix = "unit:";
constexpr Duration kAskAgain = std::chrono::seconds(10); // a systemd that did not answer

std::string an_instance_of(const std::string& unit) {
    const auto after = unit.find('@') + 1;
    return unit.substr(0, after) + "schedd" + unit.substr(after);
}

Path member_path(const std::string& scheduler, const std::string& unit) {
    return Path({"schedulers", scheduler, "process_set", std::string(kPrefix) + unit});
}

} // namespace

Attachments::Attachments(Tree& tree, UnitSource& source, Apply apply, std::string directory)
    : tree_(tree), source_(source), apply_(std::move(apply)), directory_(std::move(directory)) {
    tree_.add_listener(*this);
}

Attachments::~Attachments() { tree_.remove_listener(*this); }

void Attachments::part_added(Part& part) { is_dirty_ = is_dirty_ || part.kind() == Kind::scheduler; }

void Attachments::part_removed(const Path& path, Part& part) {
    if (part.kind() == Kind::scheduler) {
        std::erase_if(ours_, [&](const Key& key) { return key.first == path.leaf(); });
        is_dirty_ = true;
    }
    if (part.kind() != Kind::member || !path.leaf().starts_with(kPrefix)) return;
    const Key key{path.names()[1], path.leaf().substr(kPrefix.size())};
    if (ours_.erase(key) == 0) return;
    by_hand_.insert(key);
    tree_.environment()
        .log.write(Severity::notice, "unit:" + key.second,
                   fmt::format("was detached from {} by hand; its files attach it again at the "
                               "next daemon-reload",
                               key.first));
}

void Attachments::refresh() {
    const Time now = tree_.environment().clock.now();
    const auto give_up = [&](const Error& error) {
        ask_again_ = now + kAskAgain;
        if (std::exchange(gave_up_, error.text()) == error.text()) return;
        tree_.environment().log.write(Severity::warning, "unit files",
                                      "what they said before stays: " + error.text());
    };
    const auto directories = source_.search_path();
    if (!directories) return give_up(directories.error());
    index_ = SectionIndex::scan(*directories);
    std::vector<LoadedUnit> units;
    if (!index_.empty()) {
        auto loaded = source_.loaded_units();
        if (!loaded) return give_up(loaded.error());
        std::set<std::string> names;
        for (auto& unit : *loaded) {
            if (!index_.may_concern(unit.id)) continue;
            auto files = source_.files_of(unit.id);
            if (!files) return give_up(files.error());
            unit.files = std::move(*files);
            names.insert(unit.id);
            units.push_back(std::move(unit));
        }
        for (const auto& name : index_.single_units()) {
            if (names.contains(name)) continue;
            auto unit = source_.find(name);
            if (!unit) return give_up(unit.error());
            if (names.insert(unit->id).second) units.push_back(std::move(*unit));
        }
    }
    ask_again_ = kNever;
    gave_up_.clear();
    wishes_.clear();
    by_hand_.clear();
    for (const auto& unit : units) look_at(unit);
    std::erase_if(told_, [&](const auto& row) { return !wishes_.contains(row.first); });
    settle();
}

void Attachments::refresh(const std::string& unit) {
    if (!index_.may_concern(unit)) return;
    const auto loaded = source_.find(unit);
    if (!loaded) return;
    const auto before = wishes_.extract(loaded->id);
    look_at(*loaded);
    const auto now = wishes_.find(loaded->id);
    const bool is_same =
        before.empty() ? now == wishes_.end() : now != wishes_.end() && now->second == before.mapped();
    if (!is_same) settle();
}

void Attachments::retry() {
    if (tree_.environment().clock.now() >= ask_again_) refresh();
    if (std::exchange(is_dirty_, false)) settle();
}

void Attachments::look_at(const LoadedUnit& unit) {
    // an instance is there while it runs; systemd forgets it afterwards, and so do we
    if (!unit.is_active && unit.id.find('@') != std::string::npos && !index_.names(unit.id)) return;
    auto wish = wish_of(unit);
    complain(unit.id, wish);
    if (wish.empty()) return;
    wishes_.insert_or_assign(unit.id, std::move(wish));
}

void Attachments::complain(const std::string& unit, const UnitWish& wish) {
    auto& told = told_[unit];
    if (told == wish.complaints) return;
    told = wish.complaints;
    for (const auto& complaint : told)
        tree_.environment().log.write(Severity::warning, "unit:" + unit, complaint);
}

void Attachments::settle() {
    std::map<std::string, std::string, std::less<>> opt_outs;
    std::set<Key> asked;
    for (const auto& [unit, wish] : wishes_) {
        if (wish.opt_out) opt_outs.emplace(unit, wish.opt_out->where);
        else
            for (const auto& scheduler : wish.schedulers) asked.emplace(scheduler.text, unit);
    }
    tree_.environment().processes.set_opt_outs(std::move(opt_outs));
    std::erase_if(waiting_, [&](const auto& row) { return !asked.contains(row.first); });
    drop_what_nobody_asks_for(asked);
    for (const auto& [unit, wish] : wishes_) {
        if (wish.opt_out) continue;
        for (const auto& scheduler : wish.schedulers) // in their order: the later comes first in the stack
            if (const Key key{scheduler.text, unit}; !by_hand_.contains(key)) attach_unit(key, wish);
    }
}

void Attachments::drop_what_nobody_asks_for(const std::set<Key>& asked) {
    Recipe recipe; // one, so that what was placed is put back in one go
    for (const auto& key : std::set(ours_)) {
        if (asked.contains(key)) continue;
        ours_.erase(key); // first: it is not by hand
        recipe.push_back({.what = Verb::Do::remove, .path = member_path(key.first, key.second)});
    }
    if (recipe.empty()) return;
    if (auto done = apply_(recipe, false); !done)
        tree_.environment().log.write(Severity::warning, "unit files", done.error().text());
}

/// Creates the member, or brings its attributes to what the files say.
Recipe Attachments::recipe_for(const Key& key, const UnitWish& wish, const Part* member) const {
    const auto path = member_path(key.first, key.second);
    Recipe recipe;
    if (!member) recipe.push_back({.what = Verb::Do::create, .path = path});
    const auto& table = Member::table();
    for (std::size_t i = 0; i < table.size(); ++i) {
        if (table[i].read_only) continue;
        const auto said = wish.attributes.find(std::string(table[i].name));
        const std::string wanted =
            said == wish.attributes.end() ? std::string(table[i].initial) : said->second.text;
        const std::string now = member ? text_of(member->attribute(i)) : std::string(table[i].initial);
        if (now != wanted)
            recipe.push_back({.what = Verb::Do::write,
                              .path = path,
                              .word = std::string(table[i].name),
                              .value = AttributeValue(wanted)});
    }
    return recipe;
}

void Attachments::attach_unit(const Key& key, const UnitWish& wish) {
    if (!tree_.find(Path({"schedulers", key.first}))) {
        wait(key, fmt::format("there is no scheduler {} yet", key.first));
        return;
    }
    const auto member = tree_.find(member_path(key.first, key.second));
    if (member && !ours_.contains(key)) { // attached by somebody, who may detach it
        waiting_.erase(key);
        return;
    }
    // the tree alone: they are placed together at the next tick
    const auto recipe = recipe_for(key, wish, member ? *member : nullptr);
    if (!recipe.empty())
        if (auto done = tree_.apply(recipe); !done) return wait(key, done.error().text());
    ours_.insert(key);
    waiting_.erase(key);
}

void Attachments::wait(const Key& key, const std::string& why) {
    auto& said = waiting_[key];
    if (said == why) return;
    said = why;
    tree_.environment().log.write(Severity::warning, "unit:" + key.second,
                                  fmt::format("waits to be attached to {}: {}", key.first, why));
}

/// Files of units that do not exist, or that have opted out, would attach nothing.
Status Attachments::may_persist(const std::string& unit) const {
    if (auto checked = check_unit_name(unit); !checked) return checked;
    if (auto why = tree_.environment().processes.opt_out_of(unit); !why.empty())
        return fail(Errc::not_attachable, fmt::format("unit:{} cannot be attached", unit), why);
    // a template alone cannot be asked for, but an instance is there if it is
    const auto found = source_.find(is_template(unit) ? an_instance_of(unit) : unit);
    if (!found) return std::unexpected(found.error());
    if (!found->exists)
        return fail(Errc::no_such_object, fmt::format("systemd has no unit {}", unit),
                    "make its unit file first, or attach it without --persistent");
    if (found->id != unit && !is_template(unit))
        return fail(Errc::not_attachable, fmt::format("{} is another name of {}", unit, found->id),
                    fmt::format("attach unit:{}", found->id));
    return {};
}

Status Attachments::attach(const std::string& scheduler, const std::string& member,
                           const std::map<std::string, std::string>& attributes, bool dry_run) {
    if (!member.starts_with(kPrefix))
        return fail(Errc::not_attachable, fmt::format("{} cannot be attached for good", member),
                    "only unit:NAME has files to write it into");
    const auto unit = member.substr(kPrefix.size());
    if (auto fit = may_persist(unit); !fit) return fit;
    const Key key{scheduler, unit};
    UnitWish wish;
    for (const auto& [name, value] : attributes) {
        if (key_of(name).empty())
            return fail(Errc::invalid_value, fmt::format("'{}' has no key in unit files", name),
                        "weight, class, cpus, exclusive, memory and quota have");
        wish.attributes[name] = {value, "attach --persistent"};
    }
    if (const auto said = wishes_.find(unit); said != wishes_.end())
        wish.attributes.insert(said->second.attributes.begin(), said->second.attributes.end());
    if (const auto found = tree_.find(Path({"schedulers", scheduler})); !found)
        return std::unexpected(found.error());
    const auto present = tree_.find(member_path(scheduler, unit));
    // a template's file gives one member for each instance that runs
    const auto recipe = is_template(unit) ? Recipe() : recipe_for(key, wish, present ? *present : nullptr);
    if (auto done = apply_(recipe, dry_run); !done || dry_run) return done;
    const DropIn file(directory_, unit);
    if (auto written = file.attach(scheduler, attributes); !written) {
        if (!recipe.empty() && !present)
            (void)apply_({{.what = Verb::Do::remove, .path = member_path(scheduler, unit)}}, false);
        return written;
    }
    by_hand_.erase(key);
    if (!is_template(unit)) { // what systemd will tell of after the reload
        ours_.insert(key);
        auto& said = wishes_[unit];
        if (std::ranges::find(said.schedulers, scheduler, &Said::text) == said.schedulers.end())
            said.schedulers.push_back({scheduler, file.path()});
        for (const auto& [name, value] : wish.attributes) said.attributes[name] = value;
    }
    return source_.ask_reload();
}

Status Attachments::detach(const std::string& scheduler, const std::string& member, bool dry_run) {
    if (!member.starts_with(kPrefix))
        return fail(Errc::no_such_object, fmt::format("{} is in no unit file", member),
                    "detach it without --persistent");
    const auto unit = member.substr(kPrefix.size());
    if (auto checked = check_unit_name(unit); !checked) return checked;
    const DropIn file(directory_, unit);
    const Recipe recipe{{.what = Verb::Do::remove, .path = member_path(scheduler, unit)}};
    const bool is_there = tree_.find(recipe.front().path).has_value();
    if (auto removed = file.detach(scheduler, dry_run); !removed) return removed;
    if (dry_run) return is_there ? apply_(recipe, true) : Status();
    if (const auto wish = wishes_.find(unit); wish != wishes_.end())
        std::erase_if(wish->second.schedulers, [&](const auto& said) { return said.text == scheduler; });
    ours_.erase({scheduler, unit});
    if (is_there)
        if (auto done = apply_(recipe, false); !done) return done;
    return source_.ask_reload();
}

std::vector<Attachments::Row> Attachments::rows() const {
    std::vector<Row> rows;
    for (const auto& [unit, wish] : wishes_) {
        if (wish.opt_out) rows.push_back({unit, "", "opted-out", "", wish.opt_out->where});
        else
            for (const auto& scheduler : wish.schedulers) {
                const auto waits = waiting_.find({scheduler.text, unit});
                const bool is_off = by_hand_.contains({scheduler.text, unit});
                rows.push_back({unit, scheduler.text,
                                is_off                    ? "detached"
                                : waits == waiting_.end() ? "attached"
                                                          : "waiting",
                                is_off                    ? "by hand, until the next daemon-reload"
                                : waits == waiting_.end() ? ""
                                                          : waits->second,
                                scheduler.where});
            }
    }
    return rows;
}

} // namespace schedd::systemd
