// Making schedulers from templates.
#include "service/exec_templates.h"

#include <algorithm>

#include <fmt/format.h>

#include "components/kit/limits.h"
#include "components/kit/log.h"
#include "components/model/pattern.h"
#include "service/config_toml.h"

namespace schedd::service {

namespace {

constexpr int kDeepest = 64; // generations between a process and the one that has the scheduler

bool runs(const DesiredTemplate& made, const ProcessTable& processes, Pid pid) {
    return std::ranges::any_of(made.exec, [&](const auto& pattern) {
        return matches(pattern, processes.trait(pid, Trait::executable)) ||
               matches(pattern, processes.trait(pid, Trait::command_line));
    });
}

} // namespace

Status ExecTemplates::check(const Desired& desired, const Tree& tree) {
    for (const auto& made : desired.templates) {
        Desired one;
        one.probes = desired.probes;
        one.schedulers.push_back(made.scheduler);
        if (auto recipe = recipe_to(one, tree, false); !recipe) return std::unexpected(recipe.error());
    }
    return {};
}

void ExecTemplates::look() {
    const auto& processes = tree_.environment().processes;
    const auto now = processes.generation();
    if (now == seen_) return;
    if (!templates_.empty()) {
        std::vector<Pid> changed;
        if (!processes.visit_changed(seen_, [&](Pid pid) { changed.push_back(pid); })) {
            changed.clear();
            processes.for_each([&](const ProcessInfo& process) { changed.push_back(process.pid); });
        }
        std::ranges::sort(changed); // parents first, where numbers have not wrapped
        changed.erase(std::ranges::unique(changed).begin(), changed.end());
        for (const Pid pid : changed) look_at(pid);
    }
    reap();
    seen_ = now;
}

void ExecTemplates::look_at(Pid pid) {
    const auto& processes = tree_.environment().processes;
    const auto* process = processes.find(pid);
    if (!process || !processes.protection(*process).empty()) return;
    for (const auto& made : templates_)
        if (runs(made, processes, pid) && !is_covered(made, pid)) make(made, *process);
}

/// Itself or one of its ancestors has a scheduler made of this template.
bool ExecTemplates::is_covered(const DesiredTemplate& made, Pid pid) const {
    std::optional<Pid> ancestor = pid;
    for (int depth = 0; ancestor && *ancestor > 1 && depth < kDeepest; ++depth) {
        if (std::ranges::any_of(instances_, [&](const Instance& instance) {
                return instance.pid == *ancestor && instance.made_of == made.scheduler.name;
            }))
            return true;
        ancestor = tree_.environment().processes.parent_of(*ancestor);
    }
    return false;
}

void ExecTemplates::make(const DesiredTemplate& made, const ProcessInfo& process) {
    auto& log = tree_.environment().log;
    Desired one;
    one.schedulers.push_back(made.scheduler);
    auto& scheduler = one.schedulers.front();
    scheduler.name = fmt::format("{}-{}", made.scheduler.name, process.pid);
    scheduler.members.push_back({fmt::format("process+children:{}", process.pid), {}, made.scheduler.where});
    const Path path({"schedulers", scheduler.name});
    if (instances_.size() == limits::kTemplateInstances || tree_.find(path)) {
        log.write(Severity::warning, path.text(),
                  fmt::format("is not made for {}: {}", process.comm,
                              tree_.find(path) ? "there is one already"
                                               : fmt::format("there are {} of templates, which is the limit",
                                                             instances_.size())));
        return;
    }
    const auto recipe = recipe_to(one, tree_, false);
    auto done = recipe ? apply_(*recipe) : Status(std::unexpected(recipe.error()));
    if (!done) {
        log.write(Severity::warning, path.text(),
                  fmt::format("is not made for {}: {}", process.comm, done.error().text()));
        return;
    }
    log.write(Severity::info, path.text(), fmt::format("made for {} ({})", process.comm, process.pid));
    instances_.push_back({path, process.pid, made.scheduler.name,
                          export_scheduler(static_cast<const Scheduler&>(**tree_.find(path)), false)});
}

Status ExecTemplates::check_known(const std::vector<DesiredTemplate>& templates) const {
    for (const auto& made : templates) {
        const auto text = export_template(made);
        const bool is_known = std::ranges::any_of(templates_, [&](const auto& other) {
            return export_template(other) == text;
        });
        if (!is_known)
            return fail_at(made.scheduler.where, Errc::not_supported,
                           fmt::format("[template.{}] is not as in the files of schedd", made.scheduler.name),
                           "templates come from files: write it into schedulers.d/, then schedd-cli reload");
    }
    return {};
}

void ExecTemplates::keep_out(Recipe& recipe) const {
    const auto names = made(false);
    std::erase_if(recipe, [&](const Verb& verb) {
        const auto& path = verb.path.names();
        return verb.what == Verb::Do::remove && path.size() == 2 && path[0] == "schedulers" &&
               names.contains(path[1]);
    });
}

std::set<std::string> ExecTemplates::made(bool as_made) const {
    std::set<std::string> names;
    for (const auto& instance : instances_) {
        const auto part = tree_.find(instance.scheduler);
        const bool is_there = part && std::ranges::any_of(templates_, [&](const auto& made) {
                                  return made.scheduler.name == instance.made_of;
                              });
        if (!is_there) continue;
        const auto& scheduler = static_cast<const Scheduler&>(**part);
        // without processes it is about to go
        if (!as_made || scheduler.process_set().empty() ||
            export_scheduler(scheduler, false) == instance.text)
            names.insert(scheduler.name());
    }
    return names;
}

void ExecTemplates::reap() {
    std::erase_if(instances_, [&](const Instance& instance) {
        const auto part = tree_.find(instance.scheduler);
        if (!part) return true; // somebody removed it
        if (!static_cast<Scheduler*>(*part)->process_set().empty()) return false;
        const Verb remove{.what = Verb::Do::remove, .path = instance.scheduler, .recursive = true};
        if (auto done = apply_({remove}); !done)
            tree_.environment().log.write(Severity::warning, instance.scheduler.text(), done.error().text());
        return true;
    });
}

} // namespace schedd::service
