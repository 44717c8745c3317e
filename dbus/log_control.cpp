// The table of org.freedesktop.LogControl1.
#include "dbus/log_control.h"

namespace schedd::dbus {

namespace {

using Get = std::string (LogKnobs::*)() const;
using Set = Status (LogKnobs::*)(std::string_view);

Property knob(LogKnobs& knobs, std::string name, Get get, Set set) {
    return {std::move(name),
            "s",
            Emits::nothing,
            [&knobs, get](Writer& out) -> Status {
                out.text((knobs.*get)());
                return {};
            },
            [&knobs, set](const Basic& value) { return (knobs.*set)(std::get<std::string>(value)); },
            Action::root};
}

} // namespace

Interface log_control_interface(LogKnobs& knobs) {
    Interface interface{.name = "org.freedesktop.LogControl1"};
    interface.properties.push_back(knob(knobs, "LogLevel", &LogKnobs::log_level, &LogKnobs::set_log_level));
    interface.properties.push_back(
        knob(knobs, "LogTarget", &LogKnobs::log_target, &LogKnobs::set_log_target));
    interface.properties.push_back({"SyslogIdentifier", "s", Emits::constant, [](Writer& out) -> Status {
                                        out.text("schedd");
                                        return {};
                                    }});
    return interface;
}

} // namespace schedd::dbus
