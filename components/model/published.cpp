// Reading what is published.
#include "components/model/published.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "components/kit/limits.h"

namespace schedd::model {

namespace {

constexpr auto kSmallest = std::numeric_limits<std::int32_t>::min();
constexpr auto kLargest = std::numeric_limits<std::int32_t>::max();

std::optional<std::int32_t> narrowed(const Value& value) {
    if (const auto* number = std::get_if<std::int64_t>(&value))
        return static_cast<std::int32_t>(std::clamp<std::int64_t>(*number, kSmallest, kLargest));
    const auto* real = std::get_if<double>(&value);
    if (!real || std::isnan(*real)) return std::nullopt;
    return static_cast<std::int32_t>(std::lround(std::clamp<double>(*real, kSmallest, kLargest)));
}

} // namespace

std::vector<Published> published(const Tree& tree) {
    const Time now = tree.environment().clock.now();
    std::vector<Published> all;
    for (const auto& part : tree.probes().children()) {
        const auto& probe = static_cast<const Probe&>(*part);
        for (const auto& child : probe.children()) {
            const auto& source = static_cast<const Source&>(*child);
            if (!probe.publishes(source)) continue;
            source.ask(); // also by the others
            const auto sample = source.read({});
            const bool is_told = sample && sample->fresh_at(now);
            all.push_back({source.key(), is_told ? narrowed(sample->value) : std::nullopt});
        }
    }
    std::ranges::sort(all, {}, &Published::path);
    if (all.size() > limits::kPublished) all.resize(limits::kPublished);
    return all;
}

} // namespace schedd::model
