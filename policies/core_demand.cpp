// Filling core after core, packed work first.
#include "policies/core_demand.h"

#include <algorithm>

namespace schedd::policies {

namespace {

constexpr double kTooLittle = 0.05; // CPUs

} // namespace

int cores_filled_by(const CoreDemand& demand, std::span<const int> threads) {
    double packed = demand.packed;
    double apart = demand.apart;
    int cores = 0;
    for (const int cpus : threads) {
        if (packed + apart <= kTooLittle) break;
        const double filled = std::min(packed, static_cast<double>(cpus));
        packed -= filled;
        apart -= std::min(apart, 1 - filled / cpus);
        ++cores;
    }
    return cores;
}

} // namespace schedd::policies
