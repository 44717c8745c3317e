// Cluster: this machine among its peers - sockets, keys, files, the node and the replicated configuration,
// put together for the daemon.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "components/kit/clock.h"
#include "components/kit/log.h"
#include "components/kit/rng.h"
#include "components/membership/cluster_settings.h"
#include "components/membership/node.h"
#include "components/membership/replica.h"
#include "service/net/transport.h"

namespace schedd::net {

/// What the daemon knows beside the [cluster] table.
struct ClusterPlace {
    membership::ClusterSettings settings;
    std::string key_file;                   // as find_key_file() found it
    std::string state_directory;            // "": nothing survives a restart
    std::string host_name;                  // where the settings give no name
    std::optional<membership::NodeUid> uid; // in the machine's place, for tests
    std::uint64_t features = 0;             // of the configuration, that this build can read
    std::size_t coalesce_above = 50;        // datagrams a second; from then on they wait for each other
};

/// What it uses of the daemon; all outlive it.
struct ClusterWorld {
    const Clock& clock;
    Log& log;
    Rng& rng;
    membership::NodeListener* listener = nullptr; // told of peers
    std::function<void()> changed;                // the configuration to be carried out is another
};

/// So long datagrams wait for each other: as long as nobody notices (verdicts are of seconds), and in a flood
/// only so long that the socket's buffer holds them.
constexpr Duration kCoalesce = std::chrono::milliseconds(50);
constexpr Duration kCoalesceFlood = std::chrono::milliseconds(20);
constexpr std::size_t kFlood = 5000; // datagrams a second

class Cluster {
public:
    /// Fails, and names it, if the key file cannot be used, the port is taken, or the machine has no identity
    /// or no IP at all. What is wrong with the state directory is logged, and it goes on without.
    static Result<std::unique_ptr<Cluster>> open(ClusterPlace place, const ClusterWorld& world);
    ~Cluster();
    Cluster(const Cluster&) = delete;
    Cluster& operator=(const Cluster&) = delete;

    /// Readable (POLLIN) when turn() has something to do; one descriptor for all.
    [[nodiscard]] int fd() const;
    /// Does what is due, a bounded part of it; returns when it wants to be called next at the latest.
    Time turn();

    [[nodiscard]] membership::Node& node();
    [[nodiscard]] const membership::Node& node() const;
    [[nodiscard]] membership::Replica& replica();
    [[nodiscard]] const membership::Store& store() const;
    [[nodiscard]] membership::Store& store();

    /// Changes of the configuration, on all nodes. Fails also with not_applied: too few nodes are heard
    /// (config_quorum), or this machine's clock is too far off.
    Status write(std::span<const membership::Write> changes);
    /// Reads the key file again; on failure the ring stays as it is.
    Status reload_keys();
    /// Of the keys that are used, as heartbeats tell it: nodes of one fingerprint have the same.
    [[nodiscard]] std::uint64_t key_fingerprint() const;
    /// Kept over restarts.
    void drain(bool is_draining);
    /// Says goodbye; turns go on until is_stopped(), for 0.2 s.
    void stop();
    [[nodiscard]] bool is_stopped() const;

    // For people.
    /// All interfaces, with why those that are not used are not.
    [[nodiscard]] std::vector<Link> links() const;
    [[nodiscard]] std::vector<GroupFacts> groups() const;
    [[nodiscard]] SocketCounts socket_counts() const;
    /// Whether a multicast querier has been heard on that interface; none: not known.
    [[nodiscard]] std::optional<bool> querier_heard(const std::string& interface) const;
    /// What was wrong at the start and has been survived.
    [[nodiscard]] std::vector<Error> troubles() const;

private:
    class Impl;
    explicit Cluster(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

/// From the text of /proc/net/igmp: an interface that fell back to an older version has heard a querier; the
/// kernel does not tell of the latest version, so else it is not known.
[[nodiscard]] std::optional<bool> querier_in(std::string_view igmp, std::string_view interface);

} // namespace schedd::net
