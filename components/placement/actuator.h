// Actuator: the only thing that can touch the machine. The outside implements it; dry-run and tests do too.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "components/model/subject.h"

namespace schedd::placement {

using namespace schedd::model;

/// What became of a target. `free`: schedd wants nothing of it. `overridden`: what holds is not what was
/// written. `foreign`: somebody else has written it since, and it is theirs now. `invalid`: it cannot be done
/// (offline, refused). `gone`: the target has ended.
enum class State { free, pending, applied, overridden, foreign, invalid, conflict, gone };
std::string_view name_of(State state);

/// The result of one act, after reading back. A vanished target is an outcome, not an error.
struct Outcome {
    State state = State::pending;
    CpuSet written;   // what was asked of the kernel
    CpuSet effective; // what the kernel says holds
    std::string detail;
    CpuSet refused = {}; // what could not be written (State::invalid); kept by the engine
};

class Actuator {
public:
    virtual ~Actuator() = default;
    [[nodiscard]] virtual std::string_view name() const = 0;
    /// Whether targets of this sort can be placed whole; control groups that cannot are placed process by
    /// process.
    [[nodiscard]] virtual bool handles(Target::Sort sort) const = 0;

    /// Where the target may run now (the union over its threads). Fails with no_such_object when it has
    /// ended.
    virtual Result<CpuSet> current(const Target& target) = 0;
    /// All that restore() needs to put the target back as it is now, as one line of text without tabs.
    virtual Result<std::string> capture(const Target& target) = 0;
    /// What capture() would have said of a child that was forked from `parent` after it was placed; nothing
    /// to inherit (another mask, ended, a control group): no_such_object.
    virtual Result<std::string> capture_child(const Target& parent, const std::string& parent_original,
                                              const CpuSet& parent_written, const Target& child) = 0;

    /// Confines the target, all its threads and the ones it will have. REQUIRES: captured before; cpus not
    /// empty.
    virtual Outcome place(const Target& target, const CpuSet& cpus) = 0;
    /// Reads back without writing: what holds, against what was written.
    virtual Outcome check(const Target& target, const CpuSet& written) = 0;
    /// What restore() and the next run need beside capture()'s `original` before the target is tuned so: the
    /// text to keep in its place, with what was there before and what is about to be written. The same text
    /// if there is nothing to add.
    virtual Result<std::string> capture_tuning(const Target& target, const std::string& original,
                                               const Tuning& tuning);
    /// What such a text says was written last.
    [[nodiscard]] virtual Tuning written_tuning(const std::string& original) const;
    /// Sets what `tuning` says and puts back what it says no more; reads back. Takes and gives the outcome of
    /// place(), made worse by what went wrong. By default nothing can be tuned, and the detail says so.
    virtual Outcome tune(const Target& target, const Tuning& tuning, const std::string& original,
                         Outcome outcome);
    /// What a captured text says, in words for people.
    [[nodiscard]] virtual std::string told(const std::string& original) const { return original; }
    /// Reads a tuning back; takes and gives the outcome of check().
    virtual Outcome check_tuning(const Target& target, const Tuning& tuning, Outcome outcome);
    /// The CPUs that are online now; none where it cannot tell.
    virtual std::optional<CpuSet> online() { return std::nullopt; }
    /// The outside may have changed without leaving a trace: what is remembered to save questions is void.
    virtual void forget_answers() {}
    /// Puts the target back to what was captured; the outcome is `free`, `gone`, or `invalid` with the
    /// reason.
    virtual Outcome restore(const Target& target, const std::string& original) = 0;
    /// The same for a target whose parts can be set one by one (threads): what of it shows none of `written`
    /// (the last, and the one before it, which may hold after a crash), nor what the kernel makes of that, is
    /// somebody else's, and stays as it is.
    virtual Outcome put_back(const Target& target, const std::string& original,
                             std::span<const CpuSet> /*written*/) {
        return restore(target, original);
    }
};

} // namespace schedd::placement
