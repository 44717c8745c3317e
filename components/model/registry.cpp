// Looking up types.
#include "components/model/registry.h"

#include <fmt/format.h>

namespace schedd::model {

Result<const Descriptor*> Registry::find(Kind kind, std::string_view name) const {
    std::string known;
    for (const Descriptor* type : types_) {
        if (type->kind != kind) continue;
        if (type->name == name || (!type->alias.empty() && type->alias == name)) return type;
        known += (known.empty() ? "" : " ") + std::string(type->name);
    }
    return fail(Errc::no_such_object,
                fmt::format("there is no {} type '{}'", name_of(kind), name.substr(0, 64)),
                fmt::format("{} types: {}", name_of(kind), known.empty() ? "none" : known));
}

} // namespace schedd::model
