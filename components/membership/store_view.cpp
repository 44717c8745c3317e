// Views of the store: what is to be carried out, what is orphaned, and what a peer lacks.
#include <algorithm>

#include "components/membership/store_impl.h"

namespace schedd::membership {

const Entry* Store::Impl::orphaned_by(const Entry& value) const {
    if (tombstones.empty()) return nullptr;
    const Entry* why = nullptr;
    each_above(value.path, [&](std::string_view above) {
        const auto* tombstone = tombstone_at(above);
        if (tombstone && !value_at(above)) why = tombstone;
        return why == nullptr;
    });
    return why;
}

const Entry* Store::find(std::string_view path) const {
    const auto* value = impl_->value_at(path);
    return value ? value : impl_->tombstone_at(path);
}

void Store::each(const std::function<void(const std::shared_ptr<const Entry>&)>& visit) const {
    auto tombstone = impl_->tombstones.begin();
    for (const auto& [path, slot] : impl_->values) {
        for (; tombstone != impl_->tombstones.end() && tombstone->first <= path; ++tombstone)
            visit(tombstone->second.entry);
        visit(slot.entry);
    }
    for (; tombstone != impl_->tombstones.end(); ++tombstone) visit(tombstone->second.entry);
}

std::vector<const Entry*> Store::effective() const {
    std::vector<const Entry*> out;
    out.reserve(impl_->values.size());
    for (const auto& [path, slot] : impl_->values)
        if (!impl_->orphaned_by(*slot.entry)) out.push_back(slot.entry.get());
    return out;
}

std::vector<Conflict> Store::orphans() const {
    std::vector<Conflict> out;
    if (impl_->tombstones.empty()) return out;
    for (const auto& [path, slot] : impl_->values)
        if (const auto* why = impl_->orphaned_by(*slot.entry); why && out.size() < limits::kConflicts)
            out.push_back({*slot.entry, *why, true, slot.entry->stamp.wall_ms()});
    return out;
}

std::vector<Summary> Store::summary() const {
    std::vector<Summary> out;
    out.reserve(impl_->size() + impl_->quarantined.size());
    for (const auto* map : {&impl_->values, &impl_->tombstones})
        for (const auto& [path, slot] : *map)
            out.push_back({slot.key, slot.entry->stamp, first_half(slot.sum)});
    // under their path's key, but with no stamp: a peer's other entry of that path is wanted all the same
    Octets octets;
    for (const auto& entry : impl_->quarantined) {
        octets.clear();
        put(octets, static_cast<std::uint8_t>(entry.is_tombstone ? 1 : 0));
        put_bytes(octets, bytes_of(entry.path));
        const auto key = first_half(impl_->hash.of(octets));
        octets.clear();
        entries::encode(entry, octets);
        out.push_back({key, {}, first_half(impl_->hash.of(octets))});
    }
    return out;
}

Store::Difference Store::difference(std::span<const Summary> theirs, Hlc their_floor) const {
    Difference out;
    for (const auto* map : {&impl_->tombstones, &impl_->values})
        for (const auto& [path, slot] : *map) {
            const auto has = std::ranges::equal_range(theirs, slot.key, {}, &Summary::key);
            const auto check = first_half(slot.sum);
            const auto is_enough = [&](const Summary& one) {
                return one.check == check || one.stamp > slot.entry->stamp;
            };
            if (std::ranges::any_of(has, is_enough)) continue;
            const bool is_gone = has.empty() && slot.entry->stamp < their_floor;
            (is_gone ? out.gone : out.lacking).push_back(slot.entry);
        }
    return out;
}

} // namespace schedd::membership
