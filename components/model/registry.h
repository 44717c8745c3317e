// Registry: the types there are, by kind and name. Filled from one explicit table; there are no global
// constructors.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "components/model/descriptor.h"

namespace schedd::model {

class Registry {
public:
    /// `types` and what they point to outlive the registry. REQUIRES: names are unique within a kind.
    explicit Registry(std::span<const Descriptor* const> types) : types_(types.begin(), types.end()) {}

    /// By name or alias. Fails with no_such_object; the error lists the names of that kind.
    [[nodiscard]] Result<const Descriptor*> find(Kind kind, std::string_view name) const;
    [[nodiscard]] const std::vector<const Descriptor*>& all() const { return types_; }

private:
    std::vector<const Descriptor*> types_;
};

} // namespace schedd::model
