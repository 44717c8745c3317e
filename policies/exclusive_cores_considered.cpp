// Tries on a copy of the cores what another demand or attribute would lead to.
#include "policies/exclusive_cores_considered.h"

#include <algorithm>
#include <climits>
#include <utility>

#include "policies/considered.h"

namespace schedd::policies {

namespace {

/// Members with cores that are tried for what would be free if they had fewer.
constexpr std::size_t kHoldersTried = 16;
/// Of them, those that are told.
constexpr std::size_t kHoldersTold = 4;

std::string cores_are(std::size_t count) {
    return count == 1 ? "1 core is" : fmt::format("{} cores are", count);
}

std::string name_of(const Claim& claim) {
    return claim.key.sort == Target::Sort::process ? claim.key.name : claim.key.text();
}

std::string rooms_of(const Cores& cores) {
    std::vector<std::string> rooms;
    for (const auto& room : cores.rooms())
        rooms.push_back(fmt::format("{} of {} on {}", room.free, room.all, room.place));
    return rooms.empty() ? "no core is whole" : "whole cores that are free: " + listed(rooms);
}

/// What stays for those who share, of the cores that are free.
std::string kept_by(const Claims& claims) {
    const int keep = claims.keep_free();
    return keep == 1 ? "1 is kept for the shared pool" : fmt::format("{} are kept for the shared pool", keep);
}

std::string holders_of(const Claims& claims) {
    std::vector<std::string> holders;
    for (const Claim& claim : claims.all())
        if (!claim.cores.empty())
            holders.push_back(fmt::format("{} has {} ({}) for {}", name_of(claim),
                                          counted(static_cast<int>(claim.cores.size()), "core"),
                                          claim.cpus.text(), counted(claim.request.cpus, "CPU")));
    return listed(holders);
}

/// What it would get if it came now, and what if that were not there.
void tell_alternatives(const Claims& claims, const Claim& claim, std::vector<std::string>& lines) {
    Cores trial = claims.cores();
    trial.give_back(claim.cores);
    const auto anew = trial.choose(claim.request, claims.keep_free());
    if (!anew.empty() && anew != claim.cores)
        lines.push_back(fmt::format("if it came now it would get CPUs {} on {}; it is not moved there, as "
                                    "nobody who has cores is",
                                    trial.mask(anew).text(), trial.place(anew)));
    const auto beside = trial.free_beside(claim.cores);
    trial.take(beside);
    const int keep = std::max(0, claims.keep_free() - static_cast<int>(beside.size())); // those stay free
    const auto other = trial.choose(claim.request, keep);
    if (other.empty()) {
        lines.push_back(fmt::format("without {} it would not fit: elsewhere {} free",
                                    trial.place(claim.cores),
                                    cores_are(static_cast<std::size_t>(trial.free_cores()))));
    } else if (other != anew) {
        lines.push_back(
            fmt::format("the next best were CPUs {} on {}, where {} free; on {} there were {} with its own: "
                        "{}",
                        trial.mask(other).text(), trial.place(other),
                        cores_are(trial.free_beside(other).size()), trial.place(claim.cores), beside.size(),
                        claim.request.spread ? "latency work is spread over the L3 groups of one node"
                                             : "the fewest groups count first, then what leaves least over"));
    }
}

/// By how many CPUs a holder must ask for less so that `missing` more fit; 0 if not even without it.
int reduction_for(const Claims& claims, const Claim& holder, int missing) {
    const auto fits = [&](int less) {
        Cores trial = claims.cores();
        CoreRequest request = holder.request;
        request.cpus -= less;
        const auto kept = request.cpus > 0 ? trial.choose_among(request, holder.cores) : std::vector<int>();
        trial.give_back(holder.cores);
        trial.take(kept);
        return trial.largest(claims.keep_free()) >= missing;
    };
    int most = holder.request.cpus;
    if (!fits(most)) return 0;
    for (int least = 1; least < most;) {
        const int middle = least + (most - least) / 2;
        if (fits(middle)) most = middle;
        else least = middle + 1;
    }
    return most;
}

void tell_holders(const Claims& claims, const Claim& claim, const Claims::Rules& rules,
                  std::vector<std::string>& lines) {
    std::vector<const Claim*> holders;
    for (const Claim& other : claims.all())
        if (&other != &claim && !other.cores.empty()) holders.push_back(&other);
    std::ranges::stable_sort(holders, std::ranges::greater{}, [](const Claim* c) { return c->cores.size(); });
    if (holders.size() > kHoldersTried) holders.resize(kHoldersTried);
    std::vector<std::pair<int, const Claim*>> helpful;
    for (const Claim* holder : holders)
        if (const int less = reduction_for(claims, *holder, claim.missing); less > 0)
            helpful.emplace_back(less, holder);
    std::ranges::stable_sort(helpful, {}, &std::pair<int, const Claim*>::first);
    std::size_t told = 0;
    for (const auto& [less, holder] : helpful) {
        const int left = holder->request.cpus - less;
        if (told == kHoldersTold) break;
        if (claims.missing_if(claim, rules, holder, left) > 0) continue; // who came before would have it
        ++told;
        lines.push_back(
            fmt::format("{} has {} ({}): it would fit if that one asked for {}", name_of(*holder),
                        counted(static_cast<int>(holder->cores.size()), "core"), holder->cpus.text(),
                        left == 0
                            ? "none of its own"
                            : fmt::format("{} instead of {}", counted(left, "CPU"), holder->request.cpus)));
    }
    if (helpful.empty())
        lines.push_back(holders.empty() ? "no other member has cores of its own"
                                        : "no single member has enough to make room: " + holders_of(claims));
}

/// The shared_minimum to go down to for what it lacks, or for as much of it as can be; the one there is if
/// none would give it anything. Each that is returned has been tried.
int better_minimum(const Claims& claims, const Claim& claim, bool spill) {
    const Cores& cores = claims.cores();
    const int floor = cores.has_loose_cpus() ? 0 : 1; // one core is kept for the others in any case
    int before = 0;                                   // CPUs that those who are served first lack
    for (const Claim& other : claims.all()) {
        if (&other == &claim) break;
        before += other.missing;
    }
    int best = claims.keep_free();
    int least = claim.missing;
    int tried = best;
    for (const int wanted : {claim.missing, claim.missing + before, INT_MAX}) {
        int keep = claims.keep_free();
        while (keep > floor && cores.largest(keep) < wanted) --keep;
        if (keep == std::exchange(tried, keep)) continue;
        if (const int missing = claims.missing_if(claim, {keep, spill}); missing < least) {
            least = missing;
            best = keep;
        }
        if (least == 0) break;
    }
    return best;
}

/// What another value of when_full, of shared_minimum, or of both would give it.
void tell_attributes(const Claims& claims, const Claim& claim, const CoreTerms& terms,
                     std::vector<std::string>& lines) {
    const auto gain = [&](int keep, bool spill) {
        return claim.missing - claims.missing_if(claim, {.keep_free = keep, .spill = spill});
    };
    const bool is_spill = terms.when_full == "spill";
    const int spilled = is_spill ? 0 : gain(claims.keep_free(), true);
    if (spilled > 0)
        lines.push_back(fmt::format("when_full=spill would give it {}{} of its own now",
                                    counted(spilled, "CPU"), claim.cores.empty() ? "" : " more"));
    const int keep = better_minimum(claims, claim, is_spill);
    if (const int got = gain(keep, is_spill); got > 0) {
        lines.push_back(fmt::format("shared_minimum={} instead of {} would let it have {} of the {} it lacks",
                                    keep, terms.shared_minimum, got, counted(claim.missing, "CPU")));
        return;
    }
    if (is_spill) return;
    const int together = better_minimum(claims, claim, true);
    if (const int got = gain(together, true); got > spilled)
        lines.push_back(fmt::format("shared_minimum={} instead of {} and when_full=spill together would let "
                                    "it have {} of the {} it lacks",
                                    together, terms.shared_minimum, got, counted(claim.missing, "CPU")));
}

void tell_what_frees(const Claims& claims, const Claim& claim, const CoreTerms& terms,
                     const Topology& topology, std::vector<std::string>& lines) {
    const Cores& cores = claims.cores();
    lines.push_back(fmt::format("it lacks {}: {} of {} {} free, and {}", counted(claim.missing, "CPU"),
                                cores.free_cores(), counted(cores.size(), "whole core"),
                                cores.free_cores() == 1 ? "is" : "are", kept_by(claims)));
    tell_attributes(claims, claim, terms, lines);
    tell_holders(claims, claim, {.keep_free = claims.keep_free(), .spill = terms.when_full == "spill"},
                 lines);
    for (const Claim& other : claims.all()) {
        if (&other == &claim) break;
        if (other.missing == 0) continue;
        lines.push_back(fmt::format("{} came before it, lacks {} and is served first if it fits",
                                    name_of(other), counted(other.missing, "CPU")));
        break;
    }
    const auto smt = terms.is_one_per_core ? Cores::Smt::one_per_core : Cores::Smt::share;
    if (const int more = Cores(topology, {}, smt).size() - cores.size(); more > 0 && !terms.reserved.empty())
        lines.push_back(fmt::format("without reserved={} there would be {} more", terms.reserved.text(),
                                    counted(more, "whole core")));
    if (!terms.is_one_per_core) return;
    const int shared = Cores(topology, terms.reserved, Cores::Smt::share).largest(0);
    if (shared > cores.size())
        lines.push_back(fmt::format("smt=share would count the siblings: {} instead of {} on all cores",
                                    counted(shared, "CPU"), cores.size()));
}

} // namespace

std::vector<std::string> considered_by(const Claims& claims, const Subject& subject, const CoreTerms& terms,
                                       const Topology& topology) {
    std::vector<std::string> lines;
    const Cores& cores = claims.cores();
    if (cores.rest().empty() && cores.size() == 0) return lines; // no machine has been looked at yet
    if (!subject.demand.exclusive) {
        lines.push_back("it asks for no CPUs of its own (exclusive), so it shares what is left");
        if (const auto holders = holders_of(claims); !holders.empty()) lines.push_back(holders);
        const int largest = claims.largest_request();
        lines.push_back(largest > 0
                            ? fmt::format("of its own it could have {} now", counted(largest, "CPU"))
                            : fmt::format("of its own it could have no CPU now: {}; {}{}", rooms_of(cores),
                                          kept_by(claims),
                                          terms.shared_minimum == claims.keep_free()
                                              ? fmt::format(" (shared_minimum={})", terms.shared_minimum)
                                              : ", as it is never without a CPU"));
        return lines;
    }
    const Claim* claim = claims.find(CoreAsk::key_of(subject));
    if (!claim) return lines;
    lines.push_back(rooms_of(cores));
    if (claim->missing > 0) tell_what_frees(claims, *claim, terms, topology, lines);
    else tell_alternatives(claims, *claim, lines);
    return lines;
}

} // namespace schedd::policies
