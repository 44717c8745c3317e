// PeersTrial: ten minutes in the life of a cluster to which everything happens that may, with what must be
// true all the same.
#pragma once

#include <map>

#include "tests/sim/peers_net.h"

namespace schedd::test {

/// What may happen; a seed chooses among all of it.
struct Troubles {
    bool crashes = true, pauses = true, partitions = true, clocks = true, clones = true, keys = true,
         drains = true;
    bool upgrades = false; // each life of a program is of this minor version or of a later one
};

class PeersTrial final : public Observer {
public:
    PeersTrial(std::uint64_t seed, std::size_t nodes);
    /// Boots, lives through `for_ms`, is left in peace for a minute, and has to be whole.
    void live(std::uint64_t for_ms = 600'000);
    [[nodiscard]] const std::string& fault() const { return net.fault; }
    [[nodiscard]] std::string weather_text() const;

    void changed(Machine& at, const PeerFacts& peer, Standing before) override;

    PeersNet net;
    Troubles troubles;
    /// Nobody may be declared dead who is there; not so for one in five lost.
    bool forbids_false_deaths = true;
    double most_in_peace = 5; // datagrams a second that a node may send
    std::uint64_t false_deaths = 0;
    std::uint64_t crashes = 0;
    double worst_rate = 0; // datagrams a second that a node sent, over a calm minute

private:
    struct Check {
        std::uint64_t crashed_ms = 0;
        std::size_t observer = 0;
        std::size_t subject = 0;
        int stage = 0; // 0: suspect by now, 1: dead by now unless held, 2: dead
    };
    void happens();
    void crash_one();
    void partition();
    void revive(Machine& machine);
    void step_clock();
    void clone_one();
    void rotate_keys();
    void later(std::uint64_t in_ms, std::function<void()> what) {
        agenda_.emplace(net.now_ms() + in_ms, std::move(what));
    }
    void run(std::uint64_t for_ms);
    void expect_end_of(Machine& subject);
    void check(const Check& one);
    void check_table();
    void check_whole();
    /// Whether nothing has happened between the two for long enough that they must know each other.
    [[nodiscard]] bool is_calm(const Machine& a, const Machine& b, std::uint64_t since_ms) const;
    [[nodiscard]] Machine& any() { return net.at(net.rng().below(nodes_)); }

    std::size_t nodes_;
    std::multimap<std::uint64_t, std::function<void()>> agenda_;
    std::uint64_t topology_ms_ = 0;
    bool is_parted_ = false;
    std::uint8_t key_ = 1;
    std::uint64_t keys_until_ms_ = 0;         // a rotation is under way
    std::map<NodeUid, std::uint64_t> cloned_; // until when
};

} // namespace schedd::test
