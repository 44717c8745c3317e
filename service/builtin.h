// The table of every type of probe, filter and policy: the one place that names them all.
#pragma once

#include <span>

#include "components/model/descriptor.h"

namespace schedd::service {

/// Constant for the life of the process.
std::span<const model::Descriptor* const> builtin_types();

} // namespace schedd::service
