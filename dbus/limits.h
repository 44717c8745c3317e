// What callers of the bus may ask for at most, beside kit/limits.h; messages name the limit that was hit.
#pragma once

#include <cstddef>

namespace schedd::kit::limits {

constexpr std::size_t kBusChecks = 64;        // changes that wait for polkit's answer, of all users together
constexpr std::size_t kBusChecksPerUser = 16; // and of one user, so that no one keeps the others out
constexpr std::size_t kHolds = 256;       // holds at once; each keeps a descriptor open, here and in PID 1
constexpr std::size_t kHoldsPerUser = 64; // and of one user
constexpr std::size_t kHoldText = 256;    // bytes of each of the texts a hold is given

} // namespace schedd::kit::limits
