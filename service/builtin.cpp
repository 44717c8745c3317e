// One line per type. (Registration by global constructors was tried: in a static library it registers
// nothing.)
#include "service/builtin.h"

#include "components/filters/filters.h"
#include "components/probes/probes.h"
#include "policies/policies.h"

namespace schedd::service {

std::span<const model::Descriptor* const> builtin_types() {
    static constexpr const model::Descriptor* kTypes[] = {
        &probes::kCpu,
        &probes::kMem,
        &probes::kNumaMemory,
        &probes::kPower,
        &probes::kPressure,
        &filters::kAverage,
        &filters::kFreqLimit,
        &filters::kRemoteCache,
        &filters::kThreshold,
        &policies::kEcho,
        &policies::kExclusiveCores,
        &policies::kLoadBalancing,
        &policies::kMemoryAffinity,
        &policies::kNest,
        &policies::kPools,
        &policies::kPowerProfile,
        &policies::kPressureGuard,
    };
    return kTypes;
}

} // namespace schedd::service
