// pressure - for what share of time tasks stalled for want of CPU, memory or io (PSI), machine-wide and per
// cgroup.
//   total= grew by 250000 us within 1 s -> 250 (thousandths of time)
// `some`: at least one task stalled, `full`: all did. Shares are of the last period, from total=, not the
// kernel's decaying averages. Only control groups that were asked for are followed, each until it is gone or
// nobody has asked for a while; so the first two reads of a group have no value yet. With short periods, a
// group at rest is read every half second only. Usage: create probes/pressure; read
// probes/pressure/cpu_some; read probes/pressure/cgroup_cpu_some[/batch]
#include <map>

#include <fmt/format.h>

#include "components/probes/group_path.h"
#include "components/probes/probes.h"
#include "components/probes/stall_meter.h"

namespace schedd::probes {

namespace {

constexpr AttributeSpec kAttributes[] = {probe_period(), publish("cpu_some memory_some io_some")};

constexpr std::array<std::string_view, 3> kResources{"cpu", "memory", "io"};

// in the order resource * kStalls + stall, first those of the machine, then those of the groups
constexpr SourceSpec kSourceSpecs[] = {
    {.name = "cpu_some", .type = types::kPressure, .doc = "Some task waited for a CPU."},
    {.name = "cpu_full", .type = types::kPressure, .doc = "All tasks waited for a CPU."},
    {.name = "memory_some", .type = types::kPressure, .doc = "Some task waited for memory."},
    {.name = "memory_full", .type = types::kPressure, .doc = "All tasks waited for memory."},
    {.name = "io_some", .type = types::kPressure, .doc = "Some task waited for io."},
    {.name = "io_full", .type = types::kPressure, .doc = "All tasks waited for io."},
    {.name = "cgroup_cpu_some",
     .type = types::kPressureByCgroup,
     .doc = "Some task of the group waited for a CPU."},
    {.name = "cgroup_cpu_full",
     .type = types::kPressureByCgroup,
     .doc = "All tasks of the group waited for a CPU."},
    {.name = "cgroup_memory_some",
     .type = types::kPressureByCgroup,
     .doc = "Some task of the group waited for memory."},
    {.name = "cgroup_memory_full",
     .type = types::kPressureByCgroup,
     .doc = "All tasks of the group waited for memory."},
    {.name = "cgroup_io_some",
     .type = types::kPressureByCgroup,
     .doc = "Some task of the group waited for io."},
    {.name = "cgroup_io_full",
     .type = types::kPressureByCgroup,
     .doc = "All tasks of the group waited for io."},
};
constexpr std::size_t kPlain = kResources.size() * kStalls;

/// A group nobody has asked for during so many periods is followed no longer ...
constexpr int kForgetAfterPeriods = 30;
/// ... but not before this: with short periods, who asks once a second still asks.
constexpr Duration kForgetAfter = std::chrono::seconds(10);

/// A file of a group in which nothing has stalled for this long is read only as often as this, so that many
/// groups at rest cost little: most of a short period would go into reading the same text again.
constexpr Duration kQuietAfter = std::chrono::seconds(1);
constexpr Duration kQuietPeriod = std::chrono::milliseconds(500);

class PressureProbe final : public Probe {
public:
    PressureProbe(const Descriptor& type, std::string name, const Environment& environment)
        : Probe(type, std::move(name), environment) {
        for (std::size_t i = 0; i < std::size(kSourceSpecs); ++i) {
            if (i < kPlain) adopt(std::make_unique<PlainSource>(kSourceSpecs[i]));
            else adopt(lookup(i - kPlain));
        }
        for (const auto resource : kResources)
            machine_.emplace_back(environment.host, fmt::format("proc/pressure/{}", resource));
    }

