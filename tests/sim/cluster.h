// SimCluster: nodes that share jobs in virtual time - processor sharing on each, values that are told and get
// old, moves that take time; real chains and real policies decide.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "components/kit/rng.h"
#include "policies/policies.h"
#include "tests/kit/world.h"

namespace schedd::test {

/// Of CPU time on the fastest node, in seconds.
struct ClusterJob {
    double arrives = 0;
    double work = 0;
    int home = 0; // where it arrives
    double left = 0;
    double ends = -1;
};

/// Poisson arrivals at nodes by chance for `seconds`. Lives are Pareto(1) from `shortest` to `longest` s, as
/// of processes on workstations (Harchol-Balter and Downey: Exploiting Process Lifetime Distributions for
/// Dynamic Load Balancing, ACM TOCS 15(3), 1997), or exponential with a mean of `mean` if that is not 0.
struct ClusterLoad {
    double wanted = 0.8; // of the capacity of all nodes
    double seconds = 1000;
    double shortest = 10; // a move takes seconds: shorter ones are over before it
    double longest = 1000;
    double mean = 0;
};
std::vector<ClusterJob> jobs_of(const ClusterLoad& load, const std::vector<double>& speeds, kit::Rng& rng);

/// Who decides where a job starts; nobody: it stays where it arrives.
enum class Placing { nobody, random, round_robin, greedy, clone };

struct ClusterRules {
    Placing placing = Placing::nobody;
    bool balances = false;     // mosix_load_balancer moves jobs, with the chains of the legacy scheduler
    std::uint64_t choices = 2; // of both policies
    double tell_period = 1;    // s between two values that others hear
    double freeze = 0.5;       // s that a job does not run while it moves
};

struct ClusterResult {
    double slowdown = 0; // mean of (end - arrival) / work
    double response = 0; // mean of (end - arrival), s
    double moves = 0;    // for each job
};

class SimCluster {
public:
    /// A CPU each; 1 = the fastest. One seed is one run.
    SimCluster(std::vector<double> speeds, const ClusterRules& rules, std::uint64_t seed);
    ~SimCluster();
    /// Until all have ended. REQUIRES: ordered by arrival.
    ClusterResult run(std::vector<ClusterJob> jobs);

private:
    struct Node;
    struct Travel {
        std::size_t job;
        int to;
        double arrives;
    };
    [[nodiscard]] int place(const ClusterJob& job);
    [[nodiscard]] int greedy() const;
    [[nodiscard]] int ask_clone(int home);
    void advance(double until);
    void advance(Node& node, double until);
    void land(double until);
    void tick();
    void tell();
    void balance(Node& node);

    std::vector<double> speeds_;
    ClusterRules rules_;
    kit::Rng rng_;
    std::vector<std::unique_ptr<Node>> nodes_;
    std::vector<ClusterJob> jobs_;
    std::vector<Travel> travels_;
    double now_ = 0;
    double next_tell_ = 0;
    std::size_t turn_ = 0; // of round robin
    std::size_t moves_ = 0;
};

} // namespace schedd::test
