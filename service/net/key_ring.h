// The key file: where it is looked for, who else may read it, what is in it, and how it is replaced.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "service/net/sodium_cipher.h"

namespace schedd::net {

/// The configured path; else schedd.keys in the directory of the unit's credentials (may be empty), else the
/// file of this machine, whichever exists; none if membership is off for want of a key.
[[nodiscard]] std::optional<std::string> find_key_file(
    const std::string& configured, const std::string& credentials,
    const std::string& of_machine = "/etc/schedd/cluster.keys");

/// The keys of the file in place of those in the cipher; on failure the cipher keeps what it has. Fails with
/// no_such_object, denied (also if anybody but the owner may read or write it, or the owner is neither root
/// nor this user), invalid_value ("FILE:LINE: ..."), limit_exceeded, io.
Status load_keys(const std::string& path, SodiumCipher& cipher);

/// `text` in the place of the file, wholly or not at all, for the owner alone. It must be one that
/// load_keys() takes. Fails with invalid_value, denied, io.
Status write_keys(const std::string& path, std::string_view text);

} // namespace schedd::net
