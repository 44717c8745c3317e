// ProcessSet and Member: which work a scheduler is responsible for.
#pragma once

#include <memory>
#include <optional>
#include <unordered_map>

#include "components/model/part.h"
#include "components/model/process_table.h"
#include "components/model/subject.h"

namespace schedd::model {

struct Environment;

/// A member's name, taken apart: "process:123" is {process, 123}, "exec:/usr/bin/make" is {exec,
/// "/usr/bin/make"}.
struct MemberName {
    enum class Sort { process, process_children, group, session, user, cgroup, unit, exec };
    Sort sort = Sort::process;
    Pid id = 0;       // process, process_children, group, session; user: the uid
    std::string text; // cgroup, unit, exec

    /// Fails with invalid_value; the error lists the sorts.
    static Result<MemberName> parse(std::string_view text);
};

/// One member of a process set. Its attributes report what became of it.
class Member final : public Part {
public:
    enum Attribute : std::size_t { kWeight, kState, kWantedCpus, kWrittenCpus, kEffectiveCpus, kDetail };
    static const std::vector<AttributeSpec>& table();

    Member(std::string name, MemberName parsed, std::unique_ptr<ProcessHold> hold, std::uint64_t start_time)
        : Part(Kind::member, std::move(name), nullptr, table()), parsed_(std::move(parsed)),
          hold_(std::move(hold)), start_time_(start_time) {}

    [[nodiscard]] const MemberName& parsed() const { return parsed_; }
    [[nodiscard]] std::uint64_t weight() const { return unsigned_at(kWeight); }
    /// False once a held process has ended; members without a hold live until they are removed.
    [[nodiscard]] bool alive() const { return !hold_ || hold_->alive(); }
    [[nodiscard]] std::uint64_t start_time() const { return start_time_; }
    /// A larger number was attached later.
    [[nodiscard]] std::uint64_t order() const { return order_; }
    void set_order(std::uint64_t order);
    /// Sets a reported attribute; true if it changed.
    bool report_text(Attribute which, std::string text) { return report(which, std::move(text)); }

protected:
    void changed(std::size_t index) override;

private:
    MemberName parsed_;
    std::unique_ptr<ProcessHold> hold_;
    std::uint64_t start_time_;
    std::uint64_t order_ = 0;
};

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
    mutable std::uint64_t revision_ = 1;
    mutable std::uint64_t built_ = 0; // the revision of subjects_
    mutable Whole built_whole_;
};

} // namespace schedd::model
