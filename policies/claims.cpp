// Carrying claims over to another machine and other members.
#include "policies/claims.h"

#include <algorithm>
#include <functional>
#include <utility>

namespace schedd::policies {

Target CoreAsk::key_of(const Subject& subject) {
    if (subject.target.sort != Target::Sort::process) return subject.target;
    return {Target::Sort::process, 0, 0, subject.member};
}

std::size_t Claims::Hash::operator()(const Target& target) const {
    return std::hash<std::string>{}(target.name) * 31 + static_cast<std::size_t>(target.sort);
}

void Claims::set_cores(Claim& claim, std::vector<int> cores) {
    cores_.give_back(claim.cores);
    cores_.take(cores);
    claim.cores = std::move(cores);
    claim.capacity = cores_.capacity(claim.cores);
    claim.cpus = cores_.cpus(claim.cores);
    claim.was_found = false;
    claim.reason.clear();
}

void Claims::follow(const Cores& cores) {
    cores_ = cores;
    for (Claim& claim : claims_) {
        const CpuSet before = std::exchange(claim.cpus, {});
        const bool was_found = claim.was_found;
        claim.cores.clear();
        std::vector<int> kept;
        for (int cpu = before.first(); cpu >= 0; cpu = before.next(cpu))
            if (const int core = cores_.core_of(cpu); core >= 0 && cores_.is_free(core)) kept.push_back(core);
        std::ranges::sort(kept);
        kept.erase(std::ranges::unique(kept).begin(), kept.end());
        set_cores(claim, std::move(kept));
        claim.was_found = was_found && claim.cpus == before;
    }
}

/// What those who have a claim ask for now; the asks of all others are returned, in the order in which they
/// are served.
std::vector<CoreAsk> Claims::note(std::span<const CoreAsk> asks) {
    std::vector<CoreAsk> newcomers;
    for (const CoreAsk& ask : asks) {
        const auto at = places_.find(ask.key);
        if (at == places_.end()) {
            newcomers.push_back(ask);
            continue;
        }
        Claim& claim = claims_[at->second];
        if (claim.request == ask.request) continue;
        claim.request = ask.request;
        claim.reason.clear();
    }
    std::ranges::sort(newcomers, [](const CoreAsk& a, const CoreAsk& b) {
        return a.request.cpus != b.request.cpus ? a.request.cpus > b.request.cpus : a.key < b.key;
    });
    return newcomers;
}

void Claims::add(std::span<const CoreAsk> newcomers) {
    for (const CoreAsk& ask : newcomers) {
        places_.emplace(ask.key, claims_.size());
        claims_.push_back({.key = ask.key, .request = ask.request});
    }
}

/// They give back what they have.
void Claims::forget(std::span<const std::size_t> places) {
    if (places.empty()) return;
    for (const std::size_t place : places) {
        cores_.give_back(claims_[place].cores);
        places_.erase(claims_[place].key);
    }
    auto next = places.begin();
    std::size_t to = *next;
    for (std::size_t from = to; from < claims_.size(); ++from) {
        if (next != places.end() && *next == from) ++next;
        else claims_[to++] = std::move(claims_[from]);
    }
    claims_.resize(to);
    for (auto& [key, place] : places_)
        place -= static_cast<std::size_t>(std::ranges::lower_bound(places, place) - places.begin());
}

void Claims::give_back_surplus() {
    for (Claim& claim : claims_)
        if (claim.capacity > claim.request.cpus && cores_.is_too_much(claim.cores, claim.request.cpus))
            set_cores(claim, cores_.choose_among(claim.request, claim.cores));
}

void Claims::give_back_until(int keep_free) {
    for (std::size_t i = claims_.size(); i-- > 0;) {
        Claim& claim = claims_[i];
        while (!claim.cores.empty() && cores_.free_cores() < keep_free) {
            CoreRequest less = claim.request;
            int smallest = cores_.capacity(claim.cores);
            for (const int core : claim.cores) smallest = std::min(smallest, cores_.capacity({&core, 1}));
            less.cpus = cores_.capacity(claim.cores) - smallest;
            set_cores(claim, less.cpus > 0 ? cores_.choose_among(less, claim.cores) : std::vector<int>{});
        }
    }
}

/// After a restart all are newcomers, and run where they were placed.
void Claims::take_as_found(Claim& claim, const CoreAsk& ask, const Subjects& subjects, int keep_free) {
    CpuSet seen;
    for (const std::size_t subject : ask.subjects) {
        if (subjects[subject].current == seen) continue;
        seen = subjects[subject].current;
        // cores of which none is superfluous are fewer CPUs than this; most newcomers may run anywhere
        if (seen.count() - cores_.largest_core() >= claim.request.cpus) continue;
        std::vector<int> cores;
        for (int cpu = seen.first(); cpu >= 0; cpu = seen.next(cpu))
            if (const int core = cores_.core_of(cpu); cores.empty() || core != cores.back())
                cores.push_back(core);
        std::ranges::sort(cores);
        cores.erase(std::ranges::unique(cores).begin(), cores.end());
        if (cores.empty() || static_cast<int>(cores.size()) > cores_.free_cores() - keep_free) continue;
        if (!std::ranges::all_of(cores, [&](int core) { return core >= 0 && cores_.is_free(core); }))
            continue;
        if (cores_.mask(cores) != seen || cores_.capacity(cores) < claim.request.cpus ||
            cores_.is_too_much(cores, claim.request.cpus))
            continue;
        set_cores(claim, std::move(cores));
        claim.was_found = true;
        return;
    }
}

void Claims::complete(Claim& claim, Rules rules) {
    claim.missing = std::max(0, claim.request.cpus - claim.capacity);
    if (claim.missing == 0) return;
    CoreRequest more = claim.request;
    more.cpus = claim.missing;
    if (rules.spill) more.cpus = std::min(more.cpus, cores_.largest(rules.keep_free));
    auto chosen = cores_.choose(more, rules.keep_free, claim.cores);
    if (chosen.empty()) return;
    chosen.insert(chosen.end(), claim.cores.begin(), claim.cores.end());
    std::ranges::sort(chosen);
    // what is larger may have made a smaller one that it had superfluous
    if (cores_.is_too_much(chosen, claim.request.cpus)) chosen = cores_.choose_among(claim.request, chosen);
    set_cores(claim, std::move(chosen));
    claim.missing = std::max(0, claim.request.cpus - claim.capacity);
}

const Claim* Claims::find(const Target& key) const {
    const auto at = places_.find(key);
    return at == places_.end() ? nullptr : &claims_[at->second];
}

int Claims::missing_if(const Claim& claim, Rules rules, const Claim* other, int cpus) const {
    const auto place_of = [&](const Claim& one) { return static_cast<std::size_t>(&one - claims_.data()); };
    Claims trial = *this;
    if (other) {
        Claim& less = trial.claims_[place_of(*other)];
        less.request.cpus = cpus;
        if (cpus == 0) trial.set_cores(less, {});
    }
    if (!cores_.has_loose_cpus()) rules.keep_free = std::max(rules.keep_free, 1);
    trial.give_back_surplus();
    trial.give_back_until(rules.keep_free);
    for (Claim& one : trial.claims_) trial.complete(one, rules);
    return trial.claims_[place_of(claim)].missing;
}

void Claims::settle(std::span<const CoreAsk> asks, const Subjects& subjects, Rules rules) {
    std::vector<bool> is_asked(claims_.size());
    for (const CoreAsk& ask : asks)
        if (const auto at = places_.find(ask.key); at != places_.end()) is_asked[at->second] = true;
    std::vector<std::size_t> gone;
    for (std::size_t place = 0; place < claims_.size(); ++place)
        if (!is_asked[place]) gone.push_back(place);
    forget(gone);
    distribute(asks, subjects, rules);
}

void Claims::settle_some(std::span<const CoreAsk> asks, std::span<const Target> gone,
                         const Subjects& subjects, Rules rules) {
    std::vector<std::size_t> places;
    for (const Target& key : gone)
        if (const auto at = places_.find(key); at != places_.end()) places.push_back(at->second);
    std::ranges::sort(places);
    forget(places);
    distribute(asks, subjects, rules);
}

void Claims::distribute(std::span<const CoreAsk> asks, const Subjects& subjects, Rules rules) {
    // the rest is never without any CPU
    if (!cores_.has_loose_cpus()) rules.keep_free = std::max(rules.keep_free, 1);
    keep_free_ = rules.keep_free;
    const auto newcomers = note(asks);
    add(newcomers);
    give_back_surplus();
    give_back_until(rules.keep_free);
    for (const CoreAsk& ask : newcomers) take_as_found(of(ask.key), ask, subjects, rules.keep_free);
    for (Claim& claim : claims_) complete(claim, rules);
}

} // namespace schedd::policies
