// diff_filter - the source's value less a second one.
//   ram_total 8000, second_value ram_free 1000 -> 7000, the memory in use; one of the two has no value ->
//   none
// second_value takes what the filter takes, and is only read: updates come from the source, and are dropped
// while the second value is missing. Of another node both are what that node told. The result is as old as
// the older of the two (Kerrighed, branch memory-balanced-scheduler). Usage: create .../memory/diff;
// link mem_probe/ram_free .../memory/diff/second_value; link mem_probe/ram_total .../memory/diff
#include <algorithm>

#include "components/filters/value_filters.h"
#include "components/model/machine_types.h"

namespace schedd::filters {

namespace {

enum PortIndex : std::size_t { kSecond };
constexpr PortSpec kPorts[] = {
    {.name = "second_value", .type = types::kAsFilter, .doc = "What is taken off; only read."},
};

std::int64_t less(std::int64_t first, std::int64_t second) {
    std::int64_t rest = 0;
    if (__builtin_sub_overflow(first, second, &rest)) return first < 0 ? INT64_MIN : INT64_MAX;
    return rest;
}

/// None of texts.
std::optional<Value> less(const Value& first, const Value& second) {
    if (std::holds_alternative<std::string>(first) || std::holds_alternative<std::string>(second))
        return std::nullopt;
    if (std::holds_alternative<std::int64_t>(first) && std::holds_alternative<std::int64_t>(second))
        return less(std::get<std::int64_t>(first), std::get<std::int64_t>(second));
    const auto real = [](const Value& value) {
        return std::holds_alternative<double>(value) ? std::get<double>(value)
                                                     : static_cast<double>(std::get<std::int64_t>(value));
    };
    return real(first) - real(second);
}

class DiffFilter final : public Filter {
public:
    using Filter::Filter;

    void update(const Sample& sample) override {
        if (const auto rest = less(sample, port(kSecond).collected())) publish(*rest);
    }
    [[nodiscard]] std::optional<Sample> read(const Parameter& parameter) const override {
        return less(collect(parameter), port(kSecond).collected(parameter));
    }
    [[nodiscard]] std::optional<Sample> read_remote(NodeId node, const Parameter& parameter) const override {
        return less(collect_remote(node, parameter), port(kSecond).collected_from(node, parameter));
    }

private:
    static std::optional<Sample> less(std::optional<Sample> first, const std::optional<Sample>& second) {
        auto rest = first && second ? filters::less(first->value, second->value) : std::nullopt;
        if (!rest) return std::nullopt;
        first->value = std::move(*rest);
        const auto ends = [](const Sample& sample) {
            return sample.fresh_for == Duration::max() ? kNever : sample.time + sample.fresh_for;
        };
        const auto end = std::min(ends(*first), ends(*second));
        first->time = std::min(first->time, second->time);
        first->fresh_for = end == kNever ? Duration::max() : end - first->time;
        return first;
    }
};

} // namespace

const Descriptor kDiff{
    .name = "diff_filter",
    .kind = Kind::filter,
    .doc = "Takes a second value off the source's.",
    .make = make_part<DiffFilter>,
    .ports = kPorts,
    .alias = "diff",
};

} // namespace schedd::filters
