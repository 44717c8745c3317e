// ClusterSettings: the [cluster] table of schedd.conf, as a value; checked by the reader of the files.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "components/kit/clock.h"
#include "components/membership/ids.h"

namespace schedd::membership {

/// Nothing of it matters until there is a key: without one, membership is off.
struct ClusterSettings {
    std::string name = "schedd";         // whoever has the same name and key belongs together
    std::string node_name;               // "" = the host's
    std::optional<NodeId> number;        // 0 to 65535; none = the one it had, or the lowest that is free
    std::uint16_t port = 7420;           // UDP and TCP
    std::vector<std::string> interfaces; // patterns with '*' and '?'; none = every eligible one
    std::vector<Address> peers;          // told one by one; each has its port
    bool multicast = true;               // false: peers alone, and then there are some
    Duration period = std::chrono::seconds(1);  // between heartbeats; whole tenths of a second
    std::string keys;                           // file with the keys, absolute; "" = the usual places
    bool is_replay_monotonic = false;           // replay = "monotonic": no freshness by the wall clock
    std::uint8_t group_ttl = 1;                 // routers that a multicast may pass, plus one
    std::optional<std::uint16_t> config_quorum; // nodes that must be heard for changes to be taken
    bool local = false;                         // changes over the bus stay here, as with --local
    bool operator==(const ClusterSettings&) const = default;
};

} // namespace schedd::membership
