// org.schedd1.Policy: a policy on the bus; all it has are its attributes.
#include "dbus/adaptors.h"

namespace schedd::dbus {

Interface policy_interface(model::Policy& policy, Surroundings around) {
    return part_interface("org.schedd1.Policy", policy, around);
}

} // namespace schedd::dbus
