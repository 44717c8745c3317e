// low_threshold_filter - lets an update pass when its value is no more than a bound.
//   threshold 100: 99 -> 99, 100 -> 100, 101 -> dropped
//   threshold 9223372036854775807 (the default): everything passes
// A read through it answers with the source's value, whatever the bound (Kerrighed, branch
// memory-balanced-scheduler). For memory that runs low. Usage: create .../free_memory/low_threshold;
// write .../free_memory/low_threshold.threshold 300000
#include "components/filters/value_filters.h"

namespace schedd::filters {

namespace {

enum Attribute : std::size_t { kBound };
constexpr AttributeSpec kAttributes[] = {
    {.name = "threshold",
     .initial = "9223372036854775807",
     .doc = "Largest value whose updates pass, in the unit of the chain."},
};

class LowThresholdFilter final : public Filter {
public:
    using Filter::Filter;

    void update(const Sample& sample) override {
        const auto value = number_of(sample.value);
        if (value < 0 || static_cast<std::uint64_t>(value) <= unsigned_at(kBound)) publish(sample);
    }
};

} // namespace

const Descriptor kLowThreshold{
    .name = "low_threshold_filter",
    .kind = Kind::filter,
    .doc = "Drops updates above a bound; reads pass through.",
    .make = make_part<LowThresholdFilter>,
    .attributes = kAttributes,
    .alias = "low_threshold",
};

} // namespace schedd::filters
