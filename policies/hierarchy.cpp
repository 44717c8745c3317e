// Cutting the domains of each level by those of the coarser one.
#include "policies/hierarchy.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace schedd::policies {

namespace {

Level level_named(std::string_view text) {
    for (const Level level : {Level::core, Level::l3, Level::numa, Level::package})
        if (text == name_of(level)) return level;
    return Level::automatic;
}

using Row = std::vector<NestedDomain>; // one tier; `parent` is an index into the row before

Row first_row(std::vector<Domain> domains) {
    Row row;
    for (Domain& domain : domains) row.push_back({std::move(domain)});
    return row;
}

Row cut(const std::vector<Domain>& domains, const Row& coarser) {
    Row row;
    for (std::size_t p = 0; p < coarser.size(); ++p)
        for (const Domain& domain : domains) {
            const CpuSet inside = domain.cpus & coarser[p].cpus;
            if (inside.empty()) continue;
            const bool is_whole = inside == domain.cpus;
            row.push_back({{is_whole ? domain.name : fmt::format("{} of {}", domain.name, coarser[p].name),
                            inside, coarser[p].numa},
                           p});
        }
    return row;
}

} // namespace

Levels Levels::parse(std::string_view text) {
    Levels levels;
    for (bool more = true; more;) {
        const auto comma = text.find(',');
        levels.coarse_to_fine.push_back(level_named(text.substr(0, comma)));
        more = comma != std::string_view::npos;
        if (more) text.remove_prefix(comma + 1);
    }
    return levels;
}

std::size_t Hierarchy::around(std::size_t domain, std::size_t tier) const {
    while (domain != kNowhere && domains[domain].tier > tier) domain = domains[domain].parent;
    return domain != kNowhere && domains[domain].tier == tier ? domain : kNowhere;
}

bool Hierarchy::is_inside(std::size_t domain, std::size_t outer) const {
    if (outer == kNowhere) return true;
    while (domain != kNowhere && domain != outer) domain = domains[domain].parent;
    return domain == outer;
}

Hierarchy hierarchy_of(const Topology& topology, const Levels& levels) {
    Hierarchy made;
    std::vector<Row> rows;
    for (const Level level : levels.coarse_to_fine) {
        auto row =
            rows.empty() ? first_row(topology.domains(level)) : cut(topology.domains(level), rows.back());
        if (!rows.empty() && row.size() == rows.back().size()) continue;
        rows.push_back(std::move(row));
        made.is_far.push_back(level == Level::numa || level == Level::package);
    }
    made.tiers = rows.size();
    made.leaves = rows.empty() ? 0 : rows.back().size();
    // The finest row goes first, so a row's offset is where the coarser ones begin plus those before it.
    std::vector<std::size_t> offset(rows.size(), 0);
    for (std::size_t t = 0, next = made.leaves; t + 1 < rows.size(); next += rows[t++].size())
        offset[t] = next;
    const auto take = [&](std::size_t t) {
        for (NestedDomain& domain : rows[t]) {
            domain.tier = t;
            if (t > 0) domain.parent += offset[t - 1];
            made.domains.push_back(std::move(domain));
        }
    };
    if (!rows.empty()) take(rows.size() - 1);
    for (std::size_t t = 0; t + 1 < rows.size(); ++t) take(t);
    for (std::size_t d = 0; d < made.domains.size(); ++d)
        if (made.domains[d].parent != kNowhere) made.domains[made.domains[d].parent].children.push_back(d);
    return made;
}

} // namespace schedd::policies
