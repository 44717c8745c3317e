// ExecTemplates: schedulers that are made when a process starts one of some programs, and end with its work.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "service/config.h"

namespace schedd::service {

class ExecTemplates {
public:
    /// How a recipe is carried out; see dbus::Backend::apply.
    using Apply = std::function<Status(const Recipe&)>;

    /// `tree` outlives it.
    ExecTemplates(Tree& tree, Apply apply) : tree_(tree), apply_(std::move(apply)) {}

    /// Whether schedulers could be made of them in a tree with those probes; errors say file and line.
    [[nodiscard]] static Status check(const Desired& desired, const Tree& tree);
    /// From now on; what earlier ones made goes on until its work ends.
    void set(std::vector<DesiredTemplate> templates) { templates_ = std::move(templates); }
    [[nodiscard]] const std::vector<DesiredTemplate>& all() const { return templates_; }
    /// Whether these are all among those there are: who applies a recipe cannot bring new ones.
    [[nodiscard]] Status check_known(const std::vector<DesiredTemplate>& templates) const;
    /// Takes out of a recipe with prune what would remove schedulers that templates have made.
    void keep_out(Recipe& recipe) const;
    /// The names of those that a template has made, as long as it is there; `as_made`: of those alone that
    /// nobody has changed since, which the template says all about.
    [[nodiscard]] std::set<std::string> made(bool as_made) const;
    [[nodiscard]] bool empty() const { return templates_.empty(); }

    /// Looks at the processes that have changed since the last call. One that runs a program of a template
    /// gets the scheduler NAME-PID with itself and its children as members, unless it descends from one that
    /// has such a scheduler; a scheduler whose processes have all ended is removed. At most
    /// limits::kTemplateInstances at once. Costs a comparison while no process has changed.
    void look();

private:
    struct Instance {
        Path scheduler;
        Pid pid;
        std::string made_of;
        std::string text; // as it was exported then
    };
    void look_at(Pid pid);
    void make(const DesiredTemplate& made, const ProcessInfo& process);
    [[nodiscard]] bool is_covered(const DesiredTemplate& made, Pid pid) const;
    void reap();

    Tree& tree_;
    Apply apply_;
    std::vector<DesiredTemplate> templates_;
    std::vector<Instance> instances_;
    std::uint64_t seen_ = 0; // generation of the process table
};

} // namespace schedd::service
