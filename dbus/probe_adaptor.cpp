// org.schedd1.Probe: a probe on the bus.
#include "dbus/adaptors.h"

namespace schedd::dbus {

Interface probe_interface(model::Probe& probe, Surroundings around) {
    auto interface = part_interface("org.schedd1.Probe", probe, around);
    interface.properties.push_back({"Trouble", "s", Emits::nothing, [&probe](Writer& out) -> Status {
                                        out.text(probe.trouble());
                                        return {};
                                    }});
    return interface;
}

} // namespace schedd::dbus
