// Journey: one move from its first step to its end. Whatever fails, the original goes on; only when the copy
// runs has it been ended.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "service/remote/steps.h"

namespace schedd::remote {

/// Where it is. From `carry` on the original is stopped; `settle` asks whether the copy runs, when nobody has
/// said so; `thaw` and `discard` undo.
enum class Phase { link, look, ask, carry, commit, settle, leave, thaw, discard, moved, stayed };
std::string_view name_of(Phase phase);

/// Asked for the node's row, as membership sees it now; none if it is not known (any more).
using Lookup = std::function<std::optional<Site>(const std::string& name)>;

class Journey {
public:
    /// `changed` is called after each phase has begun, the last one too. All outlive it.
    Journey(Course course, const Clock& clock, Runner& runner, const Steps& steps, Lookup lookup,
            std::function<void()> changed);
    Journey(const Journey&) = delete;
    Journey& operator=(const Journey&) = delete;

    void begin() { enter(Phase::link); }
    /// After the daemon was gone in the middle: with `settle`, as it is not known whether the copy has been
    /// told to run, or with `discard`, as the original goes on.
    void resume(Phase phase);
    /// What is due: the node has gone, or has not answered for long enough. Returns when it wants to be
    /// called next.
    Time turn(Time now);

    [[nodiscard]] const Course& course() const { return course_; }
    [[nodiscard]] Phase phase() const { return phase_; }
    [[nodiscard]] bool is_over() const { return phase_ == Phase::moved || phase_ == Phase::stayed; }
    /// Why it has failed, or what is being undone for; "" while all is well.
    [[nodiscard]] const std::string& trouble() const { return trouble_; }
    /// How long the work stood still, from the beginning of the dump; 0 before.
    [[nodiscard]] Duration frozen() const { return frozen_; }

private:
    void enter(Phase phase);
    [[nodiscard]] Result<Job> job_of(Phase phase) const;
    void finished(Phase phase, const JobResult& result);
    void went_well(Phase phase, const JobResult& result);
    void failed(Phase phase, const JobResult& result);
    void fall_back(std::string why, Phase next);
    void settled(const JobResult& result);

    Course course_;
    const Clock& clock_;
    Runner& runner_;
    const Steps& steps_;
    Lookup lookup_;
    std::function<void()> changed_;
    Phase phase_ = Phase::link;
    std::string trouble_;
    Time dumped_{};
    Duration frozen_{};
    bool was_asked_ = false; // something of it may be over there
    bool has_ended_ = false; // the original
    Time give_up_ = kNever;  // undoing over there
    Time again_ = kNever;    // the step of this phase is tried again
    int serial_ = 0;         // of the step, so that one that was given up is not heard
};

} // namespace schedd::remote
