// The text of a cluster's key file, changed line by line; comments stay where they are. See schedd.conf(5).
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "cli/failure.h"

namespace schedd::cli {

inline constexpr std::size_t kKeyBytes = 32;
inline constexpr std::size_t kKeyFileBytes = 64U << 10U;
using KeyBytes = std::span<const unsigned char, kKeyBytes>;

/// A whole new file with one key, number 1.
std::string new_key_file(KeyBytes key);

struct ChangedKeys {
    std::string text;
    unsigned id = 0; // of the key that was added, made active or removed
};
/// These fail with Exit::error when `text` cannot be read ("line 3: ..."), or for the reason they give: 255
/// keys, no such key, the key is the active one. `text` is at most kKeyFileBytes long.
Answer<ChangedKeys> with_key_added(std::string_view text, KeyBytes key);
Answer<ChangedKeys> with_key_active(std::string_view text, unsigned id);
Answer<ChangedKeys> with_key_removed(std::string_view text, unsigned id);

} // namespace schedd::cli
