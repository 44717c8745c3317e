// freq_limit_filter - lets no update pass too soon after an event, nor while events go on.
//   min_interval 2000000000 (2 s): last event 1.9 s ago -> dropped, 2.0 s ago -> passes, one under way ->
//   dropped min_interval 0 (the default): everything passes, the ports are not asked
// `last_event` without a value (not linked, say) drops every update; `events_on_going` without one is
// ignored. Dropped updates are lost, not deferred; reads pass through (Kerrighed freq_limit_filter.c). Usage:
// create .../node_load/freq_limit; link probes/migration/last_migration .../node_load/freq_limit/last_event
#include "components/filters/filters.h"

namespace schedd::filters {

namespace {

enum Attribute : std::size_t { kMinInterval };
constexpr AttributeSpec kAttributes[] = {
    {.name = "min_interval",
     .unit = "ns",
     .doc = "Shortest time from the last event to an update that passes."},
};

enum PortIndex : std::size_t { kLastEvent, kEventsOnGoing };
constexpr PortSpec kPorts[] = {
    {.name = "last_event",
     .type = types::kInstant,
     .doc = "When the last event was, on the monotonic clock; 0 = never."},
    {.name = "events_on_going", .type = types::kCount, .doc = "How many events are under way."},
};

class FreqLimitFilter final : public Filter {
public:
    using Filter::Filter;

    void update(const Sample& sample) override {
        if (may_pass()) publish(sample);
    }

private:
    [[nodiscard]] bool may_pass() const {
        const auto interval = unsigned_at(kMinInterval);
        if (interval == 0) return true;
        const auto event = port(kLastEvent).collected();
        if (!event) return false;
        const std::int64_t last = number_of(event->value);
        const std::int64_t time = now().count();
        // subtracted as unsigned: any two instants are less than 2^64 apart
        if (last > time || static_cast<std::uint64_t>(time) - static_cast<std::uint64_t>(last) < interval)
            return false;
        const auto on_going = port(kEventsOnGoing).collected();
        return !on_going || number_of(on_going->value) == 0;
    }
};

} // namespace

const Descriptor kFreqLimit{
    .name = "freq_limit_filter",
    .kind = Kind::filter,
    .doc = "Drops updates too soon after an event, or while events go on; reads pass through.",
    .make = make_part<FreqLimitFilter>,
    .attributes = kAttributes,
    .ports = kPorts,
    .alias = "freq_limit",
};

} // namespace schedd::filters
