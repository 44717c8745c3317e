// power - what the desktop and the machine say about power: the profile that people chose, battery, heat,
// energy.
//   power-profiles-daemon: ActiveProfile "power-saver", UPower: OnBattery true, 41 %
//       -> profile power-saver, on_battery 1, battery_percent 41, degraded ""
//   neither runs, platform_profile holds "low-power"       -> profile low-power; degraded has no value
// A profile is any text. What was said last before a period counts, however often it changed since the one
// before. The kernel's files stand in for a daemon that does not run. A source tells its sinks only what has
// changed. Usage: create probes/power; read probes/power/profile
#include <array>

#include <fmt/format.h>

#include "components/model/power.h"
#include "components/model/source_trouble.h"
#include "components/probes/power_files.h"
#include "components/probes/probes.h"

namespace schedd::probes {

namespace {

constexpr AttributeSpec kAttributes[] = {
    probe_period(),
    {.name = "profile_from",
     .kind = AttributeKind::text,
     .initial = "",
     .read_only = true,
     .doc = "Who says the profile: a name on the bus, or a file; empty while nobody does."},
    {.name = "battery_from",
     .kind = AttributeKind::text,
     .initial = "",
     .read_only = true,
     .doc = "Who says whether it runs on battery; empty while nobody does."},
};
enum Attribute : std::size_t { kPeriod, kProfileFrom, kBatteryFrom };

enum SourceIndex : std::size_t { kProfile, kOnBattery, kBattery, kDegraded, kEnergy, kSources };
constexpr std::array<SourceSpec, kSources> kSourceSpecs{
    SourceSpec{.name = "profile",
               .type = types::kPowerProfile,
               .doc =
                   "The power profile in force: power-saver, balanced, performance, or what else is said."},
    SourceSpec{.name = "on_battery", .type = types::kOnBattery, .doc = "1 while it runs on battery."},
    SourceSpec{.name = "battery_percent", .type = types::kBattery, .doc = "How full its batteries are."},
    SourceSpec{.name = "degraded",
               .type = types::kDegraded,
               .doc = "Why performance is less than it could be (heat, a lap); empty while it is not."},
    SourceSpec{.name = "energy",
               .type = types::kEnergy,
               .doc = "What the packages have used since the probe was made (RAPL)."},
};

class PowerProbe final : public Probe, public SourceTrouble {
public:
    PowerProbe(const Descriptor& type, std::string name, const Environment& environment)
        : Probe(type, std::move(name), environment) {
        for (const auto& spec : kSourceSpecs) adopt(std::make_unique<PlainSource>(spec));
    }

    void measure(Time now) override {
        static const PowerState kNobody;
        const auto& said = environment().power ? *environment().power : kNobody;
        troubles_ = {};
        measure_profile(said, now);
        measure_battery(said, now);
        const auto energy = energy_.measure(environment().host);
        put(kEnergy, energy ? std::optional<Value>(*energy) : std::nullopt, now);
        if (!energy) troubles_[kEnergy] = energy.error().text();
        std::string all; // a machine without a battery, or one that says nothing of heat, is as it should be
        for (const auto index : {kProfile, kOnBattery, kEnergy})
            if (const auto& why = troubles_[index]; !why.empty())
                all += fmt::format("{}{}: {}", all.empty() ? "" : "; ", kSourceSpecs[index].name, why);
        note_trouble(std::move(all));
    }

    [[nodiscard]] std::string trouble_of(const Source& source) const override {
        for (std::size_t i = 0; i < kSources; ++i)
            if (source.name() == kSourceSpecs[i].name) return troubles_[i];
        return {};
    }

private:
    void measure_profile(const PowerState& said, Time now) {
        std::optional<Value> profile;
        std::string from = said.profile_from;
        if (said.profile) {
            profile = *said.profile;
        } else if (auto word = read_platform_profile(environment().host)) {
            profile = std::move(*word);
            from = "platform_profile";
            troubles_[kDegraded] = fmt::format("{}; platform_profile does not say it", said.profile_trouble);
        } else {
            from.clear();
            troubles_[kProfile] = fmt::format("{}, and {}", said.profile_trouble, word.error().text());
            troubles_[kDegraded] = said.profile_trouble;
        }
        report(kProfileFrom, std::move(from));
        put(kProfile, std::move(profile), now);
        put(kDegraded, said.profile ? std::optional<Value>(said.degraded) : std::nullopt, now);
    }

    void measure_battery(const PowerState& said, Time now) {
        PowerSupply supply{said.on_battery, said.battery_percent};
        std::string from = said.battery_from;
        if (!supply.on_battery) {
            supply = read_power_supply(environment().host);
            from = supply.on_battery ? "power_supply" : "";
        }
        report(kBatteryFrom, std::move(from));
        put(kOnBattery,
            supply.on_battery ? std::optional<Value>(std::int64_t{*supply.on_battery}) : std::nullopt, now);
        put(kBattery,
            supply.percent ? std::optional<Value>(static_cast<std::int64_t>(*supply.percent + 0.5))
                           : std::nullopt,
            now);
        if (!supply.on_battery)
            troubles_[kOnBattery] = troubles_[kBattery] =
                fmt::format("{}, and sys/class/power_supply has neither mains nor battery",
                            said.battery_trouble);
        else if (!supply.percent)
            troubles_[kBattery] =
                said.on_battery ? said.battery_from + " tells of no battery"
                                : said.battery_trouble + ", and no battery of sys/class/power_supply says it";
    }

    void put(SourceIndex index, std::optional<Value> value, Time now) {
        auto& source = static_cast<PlainSource&>(*children()[index]);
        if (!value) return source.clear();
        const auto before = source.read({});
        Sample sample{.value = std::move(*value), .time = now, .fresh_for = fresh_for()};
        if (before && before->value == sample.value) source.refresh(std::move(sample));
        else source.set(std::move(sample));
    }

    EnergyMeter energy_;
    std::array<std::string, kSources> troubles_;
};

} // namespace

const Descriptor kPower{
    .name = "power",
    .kind = Kind::probe,
    .doc = "Power profile, battery, heat and energy, as the desktop's daemons or the kernel say.",
    .make = make_part<PowerProbe>,
    .attributes = kAttributes,
    .sources = kSourceSpecs,
};

} // namespace schedd::probes
