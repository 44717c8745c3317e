// constant_filter - puts a constant in the place of every value.
//   constant 1000: the source says 37 -> 1000, of another node too; nothing linked -> 1000
// Updates still come from the source, so it says when and the constant says what (Kerrighed, branch
// memory-balanced-scheduler). Usage: create .../single_process_load/constant;
// write .../single_process_load/constant.constant 1000
#include "components/filters/value_filters.h"

namespace schedd::filters {

namespace {

enum Attribute : std::size_t { kValue };
constexpr AttributeSpec kAttributes[] = {
    {.name = "constant", .doc = "What is read and passed on, in the unit of the chain."},
};

class ConstantFilter final : public Filter {
public:
    using Filter::Filter;

    void update(const Sample& sample) override {
        Sample passed = sample;
        passed.value = value();
        publish(passed);
    }
    [[nodiscard]] std::optional<Sample> read(const Parameter& /*parameter*/) const override {
        return Sample{.value = value(), .time = now()};
    }
    [[nodiscard]] std::optional<Sample> read_remote(NodeId node,
                                                    const Parameter& /*parameter*/) const override {
        return Sample{.value = value(), .time = now(), .origin = node};
    }

private:
    [[nodiscard]] std::int64_t value() const { return static_cast<std::int64_t>(unsigned_at(kValue)); }
};

} // namespace

const Descriptor kConstant{
    .name = "constant_filter",
    .kind = Kind::filter,
    .doc = "Puts a constant in the place of every value.",
    .make = make_part<ConstantFilter>,
    .attributes = kAttributes,
    .alias = "constant",
};

} // namespace schedd::filters
