// Relief: what policies share that move work away from a node which has too much of something others have
// less of.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "policies/other_nodes.h"

namespace schedd::policies {

/// What such a policy has been told to do.
struct ReliefRules {
    std::int64_t bound = 0; // thousandths; more is too much, and half of it is well
    std::uint64_t patience = 1;
    std::uint64_t choices = 0; // see draw()
};

/// Counts how long a pressure has been too high, and finds who has less. A pressure is in thousandths of
/// time.
class Relief {
public:
    /// Takes a value, each once; true if it has been beyond the bound for `patience` of them in a row. Then
    /// counting begins anew, so that a move shows before the next.
    bool is_due(const Sample& here, const ReliefRules& rules);
    /// "12.5 %, beyond 10 % for 2 of 3 updates".
    [[nodiscard]] std::string text(std::int64_t here, const ReliefRules& rules) const;

    /// Of nodes that are well: the one with the least pressure among those drawn; `fits` says who may be.
    template <class Fits>
    [[nodiscard]] static std::optional<OtherNode> target(const View& view, const Port& pressure,
                                                         const ReliefRules& rules, Rng& rng,
                                                         const Fits& fits) {
        auto nodes = other_nodes(view, pressure);
        std::erase_if(nodes, [&](const OtherNode& node) {
            return !node.told || 2 * node.value() > rules.bound || !fits(node);
        });
        return least(std::move(nodes), rules.choices, rng);
    }
    /// One sentence for each other node: what it has, and whether that is well.
    [[nodiscard]] static std::vector<std::string> considered(const View& view, const Port& pressure,
                                                             const ReliefRules& rules);

private:
    static std::optional<OtherNode> least(std::vector<OtherNode> nodes, std::uint64_t choices, Rng& rng);

    std::uint64_t beyond_ = 0; // in a row
    Time counted_{};
};

} // namespace schedd::policies
