// What a sink takes: mostly what it declares; a filter's further port may take what its filter takes.
#pragma once

#include "components/model/filter.h"
#include "components/model/machine_types.h"

namespace schedd::model {

/// REQUIRES: `input` is the side of `part` that collects.
inline const ValueType& type_of_sink(const Part& part, const Input& input) {
    const auto* parent = part.parent();
    const bool is_filters = part.kind() == Kind::port && parent && parent->kind() == Kind::filter;
    return is_filters && input.input_type() == types::kAsFilter
               ? static_cast<const Filter&>(*parent).output_type()
               : input.input_type();
}

} // namespace schedd::model
