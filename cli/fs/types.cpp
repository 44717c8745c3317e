// Reading the list of types.
#include "cli/fs/types.h"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace schedd::cli::fs {

namespace {

/// What stands in the list for parts of this kind.
std::pair<std::string, std::string> key_of(const Part& part) {
    switch (part.kind) {
    case Kind::probe: return {"probe", part.type};
    case Kind::filter: return {"filter", part.type};
    case Kind::policy: return {"policy", part.type};
    case Kind::scheduler: return {"scheduler", "scheduler"};
    case Kind::process_set: return {"process_set", "process_set"};
    case Kind::member: return {"member", "member"};
    case Kind::folder:
    case Kind::source:
    case Kind::port:
    case Kind::node: break;
    }
    return {};
}

} // namespace

void Types::load(const Json& listed) {
    by_kind_and_type_.clear();
    if (!listed.is_array()) return;
    for (const auto& type : listed) {
        auto& attributes = by_kind_and_type_[{text_at(type, "kind"), text_at(type, "name")}];
        for (const auto& one : field(type, "attributes"))
            attributes.push_back({text_at(one, "name"), text_at(one, "kind"), flag_at(one, "read_only")});
    }
}

const std::vector<Attribute>& Types::attributes(const Part& part) const {
    static const std::vector<Attribute> kNone;
    const auto at = by_kind_and_type_.find(key_of(part));
    return at == by_kind_and_type_.end() ? kNone : at->second;
}

const Attribute* Types::attribute(const Part& part, std::string_view name) const {
    const auto& all = attributes(part);
    const auto at = std::ranges::find(all, name, &Attribute::name);
    return at == all.end() ? nullptr : &*at;
}

} // namespace schedd::cli::fs
