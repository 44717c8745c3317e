// cpuspeed_probe - how many CPUs are online and what each can do (Kerrighed cpuspeed_probe.c).
//   CPUs 0-3 of at most 3 GHz -> connected 4, speed[0] 3000000; speed[7] -> no value
// The speed is the highest, not that of the moment, and that of a slower kind of core is less by as much as
// it gets done less (core_speeds.h). Usage: create probes/cpuspeed_probe; read probes/cpuspeed_probe/speed[0]
#include "components/model/machine_types.h"
#include "components/probes/core_speeds.h"
#include "components/probes/probes.h"

namespace schedd::probes {

namespace {

constexpr AttributeSpec kAttributes[] = {probe_period("10000"), publish("connected")};

enum SourceIndex : std::size_t { kConnected, kSpeed };
constexpr SourceSpec kSourceSpecs[] = {
    {.name = "connected", .type = types::kCpus, .doc = "CPUs that are online."},
    {.name = "speed", .type = types::kSpeedByCpu, .doc = "What a CPU can do at most."},
};

class CpuSpeedProbe final : public Probe {
public:
    CpuSpeedProbe(const Descriptor& type, std::string name, const Environment& environment)
        : Probe(type, std::move(name), environment), speeds_(environment.host) {
        adopt(std::make_unique<PlainSource>(kSourceSpecs[kConnected]));
        adopt(std::make_unique<LookupSource>(
            kSourceSpecs[kSpeed], [this](const Parameter& parameter) { return speed_of(parameter); },
            [this](const Output::Visit& visit) {
                const auto& online = speeds_.online();
                for (std::int64_t cpu = online.first(); cpu >= 0; cpu = online.next(static_cast<int>(cpu)))
                    if (const auto sample = speed_of(Parameter(cpu))) visit(Parameter(cpu), *sample);
            }));
    }

    /// Tells of another number of CPUs only.
    void measure(Time now) override {
        measured_at_ = now;
        const auto looked = speeds_.look();
        auto& connected = static_cast<PlainSource&>(*children()[kConnected]);
        const auto before = connected.read({});
        const Sample sample{.value = std::int64_t{speeds_.online().count()},
                            .time = now,
                            .fresh_for = fresh_for()};
        if (!looked) connected.clear();
        else if (before && before->value == sample.value) connected.refresh(sample);
        else connected.set(sample);
        note_trouble(looked ? std::string() : looked.error().text());
    }

private:
    [[nodiscard]] std::optional<Sample> speed_of(const Parameter& parameter) const {
        const auto* cpu = std::get_if<std::int64_t>(&parameter);
        const auto speed = cpu ? speeds_.of(*cpu) : std::nullopt;
        if (!speed) return std::nullopt;
        return Sample{.value = *speed, .time = measured_at_, .fresh_for = fresh_for()};
    }

    CoreSpeeds speeds_;
    Time measured_at_{};
};

} // namespace

const Descriptor kCpuSpeed{
    .name = "cpuspeed_probe",
    .kind = Kind::probe,
    .doc = "How many CPUs are online and what each can do.",
    .make = make_part<CpuSpeedProbe>,
    .attributes = kAttributes,
    .sources = kSourceSpecs,
    .alias = "cpuspeed",
};

} // namespace schedd::probes
