// remote_cache_filter - answers for other nodes with what they told last, if that is fresh enough.
//   a node tells every 1000 ms. polling_period 0 (the default): 2900 ms old -> the value, 3001 ms -> none
//   polling_period 2000: 1900 ms old -> the value, 2001 ms -> none; 9000: as 0, three periods are the limit
//   polling_period 100: as 1250, since nobody tells more often than his period, and a quarter later at times
// Own values and updates pass as they are. A read neither asks nor waits: values come in heartbeats, so the
// original's walk over all nodes each polling_period is not needed, nor does a value outlive its node
// (Kerrighed remote_cache_filter.c kept it). Usage: create .../remote_load/remote_cache
#include "components/filters/filters.h"

namespace schedd::filters {

namespace {

enum Attribute : std::size_t { kPollingPeriod };
constexpr AttributeSpec kAttributes[] = {
    {.name = "polling_period",
     .unit = "ms",
     .maximum = 86'400'000,
     .doc = "Oldest value of another node that is taken; 0 = its last, up to three of its periods, which are "
            "the limit in any case. Less than its period and a quarter counts as that."},
};

class RemoteCacheFilter final : public Filter {
public:
    using Filter::Filter;

    [[nodiscard]] std::optional<Sample> read_remote(NodeId node, const Parameter& parameter) const override {
        auto sample = collect_remote(node, parameter);
        if (!sample || sample->origin == kLocalNode) return sample;
        const std::chrono::milliseconds wanted(unsigned_at(kPollingPeriod));
        if (wanted.count() > 0 && sample->fresh_for != Duration::max())
            sample->fresh_for =
                std::min<Duration>(sample->fresh_for, std::max<Duration>(wanted, soonest(sample->fresh_for)));
        if (!sample->fresh_at(now())) sample.reset();
        return sample;
    }

private:
    /// A period and a quarter of a sender whose values are good for three.
    static Duration soonest(Duration three_periods) { return three_periods / 12 * 5; }
};

} // namespace

const Descriptor kRemoteCache{
    .name = "remote_cache_filter",
    .kind = Kind::filter,
    .doc = "Answers for other nodes with what they told last, if it is fresh enough; own values pass.",
    .make = make_part<RemoteCacheFilter>,
    .attributes = kAttributes,
    .alias = "remote_cache",
};

} // namespace schedd::filters
