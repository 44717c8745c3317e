// The filter types that make one value out of others, or compare it from above; each is defined in the file
// of its name. Apart from filters.h, on which every test stands.
#pragma once

#include "components/model/filter.h"

namespace schedd::filters {

using namespace schedd::model;

extern const Descriptor kConstant;
extern const Descriptor kDiff;
extern const Descriptor kLowThreshold;

} // namespace schedd::filters
