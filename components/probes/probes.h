// The probe types; each is defined in the file of its name.
#pragma once

#include "components/model/probe.h"

namespace schedd::probes {

using namespace schedd::model;

extern const Descriptor kCpu;
extern const Descriptor kMem;
extern const Descriptor kNumaMemory;
extern const Descriptor kPower;
extern const Descriptor kPressure;

} // namespace schedd::probes
