// The store taking entries: what wins, what a tombstone removes, which losers had not been seen.
#include <algorithm>

#include "components/membership/store_impl.h"

namespace schedd::membership {

namespace {

std::uint64_t half_of(const Digest& digest, std::size_t from) {
    std::uint64_t number = 0;
    for (std::size_t i = from; i < from + 8; ++i) number = number << 8U | digest.bytes[i];
    return number;
}

Digest digest_of(std::uint64_t high, std::uint64_t low) {
    Digest out;
    for (std::size_t i = 0; i < 8; ++i) {
        out.bytes[i] = static_cast<std::uint8_t>(high >> (56 - 8 * i));
        out.bytes[8 + i] = static_cast<std::uint8_t>(low >> (56 - 8 * i));
    }
    return out;
}

/// Whether it makes no difference which of the two holds.
bool agree(const Entry& a, const Entry& b) {
    return a.is_tombstone == b.is_tombstone && a.value == b.value && a.needs == b.needs;
}

bool is_same(const Entry& a, const Entry& b) {
    return a.stamp == b.stamp && a.writer == b.writer && a.path == b.path && a.is_tombstone == b.is_tombstone;
}

} // namespace

std::uint64_t first_half(const Digest& digest) { return half_of(digest, 0); }

Digest plus(const Digest& a, const Digest& b) {
    const auto low = half_of(a, 8) + half_of(b, 8);
    const std::uint64_t carry = low < half_of(a, 8) ? 1 : 0;
    return digest_of(half_of(a, 0) + half_of(b, 0) + carry, low);
}

Digest minus(const Digest& a, const Digest& b) {
    const std::uint64_t borrow = half_of(a, 8) < half_of(b, 8) ? 1 : 0;
    return digest_of(half_of(a, 0) - half_of(b, 0) - borrow, half_of(a, 8) - half_of(b, 8));
}

bool beats(const Entry& a, const Entry& b) {
    const auto rank = [](const Entry& e) {
        return std::tie(e.stamp, e.writer, e.is_tombstone, e.value, e.needs, e.flags, e.extension);
    };
    if (rank(a) != rank(b)) return rank(a) > rank(b);
    return std::ranges::lexicographical_compare(
        b.seen, a.seen, {}, [](const Seen& s) { return std::pair(s.writer, s.stamp); },
        [](const Seen& s) { return std::pair(s.writer, s.stamp); });
}

bool has_seen(const Entry& a, const Entry& b) {
    if (a.writer == b.writer) return a.stamp >= b.stamp;
    const auto it = std::ranges::find(a.seen, b.writer, &Seen::writer);
    if (it != a.seen.end()) return it->stamp >= b.stamp;
    // the list had no room for the oldest
    return a.seen.size() >= limits::kSeen && b.stamp < std::ranges::min(a.seen, {}, &Seen::stamp).stamp;
}

void Store::Impl::insert(EntryPointer entry) {
    Octets octets;
    octets.reserve(entries::encoded_size(*entry));
    entries::encode(*entry, octets);
    Slot slot{entry, hash.of(octets), 0};
    octets.clear();
    put(octets, static_cast<std::uint8_t>(entry->is_tombstone ? 1 : 0));
    put_bytes(octets, bytes_of(entry->path));
    slot.key = first_half(hash.of(octets));
    digest = plus(digest, slot.sum);
    bytes += entries::encoded_size(*entry);
    marks.latest = std::max(marks.latest, entry->stamp);
    ++generation;
    const std::string_view path = entry->path;
    of(*entry).emplace(path, std::move(slot));
}

void Store::Impl::erase(Map& map, Map::iterator at) {
    digest = minus(digest, at->second.sum);
    bytes -= entries::encoded_size(*at->second.entry);
    ++generation;
    map.erase(at);
}

const Entry* Store::Impl::killer_of(const Entry& entry) const {
    if (tombstones.empty()) return nullptr;
    const Entry* killer = nullptr;
    const auto look = [&](std::string_view path) {
        const auto* tombstone = tombstone_at(path);
        if (tombstone && kills(*tombstone, entry) && (!killer || beats(*tombstone, *killer)))
            killer = tombstone;
        return true;
    };
    each_above(entry.path, look);
    if (!entry.is_tombstone) look(entry.path);
    return killer;
}

void Store::Impl::add_conflict(Conflict conflict) {
    const auto size_of = [](const Conflict& c) {
        return entries::encoded_size(c.lost) + entries::encoded_size(c.won);
    };
    conflict_bytes += size_of(conflict);
    conflicts.push_back(std::move(conflict));
    while (conflicts.size() > 1 &&
           (conflicts.size() > limits::kConflicts || conflict_bytes > limits::kConflictBytes)) {
        conflict_bytes -= size_of(conflicts.front());
        conflicts.erase(conflicts.begin());
    }
}

void Store::Impl::note_conflict(const Entry& lost, const Entry& won, std::uint64_t now_ms) {
    if (agree(lost, won) || has_seen(won, lost)) return;
    const auto is_known = [&](const Conflict& c) { return is_same(c.lost, lost) && is_same(c.won, won); };
    if (std::ranges::any_of(conflicts, is_known)) return;
    ++noted;
    add_conflict({lost, won, false, now_ms});
}

void Store::Impl::settle_conflicts(const Entry& by) {
    std::erase_if(conflicts, [&](const Conflict& c) {
        const std::string_view path = c.lost.path;
        const bool is_below = path.size() > by.path.size() && path.starts_with(by.path) &&
                              (path[by.path.size()] == '/' || path[by.path.size()] == kAttributeMark);
        const bool is_of_it = path == by.path || (by.is_tombstone && is_below);
        if (!is_of_it || is_same(by, c.lost) || is_same(by, c.won)) return false;
        if (!has_seen(by, c.won) || !beats(by, c.won)) return false;
        conflict_bytes -= entries::encoded_size(c.lost) + entries::encoded_size(c.won);
        return true;
    });
}

Store::Taken Store::Impl::quarantine(const Entry& entry) {
    if (std::ranges::any_of(quarantined, [&](const Entry& e) { return e == entry; })) return Taken::known;
    const auto size = entries::encoded_size(entry);
    if (quarantined.size() >= limits::kQuarantine || quarantined_bytes + size > limits::kConflictBytes)
        return Taken::refused;
    quarantined.push_back(entry);
    quarantined_bytes += size;
    return Taken::quarantined;
}

Store::Taken Store::Impl::take_tombstone(const EntryPointer& entry, std::uint64_t now_ms) {
    if (const auto it = tombstones.find(entry->path); it != tombstones.end()) {
        if (*it->second.entry == *entry) return Taken::known;
        if (!beats(*entry, *it->second.entry)) return Taken::older;
        erase(tombstones, it);
    }
    const auto remove = [&](Map& map, Map::iterator it) {
        const auto& below = *it->second.entry;
        if (!kills(*entry, below)) return true;
        if (!below.is_tombstone) note_conflict(below, *entry, now_ms);
        erase(map, it);
        return true;
    };
    if (const auto it = values.find(entry->path); it != values.end()) {
        if (kills(*entry, *it->second.entry)) remove(values, it);
        else note_conflict(*entry, *it->second.entry, now_ms);
    }
    each_below(values, entry->path, [&](auto it) { return remove(values, it); });
    each_below(tombstones, entry->path, [&](auto it) { return remove(tombstones, it); });
    insert(entry);
    return Taken::newer;
}

Store::Taken Store::Impl::take_value(const EntryPointer& entry, std::uint64_t now_ms) {
    if (const auto it = values.find(entry->path); it != values.end()) {
        const auto before = it->second.entry;
        if (*before == *entry) return Taken::known;
        const bool is_newer = beats(*entry, *before);
        if (!is_newer) {
            note_conflict(*entry, *before, now_ms);
            return Taken::older;
        }
        note_conflict(*before, *entry, now_ms);
        erase(values, it);
    }
    if (const auto* tombstone = tombstone_at(entry->path)) note_conflict(*tombstone, *entry, now_ms);
    insert(entry);
    return Taken::newer;
}

Store::Taken Store::Impl::take(const Entry& entry, std::uint64_t now_ms, Merge& out) {
    if (!is_entry_path(entry.path) || entry.value.size() > limits::kValue || entry.stamp.bits == 0 ||
        entry.seen.size() > limits::kSeen || entry.extension.size() > limits::kExtension ||
        (entry.is_tombstone && !entry.value.empty()))
        return Taken::refused;
    if (entry.stamp.wall_ms() > clocks.wall_ms() + limits::kAheadMs) return quarantine(entry);
    if (entry.stamp < marks.floor && !value_at(entry.path) && !tombstone_at(entry.path))
        return Taken::refused;
    return merge(entry, now_ms, out);
}

Store::Taken Store::Impl::merge(const Entry& entry, std::uint64_t now_ms, Merge& out) {
    const auto noted_before = noted;
    auto stored = std::make_shared<const Entry>(entry);
    Taken taken = Taken::older;
    if (const auto* killer = killer_of(entry)) {
        if (!entry.is_tombstone) note_conflict(entry, *killer, now_ms);
    } else {
        taken = entry.is_tombstone ? take_tombstone(stored, now_ms) : take_value(stored, now_ms);
    }
    if (taken == Taken::newer) {
        out.has_changed = true;
        settle_conflicts(entry);
    }
    if (taken == Taken::newer || noted != noted_before) out.kept.push_back(std::move(stored));
    return taken;
}

} // namespace schedd::membership
