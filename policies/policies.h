// The policy types; each is defined in the file of its name.
#pragma once

#include "components/model/policy.h"

namespace schedd::policies {

using namespace schedd::model;

extern const Descriptor kDiskIoBalancing;
extern const Descriptor kEcho;
extern const Descriptor kExclusiveCores;
extern const Descriptor kFailurePrevention;
extern const Descriptor kLoadBalancing;
extern const Descriptor kMemoryAffinity;
extern const Descriptor kMosixLoadBalancer;
extern const Descriptor kNest;
extern const Descriptor kNodeDrain;
extern const Descriptor kPools;
extern const Descriptor kPressureGuard;
extern const Descriptor kRemoteCloneLb;
extern const Descriptor kRoundRobinBalancer;
extern const Descriptor kScratchSpaceBalancing;
extern const Descriptor kSwapAvoidance;

} // namespace schedd::policies
