// org.schedd1.Port: where a policy or filter collects, on the bus.
#include "dbus/adaptors.h"

namespace schedd::dbus {

Interface port_interface(model::Port& port, Surroundings around) {
    auto interface = part_interface("org.schedd1.Port", port, around);
    add_value_type(interface, port.input_type());
    add_input(interface, port);
    return interface;
}

} // namespace schedd::dbus
