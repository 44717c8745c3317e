// Solving infeasible weights by taking the heaviest away until the rest can use what is left.
#include "policies/infeasible.h"

#include <algorithm>
#include <vector>

namespace schedd::policies {

double largest_feasible_weight(std::span<const Ask> asks, double cpus) {
    std::vector<Ask> wanting;
    double load = 0;
    for (const Ask& ask : asks) {
        if (ask.duty <= 0) continue;
        wanting.push_back(ask);
        load += ask.weight * ask.duty;
    }
    if (wanting.empty()) return 0;
    std::ranges::sort(wanting, std::ranges::greater{}, &Ask::weight);

    double lambda = load / cpus;
    for (auto heaviest = wanting.begin(); heaviest->weight > lambda; ++heaviest) {
        load -= heaviest->weight * heaviest->duty;
        cpus -= heaviest->duty;
        // Nothing or no CPU is left for the others: nobody competes, so every weight is worth the smallest.
        if (heaviest + 1 == wanting.end() || cpus <= 0) return wanting.back().weight;
        lambda = load / cpus;
    }
    return lambda;
}

} // namespace schedd::policies
