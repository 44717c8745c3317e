// Journal text: the bytes of the snapshot and of the append log that keep the configuration over restarts;
// CONFIGURATION.md has the tables.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "components/membership/octets.h"
#include "components/membership/store.h"

namespace schedd::membership::journal_text {

constexpr std::uint8_t kMajor = 1; // files of a later one are not read
constexpr std::uint8_t kMinor = 0;

/// All of the store, its conflicts and marks.
Octets snapshot(const Store& store, const Hash& hash);
/// What a log starts with.
Octets log_header();
/// One record of the log: entries that have just been stored, whole transactions, and the marks after them.
Octets record(std::span<const std::shared_ptr<const Entry>> entries, const Marks& marks,
              std::uint64_t wall_ms, const Hash& hash);

enum class Health {
    absent,    // empty
    good,      //
    torn,      // (log) its last record is not complete, as after a loss of power: the rest was read
    corrupted, // not what was written: to be kept aside
    newer,     // of a later major version: to be kept aside
};

struct Loaded {
    Health snapshot = Health::absent;
    Health log = Health::absent;
    std::size_t log_good = 0;            // its first bytes, that were read; the file is cut there to go on
    bool has_history = false;            // for Replica: the store is no newcomer's
    std::vector<std::string> complaints; // sentences for the log
};

/// Both files' bytes into an empty store. If the snapshot cannot be read the store stays empty, since
/// whatever a part of it says may have been removed since: others have it all. The stamps are respected even
/// so.
Loaded load(Bytes snapshot, Bytes log, Store& store, const Hash& hash);

} // namespace schedd::membership::journal_text
