// Engine: one tick of schedd - probes measure, due policies decide, the planner merges, the actuator acts and
// reads back - in a fixed order with bounded work, on whatever clock it is given.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "components/model/subjects.h"
#include "components/model/tree.h"
#include "components/placement/ledger.h"
#include "components/placement/mover.h"
#include "components/placement/planner.h"

namespace schedd::placement {

/// Told of what happened, for signals and the journal.
class EngineListener {
public:
    virtual ~EngineListener() = default;
    virtual void decided(const std::string& /*scheduler*/, const Target& /*target*/,
                         const Decision& /*decision*/) {}
    virtual void conflicted(const std::string& /*scheduler*/, const Target& /*target*/,
                            const std::string& /*detail*/) {}
    virtual void ejected(const std::string& /*scheduler*/, const std::string& /*why*/) {}
    /// Its CPUs were written and read back.
    virtual void placed(const Target& /*target*/, const Verdict& /*verdict*/, const Outcome& /*outcome*/) {}
    /// It was let go: put back as it was, left to who has written it since (`foreign`), or that failed.
    virtual void released(const Target& /*target*/, const Outcome& /*outcome*/) {}
    /// CPUs have come or gone since the topology was drawn: nothing is placed before topology_changed(), or
    /// the next tick if it is right all the same.
    virtual void topology_is_stale() {}
    /// One more act of what may be many was done: whoever watches that this goes on can be told so.
    virtual void progressed() {}
    /// A policy wants it on another node; `begun` says whether that is under way, and else why not.
    virtual void moved(const std::string& /*scheduler*/, const Move& /*move*/, const Status& /*begun*/) {}
    /// Somebody else has written it; if `taken_back`, it was written again after that.
    virtual void disturbed(const Target& /*target*/, const Outcome& /*found*/, bool /*taken_back*/) {}
};

/// Why a target is where it is.
struct Explanation {
    Target target;
    std::string comm;                                         // of a process
    std::vector<std::pair<std::string, std::string>> members; // scheduler and member it belongs by
    std::vector<std::vector<std::string>> considered;         // by each of them: Policy::considered()
    Verdict verdict;
    std::vector<std::optional<Duration>> since; // age of each opinion's own decision, in their order
    Outcome outcome;
    std::string original; // as captured; empty if never touched
    std::string before;   // the same in words
};

/// What a rehearsal would write, or put back as it was (`after` empty).
struct PlannedChange {
    Target target;
    std::string comm; // of a process
    CpuSet before;    // as decided now; empty: not held
    CpuSet after;
    Tuning tuning;
    std::string scheduler; // the last that has a say
    std::string reason;
    std::string conflict; // who wants what and cannot have it, if that is new
};

/// Where new work goes; `scheduler` is who said so, "" if nobody did and it stays here.
struct TaskPlacement {
    std::string scheduler;
    Destination to;
};

/// Numbers of one scheduler.
struct SchedulerFacts {
    std::string name;
    std::string policy;
    std::size_t members = 0;
    bool handle_all = false;
    std::size_t subjects = 0;
    std::size_t placed = 0;
    std::size_t conflicts = 0;
    std::uint64_t moves = 0;
    std::string ejected;
};

class Engine final : public TreeListener, public ProcessListener {
public:
    /// All outlive the engine. `topology` is changed by its owner, who then calls topology_changed().
    Engine(Tree& tree, const Topology& topology, Actuator& actuator, Ledger& ledger);
    ~Engine() override;

    /// Everything that is due at `now`. Never blocks; bounded by limits::kStepsPerTick.
    void tick(Time now);
    /// Only what follows from changes of the tree and the processes: who left is restored before this
    /// returns.
    void settle(Time now);
    /// The next time tick() has something to do by itself.
    [[nodiscard]] Time next_due() const;
    /// Puts every held target back (`restore`) and forgets it. For stopping; apply the process events that
    /// are waiting before, and again after it with settle(), for what was forked meanwhile.
    void release_all();

