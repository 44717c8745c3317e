// threshold_filter - lets an update pass when its value has reached a bound.
//   threshold 100: 99 -> dropped, 100 -> 100, 101 -> 101
//   threshold 0 (the default): everything passes
// A read through it answers with the source's value, whatever the bound (Kerrighed threshold_filter.c).
// Usage: create .../node_load/threshold; write .../node_load/threshold.threshold 100
#include "components/filters/filters.h"

namespace schedd::filters {

namespace {

enum Attribute : std::size_t { kBound };
constexpr AttributeSpec kAttributes[] = {
    {.name = "threshold", .doc = "Smallest value whose updates pass, in the unit of the chain."},
};

class ThresholdFilter final : public Filter {
public:
    using Filter::Filter;

    void update(const Sample& sample) override {
        const auto value = number_of(sample.value);
        if (value >= 0 && static_cast<std::uint64_t>(value) >= unsigned_at(kBound)) publish(sample);
    }
};

} // namespace

const Descriptor kThreshold{
    .name = "threshold_filter",
    .kind = Kind::filter,
    .doc = "Drops updates below a bound; reads pass through.",
    .make = make_part<ThresholdFilter>,
    .attributes = kAttributes,
    .alias = "threshold",
};

} // namespace schedd::filters
