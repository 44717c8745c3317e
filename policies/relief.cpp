// Counting pressures and choosing who has less.
#include "policies/relief.h"

#include <algorithm>

#include <fmt/format.h>

namespace schedd::policies {

namespace {

double percent(std::int64_t thousandths) { return static_cast<double>(thousandths) / 10; }

} // namespace

bool Relief::is_due(const Sample& here, const ReliefRules& rules) {
    if (here.time <= counted_) return false;
    counted_ = here.time;
    beyond_ = OtherNode::plain(here) > rules.bound ? beyond_ + 1 : 0;
    if (beyond_ < rules.patience || beyond_ == 0) return false;
    beyond_ = 0;
    return true;
}

std::string Relief::text(std::int64_t here, const ReliefRules& rules) const {
    return here > rules.bound ? fmt::format("{:g} %, beyond {:g} % for {} of {} updates", percent(here),
                                            percent(rules.bound), beyond_, rules.patience)
                              : fmt::format("{:g} %, not beyond {:g} %", percent(here), percent(rules.bound));
}

std::optional<OtherNode> Relief::least(std::vector<OtherNode> nodes, std::uint64_t choices, Rng& rng) {
    draw(nodes, choices, rng);
    const auto best = std::ranges::min_element(nodes, {}, &OtherNode::value);
    return best == nodes.end() ? std::nullopt : std::optional(*best);
}

std::vector<std::string> Relief::considered(const View& view, const Port& pressure,
                                            const ReliefRules& rules) {
    std::vector<std::string> said;
    for (const auto& node : other_nodes(view, pressure))
        said.push_back(!node.told ? fmt::format("node {} has told nothing", text_of(*node.row))
                                  : fmt::format("node {} has {:g} %, {} half of the bound",
                                                text_of(*node.row), percent(node.value()),
                                                2 * node.value() > rules.bound ? "beyond" : "below"));
    return said;
}

} // namespace schedd::policies
