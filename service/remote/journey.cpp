// The order of the steps, and what follows from each that fails.
#include "service/remote/journey.h"

#include <array>
#include <optional>

#include <fmt/format.h>

#include "components/model/proc_text.h"

namespace schedd::remote {

namespace {

constexpr Duration kAskAgain = std::chrono::seconds(2);
/// How long a node that does not answer, but is not known to be dead either, keeps the original waiting.
constexpr Duration kUnclear = std::chrono::seconds(60);
/// How long the copy's remains are tried to be cleared away; the next one to come in there does it else.
constexpr Duration kClearing = std::chrono::minutes(10);
constexpr int kNotAsLeft = 3; // exit codes of schedd-migrate
constexpr int kDoesNotRun = 4;

std::string said_by(const JobResult& result) {
    return result.said.empty() ? fmt::format("it ended with {}", result.status) : result.said;
}

/// Of what a step printed: the number in the line that begins with that word.
std::optional<std::uint64_t> number_after(std::string_view word, std::string_view printed) {
    while (!printed.empty()) {
        auto line = model::take_line(printed);
        if (model::take_word(line) == word) return model::take_number(line);
    }
    return std::nullopt;
}

} // namespace

std::string_view name_of(Phase phase) {
    constexpr std::array<std::string_view, 11> kNames{"link",  "look", "ask",     "carry", "commit", "settle",
                                                      "leave", "thaw", "discard", "moved", "stayed"};
    return kNames[static_cast<std::size_t>(phase)];
}

Journey::Journey(Course course, const Clock& clock, Runner& runner, const Steps& steps, Lookup lookup,
                 std::function<void()> changed)
    : course_(std::move(course)), clock_(clock), runner_(runner), steps_(steps), lookup_(std::move(lookup)),
      changed_(std::move(changed)) {}

void Journey::resume(Phase phase) { fall_back("schedd was ended in the middle of it", phase); }

Result<Job> Journey::job_of(Phase phase) const {
    switch (phase) {
    case Phase::link: return steps_.link(course_.site);
    case Phase::look: return steps_.look(course_);
    case Phase::ask: return steps_.ask(course_);
    case Phase::carry: return steps_.carry(course_);
    case Phase::commit: return steps_.commit(course_);
    case Phase::settle: return steps_.settle(course_);
    case Phase::leave: return steps_.leave(course_.unit);
    case Phase::thaw: return steps_.thaw(course_.unit);
    case Phase::discard: return steps_.discard(course_);
    case Phase::moved:
    case Phase::stayed: break;
    }
    return fail(Errc::not_supported, "it is over");
}

void Journey::enter(Phase phase) {
    phase_ = phase;
    again_ = kNever;
    const int serial = ++serial_;
    if (phase == Phase::carry) dumped_ = clock_.now();
    if (phase == Phase::ask) was_asked_ = true;
    if (phase == Phase::settle || phase == Phase::discard)
        if (give_up_ == kNever) give_up_ = clock_.now() + (phase == Phase::settle ? kUnclear : kClearing);
    if (!is_over()) {
        auto job = job_of(phase);
        if (!job) { // of a node whose address is not known yet, or that ssh cannot name
            changed_();
            finished(phase, {-1, job.error().text(), {}});
            return;
        }
        runner_.start(std::move(*job), [this, phase, serial](const JobResult& result) {
            if (serial == serial_) finished(phase, result);
        });
    }
    changed_();
}

void Journey::finished(Phase phase, const JobResult& result) {
    if (phase == Phase::settle) settled(result);
    else if (result.is_done()) went_well(phase, result);
    else failed(phase, result);
}

void Journey::went_well(Phase phase, const JobResult& result) {
    switch (phase) {
    case Phase::link: enter(Phase::look); break;
    case Phase::look:
        course_.bytes = number_after("bytes", result.printed).value_or(course_.bytes);
        enter(Phase::ask);
        break;
    case Phase::ask: enter(Phase::carry); break;
    case Phase::carry: enter(Phase::commit); break;
    case Phase::commit:
    case Phase::leave:
        if (dumped_ != Time{}) frozen_ = clock_.now() - dumped_;
        // until the copy ran; clearing away the original is not in it
        if (const auto ms = number_after("stood", result.printed)) frozen_ = std::chrono::milliseconds(*ms);
        trouble_.clear();
        enter(Phase::moved);
        break;
    case Phase::thaw:
        if (dumped_ != Time{}) frozen_ = clock_.now() - dumped_;
        give_up_ = kNever;
        enter(was_asked_ ? Phase::discard : Phase::stayed);
        break;
    case Phase::discard: enter(Phase::stayed); break;
    case Phase::settle:
    case Phase::moved:
    case Phase::stayed: break;
    }
}

void Journey::failed(Phase phase, const JobResult& result) {
    switch (phase) {
    case Phase::commit:
        if (result.status == kNotAsLeft) fall_back(said_by(result), Phase::thaw);
        else fall_back("it is not known whether the copy runs: " + said_by(result), Phase::settle);
        break;
    case Phase::thaw: // PID 1 did not do it: it has to
    case Phase::leave:
        trouble_ = fmt::format("{}; {} fails: {}", trouble_, name_of(phase), said_by(result));
        again_ = clock_.now() + kAskAgain;
        changed_();
        break;
    case Phase::discard:
        again_ = clock_.now() + kAskAgain;
        if (again_ < give_up_) break;
        trouble_ += "; what has come over there is not cleared away: " + said_by(result);
        enter(Phase::stayed);
        break;
    default: fall_back(fmt::format("{}: {}", name_of(phase), said_by(result)), Phase::thaw); break;
    }
}

void Journey::fall_back(std::string why, Phase next) {
    trouble_ = std::move(why);
    was_asked_ = was_asked_ || next == Phase::settle;
    enter(next);
}

/// The copy has been told to run and nobody knows whether it has heard: one of the two must not go on.
void Journey::settled(const JobResult& result) {
    if (result.is_done()) {
        enter(Phase::leave);
        return;
    }
    if (result.status == kDoesNotRun) {
        enter(Phase::thaw);
        return;
    }
    again_ = clock_.now() + kAskAgain;
    if (again_ < give_up_) return;
    trouble_ += "; the node does not say, and both may run now";
    enter(Phase::thaw);
}

Time Journey::turn(Time now) {
    if (is_over()) return kNever;
    const auto site = lookup_(course_.site.name);
    if (site) course_.site = *site; // its address may be another
    if (site ? site->is_gone : phase_ != Phase::settle) {
        switch (phase_) {
        case Phase::link:
        case Phase::look:
        case Phase::ask:
        case Phase::carry: fall_back("the node has gone", Phase::thaw); break;
        case Phase::settle: fall_back("the node has gone", Phase::thaw); break;
        case Phase::discard: enter(Phase::stayed); break;
        default: break; // a commit answers soon
        }
    }
    if (!is_over() && now >= again_) enter(phase_);
    if (is_over()) return kNever;
    return std::min(again_, now + std::chrono::seconds(1));
}

} // namespace schedd::remote
