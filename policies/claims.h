// Claims: who has which whole cores, and who waits for some, in the order in which they came; kept from
// decision to decision.
#pragma once

#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "components/model/subjects.h"
#include "policies/cores.h"

namespace schedd::policies {

/// One who asks for CPUs of its own.
struct CoreAsk {
    Target key;                        // the target, or of a member's processes `key_of`
    CoreRequest request;               // at least one CPU
    std::vector<std::size_t> subjects; // their places in the view

    /// Processes that came in by one member ask together; a unit or control group asks for itself.
    static Target key_of(const Subject& subject);
};

/// What it has. Who has fewer cores than it needs waits for more.
struct Claim {
    Target key;
    CoreRequest request;
    std::vector<int> cores = {};
    int capacity = 0;        // as how many CPUs its cores count
    CpuSet cpus = {};        // all CPUs of its cores: this is what stays its own when cores are numbered anew
    bool was_found = false;  // it ran on exactly these when it came
    int missing = 0;         // CPUs
    std::string reason = {}; // while nothing is missing; empty when it must be said anew
};

class Claims {
public:
    struct Rules {
        int keep_free = 1;  // cores that are left to the rest of the members
        bool spill = false; // who does not get all takes what there is
    };

    /// The machine, or what is reserved of it, is another: each keeps those of its CPUs that are still there,
    /// the earlier first.
    void follow(const Cores& cores);
    /// Gives back what nobody asks for any more, and takes what is asked for, in this order: who has more
    /// than it needs gives back; if fewer than `keep_free` cores are left, the last who came give back; a
    /// newcomer found on cores that are just right gets them; the others get theirs in the order in which
    /// they came, of those who came at once the largest first. Nobody else loses a core.
    void settle(std::span<const CoreAsk> asks, const Subjects& subjects, Rules rules);
    /// The same when nothing else is new than that these ask, or ask for something else, and those do not ask
    /// any more. REQUIRES: rules and cores as in the last settle(). Whose `reason` is empty then has other
    /// cores than before, or waits.
    void settle_some(std::span<const CoreAsk> asks, std::span<const Target> gone, const Subjects& subjects,
                     Rules rules);

    [[nodiscard]] const Cores& cores() const { return cores_; }
    /// CPUs that one more could get now.
    [[nodiscard]] int largest_request() const { return cores_.largest(keep_free_); }
    [[nodiscard]] int keep_free() const { return keep_free_; }
    [[nodiscard]] std::span<Claim> all() { return claims_; }
    [[nodiscard]] std::span<const Claim> all() const { return claims_; }
    /// How many CPUs a claim would lack after the next settle() if these were the rules and `other` asked for
    /// so many CPUs (0: for none of its own) while all else stayed. Others who wait may be served before it.
    [[nodiscard]] int missing_if(const Claim& claim, Rules rules, const Claim* other = nullptr,
                                 int cpus = 0) const;
    /// Null if it was not among them.
    [[nodiscard]] const Claim* find(const Target& key) const;
    /// REQUIRES: it was among the asks of the last settle().
    [[nodiscard]] Claim& of(const Target& key) { return claims_[places_.at(key)]; }

private:
    struct Hash {
        std::size_t operator()(const Target& target) const;
    };
    void set_cores(Claim& claim, std::vector<int> cores);
    [[nodiscard]] std::vector<CoreAsk> note(std::span<const CoreAsk> asks);
    void add(std::span<const CoreAsk> newcomers);
    void forget(std::span<const std::size_t> places);
    void distribute(std::span<const CoreAsk> asks, const Subjects& subjects, Rules rules);
    void give_back_surplus();
    void give_back_until(int keep_free);
    void take_as_found(Claim& claim, const CoreAsk& ask, const Subjects& subjects, int keep_free);
    void complete(Claim& claim, Rules rules);

    Cores cores_;
    int keep_free_ = 1;
    std::vector<Claim> claims_; // who came earlier stands before
    std::unordered_map<Target, std::size_t, Hash> places_;
};

} // namespace schedd::policies
