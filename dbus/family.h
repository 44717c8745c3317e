// Family: many objects of one kind behind one table, where an object of its own for each would take the
// library 11 KiB; nodes are such, of whom there may be two thousand.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "components/model/part.h"
#include "dbus/object.h"

namespace schedd::dbus {

/// A property that every object of a family has, and nobody writes. It cannot fail: see
/// Writer::is_single_get.
struct FamilyProperty {
    std::string name;
    std::string_view signature; // a literal: what follows its end has to be a NUL
    Emits emits;
    std::function<void(const model::Part&, Writer&)> get;
};

struct FamilyTable {
    std::string interface;
    std::string below; // the object path of the folder that all of them are in
    std::vector<FamilyProperty> properties;
};

class Family {
public:
    /// The connection outlives it. Throws std::runtime_error when the bus takes no such table.
    Family(Connection& connection, FamilyTable table);
    ~Family();
    Family(const Family&) = delete;
    Family& operator=(const Family&) = delete;

    /// An object for the part, for as long as the handle is kept. REQUIRES: the part is in the folder `below`
    /// and outlives the handle, and the handle goes before the family.
    std::unique_ptr<OnBus> add(const model::Part& part);

private:
    struct Implementation;
    class Member;
    std::unique_ptr<Implementation> implementation_;
};

} // namespace schedd::dbus
