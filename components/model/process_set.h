// ProcessSet: which work a scheduler is responsible for.
#pragma once

#include <optional>
#include <unordered_map>

#include "components/model/member.h"
#include "components/model/process_table.h"
#include "components/model/subject.h"

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
    /// member has changed.
    [[nodiscard]] const std::vector<Subject>& subjects(Whole whole) const;
    /// Why a member was left out of the last subjects() though it is placed whole: it has opted out, or
    /// holds a unit that has. "" for the others.
    [[nodiscard]] std::string why_left_out(const Member& member) const;
    /// Another number whenever subjects() has given something else.
    [[nodiscard]] std::uint64_t revision() const { return revision_; }

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
    void build_subjects(Whole whole) const;

    ProcessTable& processes_;
    std::uint64_t handle_all_order_ = 0;

    // what was found out so far; `matched_` holds members and processes as of `evaluated_`
    mutable bool is_stale_ = true;
    mutable std::uint64_t evaluated_ = 0;
    mutable std::unordered_map<Pid, Matched> matched_;
    mutable std::unordered_map<std::string_view, const Member*> groups_; // cgroup: members by path
    mutable std::vector<const Member*> others_;
    mutable std::vector<Subject> subjects_;
    mutable std::unordered_map<const Member*, std::string> left_out_; // with the reason
    mutable std::uint64_t revision_ = 1;
    mutable std::uint64_t built_ = 0; // the revision of subjects_
    mutable Whole built_whole_;
};

} // namespace schedd::model
