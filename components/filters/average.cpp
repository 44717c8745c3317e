// average_filter - smooths: an exponentially weighted moving average, weighted by the true time between
// samples.
//   half_life 1000 (ms): 0, then 1000 a second later -> 500, held -> 750, 875; after 2 s at once -> 750
//   half_life 0: everything passes unchanged
// The first sample is the average. A read answers with the average too; values by parameter (per pid, per
// CPU) and text pass through as they are. Linking a source anew starts anew. Usage: create
// .../node_load/average; write .../node_load/average.half_life 2000
#include <cmath>

#include "components/filters/filters.h"

namespace schedd::filters {

namespace {

enum Attribute : std::size_t { kHalfLife };
constexpr AttributeSpec kAttributes[] = {
    {.name = "half_life",
     .unit = "ms",
     .initial = "1000",
     .maximum = 86'400'000,
     .doc = "Time after which a sample counts half; 0 passes everything unchanged."},
};

class AverageFilter final : public Filter {
public:
    using Filter::Filter;

    /// An average needs every sample, also when the port above only reads.
    [[nodiscard]] bool wants_updates() const override { return averages() || subscribed(); }

    void update(const Sample& sample) override {
        if (!averages() || std::holds_alternative<std::string>(sample.value)) return publish(sample);
        take(sample);
        publish(averaged(sample));
    }

    [[nodiscard]] std::optional<Sample> read(const Parameter& parameter) const override {
        auto sample = collect(parameter);
        if (!sample || !average_ || !averages() || std::holds_alternative<std::string>(sample->value))
            return sample;
        return averaged(*sample);
    }

    void completed() override {
        average_.reset();
        Filter::completed();
    }

protected:
    void changed(std::size_t /*index*/) override { average_.reset(); }

private:
    [[nodiscard]] bool averages() const {
        return unsigned_at(kHalfLife) > 0 && output_type().parameter.empty();
    }

    void take(const Sample& sample) {
        const double value = std::holds_alternative<double>(sample.value)
                                 ? std::get<double>(sample.value)
                                 : static_cast<double>(number_of(sample.value));
        if (!average_) {
            average_ = value;
        } else if (sample.time > last_time_) {
            const std::chrono::duration<double, std::milli> passed = sample.time - last_time_;
            *average_ += (value - *average_) *
                         (1.0 - std::exp2(-passed.count() / static_cast<double>(unsigned_at(kHalfLife))));
        }
        last_time_ = std::max(last_time_, sample.time);
    }

    [[nodiscard]] Sample averaged(Sample sample) const {
        if (std::holds_alternative<double>(sample.value)) sample.value = *average_;
        else sample.value = static_cast<std::int64_t>(std::llround(*average_));
        return sample;
    }

    std::optional<double> average_;
    Time last_time_{};
};

} // namespace

const Descriptor kAverage{
    .name = "average_filter",
    .kind = Kind::filter,
    .doc = "Replaces values by their moving average with a half-life.",
    .make = make_part<AverageFilter>,
    .attributes = kAttributes,
    .alias = "average",
};

} // namespace schedd::filters
