// migration_probe - the work that moves away from this node: when the last move began, and how many are under
// way (Kerrighed migration_probe.c).
//   never -> last_migration 0, migration_on_going 0; one begins at 7200 s -> 7200000000000, 1; it ends -> 0
// A read tells what holds at that moment. Both are told to their sinks after each start and end, on_going
// first, at the latest a period after it. Usage: create probes/migration_probe;
// link migration_probe/last_migration .../freq_limit/last_event
#include "components/model/movement.h"
#include "components/probes/probes.h"

namespace schedd::probes {

namespace {

constexpr AttributeSpec kAttributes[] = {probe_period(), publish()};

enum SourceIndex : std::size_t { kLast, kOnGoing };
constexpr SourceSpec kSourceSpecs[] = {
    {.name = "last_migration",
     .type = types::kInstant,
     .doc = "When the last move away began, on the monotonic clock; 0 = never."},
    {.name = "migration_on_going", .type = types::kCount, .doc = "Moves away that are under way."},
};

/// Asks each time it is read: between two looks of the probe a move may have begun.
class LiveSource final : public Source {
public:
    using Ask = std::int64_t (*)(const Movement&);
    LiveSource(const SourceSpec& spec, const Environment& environment, Ask answer)
        : Source(spec), movement_(environment.movement), clock_(environment.clock), ask_(answer) {}
    [[nodiscard]] std::optional<Sample> read(const Parameter& /*parameter*/) const override {
        return Sample{.value = movement_ ? ask_(*movement_) : std::int64_t{0}, .time = clock_.now()};
    }
    void tell() { publish(*read({})); }

private:
    const Movement* movement_;
    const Clock& clock_;
    Ask ask_;
};

std::int64_t last_of(const Movement& movement) {
    const auto last = movement.last_start();
    return last ? last->count() : 0;
}
std::int64_t on_going_of(const Movement& movement) { return movement.on_going(); }

class MigrationProbe final : public Probe {
public:
    MigrationProbe(const Descriptor& type, std::string name, const Environment& environment)
        : Probe(type, std::move(name), environment) {
        adopt(std::make_unique<LiveSource>(kSourceSpecs[kLast], environment, last_of));
        adopt(std::make_unique<LiveSource>(kSourceSpecs[kOnGoing], environment, on_going_of));
    }

    void measure(Time /*now*/) override {
        const auto* movement = environment().movement;
        const auto generation = movement ? movement->generation() : 0;
        if (std::exchange(seen_, generation) == generation) return;
        static_cast<LiveSource&>(*children()[kOnGoing]).tell();
        static_cast<LiveSource&>(*children()[kLast]).tell();
    }

private:
    std::uint64_t seen_ = 0;
};

} // namespace

const Descriptor kMigration{
    .name = "migration_probe",
    .kind = Kind::probe,
    .doc = "When work last began to move to another node, and how much is on its way.",
    .make = make_part<MigrationProbe>,
    .attributes = kAttributes,
    .sources = kSourceSpecs,
    .alias = "migration",
};

} // namespace schedd::probes
