// org.schedd1.Source: one output of a probe on the bus.
#include "dbus/adaptors.h"

namespace schedd::dbus {

Interface source_interface(model::Source& source, Surroundings around) {
    auto interface = part_interface("org.schedd1.Source", source, around);
    add_value_type(interface, source.output_type());
    add_output(interface, source, around);
    return interface;
}

} // namespace schedd::dbus
