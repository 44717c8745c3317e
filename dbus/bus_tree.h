// BusTree: keeps one object on the bus for every part of the tree, and says what changed once per tick.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "dbus/adaptors.h"
#include "dbus/family.h"

namespace schedd::dbus {

class BusTree final : public model::TreeListener {
public:
    /// Puts up objects for all parts there are, unannounced. `size_changed` is called when parts came or
    /// went. All arguments outlive it. Throws std::runtime_error when the bus takes no table of nodes.
    BusTree(Connection& connection, Objects& objects, Surroundings around, Log& log,
            std::function<void()> size_changed);
    ~BusTree() override;

    /// One PropertiesChanged per object for all that changed since the last call.
    void flush();

    /// Null for folders and for nodes, which are a family.
    [[nodiscard]] Object* object_of(const model::Part& part);
    [[nodiscard]] std::size_t size() const { return entries_.size(); }

    void part_added(model::Part& part) override;
    void part_removed(const model::Path& path, model::Part& part) override;
    void part_changed(model::Part& part, std::string_view attribute) override;

private:
    struct Entry {
        std::unique_ptr<OnBus> object;
        std::vector<std::string> changed; // properties, in the order they changed
    };

    OnBus* put_up(model::Part& part);
    std::unique_ptr<OnBus> object_for(model::Part& part);
    void mark(const model::Part& part, std::string property);
    /// A part's coming or going shows in a property of its parent.
    void mark_parent(const model::Part& parent, model::Kind child);
    void collect_reports();

    Objects& objects_;
    Surroundings around_;
    Log& log_;
    std::function<void()> size_changed_;
    Family nodes_;
    std::unordered_map<const model::Part*, Entry> entries_;
    std::vector<model::Part*> reporters_; // parts with read-only attributes
    std::vector<const model::Part*> dirty_;
};

} // namespace schedd::dbus
