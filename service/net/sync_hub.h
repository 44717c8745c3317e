// SyncHub: the TCP side of the cluster's port - accepts members that synchronise, and calls others.
#pragma once

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "components/kit/log.h"
#include "service/net/sync_connection.h"

namespace schedd::net {

constexpr std::size_t kSyncsOut = 4;                           // at once
constexpr Duration kComplaintEvery = std::chrono::minutes(10); // about one address
constexpr std::size_t kComplaints = 256;                       // addresses remembered for that

/// Says whether something may be told again; remembers a bounded number of things.
class Throttle {
public:
    [[nodiscard]] bool may(const std::string& about, Time now);

private:
    std::map<std::string, Time> told_;
};

struct SyncCounts {
    std::uint64_t called = 0, calls = 0; // by others, by this node
    std::uint64_t complete = 0, failed = 0;
    std::uint64_t refused = 0; // too many at once
    std::uint64_t bytes = 0;
};

class SyncHub {
public:
    struct Settings {
        std::uint16_t port = kPort;
        std::uint64_t cluster = 0;
        NodeUid self{};
    };
    /// Replica's ends: nobody for a connection that was opened to this node.
    struct Hooks {
        std::function<std::unique_ptr<Sync>(std::optional<NodeUid> peer)> sync;
        std::function<void(std::optional<NodeUid> peer, bool is_complete, Time now)> ended;
    };
    /// Fails with held_by_other (the port is taken), not_supported (neither family), io. Hooks may be set
    /// later, before the first step.
    static Result<std::unique_ptr<SyncHub>> open(const Settings& settings, const KeySource& keys, Log& log);
    void set_hooks(Hooks hooks) { hooks_ = std::move(hooks); }

    [[nodiscard]] int fd() const { return poll_.get(); }
    /// Calls a peer; how it went is told from within a later step(), never from here.
    void call(NodeUid peer, const Address& address, Time now);
    /// Accepts, reads, writes, and ends what is over; returns when it wants to be called next. Unless fd() is
    /// readable nobody calls, and asking the listeners, which is dear, can be spared.
    Time step(Time now, bool may_be_called = true);

    [[nodiscard]] const SyncCounts& counts() const { return counts_; }
    [[nodiscard]] std::size_t going() const { return items_.size(); }

private:
    struct Item {
        std::optional<NodeUid> peer;
        std::unique_ptr<SyncConnection> connection;
        std::uint32_t events = 0;
    };
    SyncHub(const Settings& settings, const KeySource& keys, Log& log, Descriptor poll);
    Status listen(Family family);
    Status watch(int fd, std::uint32_t events) const;
    void accept(int listener, Time now);
    bool make_room();
    void add(Item item);
    void end(Item& item, Time now);
    [[nodiscard]] std::size_t incoming() const;

    Settings settings_;
    const KeySource& keys_;
    Log& log_;
    Hooks hooks_;
    Descriptor poll_;
    std::array<Descriptor, 2> listeners_;
    std::vector<Item> items_;
    std::vector<NodeUid> refused_; // calls that did not even begin
    Throttle throttle_;
    SyncCounts counts_;
};

} // namespace schedd::net
