// Plain files that people write for schedd and that it writes for them: read whole, written whole.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "components/kit/result.h"

namespace schedd::host {

using namespace schedd::kit;

/// The whole file, or none if it masks others (empty, or a link to /dev/null). What is longer than `limit`
/// bytes comes cut, a byte longer than that. Never blocks on a pipe or device. Fails with no_such_object,
/// denied, io, or invalid_value if it is no file.
Result<std::optional<std::string>> read_plain_file(const std::string& path, std::size_t limit);

/// Puts `text` in the place of the file at `path`, wholly or not at all, also if the power fails; makes its
/// directory. The file is for all to read. Fails with denied or io.
Status write_plain_file(const std::string& path, std::string_view text);

} // namespace schedd::host
