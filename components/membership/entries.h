// Entries as bytes, as they are in deltas, in the frames of a synchronisation and in files; CONFIGURATION.md
// has the table.
#pragma once

#include <functional>

#include "components/membership/octets.h"
#include "components/membership/store.h"

namespace schedd::membership::entries {

/// The most that one entry takes: with the longest path, value, list of seen stamps and extension.
constexpr std::size_t kLargest =
    30 + 16 * limits::kSeen + limits::kPath + limits::kValue + limits::kExtension;

void encode(const Entry& entry, Octets& out);
[[nodiscard]] std::size_t encoded_size(const Entry& entry);

/// Calls `take` for each and fails with invalid_value at the first that cannot be read, or is cut off.
/// Nothing is allocated from lengths alone.
Status decode(Bytes bytes, const std::function<void(Entry&&)>& take);

/// The first entry of `bytes`, and its size in `used`. Fails with invalid_value if it cannot be one; `used` 0
/// without failure: more bytes are needed to tell.
Result<Entry> decode_one(Bytes bytes, std::size_t& used);

} // namespace schedd::membership::entries
