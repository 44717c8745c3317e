// What the daemon answers the bus: the six verbs with what belongs around them, and facts.
#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <systemd/sd-daemon.h>

#include "service/daemon.h"

namespace schedd::service {

namespace {

std::vector<std::string> texts_of(const Recipe& recipe) {
    std::vector<std::string> texts;
    texts.reserve(recipe.size());
    for (const auto& verb : recipe) texts.push_back(text_of(verb));
    return texts;
}

/// What differs between two [daemon] tables, as comments among the verbs of a reload.
std::vector<std::string> setting_changes(const DaemonSettings& before, const DaemonSettings& after) {
    std::vector<std::string> lines;
    const auto compare = [&](std::string_view name, const auto& old, const auto& now, std::string_view when) {
        if (old == now) return;
        const auto said = [](const auto& value) {
            return value ? fmt::format("{}", *value) : std::string("the default");
        };
        lines.push_back(fmt::format("# [daemon] {}: {} becomes {}{}", name, said(old), said(now), when));
    };
    compare("on_stop", before.on_stop, after.on_stop, "");
    compare("log_level", before.log_level, after.log_level, "");
    compare("actuator", before.actuator, after.actuator, " at the next start");
    compare("on_foreign", before.on_foreign, after.on_foreign, "");
    compare("reserved_cpus", before.reserved_cpus, after.reserved_cpus, "");
    compare("frequency", before.frequency, after.frequency, "");
    compare("scan_period", before.scan_period_ms, after.scan_period_ms, "");
    compare("tick_period", before.tick_period_ms, after.tick_period_ms, "");
    if (before.migration != after.migration)
        lines.emplace_back("# [migration] is another: it counts for what moves from now on");
    if (before.cluster != after.cluster)
        lines.emplace_back("# [cluster] is another: it counts at the next start");
    return lines;
}

template <class Field> std::size_t count_distinct(const Topology& topology, Field field) {
    std::set<int> seen;
    for (const auto& cpu : topology.cpus) seen.insert(cpu.*field);
    return seen.size();
}

} // namespace

Status Daemon::apply(const Recipe& recipe, bool dry_run, dbus::Reach reach) {
    if (reach == dbus::Reach::node || !peers_.off().empty()) return apply_here(recipe, dry_run);
    return peers_.change(recipe, dry_run);
}

Status Daemon::apply_here(const Recipe& recipe, bool dry_run, Tree::NodeSets sets) {
    // who names a process, group or session means it as it is now
    const bool names_members = std::ranges::any_of(recipe, [](const Verb& verb) {
        return verb.what == Verb::Do::create && verb.path.depth() == 4 &&
               verb.path.names()[2] == "process_set";
    });
    if (names_members) catch_up_with_processes();
    if (auto free = check_holds(recipe); !free) return free;
    auto done = tree_->apply(recipe, dry_run, sets);
    if (done && !dry_run) {
        power_.overlay().lay(); // before anything follows from what is configured
        take_process_events();  // what was forked so far is let go with its parent
        engine_->settle(clock_.now());
    }
    return done;
}

Status Daemon::attach_persistently(const std::string& scheduler, const std::string& member,
                                   const std::map<std::string, std::string>& attributes, bool dry_run) {
    if (attachments_) return attachments_->attach(scheduler, member, attributes, dry_run);
    return fail(Errc::not_supported, "there are no unit files here", "attach it without --persistent");
}

Status Daemon::detach_persistently(const std::string& scheduler, const std::string& member, bool dry_run) {
    if (attachments_) return attachments_->detach(scheduler, member, dry_run);
    return fail(Errc::not_supported, "there are no unit files here", "detach it without --persistent");
}

Result<std::vector<std::string>> Daemon::apply_config(std::string_view toml, bool dry_run, bool prune,
                                                      dbus::Reach reach) {
    const auto desired = parse_config("recipe", toml);
    if (!desired) return std::unexpected(desired.error());
    const PowerDesk::Configured configured(power_);
    if (auto known = templates_->check_known(desired->templates); !known)
        return std::unexpected(known.error());
    auto recipe = recipe_to(*desired, *tree_, prune);
    if (!recipe) return std::unexpected(recipe.error());
    templates_->keep_out(*recipe);
    if (auto done = apply(*recipe, dry_run, reach); !done)
        return std::unexpected(with_place(done.error(), *desired));
    return texts_of(*recipe);
}

Result<Recipe> Daemon::recipe_for(const Desired& desired) const {
    auto changes = recipe_to(desired, *tree_, false);
    if (!changes) return changes;
    if (auto checked = ExecTemplates::check(desired, *tree_); !checked)
        return std::unexpected(checked.error());
    const auto removals = configured_.removals(desired, *tree_);
    changes->insert(changes->end(), removals.begin(), removals.end());
    return changes;
}

Result<std::vector<std::string>> Daemon::reload(bool dry_run) {
    // with the time: what Type=notify-reload of later systemds asks for
    if (!dry_run)
        sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%lld",
                   static_cast<long long>(clock_.now() / std::chrono::microseconds(1)));
    auto desired = load_config(options_.config_dirs);
    const PowerDesk::Configured configured(power_);
    const auto recipe = desired ? recipe_for(*desired) : Result<Recipe>(std::unexpected(desired.error()));
    // before anything is changed: a reload does all or nothing
    const auto keys = recipe && !dry_run ? peers_.reload_keys() : Result<bool>(false);
    auto done = !recipe ? Status(std::unexpected(recipe.error()))
                : !keys ? Status(std::unexpected(keys.error()))
                        : apply_here(*recipe, dry_run, Tree::NodeSets::taken);
    if (!dry_run) sd_notify(0, "READY=1");
    if (!keys) return std::unexpected(keys.error());
    if (!done && recipe) done = std::unexpected(with_place(done.error(), *desired));
    if (!done && recipe && done.error().kind == Errc::busy)
        return fail(Errc::busy, done.error().what,
                    done.error().detail + "; what no file names any more is removed by a reload");
    if (!done) return std::unexpected(done.error());
    auto changes = setting_changes(settings_, desired->daemon);
    if (*keys) changes.emplace_back("# the keys of the cluster are others: they count from now on");
    const auto verbs = texts_of(*recipe);
    changes.insert(changes.end(), verbs.begin(), verbs.end());
    if (!dry_run) {
        const auto reserved = std::exchange(settings_, desired->daemon).reserved_cpus;
        take_settings();
        moves_->set(migration_settings(settings_.migration, options_.state_dir));
        power_.allow_frequency(settings_.frequency == "on");
        if (reserved != settings_.reserved_cpus) reserve_cpus();
        templates_->set(std::move(desired->templates));
        configured_.note(*recipe, *tree_);
        peers_.look_again();
        log_.write(Severity::info, "configuration",
                   fmt::format("reloaded, {} {}", changes.size(),
                               changes.size() == 1 ? "change" : "changes"));
    }
    return changes;
}