    /// What would be placed otherwise, now that the tree has changed. Only in a copy of the process: the
    /// policies decide for real, and this engine acts no more.
    std::vector<PlannedChange> rehearse(Time now);

    void topology_changed();
    /// Environment::remote has other nodes, or knows else of them.
    void nodes_changed() { nodes_dirty_ = true; }
    /// Reads everything back and does again what no longer holds, whoever undid it: systemd has read its
    /// files anew, CPUs came or went. What was foreign already stays so.
    void reconcile();
    /// The same for one target, about which there is news.
    void reconcile(const Target& target);
    /// From now on these schedulers (or all) keep what they have decided; their policies are not run. One
    /// that has decided nothing yet, and of whose subjects nothing is held, speaks once.
    void freeze(bool all, std::set<std::string> schedulers);
    /// What becomes of a target that somebody else has written: left to them (`yield`), or written again, at
    /// most limits::kReassertions times in ten minutes, so that it never comes to a fight.
    enum class OnForeign { yield, reassert };
    void set_on_foreign(OnForeign rule) { on_foreign_ = rule; }
    /// Somebody may have written this target: reads it back and does as set_on_foreign() says.
    void disturbed(const Target& target);
    /// Without one policies are not asked what they want moved. It outlives the engine.
    void set_mover(Mover* mover) { mover_ = mover; }
    /// Asks the schedulers in the order of the stack, larger precedence first, then those that the caller was
    /// attached to before those of all processes; the first that has a node wins. Fails with no_such_object
    /// if the scheduler that the task names does not decide here.
    Result<TaskPlacement> place_task(const NewTask& task, Time now);
    void set_listener(EngineListener* listener) { listener_ = listener; }

    /// What: a target's text or a member's name ("process:12"), a bare pid, a scheduler's name, or "" for
    /// all. Of all nobody is asked what else was considered, else of the first limits::kConsidered.
    [[nodiscard]] Result<std::vector<Explanation>> explain(std::string_view what) const;
    [[nodiscard]] std::vector<SchedulerFacts> facts() const;
    [[nodiscard]] std::size_t held() const { return ledger_.entries().size(); }
    [[nodiscard]] std::uint64_t ticks() const { return ticks_; }
    /// Steps carried out since the start; a steady state adds none.
    [[nodiscard]] std::uint64_t steps() const { return steps_; }
    /// CPUs of the partitions that it has made: no other group is allowed them, schedd's own neither.
    [[nodiscard]] CpuSet partitioned() const;
    /// Re-reads everything that is held; what differs from what was written is found in explain(). With
    /// `anew` also what costs questions to others and was answered a while ago.
    void check_all(bool anew = true);

    void part_added(Part& part) override;
    void part_removed(const Path& path, Part& part) override;
    void part_changed(Part& part, std::string_view attribute) override;
    void process_arrived(const ProcessInfo& process) override;
    void process_left(Pid pid) override;

private:
    struct Summary;
    struct Held {
        Decision decision;
        Time since{};
    };
    /// A process that was put back.
    struct Released {
        Target target;
        Ledger::Entry entry;
        Time at{};
    };
    /// What the engine remembers of a scheduler between ticks.
    struct Seat {
        SubjectTable subjects;
        std::uint64_t revision = 0;  // of the process set, when they were taken from it
        std::size_t processes = 0;   // of them; the others are groups and units
        std::vector<Target> touched; // came, left or ask for something else since the policy's last decision
        std::map<Target, Held> decisions;
        bool undecided = true; // a new policy has not spoken yet; what is held stays meanwhile, for a while
        Time policy_since{};
        std::uint64_t moves = 0;
        Here here = Here::yes; // unless yes its policy is not asked, and what is held goes or waits
        CpuSet taken;          // CPUs that other schedulers have given away alone
        Topology view;         // the machine without them, unless there are none
    };

