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

/// One path's latest word. Paths are the tree's: "schedulers/CPU_LB" (creation, its value the type),
/// "probes/cpu.probe_period" (an attribute), "schedulers/A/b/p.source" (a link, its value the source's path).
struct Entry {
    std::string path;
    std::string value;
    Hlc stamp;
    NodeUid writer{};
    std::uint64_t transaction = 0; // entries written together; carried out only when all are there
    std::uint16_t parts = 1;       // how many belong to the transaction
    std::uint16_t needs = 0;       // feature a node must have to understand it; others store and forward it
    bool is_tombstone = false;     // the path and all below it are gone as of `stamp`
    bool operator==(const Entry&) const = default;
};
/// Whether `a` replaces `b`: by stamp, then by writer.
bool beats(const Entry& a, const Entry& b);

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

class Store {
public:
    Store(NodeUid self, const MachineClocks& clocks, const Hash& hash);
    ~Store();

    /// Stamps and stores own changes as one transaction; the stamp is later than anything seen so far.
    /// Returns the new entries. Fails with limit_exceeded (naming the limit), invalid_value (a path that
    /// cannot be).
    Result<std::vector<Entry>> write(std::span<const Write> changes);

    /// What became of an entry from elsewhere.
    enum class Taken { newer, known, older, conflict, quarantined, refused };
    /// Stores it if it beats what is here. Stamped more than limits::kAheadMs ahead of the own clock it is
    /// put into quarantine: not stored, not passed on, and the own stamp does not follow it.
    Taken take(const Entry& entry);

    [[nodiscard]] const Entry* find(std::string_view path) const;
    /// All entries that hold, tombstones included, by path; incomplete transactions and orphans too.
    void each(const std::function<void(const Entry&)>& visit) const;
    /// What a node is to carry out: without tombstones, orphans, and transactions that are not complete.
    [[nodiscard]] std::vector<const Entry*> effective() const;

    /// Grows with every change of effective(); for those who carry it out.
    [[nodiscard]] std::uint64_t generation() const;
    [[nodiscard]] const Digest& digest() const;
    [[nodiscard]] Hlc latest() const;
    [[nodiscard]] std::size_t size() const;
    [[nodiscard]] std::size_t bytes() const;
    [[nodiscard]] std::span<const Conflict> conflicts() const;
    [[nodiscard]] std::span<const Entry> quarantined() const;
    /// An administrator has seen them.
    void clear_conflicts();

    /// Tombstones older than the horizon go, once everybody who counts has reported this digest.
    void forget_tombstones(std::uint64_t older_than_wall_ms);
    /// Everything goes; the stamp stays (time does not go back).
    void clear();

private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

} // namespace schedd::membership
