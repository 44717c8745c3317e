// What all kinds have on the bus: Path, Type, and the attributes as typed properties.
#include "dbus/adaptors.h"

namespace schedd::dbus {

using namespace schedd::model;

Interface part_interface(std::string name, Part& part, Surroundings around) {
    Interface interface{.name = std::move(name), .about = concern_of(part.path())};
    auto& properties = interface.properties;
    properties.reserve(part.attributes().size() + 6);
    properties.push_back({"Path", "s", Emits::constant, [&part](Writer& out) -> Status {
                              out.text(part.path().text());
                              return {};
                          }});
    properties.push_back({"Type", "s", Emits::constant, [&part](Writer& out) -> Status {
                              out.text(part.type() ? part.type()->name : name_of(part.kind()));
                              return {};
                          }});
    for (std::size_t i = 0; i < part.attributes().size(); ++i) {
        const auto& spec = part.attributes()[i];
        Property property{camel_case(spec.name), signature_of(spec.kind), Emits::change,
                          [&part, i](Writer& out) -> Status {
                              out.attribute(part.attribute(i));
                              return {};
                          }};
        if (!spec.read_only)
            property.set = [&part, &spec, &backend = around.backend](const Basic& value) -> Status {
                auto checked = attribute_value(value);
                if (!checked) return std::unexpected(checked.error());
                return backend.apply({{.what = Verb::Do::write,
                                       .path = part.path(),
                                       .word = std::string(spec.name),
                                       .value = std::move(*checked)}},
                                     false, Reach::cluster);
            };
        if (part.kind() == Kind::member) property.action = Action::attach;
        properties.push_back(std::move(property));
    }
    return interface;
}

std::optional<Interface> interface_of(Part& part, Surroundings around) {
    switch (part.kind()) {
    case Kind::folder:
    case Kind::node: return std::nullopt;
    case Kind::probe: return probe_interface(static_cast<Probe&>(part), around);
    case Kind::source: return source_interface(static_cast<Source&>(part), around);
    case Kind::filter: return filter_interface(static_cast<Filter&>(part), around);
    case Kind::port: return port_interface(static_cast<Port&>(part), around);
    case Kind::policy: return policy_interface(static_cast<Policy&>(part), around);
    case Kind::scheduler: return scheduler_interface(static_cast<Scheduler&>(part), around);
    case Kind::process_set: return process_set_interface(static_cast<ProcessSet&>(part), around);
    case Kind::member: return attachment_interface(static_cast<Member&>(part), around);
    }
    return std::nullopt;
}

} // namespace schedd::dbus
