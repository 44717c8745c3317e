// Small files of the state directory: read whole with a limit, replaced wholly or not at all, private.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "components/kit/result.h"

namespace schedd::net {

using namespace schedd::kit;

/// The whole file; none if there is none. Fails with limit_exceeded beyond `limit` bytes, denied, io,
/// invalid_value if it is no plain file.
Result<std::optional<std::string>> read_state(const std::string& path, std::size_t limit);

/// By a new file that is synced and renamed over the old one, and the directory synced: a power cut leaves
/// one of the two. Mode 0600. Fails with denied or io (full, read-only); the old file is then as before.
Status replace_state(const std::string& path, std::string_view text);

/// Kept for people to look at, as PATH.rejected-1; the last three are kept. Returns the new name. `from`: the
/// file itself, if it is not at `path`.
Result<std::string> set_aside(const std::string& path, const std::string& from = {});

} // namespace schedd::net
