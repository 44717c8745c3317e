// Ledger: what every target was like before schedd first touched it; written before the first touch, so that
// a crash at any point can be put right by the next start.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "components/model/subject.h"

namespace schedd::placement {

using namespace schedd::model;

/// Where the ledger's lines are kept; the daemon's is a file in the state directory.
class LedgerStore {
public:
    virtual ~LedgerStore() = default;
    /// Adds lines at the end; they must survive the death of this process when the call returns.
    virtual Status append(std::string_view lines) = 0;
    /// Replaces everything, atomically.
    virtual Status replace(std::string_view all) = 0;
};

class Ledger {
public:
    struct Entry {
        std::string actuator; // who captured it
        std::string original; // Actuator::capture()
        CpuSet written;       // last written; what a forked child inherits; empty: it is being let go
        CpuSet before = {};   // what was written before that: after a crash either may hold
    };

    /// Starts from what the store held (`text`). Another boot's ledger is void: its tasks are gone. A torn
    /// last line, as a crash leaves it, is ignored; any other bad line is reported in `complaints`.
    Ledger(LedgerStore& store, std::string boot_id, std::string_view text,
           std::vector<std::string>& complaints);

    [[nodiscard]] const std::map<Target, Entry>& entries() const { return entries_; }
    [[nodiscard]] const Entry* find(const Target& target) const;

    /// Records new entries; on failure none is recorded and nothing may be written to the machine.
    Status record(const std::vector<std::pair<Target, Entry>>& added);
    /// Notes a mask that is about to be written to a recorded target, or that it is about to be let go
    /// (none); kept with the next flush().
    void note_written(const Target& target, const CpuSet& cpus);
    /// The target is as it was, or gone.
    void forget(const Target& target);
    /// Makes notes and removals durable; compacts when most lines are stale. Call once per tick.
    Status flush();

private:
    [[nodiscard]] std::string header() const;

    LedgerStore& store_;
    std::string boot_id_;
    std::map<Target, Entry> entries_;
    std::string pending_;
    std::size_t lines_ = 0;
};

} // namespace schedd::placement
