// The probe types; each is defined in the file of its name.
#pragma once

#include "components/model/probe.h"

namespace schedd::probes {

using namespace schedd::model;

extern const Descriptor kCpu;
extern const Descriptor kCpuSpeed;
extern const Descriptor kHardware;
extern const Descriptor kLoad;
extern const Descriptor kMem;
extern const Descriptor kMigration;
extern const Descriptor kMosix;
extern const Descriptor kNumaMemory;
extern const Descriptor kPressure;
extern const Descriptor kProcessSize;
extern const Descriptor kSpaceProbe;

} // namespace schedd::probes
