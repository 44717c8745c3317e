// Cluster::Impl: all that belongs to this node, in the order of who needs whom.
#pragma once

#include "service/net/cluster.h"
#include "service/net/journal_file.h"
#include "service/net/link_watch.h"
#include "service/net/lives.h"
#include "service/net/sodium_cipher.h"
#include "service/net/sodium_hash.h"
#include "service/net/sync_hub.h"
#include "service/net/this_machine.h"

namespace schedd::net {

/// The cipher's keys, for the streams.
class RingKeys final : public KeySource {
public:
    explicit RingKeys(const SodiumCipher& cipher) : cipher_(cipher) {}
    [[nodiscard]] std::uint8_t active_key() const override { return cipher_.active(); }
    [[nodiscard]] std::optional<std::span<const std::byte, 32>> key(std::uint8_t id) const override {
        if (!cipher_.knows(id)) return std::nullopt;
        return cipher_.secret(id);
    }

private:
    const SodiumCipher& cipher_;
};

class Cluster::Impl final : public membership::Wires, public membership::NodeListener {
public:
    Impl(ClusterPlace place, const ClusterWorld& world) : place_(std::move(place)), world_(world) {}
    Status open();
    Time turn();
    Status write(std::span<const membership::Write> changes);
    void save(Time now);

    // Wires
    void spread(Bytes delta) override;
    void connect(NodeUid peer, const Address& address) override;
    void changed() override;
    // NodeListener, passed on to the daemon's
    void peer_changed(const membership::PeerFacts& peer, membership::Standing before) override;
    void peer_forgotten(NodeUid uid) override;
    void peer_told(NodeUid uid) override;
    void self_changed(membership::Announced now, membership::Announced before) override;
    void displaced(const Address& by) override;

    ClusterPlace place_;
    ClusterWorld world_;
    std::vector<Error> troubles_; // of files, until the others have told what they lacked
    std::vector<Error> lasting_;  // of this machine
    SodiumHash hash_;
    SystemClocks clocks_;
    std::unique_ptr<SodiumCipher> cipher_;
    std::unique_ptr<RingKeys> keys_;
    Lives lives_;
    std::unique_ptr<membership::Store> store_;
    std::unique_ptr<JournalFile> journal_;
    std::unique_ptr<membership::Replica> replica_;
    std::unique_ptr<SocketTransport> transport_;
    std::unique_ptr<LinkWatch> links_;
    std::unique_ptr<membership::Node> node_;
    std::unique_ptr<SyncHub> hub_; // holds ends of the replica: goes first

private:
    Status open_network(NodeUid uid);
    void open_node(NodeUid uid);
    Status watch(int fd);
    void take_links(Time now);
    void read_datagrams(Time now);
    void pause_datagrams(bool is_paused);
    [[nodiscard]] std::vector<Address> own_addresses() const;

    Descriptor poll_;
    Time resume_ = kNever;            // when datagrams that wait for each other are read
    Time counted_since_{};            // rate
    std::size_t counted_ = 0;         //
    std::size_t rate_ = 0;            // datagrams a second
    Time save_ = kNever;              // when peers are written next
    std::optional<Error> save_error_; // told already

    friend class Cluster;
};

} // namespace schedd::net