    /// Whether the target is among the scheduler's subjects.
    static bool holds(const Seat& seat, const Target& target);
    void run_probes(Time now);
    void take_nodes();
    void take_here(Scheduler& scheduler, Seat& seat);
    void take_newborn(Time now);
    void take_child(const ProcessInfo& child);
    void free_child(const ProcessInfo& child, const Released& parent);
    void refresh_members(Time now);
    bool refresh_seat(Scheduler& scheduler, Seat& seat);
    void refresh_whole_seat(Scheduler& scheduler, Seat& seat, const Subjects& subjects);
    void refresh_subject(const std::string& scheduler, Seat& seat, const Target& target, const Subject* now);
    [[nodiscard]] bool is_anyones(const Target& target) const;
    [[nodiscard]] const Topology& view_of(const Seat& seat) const;
    /// A policy whose view has changed is due.
    void take_views();
    void run_policies(Time now);
    struct Answer;
    bool run_policy(Scheduler& scheduler, Seat& seat, bool is_due, Time now);
    [[nodiscard]] Answer ask(Policy& policy, Seat& seat, bool is_due, Time now);
    void take_over(const std::string& scheduler, Seat& seat, std::vector<Decision> decisions, Time now);
    void take_over_some(const std::string& scheduler, Seat& seat, std::vector<Decision> decisions,
                        const std::vector<Target>& touched, Time now);
    void take_over(const std::string& scheduler, Seat& seat, const Revision::Shift& shift, Time now);
    void take_over_unordered(const std::string& scheduler, Seat& seat, std::vector<Decision> decisions,
                             Time now);
    [[nodiscard]] bool is_frozen(const std::string& scheduler, const Seat& seat) const;
    [[nodiscard]] std::vector<Move> ask_moves(Policy& policy, const View& view) const;
    void carry_out(const std::string& scheduler, const std::vector<Move>& moves);
    [[nodiscard]] static std::string nonsense_in(const Seat& seat, NodesView nodes,
                                                 const std::vector<Move>& moves);
    [[nodiscard]] bool may_expel(const Scheduler& scheduler, const Seat& seat) const;
    void ask_leavers(Scheduler& scheduler, Seat& seat, Time now);
    [[nodiscard]] std::vector<Scheduler*> stack_for(const NewTask& task) const;
    [[nodiscard]] std::optional<Destination> ask_place(Scheduler& scheduler, const NewTask& task, Time now);
    void eject(Scheduler& scheduler, Seat& seat, const std::string& why);
    [[nodiscard]] std::string nonsense_in(const Seat& seat, const std::vector<Decision>& decisions) const;
    void combine_and_act(Time now);
    void combine_all(Time now);
    void combine_some(std::vector<Target> changed, Time now);
    void tell_conflicts(const std::map<Target, Verdict>& verdicts);
    void act_on(const std::map<Target, Verdict>& verdicts, const Holdings& held, Time now);
    [[nodiscard]] std::vector<Wish> wishes();
    void add_bystanders(std::vector<Wish>& all);
    [[nodiscard]] CpuSet could_run_on(const Target& target);
    [[nodiscard]] std::vector<Wish> wishes_for(const std::vector<Target>& targets) const;
    [[nodiscard]] Wish wish_for(const Scheduler& scheduler, const Member* member, const Subject& subject,
                                const Held& held) const;
    /// Until when a target that nobody wants is kept for a scheduler whose new policy has not decided yet.
    [[nodiscard]] Time grace_for(const Target& target) const;
    [[nodiscard]] bool is_stale();
    void carry_out(Plan plan, Time now);
    void carry_out(const Step& step);
    Outcome place(const Target& target, const CpuSet& cpus, const Tuning& tuning);
    Outcome check(const Target& target, const CpuSet& written);
    [[nodiscard]] Tuning tuning_of(const Member& member, const Decision& decision) const;
    void refuse(const Step& step, const Error& error);
    void refuse(const Step& step, Outcome outcome);
    void release(const std::vector<Target>& targets);
    void release(const Target& target, const std::optional<Outcome>& theirs);
    [[nodiscard]] std::optional<Outcome> found_foreign(const Target& target);
    void check_some(Time now);
    void look_at_started(const Subject& subject);
    void found(const Target& target, Outcome& outcome, Outcome now);
    bool was_half_done(const Target& target);
    void redo(const Target& target, Outcome& outcome);
    void look_again(const Target& target, Outcome& outcome);
    [[nodiscard]] bool may_reassert(const Target& target);
    void redo_processes_after(const Plan& plan);
    void tell_progress();
    void report_members();
    void report_all();
    struct Left;
    void report_some(const std::vector<Target>& targets, const std::vector<Left>& left);
    void report(Scheduler& scheduler, Member& member, const Summary& all);
    CpuSet current_of(const Target& target);
    /// Fills in what the subjects' process set does not know: where they may run, and whether by our doing.
    void read_current(Seat& seat);
    [[nodiscard]] std::vector<std::string> taken_from(const std::string& scheduler, const Seat& seat) const;
    [[nodiscard]] std::vector<std::string> considered(const std::string& scheduler,
                                                      const Subject& subject) const;
    void for_each_scheduler(const std::function<void(Scheduler&)>& visit) const;

