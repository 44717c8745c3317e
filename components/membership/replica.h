// Replica: keeps this node's store equal to the others' - tells deltas, notices other digests, asks for what
// is missing, and knows whether it may call itself complete.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "components/kit/log.h"
#include "components/kit/rng.h"
#include "components/membership/configuration.h"
#include "components/membership/store.h"
#include "components/membership/sync.h"

namespace schedd::membership {

/// Where entries are kept over restarts; files in service/net, their bytes in journal_text.h.
class Journal {
public:
    virtual ~Journal() = default;
    /// Made durable before the call returns. Fails with io (full, read-only); the store goes on without.
    virtual Status append(std::span<const std::shared_ptr<const Entry>> entries, const Marks& marks) = 0;
    /// Replaces everything: a snapshot, and an empty log.
    virtual Status replace(const Store& store) = 0;
    /// The store as it is now is kept aside for people ("config.rejected-1"), because something of it is
    /// given up for the cluster's.
    virtual Status set_aside(const Store& store) = 0;
};

/// What a replica asks of its surroundings.
class Wires {
public:
    virtual ~Wires() = default;
    /// To everybody (Node::spread).
    virtual void spread(Bytes delta) = 0;
    /// Start a synchronisation with a peer: a connection whose frames go through a Sync.
    virtual void connect(NodeUid peer, const Address& address) = 0;
    /// The store's effective configuration is another: it is to be carried out.
    virtual void changed() = 0;
};

struct ReplicaWorld {
    const Clock& clock;
    const MachineClocks& clocks;
    Rng& rng;
    Log& log;
    Journal& journal;
    Wires& wires;
};

class Replica final : public Configuration {
public:
    /// The store is empty, or as it was read from the journal; the first tick has it carried out, before
    /// others are asked: they may be away.
    Replica(Store& store, NodeUid self, const ReplicaWorld& world);
    ~Replica() override;

    /// Own changes: stored, journalled, told. `clock_offset_ms` is Node's; fails also with not_applied if it
    /// is beyond limits::kSkewMs, with the offset in the message, and with busy while is_complete() is false.
    Status write(std::span<const Write> changes, std::optional<std::int64_t> clock_offset_ms);
    /// What became of carrying out the effective configuration.
    void report(const ApplyStatus& status, std::string trouble);
    /// Pulls that are due are started; returns when it wants to be called next.
    Time tick(Time now);

    /// Of a connection that this node opened, or was opened to it (peer not known then, but a member: it has
    /// the key). The replica outlives it. What came is stored when the last frame has come, all at once.
    std::unique_ptr<Sync> sync(std::optional<NodeUid> peer);
    /// Each connection that was asked for by Wires::connect ends in this, also if none came about.
    void sync_ended(std::optional<NodeUid> peer, bool is_complete, Time now);

    // Configuration
    [[nodiscard]] Digest digest() const override;
    [[nodiscard]] Hlc latest() const override;
    [[nodiscard]] std::optional<ApplyStatus> applied() const override;
    [[nodiscard]] std::string_view trouble() const override;
    [[nodiscard]] bool is_complete() const override;
    void heard(const Message& message, const Address& address, Time now) override;
    void delta(const Message& message, Time now) override;
    void alone(Time now) override;
    void lost(NodeUid peer, Time now) override;

private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

} // namespace schedd::membership
