// The filter types; each is defined in the file of its name.
#pragma once

#include "components/model/filter.h"

namespace schedd::filters {

using namespace schedd::model;

extern const Descriptor kThreshold;
extern const Descriptor kFreqLimit;
extern const Descriptor kAverage;
extern const Descriptor kRemoteCache;

} // namespace schedd::filters
