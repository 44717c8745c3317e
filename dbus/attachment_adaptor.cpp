// org.schedd1.Attachment: one member of a process set on the bus, and what became of it.
#include "dbus/adaptors.h"

namespace schedd::dbus {

Interface attachment_interface(model::Member& member, Surroundings around) {
    return part_interface("org.schedd1.Attachment", member, around);
}

} // namespace schedd::dbus
