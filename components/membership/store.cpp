// The store: own writes as stamped transactions, limits, and what is asked of it.
#include "components/membership/store.h"

#include <algorithm>

#include <fmt/format.h>

#include "components/membership/store_impl.h"

namespace schedd::membership {

Store::Store(NodeUid self, const MachineClocks& clocks, const Hash& hash)
    : impl_(std::make_unique<Impl>(self, clocks, hash)) {}
Store::~Store() = default;

// ---- own writes -------------------------------------------------------------------------------------------

namespace {

/// A later change of the list replaces earlier ones of its path, a removal all earlier ones below it.
std::vector<Write> without_repetition(std::span<const Write> changes) {
    std::vector<Write> out;
    std::map<std::string, std::size_t, std::less<>> at; // in `out`, of values
    std::vector<bool> is_gone;
    for (const auto& change : changes) {
        const auto forget = [&](auto it) {
            is_gone[it->second] = true;
            at.erase(it);
            return true;
        };
        if (const auto it = at.find(change.path); it != at.end()) forget(it);
        if (!change.value) each_below(at, change.path, forget);
        out.push_back(change);
        is_gone.push_back(false);
        if (change.value) at.emplace(change.path, out.size() - 1);
    }
    std::size_t i = 0;
    std::erase_if(out, [&](const Write&) { return is_gone[i++]; });
    return out;
}

bool is_above(const std::set<std::string_view>& paths, std::string_view path) {
    bool is_found = false;
    each_above(path, [&](std::string_view above) {
        is_found = paths.contains(above);
        return !is_found;
    });
    return is_found;
}

} // namespace

/// Whether the store says so already, what is at and below the removed paths apart.
bool Store::Impl::is_so(const Write& change, const Paths& removed) const {
    if (removed.contains(change.path) || is_above(removed, change.path)) return !change.value;
    const auto* value = value_at(change.path);
    if (change.value)
        return value && value->value == *change.value && value->needs == change.needs && !orphaned_by(*value);
    bool is_empty = value == nullptr;
    each_below(values, change.path, [&](auto) { return is_empty = false; });
    bool is_removed = tombstone_at(change.path) != nullptr;
    each_above(change.path, [&](std::string_view above) {
        is_removed = is_removed || (tombstone_at(above) && !value_at(above));
        return !is_removed;
    });
    return is_empty && is_removed;
}

bool Store::Impl::has_orphans_below(std::string_view path) const {
    if (!tombstone_at(path) || value_at(path)) return false;
    bool has_any = false;
    each_below(values, path, [&](auto) {
        has_any = true;
        return false;
    });
    return has_any;
}

/// The latest by each writer that this change replaces, its own apart: those it knows.
std::vector<Seen> Store::Impl::seen_at(const Write& change) const {
    std::map<NodeUid, Hlc> seen;
    const auto add = [&](NodeUid writer, Hlc stamp) {
        if (writer != self) seen[writer] = std::max(seen[writer], stamp);
    };
    for (const auto* entry : {value_at(change.path), tombstone_at(change.path)}) {
        if (!entry) continue;
        add(entry->writer, entry->stamp);
        for (const auto& one : entry->seen) add(one.writer, one.stamp);
    }
    if (!change.value)
        each_below(values, change.path, [&](auto it) {
            add(it->second.entry->writer, it->second.entry->stamp);
            return true;
        });
    std::vector<Seen> out;
    for (const auto& [writer, stamp] : seen) out.push_back({writer, stamp});
    while (out.size() > limits::kSeen) out.erase(std::ranges::min_element(out, {}, &Seen::stamp));
    return out;
}

Status Store::Impl::check_room(std::span<const Write> changes) const {
    std::size_t count = size();
    std::size_t total = bytes;
    const auto leave = [&](auto it) {
        --count;
        total -= entries::encoded_size(*it->second.entry);
        return true;
    };
    Paths removed;
    for (const auto& change : changes)
        if (!change.value) removed.insert(change.path);
    for (const auto& change : changes) {
        if (!is_entry_path(change.path))
            return fail(Errc::invalid_value,
                        fmt::format("'{}' cannot be an entry", change.path.substr(0, 80)),
                        "a path of the tree of at most 255 bytes is wanted, such as probes/cpu#probe_period");
        if (change.value && change.value->size() > limits::kValue)
            return fail(Errc::limit_exceeded,
                        fmt::format("{} has {} bytes", change.path, change.value->size()),
                        fmt::format("at most {} are replicated", limits::kValue));
        if (!is_above(removed, change.path)) {
            const bool is_removed = removed.contains(change.path); // then the tombstone counts for both
            const auto& map = change.value ? values : tombstones;
            if (const auto it = map.find(change.path); it != map.end() && !(change.value && is_removed))
                leave(it);
            if (!change.value) {
                if (const auto it = values.find(change.path); it != values.end()) leave(it);
                each_below(values, change.path, leave);
                each_below(tombstones, change.path, leave);
            }
        }
        ++count;
        total += 30 + 16 * limits::kSeen + change.path.size() + (change.value ? change.value->size() : 0);
    }
    if (removed.size() == changes.size() && count <= size()) return {}; // whoever is full may make room
    // after a merge of two halves there may be more than the limit: what is there can be changed even then
    if (count > limits::kEntries && count > size())
        return fail(Errc::limit_exceeded,
                    fmt::format("the cluster's configuration would have {} entries", count),
                    fmt::format("at most {}, with what was removed in the last week", limits::kEntries));
    if (total > limits::kEntryBytes && total > bytes + changes.size() * 16 * limits::kSeen)
        return fail(Errc::limit_exceeded,
                    fmt::format("the cluster's configuration would have {} bytes", total),
                    fmt::format("at most {}", limits::kEntryBytes));
    return {};
}

Result<std::vector<Entry>> Store::write(std::span<const Write> changes) {
    auto& my = *impl_;
    const auto wanted = without_repetition(changes);
    Impl::Paths removed; // in `wanted`
    std::vector<Write> todo;
    for (const auto& change : wanted) {
        if (my.is_so(change, removed)) continue;
        // what is made anew starts without what others have put below it after it was removed
        const bool cleans =
            change.value && !removed.contains(change.path) && my.has_orphans_below(change.path);
        if (cleans) todo.push_back({.path = change.path, .value = {}, .needs = 0});
        if (cleans || !change.value) removed.insert(change.path);
        todo.push_back(change);
    }
    if (auto room = my.check_room(todo); !room) return std::unexpected(room.error());
    if (todo.empty()) return std::vector<Entry>();
    const auto now_ms = my.clocks.wall_ms();
    const Hlc stamp{std::max(Hlc::of(now_ms, 0).bits, my.marks.latest.bits + 1)};
    if (stamp.wall_ms() > now_ms + limits::kAheadMs)
        return fail(Errc::not_applied,
                    fmt::format("this node's clock is {} s behind the configuration's last change",
                                (stamp.wall_ms() - now_ms) / 1000),
                    "others would not take the change; set the clock");
    std::vector<Entry> out;
    for (const auto& change : todo)
        out.push_back({.path = change.path,
                       .value = change.value.value_or(""),
                       .stamp = stamp,
                       .writer = my.self,
                       .seen = my.seen_at(change),
                       .needs = change.needs,
                       .is_tombstone = !change.value});
    // removals first: they leave what has their own stamp alone, and one of a parent those below it
    std::ranges::stable_sort(out, {}, [](const Entry& e) { return std::pair(!e.is_tombstone, e.path); });
    Merge merge;
    for (const auto& entry : out) (void)my.take(entry, now_ms, merge);
    return out;
}

// ---- others' ----------------------------------------------------------------------------------------------

Store::Taken Store::take(const Entry& entry) {
    Merge merge;
    return impl_->take(entry, impl_->clocks.wall_ms(), merge);
}

Result<Store::Merge> Store::take_all(std::span<const Entry> entries) {
    auto& my = *impl_;
    std::size_t count = my.size();
    std::size_t total = my.bytes;
    for (const auto& entry : entries) {
        const auto& map = my.of(entry);
        if (const auto it = map.find(entry.path); it == map.end()) ++count;
        else total -= std::min(total, entries::encoded_size(*it->second.entry));
        total += entries::encoded_size(entry);
    }
    if (count > limits::kMerged * limits::kEntries || total > limits::kMerged * limits::kEntryBytes)
        return fail(Errc::limit_exceeded,
                    fmt::format("with what a peer has, the configuration would have {} entries of {} bytes",
                                count, total),
                    fmt::format("at most {} of {}", limits::kMerged * limits::kEntries,
                                limits::kMerged * limits::kEntryBytes));
    Merge merge;
    const auto now_ms = my.clocks.wall_ms();
    for (const auto& entry : entries) {
        const auto taken = my.take(entry, now_ms, merge);
        if (taken == Taken::quarantined) ++merge.quarantined;
        if (taken == Taken::refused) ++merge.refused;
    }
    return merge;
}

void Store::restore(std::span<const Entry> entries, std::uint64_t noticed_wall_ms) {
    Merge merge;
    for (const auto& entry : entries) (void)impl_->merge(entry, noticed_wall_ms, merge);
}

Store::Merge Store::release_quarantined() {
    auto& my = *impl_;
    Merge merge;
    const auto latest = my.clocks.wall_ms() + limits::kAheadMs;
    const auto is_due = [&](const Entry& e) { return e.stamp.wall_ms() <= latest; };
    if (std::ranges::none_of(my.quarantined, is_due)) return merge;
    auto before = std::move(my.quarantined);
    my.quarantined.clear();
    my.quarantined_bytes = 0;
    for (const auto& entry : before) (void)my.take(entry, my.clocks.wall_ms(), merge);
    merge.quarantined = my.quarantined.size();
    return merge;
}

// ---- marks, and what is asked -----------------------------------------------------------------------------

void Store::raise(const Marks& marks) {
    impl_->marks.latest = std::max(impl_->marks.latest, marks.latest);
    impl_->marks.floor = std::max(impl_->marks.floor, marks.floor);
}

void Store::restore(Conflict conflict) { impl_->add_conflict(std::move(conflict)); }

void Store::clear_conflicts() {
    impl_->conflicts.clear();
    impl_->conflict_bytes = 0;
}

void Store::clear() {
    auto& my = *impl_;
    my.values.clear();
    my.tombstones.clear();
    my.digest = {};
    my.bytes = 0;
    my.marks.floor = {}; // whoever has nothing cannot tell others what is gone
    ++my.generation;
}

void Store::drop(std::span<const std::shared_ptr<const Entry>> entries) {
    for (const auto& entry : entries) {
        auto& map = impl_->of(*entry);
        if (const auto it = map.find(entry->path); it != map.end() && it->second.entry == entry)
            impl_->erase(map, it);
    }
}

std::size_t Store::forget_tombstones(std::uint64_t older_than_wall_ms) {
    auto& my = *impl_;
    std::size_t forgotten = 0;
    for (auto it = my.tombstones.begin(); it != my.tombstones.end();) {
        const auto at = it++;
        const auto entry = at->second.entry;
        if (entry->stamp.wall_ms() >= older_than_wall_ms) continue;
        bool has_orphans = false;
        each_below(my.values, entry->path, [&](auto below) {
            has_orphans = my.orphaned_by(*below->second.entry) != nullptr;
            return !has_orphans;
        });
        if (has_orphans) continue;
        my.marks.floor = std::max(my.marks.floor, entry->stamp);
        my.erase(my.tombstones, at);
        ++forgotten;
    }
    return forgotten;
}

std::uint64_t Store::generation() const { return impl_->generation; }
const Digest& Store::digest() const { return impl_->digest; }
Hlc Store::latest() const { return impl_->marks.latest; }
Marks Store::marks() const { return impl_->marks; }
std::size_t Store::size() const { return impl_->size(); }
std::size_t Store::bytes() const { return impl_->bytes; }
std::span<const Conflict> Store::conflicts() const { return impl_->conflicts; }
std::span<const Entry> Store::quarantined() const { return impl_->quarantined; }

} // namespace schedd::membership
