// The policy types; each is defined in the file of its name.
#pragma once

#include "components/model/policy.h"

namespace schedd::policies {

using namespace schedd::model;

extern const Descriptor kEcho;
extern const Descriptor kExclusiveCores;
extern const Descriptor kLoadBalancing;
extern const Descriptor kMemoryAffinity;
extern const Descriptor kNest;
extern const Descriptor kPools;
extern const Descriptor kPowerProfile;
extern const Descriptor kPressureGuard;

} // namespace schedd::policies
