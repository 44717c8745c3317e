// PoolMembers: who belongs to which pool, and what they want of CPUs.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "components/model/port.h"
#include "components/model/subjects.h"
#include "policies/pool_cores.h"

namespace schedd::policies {

/// Pools are named by their place; the place after the last is the default pool, of those whom none takes.
class PoolMembers {
public:
    /// Other pools: all belong anew.
    void follow(std::vector<PoolSpec> specs);
    /// Who is gone is forgotten; who came, or is of another class, is told its pool.
    void follow(const Subjects& subjects);
    /// Reads what each wants. Whoever has no value keeps its last one.
    void measure(const Subjects& subjects, const Port& process_load);
    /// Adds what members' control groups used beyond what their processes are known to want: that of
    /// processes which came and went. A group inside another member's is that member's own.
    void add_short_lived(const Subjects& subjects, const Port& cgroup_usage);

    /// By place in the subjects.
    [[nodiscard]] std::size_t pool_of(std::size_t subject) const { return tracks_[subject].pool; }
    [[nodiscard]] const std::string& rule_of(std::size_t subject) const { return tracks_[subject].rule; }
    /// By its target; none if it was not followed.
    [[nodiscard]] std::optional<std::size_t> find(const Target& target) const;
    /// Members of a pool.
    [[nodiscard]] int count(std::size_t pool) const { return sums_[pool].members; }
    /// CPUs wanted by the members of a pool; none if nothing is known of any that runs.
    [[nodiscard]] std::optional<double> load(std::size_t pool) const;
    /// The first pool of whose members nothing is known; past the last if there is none.
    [[nodiscard]] std::size_t first_unseen() const;
    /// For each pool and the default one: the CPUs on which most of its members that are held run.
    [[nodiscard]] std::vector<CpuSet> held_on(const Subjects& subjects) const;

private:
    struct Track {
        Target target;
        std::string member = {};
        WorkClass work_class = WorkClass::normal;
        std::size_t pool = 0;
        std::string rule = {};
        double load = 0; // CPUs wanted, as last known
        bool is_new = true;
    };
    struct Sum {
        int members = 0;
        int seen = 0; // of them, those of whom it is known now what they want
        double load = 0;
    };
    void assign(Track& track, const Subject& subject) const;

    std::vector<PoolSpec> specs_;
    std::vector<Track> tracks_; // in the subjects' order
    std::vector<Sum> sums_ = std::vector<Sum>(1);
};

} // namespace schedd::policies