/// What is configured, without what holds for the present power profile alone.
std::string Daemon::export_config() const {
    const PowerDesk::Configured configured(power_);
    return export_toml(*tree_, templates_->all(), templates_->made(true));
}

std::vector<Verb> Daemon::export_verbs() const {
    const PowerDesk::Configured configured(power_);
    return export_recipe(*tree_);
}

dbus::TopologyFacts Daemon::topology() const {
    return {static_cast<std::uint64_t>(topology_.usable().count()),
            topology_.online.text(),
            count_distinct(topology_, &Cpu::core),
            count_distinct(topology_, &Cpu::numa),
            count_distinct(topology_, &Cpu::package),
            topology_.generation};
}

dbus::Facts Daemon::facts() const {
    dbus::Facts facts;
    facts.version = SCHEDD_VERSION;
    facts.uptime_ms = static_cast<std::uint64_t>(milliseconds_of(clock_.now() - started_));
    facts.actuator = actuator_->name();
    facts.on_stop = !options_.on_stop.empty() ? options_.on_stop : settings_.on_stop.value_or("restore");
    facts.topology = topology();
    if (!follows_processes_) static_cast<void>(processes_->scan()); // on failure: the last count
    facts.processes = processes_->size();
    facts.ticks = engine_->ticks();
    facts.held = engine_->held();
    facts.holds = holds();
    for (auto& row : engine_->facts())
        facts.schedulers.push_back({std::move(row.name), std::move(row.policy), row.members, row.handle_all,
                                    row.subjects, row.placed, row.conflicts, row.moves,
                                    std::move(row.ejected)});
    facts.migration = migration();
    facts.power = power_.facts(*engine_, topology_);
    if (attachments_)
        for (auto& row : attachments_->rows())
            facts.unit_files.push_back({std::move(row.unit), std::move(row.scheduler), std::move(row.state),
                                        std::move(row.detail), std::move(row.where)});
    return facts;
}

} // namespace schedd::service
