// One line per type. (Registration by global constructors was tried: in a static library it registers
// nothing.)
#include "service/builtin.h"

#include "components/filters/filters.h"
#include "components/filters/value_filters.h"
#include "components/probes/probes.h"
#include "policies/policies.h"

namespace schedd::service {

std::span<const model::Descriptor* const> builtin_types() {
    static constexpr const model::Descriptor* kTypes[] = {
        &probes::kCpu,
        &probes::kCpuSpeed,
        &probes::kHardware,
        &probes::kLoad,
        &probes::kMem,
        &probes::kMigration,
        &probes::kMosix,
        &probes::kNumaMemory,
        &probes::kPressure,
        &probes::kProcessSize,
        &probes::kSpaceProbe,
        &filters::kAverage,
        &filters::kConstant,
        &filters::kDiff,
        &filters::kFreqLimit,
        &filters::kLowThreshold,
        &filters::kRemoteCache,
        &filters::kThreshold,
        &policies::kDiskIoBalancing,
        &policies::kEcho,
        &policies::kExclusiveCores,
        &policies::kFailurePrevention,
        &policies::kLoadBalancing,
        &policies::kMemoryAffinity,
        &policies::kMosixLoadBalancer,
        &policies::kNest,
        &policies::kNodeDrain,
        &policies::kPools,
        &policies::kPressureGuard,
        &policies::kRemoteCloneLb,
        &policies::kRoundRobinBalancer,
        &policies::kScratchSpaceBalancing,
        &policies::kSwapAvoidance,
    };
    return kTypes;
}

} // namespace schedd::service
