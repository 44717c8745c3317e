// Hold records: the holds of one run, kept in the state directory for the next.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "dbus/holds.h"

namespace schedd::service {

using namespace schedd::kit;

/// One JSON object a line.
std::string hold_records(const std::vector<dbus::HoldFacts>& holds);
/// Lines that cannot be read are left out, and counted; the rest comes back by rising id, each id once.
struct ReadHolds {
    std::vector<dbus::HoldFacts> holds;
    std::size_t unreadable = 0;
};
ReadHolds read_hold_records(std::string_view text);

} // namespace schedd::service
