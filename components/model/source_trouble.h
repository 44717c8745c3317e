// SourceTrouble: what a probe whose sources come from different places says of each of them.
#pragma once

#include <string>

#include "components/model/probe.h"

namespace schedd::model {

/// For a probe to derive from beside Probe. Who asks one source why it has no value is told of that alone,
/// where otherwise Probe::trouble() stands for all.
class SourceTrouble {
public:
    virtual ~SourceTrouble() = default;
    /// Why this source of the probe has no value; "" if nothing is known to be wrong.
    [[nodiscard]] virtual std::string trouble_of(const Source& source) const = 0;
};

} // namespace schedd::model