    void measure(Time now) override {
        std::string trouble;
        for (std::size_t r = 0; r < kResources.size(); ++r) {
            const auto read = machine_[r].measure(now);
            if (!read) trouble += (trouble.empty() ? "" : "; ") + read.error().text();
            for (std::size_t i = 0; i < kStalls; ++i) {
                auto& source = static_cast<PlainSource&>(*children()[r * kStalls + i]);
                if (const auto share = machine_[r].share(static_cast<Stall>(i)))
                    source.set({.value = *share, .time = now, .fresh_for = fresh_for()});
                else source.clear();
            }
        }
        measure_groups(now);
        note_trouble(std::move(trouble));
    }

private:
    /// One PSI file of one group; `meter` is made when it is first measured.
    struct Followed {
        std::optional<StallMeter> meter;
        Time asked_at{};
    };
    using Groups = std::map<std::string, Followed, std::less<>>;

    std::unique_ptr<LookupSource> lookup(std::size_t index) {
        const auto resource = index / kStalls;
        const auto stall = static_cast<Stall>(index % kStalls);
        return std::make_unique<LookupSource>(
            kSourceSpecs[kPlain + index],
            [this, resource, stall](const Parameter& parameter) { return look(resource, stall, parameter); },
            [this, resource, stall](const Output::Visit& visit) {
                for (const auto& [path, followed] : groups_[resource])
                    if (const auto sample = sample_of(followed, stall))
                        visit(Parameter(std::string_view(path)), *sample);
            });
    }

    std::optional<Sample> look(std::size_t resource, Stall stall, const Parameter& parameter) {
        const auto* path = std::get_if<std::string_view>(&parameter);
        if (!path) return std::nullopt;
        auto& groups = groups_[resource];
        auto at = groups.find(*path);
        if (at == groups.end()) {
            if (groups.size() >= limits::kPressureGroups || !is_group_path(*path)) return std::nullopt;
            at = groups.emplace(*path, Followed{}).first;
        }
        at->second.asked_at = environment().clock.now();
        return sample_of(at->second, stall);
    }

    [[nodiscard]] std::optional<Sample> sample_of(const Followed& followed, Stall stall) const {
        const auto share = followed.meter ? followed.meter->share(stall) : std::nullopt;
        if (!share) return std::nullopt;
        return Sample{.value = *share, .time = followed.meter->measured_at(), .fresh_for = fresh_for()};
    }

    void measure_groups(Time now) {
        for (std::size_t r = 0; r < kResources.size(); ++r)
            for (auto at = groups_[r].begin(); at != groups_[r].end();)
                at = follow(at->first, at->second, kResources[r], now) ? std::next(at) : groups_[r].erase(at);
    }

    /// False when the group is gone or nobody wants it any more.
    bool follow(const std::string& path, Followed& followed, std::string_view resource, Time now) const {
        if (now - followed.asked_at > std::max<Duration>(kForgetAfterPeriods * period(), kForgetAfter))
            return false;
        if (followed.meter) {
            const bool is_quiet = now - followed.meter->quiet_since() >= kQuietAfter;
            if (is_quiet && now - followed.meter->measured_at() < kQuietPeriod) return true;
            return followed.meter->measure(now).has_value();
        }
        return find_group(followed, path, resource, now);
    }

    bool find_group(Followed& followed, const std::string& path, std::string_view resource, Time now) const {
        const auto below = path == "/" ? std::string() : path;
        for (const auto mount : kUnifiedMounts) {
            followed.meter.emplace(environment().host,
                                   fmt::format("{}{}/{}.pressure", mount, below, resource));
            if (followed.meter->measure(now)) return true;
        }
        return false;
    }

    std::vector<StallMeter> machine_;
    std::array<Groups, kResources.size()> groups_;
};

} // namespace

const Descriptor kPressure{
    .name = "pressure",
    .kind = Kind::probe,
    .doc = "Stall time (PSI) of CPU, memory and io, machine-wide and per control group.",
    .make = make_part<PressureProbe>,
    .attributes = kAttributes,
    .sources = kSourceSpecs,
};

} // namespace schedd::probes
