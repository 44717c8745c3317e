// The manager's table.
#include "dbus/manager_adaptor.h"

#include "dbus/manager_verbs.h"

namespace schedd::dbus {

namespace {

using Look = Status (*)(Backend&, Reader&, Writer&);
using Alter = Change (*)(Backend&, Reader&);

const Argument kOptions{"options", "a{sv}"};

using Alterer =
    std::function<void(std::string_view, std::vector<Argument>, std::vector<Argument>, Alter, Action)>;

/// What moves work between nodes.
void add_moves(const Alterer& alter) {
    const Argument id{"id", "t"};
    const Argument count{"count", "t"};
    alter("Migrate", {{"member", "s"}, {"node", "s"}, kOptions}, {id}, verbs::migrate, Action::peers);
    alter("Expel", {kOptions}, {count}, verbs::expel, Action::peers);
    alter("Bring", {kOptions}, {count}, verbs::bring, Action::peers);
    alter("BlockGuests", {{"block", "b"}, kOptions}, {}, verbs::block_guests, Action::peers);
    alter("Checkpoint", {{"member", "s"}, {"folder", "s"}, kOptions}, {id}, verbs::checkpoint, Action::peers);
    alter("Restore", {{"folder", "s"}, kOptions}, {id}, verbs::revive, Action::peers);
}

} // namespace

Interface manager_interface(Backend& backend) {
    Interface interface{.name = "org.schedd1.Manager"};
    const auto look = [&](std::string_view name, std::vector<Argument> in, std::vector<Argument> out,
                          Look verb) {
        interface.methods.push_back(
            {name, std::move(in), std::move(out),
             ReadHandler([&backend, verb](Reader& r, Writer& w) { return verb(backend, r, w); })});
    };
    const auto alter = [&](std::string_view name, std::vector<Argument> in, std::vector<Argument> out,
                           Alter verb, Action action = Action::configure) {
        interface.methods.push_back({name, std::move(in), std::move(out),
                                     ChangeHandler([&backend, verb](Reader& r) { return verb(backend, r); }),
                                     action});
    };
    const auto text_property = [&](std::string name, Emits emits, std::string (*get)(Backend&)) {
        interface.properties.push_back({std::move(name), "s", emits, [&backend, get](Writer& out) -> Status {
                                            out.text(get(backend));
                                            return {};
                                        }});
    };
    const Argument object{"object", "o"};
    const Argument json{"json", "s"};
    alter("Create", {{"path", "s"}, {"type", "s"}, kOptions}, {object}, verbs::create);
    alter("Remove", {{"path", "s"}, kOptions}, {}, verbs::remove);
    look("Read", {{"place", "s"}}, {{"value", "s"}}, verbs::read);
    alter("Write", {{"path", "s"}, {"attribute", "s"}, {"value", "v"}, kOptions}, {}, verbs::write);
    alter("Link", {{"source", "s"}, {"sink", "s"}, kOptions}, {}, verbs::link);
    alter("Unlink", {{"sink", "s"}, kOptions}, {}, verbs::unlink);
    alter("Apply", {{"recipe", "s"}, kOptions}, {json}, verbs::apply);
    alter("Attach", {{"scheduler", "s"}, {"member", "s"}, kOptions}, {object}, verbs::attach, Action::attach);
    alter("Detach", {{"scheduler", "s"}, {"member", "s"}, kOptions}, {}, verbs::detach, Action::attach);
    alter("Hold", {{"what", "s"}, {"who", "s"}, {"why", "s"}, kOptions}, {{"fd", "h"}, object}, verbs::hold,
          Action::hold);
    alter("Reload", {kOptions}, {json}, verbs::reload);
    alter("DrainNode", {{"node", "s"}, {"drain", "b"}, kOptions}, {}, verbs::drain_node, Action::peers);
    add_moves(alter);
    look("Export", {kOptions}, {{"text", "s"}}, verbs::export_all);
    look("Describe", {{"path", "s"}}, {json}, verbs::describe);
    look("Status", {}, {json}, verbs::status);
    look("Types", {}, {json}, verbs::types);
    look("Explain", {{"what", "s"}}, {json}, verbs::explain);
    look("Verify", {}, {json}, verbs::verify);
    look("Topology", {}, {json}, verbs::topology);
    look("ListNodes", {}, {json}, verbs::list_nodes);
    look("PlaceTask", {{"command", "s"}, kOptions}, {json}, verbs::place_task);
    look("Doctor", {}, {json}, verbs::doctor);
    look("Dump", {}, {{"file", "h"}}, verbs::dump);

    text_property("Version", Emits::constant, [](Backend& b) { return b.facts().version; });
    text_property("Actuator", Emits::constant, [](Backend& b) { return b.facts().actuator; });
    text_property("OnlineCpus", Emits::change, [](Backend& b) { return b.topology().online; });
    interface.properties.push_back(
        {"TopologyGeneration", "t", Emits::change, [&backend](Writer& out) -> Status {
             out.number(backend.topology().generation);
             return {};
         }});
    interface.properties.push_back({"Parts", "u", Emits::invalidation, [&backend](Writer& out) -> Status {
                                        out.number32(static_cast<std::uint32_t>(backend.tree().size()));
                                        return {};
                                    }});

    interface.signals = {
        {"Decided", {{"scheduler", "s"}, {"target", "s"}, {"cpus", "s"}, {"reason", "s"}}},
        {"Conflict", {{"scheduler", "s"}, {"target", "s"}, {"detail", "s"}}},
        {"Ejected", {{"scheduler", "s"}, {"why", "s"}}},
        {"Moved", {{"unit", "s"}, {"node", "s"}, {"phase", "s"}, {"detail", "s"}}},
    };
    return interface;
}

} // namespace schedd::dbus
