// Store: the replicated configuration of a cluster as entries with hybrid stamps; per path the last writer
// wins, deletions are tombstones over subtrees, what loses is kept for people to see.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "components/membership/clocks.h"
#include "components/membership/hash.h"
#include "components/membership/limits.h"

namespace schedd::membership {

/// A write that the writer of a later one knew of: the latest by that node at the path (of a tombstone: at
/// the path or below it).
struct Seen {
    NodeUid writer{};
    Hlc stamp;
    bool operator==(const Seen&) const = default;
};

/// One path's latest word. Paths are the tree's: "schedulers/CPU_LB" (creation, its value the type),
/// "probes/cpu#probe_period" (an attribute), "schedulers/A/b/p#source" (a link, its value the source's path).
/// Entries with the same stamp and writer were written together: a transaction, which only ever travels and
/// is stored whole.
struct Entry {
    std::string path;
    std::string value{};
    Hlc stamp{};
    NodeUid writer{};
    std::vector<Seen> seen{};  // by writer, at most limits::kSeen: what it replaced knowingly
    std::uint16_t needs = 0;   // feature a node must have to understand it; others store and forward it
    bool is_tombstone = false; // the path and all below it are gone as of `stamp`
    std::uint8_t flags = 0;    // further bits, and
    std::string extension{};   // further bytes of a later version, kept as they came
    bool operator==(const Entry&) const = default;
};
/// Whether `a` replaces `b`: by stamp, then by writer, then (it ought not to happen) by what they say.
bool beats(const Entry& a, const Entry& b);
/// Whether the writer of `a` knew of `b`.
bool has_seen(const Entry& a, const Entry& b);

/// A value that lost against a concurrent one, or an entry whose object was deleted elsewhere meanwhile.
struct Conflict {
    Entry lost;
    Entry won; // the tombstone, for an orphan
    bool is_orphan = false;
    std::uint64_t noticed_wall_ms = 0;
};

/// A change as a user makes it: all of it or nothing.
struct Write {
    std::string path;
    std::optional<std::string> value; // none: a tombstone
    std::uint16_t needs = 0;
};

/// What must not go back over a restart, although no entry may tell it any more.
struct Marks {
    Hlc latest; // the latest stamp of all
    Hlc floor;  // tombstones stamped before may have been forgotten
    bool operator==(const Marks&) const = default;
};

/// An entry in the list that two nodes compare; 24 bytes in a synchronisation.
struct Summary {
    std::uint64_t key = 0;   // of path and kind
    Hlc stamp;               //
    std::uint64_t check = 0; // of the entry's bytes
};

/// Per path there is at most one value and one tombstone, each the latest. What an entry does depends on the
/// set of entries alone, not on their order: a tombstone removes what is older at its path and below.
/// CONFIGURATION.md has the rules.
class Store {
public:
    Store(NodeUid self, const MachineClocks& clocks, const Hash& hash);
    ~Store();

    /// Stamps and stores own changes as one transaction; the stamp is later than anything seen so far.
    /// Returns the new entries: none for what is so already. Fails with limit_exceeded (naming the limit),
    /// invalid_value (a path that cannot be), not_applied (the own clock is far behind the entries').
    Result<std::vector<Entry>> write(std::span<const Write> changes);

    /// What became of an entry from elsewhere.
    enum class Taken {
        newer,       // stored
        known,       //
        older,       // lost to what is here; if concurrently, it is among the conflicts now
        quarantined, // from the future
        refused,     // cannot be one, or belongs to what was removed so long ago that it is forgotten
    };
    /// Stores it if it beats what is here. Stamped more than limits::kAheadMs ahead of the own clock it is
    /// put into quarantine: not stored, not passed on, and the own stamp does not follow it.
    Taken take(const Entry& entry);

    struct Merge {
        std::vector<std::shared_ptr<const Entry>> kept; // to be journalled: stored, or lost in a conflict
        bool has_changed = false;
        std::size_t quarantined = 0;
        std::size_t refused = 0;
    };
    /// Whole transactions of one delta or one synchronisation. Fails with limit_exceeded, and then takes
    /// none: two halves of a cluster may each have filled their store, more than limits::kMerged times that
    /// is no configuration.
    Result<Merge> take_all(std::span<const Entry> entries);
    /// Own entries from a file: neither the clock nor the floor keeps them out.
    void restore(std::span<const Entry> entries, std::uint64_t noticed_wall_ms);
    /// Tries again those in quarantine whose time has come.
    Merge release_quarantined();

    /// The value at a path, or else the tombstone.
    [[nodiscard]] const Entry* find(std::string_view path) const;
    /// All entries that hold, by path, at each path the tombstone first; orphans too.
    void each(const std::function<void(const std::shared_ptr<const Entry>&)>& visit) const;
    /// What a node is to carry out: without tombstones and orphans, by path, so parents come first. Valid
    /// until the next change.
    [[nodiscard]] std::vector<const Entry*> effective() const;
    /// Entries below an object that was removed before they were written, and not made again.
    [[nodiscard]] std::vector<Conflict> orphans() const;

    /// Grows with every change of effective(); for those who carry it out.
    [[nodiscard]] std::uint64_t generation() const;
    [[nodiscard]] const Digest& digest() const;
    [[nodiscard]] Hlc latest() const;
    [[nodiscard]] Marks marks() const;
    [[nodiscard]] std::size_t size() const;
    [[nodiscard]] std::size_t bytes() const;
    [[nodiscard]] std::span<const Conflict> conflicts() const;
    [[nodiscard]] std::span<const Entry> quarantined() const;
    /// Of a file that tells its own.
    void clear_conflicts();

    /// What a peer is told that this node has: each() in short, and what is in quarantine, lest it be sent
    /// again.
    [[nodiscard]] std::vector<Summary> summary() const;
    /// What a peer with this summary (by key) lacks; and `gone`: what this node has, the peer lacks, and is
    /// older than the peer's floor, so that it was removed and forgotten there, or never came there in a
    /// week.
    struct Difference {
        std::vector<std::shared_ptr<const Entry>> lacking;
        std::vector<std::shared_ptr<const Entry>> gone;
    };
    [[nodiscard]] Difference difference(std::span<const Summary> theirs, Hlc their_floor) const;
    /// Drops them, if they are still the same.
    void drop(std::span<const std::shared_ptr<const Entry>> entries);

    /// From a file, or a peer's: neither goes back.
    void raise(const Marks& marks);
    void restore(Conflict conflict);
    /// Tombstones older than the horizon go, once everybody who counts has reported this digest; those that
    /// still make orphans stay. Returns how many went.
    std::size_t forget_tombstones(std::uint64_t older_than_wall_ms);
    /// Everything goes; the stamp stays (time does not go back).
    void clear();

private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

} // namespace schedd::membership
