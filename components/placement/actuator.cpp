// The words of the states, and actuators that tune nothing.
#include "components/placement/actuator.h"

namespace schedd::placement {

std::string_view name_of(State state) {
    switch (state) {
    case State::free: return "free";
    case State::pending: return "pending";
    case State::applied: return "applied";
    case State::overridden: return "overridden";
    case State::foreign: return "foreign";
    case State::invalid: return "invalid";
    case State::conflict: return "conflict";
    case State::gone: return "gone";
    }
    return "pending";
}

Result<std::string> Actuator::capture_tuning(const Target& /*target*/, const std::string& original,
                                             const Tuning& /*tuning*/) {
    return original;
}

Tuning Actuator::written_tuning(const std::string& /*original*/) const { return {}; }

Outcome Actuator::tune(const Target& target, const Tuning& tuning, const std::string& /*original*/,
                       Outcome outcome) {
    return Actuator::check_tuning(target, tuning, std::move(outcome));
}

Outcome Actuator::check_tuning(const Target& /*target*/, const Tuning& tuning, Outcome outcome) {
    if (tuning.empty()) return outcome;
    outcome.detail += (outcome.detail.empty() ? "" : "; ") + tuning.text() + " is for units alone";
    return outcome;
}

} // namespace schedd::placement
