// Core demand: how many cores of a row a load needs; numbers in, a number out.
#pragma once

#include <span>

namespace schedd::policies {

/// Loads are in tasks (1.0 = one task that always wants a CPU). What is `packed` may fill all threads of a
/// core, what is `apart` wants cores whose other threads stay idle: it takes one thread's worth of each, or
/// the share of a core that packed work leaves of it.
struct CoreDemand {
    double packed = 0;
    double apart = 0;
};

/// How many of the first cores the demand fills, `threads` being the CPUs of each; all if they are not
/// enough. A twentieth of a CPU more is not worth a core.
///   4.0 packed on cores of two threads -> 2; 2.0 apart -> 2; 1.0 packed and 0.4 apart -> 1
int cores_filled_by(const CoreDemand& demand, std::span<const int> threads);

} // namespace schedd::policies
