// The replica: own writes told to others, what comes stored and kept, and what the heartbeat says of it all.
#include "components/membership/replica.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include <fmt/format.h>

#include "components/membership/entries.h"
#include "components/membership/replica_impl.h"

namespace schedd::membership {

namespace {
constexpr std::string_view kAbout = "nodes";
constexpr std::size_t kLogSlack = 256U << 10U; // bytes of log that are never too much
} // namespace

Replica::Replica(Store& store, NodeUid self, const ReplicaWorld& world)
    : impl_(std::make_unique<Impl>(store, self, world)) {}
Replica::~Replica() = default;

// ---- own writes -------------------------------------------------------------------------------------------

Status Replica::write(std::span<const Write> changes, std::optional<std::int64_t> clock_offset_ms) {
    auto& my = *impl_;
    if (!my.is_complete)
        return fail(Errc::busy, "this node has not got the cluster's configuration yet",
                    "try again in a few seconds, or keep the change on this node");
    if (clock_offset_ms && std::llabs(*clock_offset_ms) > static_cast<std::int64_t>(limits::kSkewMs))
        return fail(Errc::not_applied,
                    fmt::format("this node's clock is {} s {} the other nodes'",
                                std::llabs(*clock_offset_ms) / 1000,
                                *clock_offset_ms > 0 ? "ahead of" : "behind"),
                    fmt::format("a change needs clocks within {} s; set the clock", limits::kSkewMs / 1000));
    const auto entries = my.store.write(changes);
    if (!entries) return std::unexpected(entries.error());
    if (entries->empty()) return {};
    std::vector<std::shared_ptr<const Entry>> kept;
    std::size_t size = 0;
    for (const auto& entry : *entries) {
        kept.push_back(std::make_shared<const Entry>(entry));
        size += entries::encoded_size(entry);
    }
    my.keep(kept);
    my.told_generation = my.store.generation(); // whoever writes knows it
    if (size <= limits::kDelta) {
        Octets delta;
        for (const auto& entry : *entries) entries::encode(entry, delta);
        my.world.wires.spread(delta);
    }
    return {};
}

void Replica::report(const ApplyStatus& status, std::string trouble) {
    impl_->applied = status;
    impl_->apply_trouble = std::move(trouble);
}

// ---- what came --------------------------------------------------------------------------------------------

void Replica::Impl::say(std::string text, Severity severity) {
    if (trouble == text) return;
    trouble = std::move(text);
    if (!trouble.empty()) world.log.write(severity, kAbout, trouble);
}

void Replica::Impl::keep(std::span<const std::shared_ptr<const Entry>> entries) {
    if (entries.empty()) return;
    if (is_unkept) return; // the log lacks something already: keep_house() writes the whole
    for (const auto& entry : entries) log_bytes += entries::encoded_size(*entry);
    if (log_bytes > kLogSlack + 2 * store.bytes()) return keep_all();
    has_kept(world.journal.append(entries, store.marks()));
}

void Replica::Impl::keep_all() {
    log_bytes = 0;
    has_kept(world.journal.replace(store));
}

void Replica::Impl::has_kept(const Status& outcome) {
    const bool was_unkept = std::exchange(is_unkept, !outcome);
    if (!outcome) {
        say("the configuration cannot be kept: " + outcome.error().text(), Severity::error);
        if (!was_unkept) next_house = {};
    } else if (trouble.starts_with("the configuration cannot be kept")) say({}, Severity::info);
}

void Replica::Impl::merged(const Store::Merge& merge, std::string_view from) {
    keep(merge.kept);
    if (merge.quarantined > 0) next_house = {};
    if (merge.quarantined > 0)
        say(fmt::format("{} entries from {} are stamped in the future and wait for their time; "
                        "a clock is wrong there or here",
                        merge.quarantined, from),
            Severity::warning);
    tell_changes();
}

void Replica::Impl::tell_changes() {
    if (store.generation() == told_generation) return;
    told_generation = store.generation();
    world.wires.changed();
}

Status Replica::Impl::finish(Brought& brought) {
    const auto from = text_of(brought.peer);
    const auto before = store.generation();
    const auto merge = store.take_all(brought.entries);
    if (!merge) {
        say(merge.error().text(), Severity::error);
        return std::unexpected(merge.error());
    }
    const bool gives_up = std::ranges::any_of(brought.gone, [&](const auto& entry) {
        const auto* here = store.find(entry->path);
        return !entry->is_tombstone && here && *here == *entry;
    });
    if (gives_up) {
        world.log.write(Severity::warning, kAbout,
                        fmt::format("{} entries are older than what {} remembers, and unknown there: the "
                                    "cluster's configuration is taken, and the one before is set aside",
                                    brought.gone.size(), from));
        if (const auto aside = world.journal.set_aside(store); !aside)
            world.log.write(Severity::error, kAbout, "it cannot be set aside: " + aside.error().text());
    }
    store.drop(brought.gone);
    store.raise({{}, brought.their_floor});
    merged(*merge, from);
    if (!brought.gone.empty()) keep_all();
    if (brought.is_peer_complete) become_complete("it has what " + from + " has");
    const auto peer = peers.find(brought.peer);
    if (peer == peers.end()) return {};
    const bool is_idle = store.generation() == before && brought.sent == 0;
    if (is_idle) peer->second.settled = {brought.their_digest, store.digest()};
    // it has the same now, unless its next heartbeat says otherwise
    peer->second.digest = store.digest();
    peer->second.due = kNever;
    return {};
}

void Replica::delta(const Message& message, Time /*now*/) {
    std::vector<Entry> entries;
    const auto read =
        entries::decode(message.delta, [&](Entry&& entry) { entries.push_back(std::move(entry)); });
    if (!read) return; // of a member, and yet not to be read: the digest tells what is missing
    const auto merge = impl_->store.take_all(entries);
    if (merge) impl_->merged(*merge, text_of(message.header.sender));
}

std::unique_ptr<Sync> Replica::sync(std::optional<NodeUid> /*peer*/) {
    return std::make_unique<SyncSession>(impl_->store, impl_->self, impl_->is_complete,
                                         [this](Brought& brought) { return impl_->finish(brought); });
}

// ---- what the heartbeat says ------------------------------------------------------------------------------

Digest Replica::digest() const { return impl_->store.digest(); }
Hlc Replica::latest() const { return impl_->store.latest(); }
std::optional<ApplyStatus> Replica::applied() const { return impl_->applied; }
bool Replica::is_complete() const { return impl_->is_complete; }
std::string_view Replica::trouble() const {
    const std::string_view text = impl_->apply_trouble.empty() ? impl_->trouble : impl_->apply_trouble;
    return text.substr(0, limits::kTrouble);
}

} // namespace schedd::membership
