// FakeMover: moves nothing, remembers what it was asked, and refuses as the test says.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "components/placement/mover.h"

namespace schedd::test {

class FakeMover final : public placement::Mover {
public:
    std::vector<std::string> asked;                // "S process:10 -> 1: reason"
    std::map<model::Target, std::string> immobile; // and why
    model::Status answer;                          // of move(), of what is not immobile
    std::optional<model::Time> last;
    int under_way = 0;
    std::uint64_t changes = 0;

    model::Status move(const std::string& scheduler, const model::Move& move) override {
        asked.push_back(fmt::format("{} {} -> {}: {}", scheduler, move.target.text(), move.to, move.reason));
        if (auto why = why_not(move.target); !why.empty())
            return std::unexpected(model::Error{model::Errc::not_supported, move.target.text(), why});
        return answer;
    }
    [[nodiscard]] std::string why_not(const model::Target& target) const override {
        const auto at = immobile.find(target);
        return at == immobile.end() ? "" : at->second;
    }
    [[nodiscard]] std::optional<model::Time> last_start() const override { return last; }
    [[nodiscard]] int on_going() const override { return under_way; }
    [[nodiscard]] std::uint64_t generation() const override { return changes; }
};

} // namespace schedd::test