    Tree& tree_;
    const Topology& topology_;
    Actuator& actuator_;
    Ledger& ledger_;
    EngineListener* listener_ = nullptr;
    Mover* mover_ = nullptr;

    std::map<std::string, Seat> seats_; // by scheduler name
    std::map<Target, Verdict> verdicts_;
    std::map<Target, Outcome> outcomes_; // of everything that is wanted or held
    std::map<Target, Tuning> tuned_;     // as written last, also by an earlier run
    std::unordered_map<Pid, Target> held_processes_;
    std::unordered_map<Pid, Released> released_; // not long ago: a child may have been forked just before
    std::vector<ProcessInfo> newborn_;           // forked by a held process since the last settle
    std::map<Target, CpuSet> seen_;              // current masks of subjects not placed, read once
    bool all_frozen_ = false;
    std::set<std::string> frozen_;
    bool members_dirty_ = true;
    bool nodes_dirty_ = true; // which nodes there are, or which schedulers have them
    bool verdicts_dirty_ = true;
    std::vector<Step> rest_;    // of what is planned: more than one turn carries out
    bool is_rehearsal_ = false; // nothing may be written
    bool views_dirty_ = false;  // what is given away alone may have changed, or to whom
    bool reports_dirty_ = true; // what members say of themselves may have changed
    // the same of these targets alone, so that one change among many costs what it is worth
    std::vector<Target> changed_; // decided otherwise since verdicts were combined
    std::vector<Target> retold_;
    /// Its target is another member's now, or nobody's.
    struct Left {
        std::string scheduler;
        std::string member;
        Target target;
    };
    std::vector<Left> left_;
    bool is_mixed_ = false;              // there are processes and groups, which bind each other
    bool gives_alone_ = false;           // some have CPUs alone, which binds what other schedulers decide
    std::map<Target, CpuSet> came_with_; // where what this run holds could run before it was touched
    std::uint64_t seen_generation_ = 0;
    std::optional<CpuSet> told_online_; // CPUs online that the topology does not show, as last told
    struct Reassertions {
        std::size_t count = 0;
        Time since{};
    };
    OnForeign on_foreign_ = OnForeign::yield;
    std::map<Target, Reassertions> reassertions_;
    static constexpr Duration kCheckPeriod = std::chrono::seconds(10);
    Time next_check_{};
    Time grace_ends_ = kNever;
    Target check_cursor_;
    std::uint64_t ticks_ = 0;
    std::uint64_t steps_ = 0;
};

} // namespace schedd::placement
