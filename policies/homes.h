// Homes: which domain each subject lives in, carried from decision to decision and across changes of the
// machine.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "components/model/subjects.h"
#include "components/model/topology.h"
#include "policies/hierarchy.h"

namespace schedd::policies {

using namespace schedd::model;

/// What a policy remembers of one subject.
struct Home {
    Target target;
    std::size_t domain = kNowhere; // index into Homes::domains()
    std::string reason;            // why it is there; stays the same as long as it stays there
    std::string lost;              // the domain it had before that went away
    std::optional<Time> put_at;    // when it last got a domain other than the one it was found in
    std::vector<Time> moved_at;    // chosen moves; who keeps a budget forgets the old ones
    double duty = 0;               // CPUs wanted, as last measured
    double load = 0;               // duty, weighted where weights count
    bool is_known = false;         // `duty` was measured at some time
    bool is_measured = false;      // ... and in this round
    int came_with = 0;             // usable CPUs it could run on before it was held; 0 if not known
    int too_large_for = 0; // CPUs of the largest domain when it was let go, as it wants more; 0: it is not
    bool is_back = false;  // it was so, and is to be placed again

    [[nodiscard]] bool is_displaced() const { return !lost.empty(); }
    [[nodiscard]] bool is_too_large() const { return too_large_for > 0; }
    /// It is in this domain already.
    void stay(std::size_t in, std::string why) {
        domain = in;
        reason = std::move(why);
        lost.clear();
        too_large_for = 0;
        is_back = false;
    }
    /// It gets this domain now.
    void put(std::size_t in, Time now, std::string why) {
        stay(in, std::move(why));
        put_at = now;
    }
};

/// One Home per subject, in the subjects' order.
class Homes {
public:
    /// Takes the domains of these levels, if the usable CPUs, the generation or the levels changed. A home
    /// follows the domain that holds most of its old CPUs (the lowest of equals, so the finest); when none
    /// holds more than half of those still usable, it is lost and the subject has to be placed anew.
    void follow_topology(const Topology& topology, const Levels& levels);
    /// Brings the homes in line with the subjects: newcomers get an empty one, who is gone is forgotten.
    void follow_subjects(const Subjects& subjects);

    [[nodiscard]] const Hierarchy& hierarchy() const { return hierarchy_; }
    [[nodiscard]] const std::vector<NestedDomain>& domains() const { return hierarchy_.domains; }
    [[nodiscard]] int usable_cpus() const { return usable_.count(); }
    [[nodiscard]] int usable_among(const CpuSet& mask) const { return (mask & usable_).count(); }
    /// The finest domain that holds all usable CPUs of a mask, or kNowhere.
    [[nodiscard]] std::size_t domain_around(const CpuSet& mask) const;

    [[nodiscard]] std::size_t size() const { return homes_.size(); }
    [[nodiscard]] Home& operator[](std::size_t i) { return homes_[i]; }
    [[nodiscard]] const Home& operator[](std::size_t i) const { return homes_[i]; }
    /// Holds everyone who has a domain on all of its CPUs.
    [[nodiscard]] std::vector<Decision> decisions() const;

private:
    std::vector<Home> homes_;
    Hierarchy hierarchy_;
    std::vector<std::size_t> domain_of_cpu_; // the finest, by CPU number
    CpuSet usable_;
    std::uint64_t generation_ = 0;
    Levels levels_ = Level::automatic;
};

} // namespace schedd::policies
