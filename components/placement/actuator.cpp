// The words of the states.
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

} // namespace schedd::placement
