// The files of the configuration: two bytes of length, the snapshot, and the rest is the log.
#include "components/membership/journal_text.h"

#include <algorithm>

#include "tests/fuzz/fuzz.h"
#include "tests/unit/membership/store_world.h"

using namespace schedd;
using namespace schedd::membership;
using journal_text::Health;

namespace {

/// A hash that the fuzzer can make right by leaving zeros: checksums would stop all else.
class NoHash final : public Hash {
public:
    [[nodiscard]] Digest of(Bytes /*bytes*/) const override { return {}; }
};

void check(Bytes snapshot, Bytes log, const Hash& hash) {
    ManualWall wall;
    Store store(NodeUid{1}, wall, hash);
    const auto loaded = journal_text::load(snapshot, log, store, hash);
    fuzz::require(loaded.log_good <= log.size(), "no more was read than there is");
    const bool is_bad = loaded.snapshot == Health::corrupted || loaded.snapshot == Health::newer;
    fuzz::require(!is_bad || store.size() == 0, "of a damaged snapshot nothing is taken");
    fuzz::require(!is_bad || !loaded.complaints.empty(), "damage is told");
    fuzz::require(store.size() == 0 || loaded.has_history, "what was read is a history");
    // cut where it says so, the log is good, and says the same
    const bool is_cut = loaded.log == Health::torn || loaded.log == Health::corrupted;
    if (is_cut && loaded.log_good > 0) {
        Store again(NodeUid{1}, wall, hash);
        const auto second = journal_text::load(snapshot, log.first(loaded.log_good), again, hash);
        fuzz::require(second.log == Health::good, "a log that was cut is good");
        fuzz::require(again.size() == store.size() && again.marks() == store.marks(), "and says the same");
    }
    const auto written = journal_text::snapshot(store, hash);
    Store copy(NodeUid{1}, wall, hash);
    const auto back = journal_text::load(written, {}, copy, hash);
    fuzz::require(back.snapshot == Health::good, "a snapshot can be read");
    fuzz::require(copy.size() == store.size() && copy.bytes() == store.bytes() &&
                      copy.digest() == store.digest() && copy.marks() == store.marks() &&
                      copy.conflicts().size() == store.conflicts().size(),
                  "and is the store");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) return 0;
    auto rest = std::as_bytes(std::span(data, size));
    const auto length = std::to_integer<std::size_t>(rest[0]) << 8U | std::to_integer<std::size_t>(rest[1]);
    rest = rest.subspan(2);
    const auto snapshot = rest.first(std::min(length, rest.size()));
    const auto log = rest.subspan(snapshot.size());
    check(snapshot, log, NoHash());
    check(snapshot, log, MixingHash());
    return 0;
}
