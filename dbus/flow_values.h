// Flow values: what a source, filter or port has to say now, and if nothing, why.
#pragma once

#include <string>
#include <string_view>

#include "components/model/tree.h"

namespace schedd::dbus {

using namespace schedd::kit;

/// The value of a source or filter, without asking for it (model::ask_source_of). `parameter` is text as
/// callers give it, "" for none. Fails with no_value (and why), or invalid_value when a parameter is missing
/// or given in vain.
Result<model::Sample> value_of(const model::Part& part, std::string_view parameter = {});

/// The collected value of a filter or port; a port's is none when it is too old to use.
Result<model::Sample> collected_value_of(const model::Part& part, std::string_view parameter = {});

/// Why there is no value, in words: the chain is not complete, or what its probe complains of.
std::string why_none(const model::Part& part, bool of_all = false);

} // namespace schedd::dbus
