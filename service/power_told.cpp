// What PowerDesk tells people: the profile, what is packed because of it, and who holds one.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "components/model/cpu_words.h"
#include "service/power_desk.h"

namespace schedd::service {

namespace {

/// A CPU that was used less than this, in percent, is all but idle.
constexpr std::int64_t kAsleepBelow = 2;

} // namespace

void PowerDesk::tell(std::vector<dbus::HoldFacts>& holds) const {
    if (std::ranges::none_of(holds, [](const auto& h) { return h.request.what.starts_with(kProfileHold); }))
        return;
    const auto known = bus_ ? bus_->holds() : std::vector<desktop::ProfileHold>();
    for (auto& hold : holds) {
        if (!hold.request.what.starts_with(kProfileHold)) continue;
        const auto at = std::ranges::find(known, cause_of(hold), &desktop::ProfileHold::cause);
        hold.state = at != known.end() ? at->state : bus_ ? "asked" : "waits: " + state_.profile_trouble;
    }
}

/// The first of a type, null if there is none.
const Probe* PowerDesk::probe_of(std::string_view type) const {
    for (const auto& part : world_->tree.probes().children())
        if (part->type()->name == type) return static_cast<const Probe*>(part.get());
    return nullptr;
}

/// A probe says what is used; without one it is what the daemons say.
void PowerDesk::tell_said(dbus::PowerFacts& facts) const {
    facts.profile = state_.profile.value_or("");
    facts.profile_from = state_.profile_from;
    facts.on_battery = state_.on_battery;
    if (state_.battery_percent)
        facts.battery_percent = static_cast<std::uint64_t>(*state_.battery_percent + 0.5);
    facts.degraded = state_.degraded;
    const auto* probe = probe_of("power");
    if (!probe) return;
    const auto value = [&](std::string_view source) -> std::optional<Value> {
        const auto* part = probe->child(source);
        const auto sample = part ? static_cast<const Source&>(*part).read({}) : std::nullopt;
        return sample ? std::optional(sample->value) : std::nullopt;
    };
    if (const auto profile = value("profile")) {
        facts.profile = text_of(*profile);
        facts.profile_from = text_of(*probe->read_attribute("profile_from"));
    }
    if (const auto on_battery = value("on_battery")) facts.on_battery = number_of(*on_battery) != 0;
    if (const auto percent = value("battery_percent"))
        facts.battery_percent = static_cast<std::uint64_t>(number_of(*percent));
}

std::optional<std::uint64_t> PowerDesk::cores_asleep(const Topology& topology) const {
    const auto* probe = probe_of("cpu");
    const auto* usage = probe ? probe->child("cpu_usage") : nullptr;
    if (!usage) return std::nullopt;
    CpuSet known;
    CpuSet awake;
    static_cast<const Source&>(*usage).list([&](const Parameter& parameter, const Sample& sample) {
        const auto* cpu = std::get_if<std::int64_t>(&parameter);
        if (!cpu || *cpu < 0 || *cpu >= limits::kMaxCpus) return;
        known.add(static_cast<int>(*cpu));
        if (number_of(sample.value) >= kAsleepBelow) awake.add(static_cast<int>(*cpu));
    });
    if (!topology.usable().subset_of(known)) return std::nullopt;
    std::uint64_t asleep = 0;
    for (const auto& core : topology.domains(Level::core)) asleep += !core.cpus.intersects(awake);
    return asleep;
}

dbus::PowerFacts PowerDesk::facts(const placement::Engine& engine, const Topology& topology) const {
    dbus::PowerFacts facts;
    tell_said(facts);
    facts.cores_asleep = cores_asleep(topology);
    std::array<CpuSet, 3> held;
    for (const auto& row : engine.explain("").value_or(std::vector<placement::Explanation>())) {
        // what was written and holds; who came narrow, or is another's, is not packed by anybody here
        if (row.outcome.state != placement::State::applied || row.outcome.written.empty()) continue;
        if (row.outcome.effective.empty() || topology.usable().subset_of(row.outcome.effective)) continue;
        for (const auto& [scheduler, member] : row.members) {
            const auto part = world_->tree.find(Path({"schedulers", scheduler, "process_set", member}));
            const auto work_class =
                part ? static_cast<const Member&>(**part).demand().work_class : WorkClass::normal;
            held[static_cast<std::size_t>(work_class)] |= row.outcome.effective & topology.usable();
        }
    }
    for (const auto work_class : {WorkClass::latency, WorkClass::normal, WorkClass::batch}) {
        const auto& cpus = held[static_cast<std::size_t>(work_class)];
        if (!cpus.empty() && cpus != topology.usable())
            facts.packed.push_back(fmt::format("{} {}packed on {}", name_of(work_class),
                                               world_->is_live ? "" : "would be ", cpu_words(cpus)));
    }
    if (bus_)
        for (const auto& hold : bus_->holds())
            facts.held.push_back(fmt::format("{} for {}: {}", hold.profile, hold.cause, hold.state));
    facts.hints = frequency_->rows();
    for (const auto& [path, what] : overlay_->complaints())
        facts.trouble += (facts.trouble.empty() ? "" : "; ") + what;
    return facts;
}

std::vector<dbus::Finding> PowerDesk::findings() const {
    std::vector<dbus::Finding> findings;
    for (const auto& [path, what] : overlay_->complaints())
        findings.push_back({path.text(), path.names()[1], "not-as-wanted", "", "", what});
    return findings;
}

} // namespace schedd::service
