// Inside the store: two maps by path, values and tombstones, and the sums kept over them.
#pragma once

#include <map>
#include <set>

#include "components/membership/entries.h"
#include "components/membership/entry_path.h"
#include "components/membership/store.h"

namespace schedd::membership {

using EntryPointer = std::shared_ptr<const Entry>;

/// Whether the tombstone removes the entry; those of one transaction do not remove each other.
inline bool kills(const Entry& tombstone, const Entry& entry) {
    return std::pair(tombstone.stamp, tombstone.writer) > std::pair(entry.stamp, entry.writer);
}

/// Visits what is strictly below `path` until `visit` returns false.
template <class M, class Visit> void each_below(M& map, std::string_view path, const Visit& visit) {
    for (const char mark : {kAttributeMark, '/'}) {
        const auto start = std::string(path) + mark;
        for (auto it = map.lower_bound(start); it != map.end() && it->first.starts_with(start);) {
            const auto next = std::next(it); // the visitor may erase
            if (!visit(it)) return;
            it = next;
        }
    }
}

class Store::Impl {
public:
    Impl(NodeUid uid, const MachineClocks& machine, const Hash& hasher)
        : self(uid), clocks(machine), hash(hasher) {}

    struct Slot {
        EntryPointer entry;
        Digest sum; // of its bytes
        std::uint64_t key = 0;
    };
    /// Keys are the paths inside the entries.
    using Map = std::map<std::string_view, Slot>;

    Map& of(const Entry& entry) { return entry.is_tombstone ? tombstones : values; }
    [[nodiscard]] const Entry* value_at(std::string_view path) const { return entry_in(values, path); }
    [[nodiscard]] const Entry* tombstone_at(std::string_view path) const {
        return entry_in(tombstones, path);
    }
    [[nodiscard]] std::size_t size() const { return values.size() + tombstones.size(); }

    Taken take(const Entry& entry, std::uint64_t now_ms, Merge& out);
    /// What has been let in.
    Taken merge(const Entry& entry, std::uint64_t now_ms, Merge& out);
    Taken take_tombstone(const EntryPointer& entry, std::uint64_t now_ms);
    Taken take_value(const EntryPointer& entry, std::uint64_t now_ms);
    Taken quarantine(const Entry& entry);
    /// The tombstone at or above its path that removes it.
    [[nodiscard]] const Entry* killer_of(const Entry& entry) const;
    void insert(EntryPointer entry);
    void erase(Map& map, Map::iterator at);
    /// Unless the winner's writer knew of the loser, both say the same, or it is noted already.
    void note_conflict(const Entry& lost, const Entry& won, std::uint64_t now_ms);
    void add_conflict(Conflict conflict);
    /// Who wrote this knew what held: what had lost against that is no matter any more.
    void settle_conflicts(const Entry& by);
    /// The object above that was removed and not made again; none: it is no orphan.
    [[nodiscard]] const Entry* orphaned_by(const Entry& value) const;
    [[nodiscard]] std::vector<Seen> seen_at(const Write& change) const;
    using Paths = std::set<std::string_view>;
    [[nodiscard]] bool is_so(const Write& change, const Paths& removed) const;
    [[nodiscard]] bool has_orphans_below(std::string_view path) const;
    [[nodiscard]] Status check_room(std::span<const Write> changes) const;

    NodeUid self;
    const MachineClocks& clocks;
    const Hash& hash;
    Map values;
    Map tombstones;
    Digest digest;
    Marks marks;
    std::size_t bytes = 0;
    std::uint64_t generation = 0;
    std::vector<Conflict> conflicts;
    std::size_t conflict_bytes = 0;
    std::uint64_t noted = 0; // conflicts, ever
    std::vector<Entry> quarantined;
    std::size_t quarantined_bytes = 0;

private:
    static const Entry* entry_in(const Map& map, std::string_view path) {
        const auto it = map.find(path);
        return it == map.end() ? nullptr : it->second.entry.get();
    }
};

/// Digests as numbers modulo 2^128, the first byte the highest.
Digest plus(const Digest& a, const Digest& b);
Digest minus(const Digest& a, const Digest& b);
std::uint64_t first_half(const Digest& digest);

} // namespace schedd::membership
