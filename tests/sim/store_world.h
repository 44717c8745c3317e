// A cluster of replicas on a simulated network: heartbeats, deltas, connections, files, clocks; one seed is
// one run.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <queue>
#include <set>
#include <string>
#include <vector>

#include "components/kit/rng.h"
#include "components/membership/journal_text.h"
#include "components/membership/replica.h"
#include "tests/kit/manual_clock.h"
#include "tests/unit/membership/store_world.h"

namespace schedd::membership::sim {

using namespace std::chrono_literals;

/// The files of a node, in memory; they outlive its restarts.
class Disk final : public Journal {
public:
    Disk(const MachineClocks& clocks, const Hash& hash) : clocks_(clocks), hash_(hash) {}
    Status append(std::span<const std::shared_ptr<const Entry>> entries, const Marks& marks) override;
    Status replace(const Store& store) override;
    Status set_aside(const Store& store) override;
    void wipe();
    /// The last record was not written to its end.
    void tear(Rng& rng);

    Octets snapshot;
    Octets log;
    int aside = 0;

private:
    const MachineClocks& clocks_;
    const Hash& hash_;
    std::size_t last_record_ = 0;
};

struct NoLog final : Log {
    void write(Severity /*severity*/, std::string_view /*about*/, std::string_view /*message*/) override {}
};

class Cluster;

/// The wall clock of one node: the virtual time and an offset that steps.
struct Wall final : MachineClocks {
    explicit Wall(const test::ManualClock& clock) : clock_(clock) {}
    [[nodiscard]] std::uint64_t wall_ms() const override {
        const auto now_ms = static_cast<std::int64_t>(milliseconds_of(clock_.now()));
        return static_cast<std::uint64_t>(1'800'000'000'000 + now_ms + offset_ms);
    }
    [[nodiscard]] Duration suspended() const override { return {}; }
    std::int64_t offset_ms = 0;

private:
    const test::ManualClock& clock_;
};

struct Node final : Wires {
    Node(Cluster& cluster_in, std::size_t index_in);
    void spread(Bytes delta) override;
    void connect(NodeUid peer, const Address& address) override;
    void changed() override;

    Cluster& cluster;
    std::size_t index;
    NodeUid uid;
    Wall wall;
    MixingHash hash;
    Disk disk;
    Rng rng;
    NoLog log;
    std::unique_ptr<Store> store; // none: it is down
    std::unique_ptr<Replica> replica;
    int side = 0; // of a partition; different sides do not hear each other
    std::uint64_t life = 0;
    std::uint64_t deltas = 0;
    Time tick_at = kNever;
    Time heard{};
    Time complete_at = kNever;
    std::size_t inbound = 0;
    Hlc latest; // ever, over restarts with a disk
};

/// A connection: frames of both ends, so many at a time.
struct Link;

class Cluster {
public:
    Cluster(std::size_t count, std::uint64_t seed, double loss);
    ~Cluster();

    void start(std::size_t index);
    /// Nothing is said any more; the others notice after 5.5 s.
    void stop(std::size_t index);
    void split(const std::function<int(std::size_t)>& side_of);
    void heal();
    void run(Duration time);
    /// Hours in which little happens: a heartbeat each, and no loss.
    void skip_hours(int hours);
    [[nodiscard]] bool is_up(std::size_t index) const { return nodes[index]->replica != nullptr; }
    Status write(std::size_t index, std::vector<Write> changes);
    [[nodiscard]] bool are_equal() const;
    /// Until all that are up have the same digest, at most so long; kNever if they have not.
    Duration until_equal(Duration at_most);

    void at(Time when, std::function<void()> what) { events_.push({when, order_++, std::move(what)}); }
    [[nodiscard]] bool hears(const Node& a, const Node& b) const {
        return a.replica && b.replica && a.side == b.side;
    }
    void tick(Node& node);
    void begin(Node& from, NodeUid to);
    void tell_delta(std::size_t from, std::uint64_t life, const std::shared_ptr<Octets>& delta);
    [[nodiscard]] bool is_lost() { return static_cast<double>(rng.below(1'000'000)) < loss * 1e6; }

    test::ManualClock clock;
    Rng rng;
    double loss;
    std::vector<std::unique_ptr<Node>> nodes;
    /// Heartbeats of this many more nodes that have what node 0 has; asked, node 0 answers.
    std::size_t shadows = 0;
    std::size_t connections = 0;
    std::function<void(Node&)> on_changed;
    std::function<void(Node&)> on_tick; // after each, for invariants

private:
    struct Event {
        Time when;
        std::uint64_t order;
        std::function<void()> what;
        bool operator<(const Event& other) const {
            return std::pair(when, order) > std::pair(other.when, other.order);
        }
    };
    void beat(std::size_t index, std::uint64_t life, bool is_join);
    void shadow_beat(std::size_t number);
    void pump(const std::shared_ptr<Link>& link);
    void end(Link& link, bool is_complete);
    void notice_absence();
    void hear(Node& to, const Message& message);

    std::priority_queue<Event> events_;
    std::uint64_t order_ = 0;
    std::vector<std::shared_ptr<Link>> links_;
};

} // namespace schedd::membership::sim
