// LogKnobs: the daemon's log as others may set it.
#pragma once

#include <string>
#include <string_view>

#include "components/kit/result.h"

namespace schedd::dbus {

using namespace schedd::kit;

/// The log's two knobs in the words of syslog and systemd; the daemon implements it.
class LogKnobs {
public:
    virtual ~LogKnobs() = default;
    /// "debug", "info", "notice", "warning", "err".
    [[nodiscard]] virtual std::string log_level() const = 0;
    /// Also takes crit, alert and emerg, which are no more silent than err. Fails with invalid_value.
    virtual Status set_log_level(std::string_view level) = 0;
    /// "journal", "console", "null".
    [[nodiscard]] virtual std::string log_target() const = 0;
    /// Also takes auto. Fails with invalid_value, not_supported.
    virtual Status set_log_target(std::string_view target) = 0;
};

} // namespace schedd::dbus
