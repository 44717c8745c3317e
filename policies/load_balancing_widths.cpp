// The steps of load_balancing between levels: what a domain has no room for uses the coarser one around it.
#include "policies/load_balancing.h"

#include <algorithm>

#include <fmt/format.h>

namespace schedd::policies {

namespace {

/// Beyond the CPUs of a domain a thread more or less is nothing to let go for: it only waits a little.
constexpr double kTooMuch = 0.5;

} // namespace

/// The CPUs of the largest domain that there is to be held on.
int LoadBalancing::most_cpus() const {
    int most = 0;
    for (const NestedDomain& domain : homes_.domains())
        if (domain.parent == kNowhere) most = std::max(most, domain.cpus.count());
    return most;
}

/// Whether it gets more by being let go: it wants more than any domain has, and came with more. Who is let go
/// already fits again only well below that, unless domains have become larger.
bool LoadBalancing::is_too_large(const Home& home, int most) const {
    if (home.came_with > 0 && std::min(home.came_with, homes_.usable_cpus()) <= most) return false;
    if (home.too_large_for >= most) return home.duty > most * (1 - fraction(kHysteresis));
    return home.duty > most + kTooMuch;
}

/// The way back is a move, as from a coarser domain.
bool LoadBalancing::may_come_back(const Home& home, Time now) const {
    if (home.put_at && now - *home.put_at < std::chrono::milliseconds(unsigned_at(kSettle))) return false;
    return home.moved_at.size() < unsigned_at(kMoveBudget);
}

void LoadBalancing::count_return(Home& home, Time now) {
    home.put_at = now;
    home.moved_at.push_back(now);
    count_move();
}

std::string LoadBalancing::why_again(const Home& home) const {
    return home.duty > most_cpus() + kTooMuch ? ", again, as it came with no more CPUs"
                                              : ", again, as it fits there now";
}

/// Who wants more than any domain has would starve in each of them, so it is left to the kernel.
void LoadBalancing::let_go_of_the_large(const View& view) {
    const int most = most_cpus();
    for (const auto i : homes_indexes()) {
        Home& home = homes_[i];
        const Subject& subject = view.subjects[i];
        if (!subject.held) home.came_with = homes_.usable_among(subject.current);
        if (!home.is_measured) continue;
        if (!is_too_large(home, most)) {
            home.too_large_for = 0;
            continue;
        }
        home.too_large_for = most;
        home.lost.clear();
        if (home.domain == kNowhere) continue;
        home.domain = kNowhere;
        home.put_at = view.now;
        home.is_back = true;
    }
}

/// Gives what is held on a coarser domain a finer one again, the largest first.
void LoadBalancing::narrow_some(Standing& now) {
    std::vector<std::size_t> wide;
    for (const auto i : homes_indexes())
        if (may_move(homes_[i], now.view.now) && !hierarchy().is_leaf(homes_[i].domain)) wide.push_back(i);
    std::ranges::stable_sort(wide, std::ranges::greater{}, [&](std::size_t i) { return homes_[i].duty; });
    for (const std::size_t i : wide) {
        const auto from = homes_[i].domain;
        const auto to = now.fill.roomy(work_of(now.view, i), from);
        if (to == kNowhere) continue;
        const auto& domain = homes_.domains()[to];
        move(now, i, to,
             fmt::format("{} has room again ({:.2f} of {} CPUs); took {:.2f} from {}", domain.name,
                         now.fill.wanted(to), domain.cpus.count(), homes_[i].duty,
                         homes_.domains()[from].name));
    }
}

/// Lets work of a domain that is too full use the coarser one around it. Nobody is driven off a CPU, so this
/// is no move; the way back is.
void LoadBalancing::widen_some(Standing& now) {
    if (hierarchy().tiers == 1) return;
    std::vector<std::size_t> finest_first;
    for (std::size_t tier = hierarchy().tiers; tier-- > 1;)
        for (std::size_t d = 0; d < homes_.domains().size(); ++d)
            if (homes_.domains()[d].tier == tier) finest_first.push_back(d);
    for (const std::size_t d : finest_first) {
        std::vector<std::size_t> here;
        if (now.fill.is_strained(d))
            for (const auto i : homes_indexes())
                if (homes_[i].domain == d && homes_[i].is_measured && homes_[i].duty >= least_duty())
                    here.push_back(i);
        while (!here.empty() && now.fill.is_strained(d)) {
            std::vector<double> duties;
            for (const auto i : here) duties.push_back(homes_[i].duty);
            const auto at = choose_to_leave(duties, now.fill.excess(d));
            const auto i = here[at];
            here.erase(here.begin() + static_cast<std::ptrdiff_t>(at));
            const auto& domain = homes_.domains()[d];
            const auto& wider = homes_.domains()[domain.parent];
            auto why = fmt::format("widened to {} ({:.2f} of {} CPUs wanted), as {} is full ({:.2f} of {})",
                                   wider.name, now.fill.wanted(domain.parent), wider.cpus.count(),
                                   domain.name, now.fill.wanted(d), domain.cpus.count());
            // who has just been moved here was moved for a reason, which is told too
            const auto& moved = homes_[i].moved_at;
            if (!moved.empty() && moved.back() == now.view.now) why = homes_[i].reason + "; " + why;
            count_out(now, i);
            homes_[i].put(domain.parent, now.view.now, std::move(why));
            count_in(now, i);
        }
    }
}

} // namespace schedd::policies
