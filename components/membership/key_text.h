// The text of a key file: read with the line of whatever is wrong in it, and changed line by line, so that
// comments stay. No message ever repeats a secret; texts and keys are the caller's to wipe.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "components/kit/result.h"

namespace schedd::membership {

using namespace schedd::kit;

constexpr std::size_t kKeyFileBytes = 64U << 10U;
constexpr std::size_t kKeyBytes = 32;
using Secret = std::array<std::byte, kKeyBytes>;

struct Key {
    std::uint8_t id = 0; // 1 to 255
    bool is_active = false;
    Secret secret{};
};

/// Lines `ID HEX64` or `ID HEX64 active`; '#' begins a comment. Sorted by id, exactly one active: a single
/// key is so by itself. `file` is for the messages. Fails with invalid_value ("FILE:LINE: ..."),
/// limit_exceeded.
Result<std::vector<Key>> parse_keys(std::string_view text, std::string_view file);

/// "3 0123...cdef" or "3 0123...cdef active", without a newline.
std::string text_of(const Key& key);

// Changes to the text of a whole file; it must be one that can be read. Those that share a cluster take the
// three steps one after the other on every node: add everywhere, activate everywhere, remove everywhere.

/// With one key more, not active unless it is the first (of an empty text). Fails with exists.
Result<std::string> with_key(std::string_view text, std::string_view file, std::uint8_t id,
                             const Secret& secret);
/// With that key active and no other. Fails with no_such_object.
Result<std::string> with_active(std::string_view text, std::string_view file, std::uint8_t id);
/// Without that key. Fails with no_such_object, or with busy if it is the active one.
Result<std::string> without_key(std::string_view text, std::string_view file, std::uint8_t id);
/// The number for the next key: above all others, since a key that had a lower one may still be somewhere;
/// the lowest that is free once 255 is taken. Fails with limit_exceeded if none is, and as parse_keys() does,
/// but for no keys.
Result<std::uint8_t> free_id(std::string_view text, std::string_view file);

} // namespace schedd::membership
