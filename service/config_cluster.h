// The [cluster] table of a configuration file.
#pragma once

#include "components/membership/cluster_settings.h"
#include "service/config_toml.h"

namespace schedd::service {

/// Reads the table at `entry`. Errors say file, line and column, and what would be accepted.
Result<membership::ClusterSettings> read_cluster(const TomlValue::Entry& entry);

/// "10.0.0.2", "10.0.0.2:7420", "fd00::3", "[fd00::3]:7420" -> an address; port 0 if none is given. Fails
/// with invalid_value for anything else, names included, and for what is no single machine's address.
Result<membership::Address> parse_peer(std::string_view text);

} // namespace schedd::service
