// Golden files: text compared with what was accepted before; SCHEDD_UPDATE_GOLDEN=1 accepts what there is
// now.
#pragma once

#include <string>
#include <string_view>

namespace schedd::golden {

/// Fails the running test unless `text` is the contents of expected/NAME. With the environment variable
/// SCHEDD_UPDATE_GOLDEN set, writes that file instead.
void expect_golden(std::string_view name, std::string_view text);

/// A file of data/; "" and a failed test if it cannot be read.
std::string read_data(std::string_view name);

} // namespace schedd::golden
