// org.schedd1.Scheduler: a scheduler on the bus.
#include "dbus/adaptors.h"
#include "dbus/paths.h"

namespace schedd::dbus {

Interface scheduler_interface(model::Scheduler& scheduler, Surroundings around) {
    auto interface = part_interface("org.schedd1.Scheduler", scheduler, around);
    interface.properties.push_back({"Policy", "o", Emits::change, [&scheduler](Writer& out) -> Status {
                                        const auto* policy = scheduler.policy();
                                        out.object(policy ? object_path(policy->path()) : "/");
                                        return {};
                                    }});
    return interface;
}

} // namespace schedd::dbus
