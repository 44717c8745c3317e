// org.schedd1.ProcessSet: the work of a scheduler on the bus.
#include "dbus/adaptors.h"

namespace schedd::dbus {

Interface process_set_interface(model::ProcessSet& set, Surroundings around) {
    auto interface = part_interface("org.schedd1.ProcessSet", set, around);
    interface.properties.push_back({"Members", "as", Emits::invalidation, [&set](Writer& out) -> Status {
                                        std::vector<std::string> names;
                                        for (const auto& member : set.children())
                                            names.push_back(member->name());
                                        out.texts(names);
                                        return {};
                                    }});
    return interface;
}

} // namespace schedd::dbus
