// JournalFile: the replicated configuration in two files of the state directory, a snapshot (cluster.config)
// and a log of changes since (cluster.log).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "components/membership/hash.h"
#include "components/membership/journal_text.h"
#include "components/membership/replica.h"
#include "service/net/datagram_socket.h"

namespace schedd::net {

/// A store that is full, twice over for two halves that met, with its conflicts.
constexpr std::size_t kSnapshotBytes = 64U << 20U;
constexpr std::size_t kLogBytes = 64U << 20U;
/// A log longer than this, and than the snapshot, is due to be replaced by a new snapshot.
constexpr std::size_t kLogDue = 1U << 20U;

class JournalFile final : public membership::Journal {
public:
    /// `directory` "": nothing is kept. All outlive it.
    JournalFile(std::string directory, const membership::Hash& hash, const membership::MachineClocks& clocks);

    /// Both files into an empty store. What cannot be read is set aside, and said in `troubles`; true if the
    /// store has a history, and is no newcomer's.
    bool load(membership::Store& store, std::vector<Error>& troubles);

    Status append(std::span<const std::shared_ptr<const membership::Entry>> entries,
                  const membership::Marks& marks) override;
    Status replace(const membership::Store& store) override;
    Status set_aside(const membership::Store& store) override;

    [[nodiscard]] bool is_snapshot_due() const;

private:
    Status open_log();
    [[nodiscard]] std::string path(const char* name) const { return directory_ + "/" + name; }

    std::string directory_;
    const membership::Hash& hash_;
    const membership::MachineClocks& clocks_;
    Descriptor log_;
    std::size_t log_size_ = 0;
    std::size_t snapshot_size_ = 0;
};

} // namespace schedd::net
