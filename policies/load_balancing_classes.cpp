// The steps of load_balancing that tell classes apart: batch work is packed, latency work is kept apart.
#include "policies/load_balancing.h"

#include <algorithm>

#include <fmt/format.h>

namespace schedd::policies {

namespace {

constexpr double kNothing = 1e-9; // below this a difference is rounding, not load

} // namespace

/// Packing ends where not all that is wanted fits below the bound, keeping apart where there are not enough
/// domains: then batch and latency work is balanced like any other.
void LoadBalancing::judge_classes(Standing& now) const {
    if (!flag_at(kByClass)) return;
    double wanted = 0;
    std::size_t latency = 0;
    for (const auto i : homes_indexes()) {
        wanted += homes_[i].duty;
        if (homes_[i].domain != kNowhere && class_of(now.view, i) == WorkClass::latency) ++latency;
    }
    now.is_packing = wanted <= fraction(kBatchFill) * homes_.usable_cpus();
    now.is_spreading = latency <= hierarchy().leaves;
}

std::vector<std::size_t> LoadBalancing::movable_in(const Standing& now, std::size_t domain,
                                                   WorkClass work_class) const {
    std::vector<std::size_t> found;
    for (const auto i : homes_indexes())
        if (homes_[i].domain == domain && class_of(now.view, i) == work_class &&
            may_move(homes_[i], now.view.now))
            found.push_back(i);
    return found;
}

/// Takes batch work out of domains in which more than the bound is wanted.
void LoadBalancing::unpack_overfull(Standing& now) {
    for (std::size_t leaf = 0; leaf < hierarchy().leaves; ++leaf) {
        if (now.fill.batch(leaf) <= 0 || now.fill.overflow(leaf) <= kNothing) continue;
        auto batch = movable_in(now, leaf, WorkClass::batch);
        while (!batch.empty() && now.fill.overflow(leaf) > kNothing) {
            std::vector<double> duties;
            for (const auto i : batch) duties.push_back(homes_[i].duty);
            const auto at = choose_to_leave(duties, now.fill.overflow(leaf));
            const auto i = batch[at];
            batch.erase(batch.begin() + static_cast<std::ptrdiff_t>(at));
            const auto to = now.fill.pack(work_of(now.view, i));
            if (to == kNowhere) continue;
            const auto& from = homes_.domains()[leaf];
            move(now, i, to,
                 fmt::format("{} took {:.2f} batch work from {}, of which {:.2f} of {} CPUs are wanted, more "
                             "than {} %",
                             homes_.domains()[to].name, homes_[i].duty, from.name, now.fill.wanted(leaf),
                             from.cpus.count(), unsigned_at(kBatchFill)));
        }
    }
}

/// Empties the domain with the least batch work whose batch work all fits where more is.
void LoadBalancing::empty_a_domain(Standing& now) {
    std::vector<std::size_t> used;
    for (std::size_t leaf = 0; leaf < hierarchy().leaves; ++leaf)
        if (now.fill.batch(leaf) > kNothing) used.push_back(leaf);
    std::ranges::stable_sort(used, {}, [&](std::size_t leaf) { return now.fill.batch(leaf); });
    const double margin = fraction(kHysteresis);
    for (std::size_t u = 0; u + 1 < used.size(); ++u) {
        auto batch = movable_in(now, used[u], WorkClass::batch);
        double movable = 0;
        for (const auto i : batch) movable += homes_[i].duty;
        if (batch.empty() || movable < now.fill.batch(used[u]) - kNothing) continue; // all or none
        std::ranges::stable_sort(batch, std::ranges::greater{},
                                 [&](std::size_t i) { return homes_[i].duty; });
        Fill trial = now.fill;
        std::vector<std::size_t> targets;
        for (const auto i : batch) {
            const auto work = work_of(now.view, i);
            const auto fits = [&](std::size_t leaf) { return trial.fits_packed(work, leaf, margin); };
            // the fullest first, and never one that holds less than this one
            const auto to =
                std::ranges::find_if(used.rbegin(), used.rend() - static_cast<std::ptrdiff_t>(u + 1), fits);
            if (to == used.rend() - static_cast<std::ptrdiff_t>(u + 1)) break;
            trial.add(*to, work);
            targets.push_back(*to);
        }
        if (targets.size() < batch.size()) continue;
        for (std::size_t k = 0; k < batch.size(); ++k) {
            const auto& to = homes_.domains()[targets[k]];
            move(now, batch[k], targets[k],
                 fmt::format("{} took {:.2f} from {}, which is emptied, as its batch work fits elsewhere "
                             "({:.2f} of {} CPUs)",
                             to.name, homes_[batch[k]].duty, homes_.domains()[used[u]].name,
                             now.fill.wanted(targets[k]), to.cpus.count()));
        }
        return;
    }
}

/// Of several latency members in a domain one goes to a domain that has none.
void LoadBalancing::part_latency_work(Standing& now) {
    for (std::size_t leaf = 0; leaf < hierarchy().leaves; ++leaf) {
        if (now.fill.latency_members(leaf) < 2) continue;
        const auto latency = movable_in(now, leaf, WorkClass::latency);
        if (latency.empty()) continue;
        const auto i = *std::ranges::min_element(latency, {}, [&](std::size_t k) { return homes_[k].duty; });
        const auto to = now.fill.spread(work_of(now.view, i));
        if (to == kNowhere) continue;
        move(now, i, to,
             fmt::format("{} without latency work took {:.2f} from {}, which has {} latency members",
                         homes_.domains()[to].name, homes_[i].duty, homes_.domains()[leaf].name,
                         now.fill.latency_members(leaf)));
    }
}

bool LoadBalancing::may_balance(const Standing& now, std::size_t i) const {
    const auto work_class = class_of(now.view, i);
    if (now.is_packing && work_class == WorkClass::batch) return false;
    if (now.is_spreading && work_class == WorkClass::latency) return false;
    return may_move(homes_[i], now.view.now);
}

} // namespace schedd::policies
