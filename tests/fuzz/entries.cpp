// Entries as a delta carries them: into a store, and back to bytes.
#include "components/membership/entries.h"

#include <algorithm>

#include "components/membership/entry_path.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/membership/store_world.h"

using namespace schedd;
using namespace schedd::membership;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto bytes = std::as_bytes(std::span(data, size));
    std::vector<Entry> entries;
    const auto read = entries::decode(bytes, [&](Entry&& entry) { entries.push_back(std::move(entry)); });
    Octets again;
    for (const auto& entry : entries) {
        fuzz::require(is_entry_path(entry.path) && entry.value.size() <= limits::kValue &&
                          entry.seen.size() <= limits::kSeen,
                      "what was read is within the limits", entry.path);
        entries::encode(entry, again);
    }
    fuzz::require(again.size() <= bytes.size() && std::ranges::equal(again, bytes.first(again.size())),
                  "what was read is written as it came");
    fuzz::require(!read || again.size() == bytes.size(), "all of it was read");

    Site forward(1), backward(2);
    for (auto* site : {&forward, &backward}) site->wall.now = ~0ULL >> 17U; // nothing is from the future
    forward.take(entries);
    std::ranges::reverse(entries);
    for (const auto& entry : entries) (void)backward.store.take(entry);
    fuzz::require(forward.store.digest() == backward.store.digest(), "the order makes no difference");
    fuzz::require(forward.effective() == backward.effective(), "nor for what is carried out");
    const auto before = forward.store.digest();
    forward.take(entries);
    fuzz::require(forward.store.digest() == before, "taken twice is taken once");
    Site copy(3);
    copy.wall.now = forward.wall.now;
    copy.take(forward.all());
    fuzz::require(copy.store.digest() == before && copy.store.bytes() == forward.store.bytes(),
                  "a store is the sum of its entries");
    return 0;
}
