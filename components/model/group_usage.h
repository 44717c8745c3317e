// The type of what control groups use of CPUs; between the probe that measures it and policies that ask.
#pragma once

#include "components/model/value.h"

namespace schedd::model::types {

/// Time on CPUs alone: what tasks of the group waited for one is not in it, unlike in a load.
constexpr ValueType kUsageByCgroup{"usage", "1/1000 CPU", "cgroup"};

} // namespace schedd::model::types
