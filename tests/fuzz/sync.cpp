// A peer's frames into one end of a synchronisation: two bytes of length before each; 0 asks for a frame.
#include "components/membership/sync.h"

#include <algorithm>

#include "components/membership/entries.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/membership/store_world.h"

using namespace schedd;
using namespace schedd::membership;

namespace {

void check_frame(const Octets& frame, Octets& sent) {
    fuzz::require(frame.size() <= limits::kFrame, "a frame has at most 64 KiB");
    if (!frame.empty() && frame[0] == std::byte{4}) sent.insert(sent.end(), frame.begin() + 1, frame.end());
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Site site(1);
    site.write({set("p", "t"), set("p#x", "1"), set("q", std::string(70'000 % limits::kValue, 'x'))});
    site.write({gone("r")});
    const auto before = site.store.digest();
    int stored = 0;
    SyncSession session(site.store, site.uid, true, [&](Brought& brought) -> Status {
        ++stored;
        auto merge = site.store.take_all(brought.entries);
        if (!merge) return std::unexpected(merge.error());
        site.store.drop(brought.gone);
        return {};
    });
    auto rest = std::as_bytes(std::span(data, size));
    Octets sent;
    bool is_open = true;
    while (is_open && rest.size() >= 2) {
        const auto length =
            std::to_integer<std::size_t>(rest[0]) << 8U | std::to_integer<std::size_t>(rest[1]);
        rest = rest.subspan(2);
        if (length == 0) {
            check_frame(session.next(), sent);
            continue;
        }
        const auto frame = rest.first(std::min(length, rest.size()));
        rest = rest.subspan(frame.size());
        is_open = session.take(frame).has_value();
        fuzz::require(is_open || !session.is_done() || stored == 1, "what fails is not done");
        fuzz::require(stored > 0 || site.store.digest() == before, "nothing is stored before the end");
    }
    for (int i = 0; i < 16; ++i) check_frame(session.next(), sent);
    fuzz::require(stored <= 1, "it is stored once");
    fuzz::require(!session.is_done() || stored == 1, "what is done was stored");
    fuzz::require(site.store.size() <= limits::kMerged * limits::kEntries, "the store is bounded");
    // whatever the peer says, what it is sent are entries
    Bytes all(sent);
    while (!all.empty()) {
        std::size_t used = 0;
        fuzz::require(entries::decode_one(all, used).has_value(), "what is sent can be read");
        if (used == 0) break;
        all = all.subspan(used);
    }
    return 0;
}
