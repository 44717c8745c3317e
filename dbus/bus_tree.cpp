// Objects for parts.
#include "dbus/bus_tree.h"

#include <algorithm>
#include <ranges>

#include "components/kit/log.h"
#include "dbus/paths.h"

namespace schedd::dbus {

using namespace schedd::model;

BusTree::BusTree(Connection& connection, Objects& objects, Surroundings around, Log& log,
                 std::function<void()> size_changed)
    : objects_(objects), around_(around), log_(log), size_changed_(std::move(size_changed)),
      nodes_(connection, node_table(around)) {
    auto& tree = around_.backend.tree();
    for_each_part(tree.root(), [&](Part& part) { put_up(part); });
    tree.add_listener(*this);
}

BusTree::~BusTree() { around_.backend.tree().remove_listener(*this); }

Object* BusTree::object_of(const Part& part) {
    const auto at = entries_.find(&part);
    return at == entries_.end() ? nullptr : dynamic_cast<Object*>(at->second.object.get());
}

/// Null for a folder.
std::unique_ptr<OnBus> BusTree::object_for(Part& part) {
    if (part.kind() == Kind::node) return nodes_.add(part);
    auto interface = interface_of(part, around_);
    if (!interface) return nullptr;
    return std::make_unique<Object>(objects_, object_path(part.path()), std::move(*interface));
}

/// Null when there is nothing to announce: a folder, or it is there already.
OnBus* BusTree::put_up(Part& part) {
    if (entries_.contains(&part)) return nullptr;
    try {
        auto object = object_for(part);
        if (!object) return nullptr;
        // what is new of a node Tree::set_nodes says
        const bool reports = std::ranges::any_of(part.attributes(), &AttributeSpec::read_only);
        if (reports && part.kind() != Kind::node) reporters_.push_back(&part);
        (void)part.take_reported();
        return entries_.emplace(&part, Entry{std::move(object), {}}).first->second.object.get();
    } catch (const std::exception& e) {
        log_.write(Severity::error, part.path().text(), std::string("has no object on the bus: ") + e.what());
        return nullptr;
    }
}

void BusTree::part_added(Part& part) {
    if (auto* object = put_up(part)) object->announce();
    if (part.parent()) mark_parent(*part.parent(), part.kind());
    size_changed_();
}

void BusTree::part_removed(const Path& path, Part& part) {
    std::vector<Part*> going;
    for_each_part(part, [&](Part& inner) { going.push_back(&inner); });
    for (Part* inner : std::views::reverse(going)) {
        const auto at = entries_.find(inner);
        if (at == entries_.end()) continue;
        at->second.object->retract();
        around_.watches.forget(*inner);
        std::erase(dirty_, inner);
        std::erase(reporters_, inner);
        entries_.erase(at);
    }
    if (const auto parent = around_.backend.tree().find(path.parent())) mark_parent(**parent, part.kind());
    size_changed_();
}

void BusTree::part_changed(Part& part, std::string_view attribute) {
    mark(part, attribute == "source" ? "SourceLink" : camel_case(attribute));
}

void BusTree::mark_parent(const Part& parent, Kind child) {
    if (child == Kind::member) mark(parent, "Members");
    else if (child == Kind::policy) mark(parent, "Policy");
    else if (child == Kind::filter) mark(parent, "SourceLink");
}

void BusTree::mark(const Part& part, std::string property) {
    const auto at = entries_.find(&part);
    if (at == entries_.end()) return;
    auto& changed = at->second.changed;
    if (changed.empty()) dirty_.push_back(&part);
    if (std::ranges::find(changed, property) == changed.end()) changed.push_back(std::move(property));
}

void BusTree::collect_reports() {
    for (Part* part : reporters_) {
        auto reported = part->take_reported();
        for (std::size_t i = 0; reported != 0; ++i, reported >>= 1U)
            if (reported & 1U) mark(*part, camel_case(part->attributes()[i].name));
    }
}

void BusTree::flush() {
    collect_reports();
    for (const Part* part : dirty_) {
        auto& entry = entries_.at(part);
        entry.object->emit_changed(entry.changed);
        entry.changed.clear();
    }
    dirty_.clear();
}

} // namespace schedd::dbus
