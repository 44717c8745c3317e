// org.schedd1.Filter: a filter on the bus, with both its ends.
#include "dbus/adaptors.h"

namespace schedd::dbus {

Interface filter_interface(model::Filter& filter, Surroundings around) {
    auto interface = part_interface("org.schedd1.Filter", filter, around);
    add_value_type(interface, filter.output_type());
    add_output(interface, filter, around);
    add_input(interface, filter);
    return interface;
}

} // namespace schedd::dbus
