// From descriptions and signals to the parts there are.
#include "cli/fs/mirror.h"

#include <algorithm>
#include <array>
#include <optional>

#include <nlohmann/json.hpp>

#include "components/kit/limits.h"

namespace schedd::cli::fs {

namespace {

struct KindName {
    Kind kind;
    std::string_view name;      // in descriptions
    std::string_view interface; // in signals; folders are no objects
};
constexpr std::array<KindName, 10> kKinds{{{Kind::folder, "folder", ""},
                                           {Kind::probe, "probe", "org.schedd1.Probe"},
                                           {Kind::source, "source", "org.schedd1.Source"},
                                           {Kind::filter, "filter", "org.schedd1.Filter"},
                                           {Kind::port, "port", "org.schedd1.Port"},
                                           {Kind::policy, "policy", "org.schedd1.Policy"},
                                           {Kind::scheduler, "scheduler", "org.schedd1.Scheduler"},
                                           {Kind::process_set, "process_set", "org.schedd1.ProcessSet"},
                                           {Kind::member, "member", "org.schedd1.Attachment"},
                                           {Kind::node, "node", "org.schedd1.Node"}}};

std::optional<Kind> kind_of(std::string_view name) {
    const auto at = std::ranges::find(kKinds, name, &KindName::name);
    return at == kKinds.end() ? std::nullopt : std::optional(at->kind);
}

void load_children(Part& part, const Json& described, std::size_t depth) {
    if (depth > kit::limits::kPathDepth) return;
    for (const auto& child : field(described, "children")) {
        const auto kind = kind_of(text_at(child, "kind"));
        if (!kind) continue;
        auto& made = part.children[text_at(child, "name")];
        made = {*kind, text_at(child, "type")};
        load_children(made, child, depth + 1);
    }
}

} // namespace

void Mirror::load(const Json& described) {
    root_ = {};
    load_children(root_, described, 0);
}

const Part* Mirror::find(const model::Path& path) const {
    const Part* part = &root_;
    for (const auto& name : path.names()) {
        const auto at = part->children.find(name);
        if (at == part->children.end()) return nullptr;
        part = &at->second;
    }
    return part;
}

void Mirror::take(const Event& event) {
    const bool is_added = event.member == "InterfacesAdded";
    if ((!is_added && event.member != "InterfacesRemoved") || event.arguments.size() < 2) return;
    const auto path = model::Path::parse(object_tree_path(event));
    if (!path || path->is_root()) return;
    auto* parent = own(path->parent());
    if (!parent) return;
    const auto& interfaces = event.arguments[1];
    for (const auto& row : kKinds) {
        if (row.interface.empty()) continue;
        if (!is_added) {
            if (std::ranges::none_of(interfaces,
                                     [&](const Json& one) { return scalar(one) == row.interface; }))
                continue;
            parent->children.erase(path->leaf());
            return;
        }
        const auto& properties = field(interfaces, row.interface);
        if (!properties.is_object()) continue;
        auto& part = parent->children[path->leaf()];
        part.kind = row.kind;
        part.type = text_at(properties, "Type");
        return;
    }
}

} // namespace schedd::cli::fs
