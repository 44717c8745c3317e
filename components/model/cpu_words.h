// CPUs in sentences for people.
#pragma once

#include <string>

#include "components/model/cpu_set.h"

namespace schedd::model {

/// "CPU 3", "CPUs 0-3,8".
inline std::string cpu_words(const CpuSet& cpus) {
    return (cpus.count() == 1 ? "CPU " : "CPUs ") + cpus.text();
}

} // namespace schedd::model
