// ProcessSet: which work a scheduler is responsible for.
#pragma once

#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "components/model/member.h"
#include "components/model/process_table.h"
#include "components/model/subjects.h"

namespace schedd::model {

struct Environment;

class ProcessSet final : public Part {
public:
    enum Attribute : std::size_t { kHandleAll };
    static const std::vector<AttributeSpec>& table();

    explicit ProcessSet(const Environment& environment);

    /// Makes a member from its name; checks that it exists and may be one. Does not add it.
    /// Fails with invalid_value, no_such_object, not_attachable, conflict (handle_all is set).
    [[nodiscard]] Result<std::unique_ptr<Part>> make_member(const std::string& name) const;

    [[nodiscard]] bool handle_all() const { return flag_at(kHandleAll); }
    /// When handle_all was last set; see Member::order().
    [[nodiscard]] std::uint64_t handle_all_order() const { return handle_all_order_; }
    void set_handle_all_order(std::uint64_t order) {
        handle_all_order_ = order;
        members_changed();
    }
    /// A member came, went, or has another order or weight: what was matched is void.
    void members_changed() { is_stale_ = true; }

    /// Which member `process` belongs by: the latest attached that matches, "handle_all", or none.
    struct Match {
        const Member* member; // null for handle_all
        std::uint64_t order;
    };
    [[nodiscard]] std::optional<Match> match(const ProcessInfo& process) const;

    /// Which members are one subject, where an actuator can place them whole: cgroup: and unit: ones.
    struct Whole {
        bool cgroups = false;
        bool units = false;
        bool operator==(const Whole&) const = default;
    };
    /// The subjects of this set now, ordered by target, without their current CPUs: one per process, or one
    /// per group or unit where they are `whole`; a template gives one per instance that runs. Protected
    /// processes are left out. Holds until the next call; costs next to nothing while no process and no
    /// member has changed, and of a process that has changed what it is worth.
    [[nodiscard]] Subjects subjects(Whole whole) const;
    /// Whether no process belongs to it.
    [[nodiscard]] bool empty() const;
    /// Why a member was left out of the last subjects() though it is placed whole: it has opted out, or
    /// holds a unit that has. "" for the others.
    [[nodiscard]] std::string why_left_out(const Member& member) const;
    /// Another number whenever subjects() has given something else.
    [[nodiscard]] std::uint64_t revision() const { return log_begin_ + log_.size(); }
    /// Whose subjects came, left or differ since that revision, some perhaps twice; none if that is too long
    /// ago to tell. Holds until the next subjects().
    [[nodiscard]] std::optional<std::span<const Target>> changed_since(std::uint64_t revision) const;
    /// Whether a member is a process, of whose end its hold may be the only one to tell.
    [[nodiscard]] bool names_processes() const { return names_processes_; }

protected:
    Status accepts(std::size_t index, const AttributeValue& value) const override;
    void changed(std::size_t /*index*/) override { members_changed(); }
    void children_changed() override { members_changed(); }

private:
    struct Matched {
        std::uint64_t start_time;
        Match match;
    };

    [[nodiscard]] bool belongs(const Member& member, const ProcessInfo& process) const;
    [[nodiscard]] bool descends(const Member& member, const ProcessInfo& process) const;
    [[nodiscard]] std::string protection_in(const MemberName& name) const;
    [[nodiscard]] const Member* group_member(const ProcessInfo& process) const;
    [[nodiscard]] std::optional<Match> evaluate(const ProcessInfo& process) const;
    void update() const;
    void index_members() const;
    void take(Pid pid) const;
    [[nodiscard]] Target target_of(Pid pid, const Matched& matched, Whole whole) const;
    [[nodiscard]] std::string group_of(Pid pid, const Member& member) const;
    [[nodiscard]] bool is_whole(const Member& member, Whole whole) const;
    void find_left_out(Whole whole) const;
    [[nodiscard]] std::vector<Subject> all_subjects(Whole whole) const;
    void build_subjects(Whole whole) const;
    void follow_moved() const;
    [[nodiscard]] Subject subject_of(Target target, Pid pid, const Member* member) const;
    void leave_row(Pid pid, const Target& target) const;
    void enter_row(Pid pid, const Target& target, const Member& member) const;
    void be_row(Pid pid, const Target& target, const Member* member) const;
    void note(const Target& target) const;

    ProcessTable& processes_;
    std::uint64_t handle_all_order_ = 0;

    // what was found out so far; `matched_` holds members and processes as of `evaluated_`
    mutable bool is_stale_ = true;
    mutable std::uint64_t evaluated_ = 0;
    mutable std::unordered_map<Pid, Matched> matched_;
    mutable std::unordered_map<std::string_view, const Member*> groups_; // cgroup: members by path
    mutable std::vector<const Member*> others_;
    mutable bool names_processes_ = false;
    mutable SubjectTable subjects_;
    mutable std::unordered_map<Pid, Target> row_of_; // of each process that is in one of them
    mutable std::vector<Pid> moved_;                 // evaluated since, and to be found another row perhaps
    mutable bool is_built_ = false;                  // but for those
    mutable Whole built_whole_;
    mutable std::unordered_map<const Member*, std::string> left_out_; // with the reason
    mutable std::uint64_t log_begin_ = 1;                             // the revision before the first in log_
    mutable std::vector<Target> log_;                                 // changed, one for each revision
};

} // namespace schedd::model
