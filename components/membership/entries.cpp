// Entries to bytes and back; what this version does not know of an entry is kept as it came.
#include "components/membership/entries.h"

#include <fmt/format.h>

#include "components/membership/entry_path.h"

namespace schedd::membership::entries {

namespace {

constexpr std::size_t kLength = 4; // of what follows
constexpr std::size_t kFixed = 26; // after it: stamp, writer, flags, needs, seen, path, value
constexpr std::uint8_t kTombstone = 1;

Result<Entry> refuse(std::string what) {
    return fail(Errc::invalid_value, "an entry cannot be read", std::move(what));
}

/// `body` is of the length that the entry says.
Result<Entry> read(Bytes body) {
    OctetReader in(body);
    Entry entry;
    entry.stamp.bits = in.number<std::uint64_t>();
    entry.writer = NodeUid{in.number<std::uint64_t>()};
    const auto flags = in.number<std::uint8_t>();
    entry.is_tombstone = (flags & kTombstone) != 0;
    entry.flags = flags & static_cast<std::uint8_t>(~kTombstone);
    entry.needs = in.number<std::uint16_t>();
    const std::size_t seen = in.number<std::uint8_t>();
    const std::size_t path = in.number<std::uint16_t>();
    const std::size_t value = in.number<std::uint32_t>();
    if (seen > limits::kSeen) return refuse(fmt::format("it names {} writers", seen));
    if (path > limits::kPath) return refuse(fmt::format("its path has {} bytes", path));
    if (value > limits::kValue) return refuse(fmt::format("its value has {} bytes", value));
    if (seen * 16 + path + value > in.left()) return refuse("it is shorter than its parts");
    for (std::size_t i = 0; i < seen; ++i) {
        const NodeUid writer{in.number<std::uint64_t>()};
        const Hlc stamp{in.number<std::uint64_t>()};
        if (i > 0 && writer <= entry.seen.back().writer) return refuse("its writers are not in order");
        entry.seen.push_back({writer, stamp});
    }
    entry.path = in.text(path);
    if (!is_entry_path(entry.path)) return refuse("its path is none");
    if (entry.stamp.bits == 0) return refuse(entry.path + " has no stamp");
    if (entry.is_tombstone && value != 0) return refuse(entry.path + " is removed and yet has a value");
    entry.value = in.text(value);
    if (in.left() > limits::kExtension) return refuse(entry.path + " has too much unknown to it");
    entry.extension = in.text(in.left());
    return entry;
}

} // namespace

std::size_t encoded_size(const Entry& entry) {
    return kLength + kFixed + 16 * entry.seen.size() + entry.path.size() + entry.value.size() +
           entry.extension.size();
}

void encode(const Entry& entry, Octets& out) {
    put(out, static_cast<std::uint32_t>(encoded_size(entry) - kLength));
    put(out, entry.stamp.bits);
    put(out, static_cast<std::uint64_t>(entry.writer));
    const std::uint8_t mark = entry.is_tombstone ? kTombstone : 0;
    put(out, static_cast<std::uint8_t>(entry.flags | mark));
    put(out, entry.needs);
    put(out, static_cast<std::uint8_t>(entry.seen.size()));
    put(out, static_cast<std::uint16_t>(entry.path.size()));
    put(out, static_cast<std::uint32_t>(entry.value.size()));
    for (const auto& seen : entry.seen) {
        put(out, static_cast<std::uint64_t>(seen.writer));
        put(out, seen.stamp.bits);
    }
    put_bytes(out, bytes_of(entry.path));
    put_bytes(out, bytes_of(entry.value));
    put_bytes(out, bytes_of(entry.extension));
}

Result<Entry> decode_one(Bytes bytes, std::size_t& used) {
    used = 0;
    if (bytes.size() < kLength) return Entry{};
    OctetReader in(bytes);
    const std::size_t length = in.number<std::uint32_t>();
    if (length < kFixed || length > kLargest - kLength)
        return refuse(fmt::format("it says that it has {} bytes", length));
    if (in.left() < length) return Entry{};
    auto entry = read(in.take(length));
    if (entry) used = kLength + length;
    return entry;
}

Status decode(Bytes bytes, const std::function<void(Entry&&)>& take) {
    while (!bytes.empty()) {
        std::size_t used = 0;
        auto entry = decode_one(bytes, used);
        if (!entry) return std::unexpected(entry.error());
        if (used == 0) return fail(Errc::invalid_value, "an entry cannot be read", "it is cut off");
        bytes = bytes.subspan(used);
        take(std::move(*entry));
    }
    return {};
}

} // namespace schedd::membership::entries
