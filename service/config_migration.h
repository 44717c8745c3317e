// The [migration] table of a configuration file.
#pragma once

#include "service/config_toml.h"
#include "service/remote/migration_settings.h"

namespace schedd::service {

/// Reads the table at `entry`. Errors say file, line and column, and what would be accepted.
Result<remote::MigrationSettings> read_migration(const TomlValue::Entry& entry);

} // namespace schedd::service
