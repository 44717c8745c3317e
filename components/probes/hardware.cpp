// hardware_probe - what the machine reports of its own troubles: memory errors, machine checks, overheating,
// disks; and how much of that is new.
//   edac mc0/ce_count 7, mc1/ce_count 1 -> corrected_errors 8; proc/interrupts "MCE: 0 1 ..." ->
//   machine_checks 1
//   within `window` one uncorrected error, 20 corrected ones, corrected_limit 10 -> troubles 1 + 2 = 3
// What was there at the first look is no news. Where the machine has no such report that source has no value.
// smartd's warnings count where it keeps its state below /var/lib/smartmontools. Usage:
// create probes/hardware_probe; link hardware_probe/troubles .../troubles
#include <array>
#include <deque>

#include "components/probes/hardware_counts.h"
#include "components/probes/probes.h"

namespace schedd::probes {

namespace {

enum Attribute : std::size_t { kPeriod, kWindow, kCorrectedLimit, kThrottleLimit };
constexpr AttributeSpec kAttributes[] = {
    probe_period("10000"),
    {.name = "window",
     .unit = "s",
     .initial = "3600",
     .minimum = 1,
     .maximum = 30 * 86'400,
     .doc = "For how long a trouble is news."},
    {.name = "corrected_limit",
     .unit = "errors",
     .initial = "10",
     .maximum = 1'000'000'000,
     .doc = "So many corrected memory errors within the window are a trouble; 0 = they never are."},
    {.name = "throttle_limit",
     .unit = "times",
     .initial = "100",
     .maximum = 1'000'000'000,
     .doc = "So many times that cores were too hot within the window are a trouble; 0 = they never are."},
    publish("troubles"),
};

enum SourceIndex : std::size_t { kCorrected, kUncorrected, kMachineChecks, kThrottles, kDisks, kTroubles };
constexpr SourceSpec kSourceSpecs[] = {
    {.name = "corrected_errors",
     .type = types::kCount,
     .doc = "Memory errors that were put right, since the machine was started."},
    {.name = "uncorrected_errors", .type = types::kCount, .doc = "Memory errors that were not."},
    {.name = "machine_checks", .type = types::kCount, .doc = "Machine check exceptions."},
    {.name = "throttles", .type = types::kCount, .doc = "Times that a core was slowed for being too hot."},
    {.name = "disk_warnings", .type = types::kCount, .doc = "Warnings about disks that smartd has sent."},
    {.name = "troubles",
     .type = types::kCount,
     .doc = "What of all this is new, in troubles that each are reason enough to move work away."},
};
constexpr std::size_t kTotals = kTroubles;
using Totals = std::array<std::optional<std::int64_t>, kTotals>;

class HardwareProbe final : public Probe {
public:
    HardwareProbe(const Descriptor& type, std::string name, const Environment& environment)
        : Probe(type, std::move(name), environment), reader_(environment.host) {
        for (const auto& spec : kSourceSpecs) adopt(std::make_unique<PlainSource>(spec));
    }

    void measure(Time now) override {
        const auto counts = reader_.read();
        const Totals totals{counts.corrected, counts.uncorrected, counts.machine_checks, counts.throttles,
                            counts.disk_warnings};
        for (std::size_t i = 0; i < kTotals; ++i) {
            put(i, totals[i], now);
            // also a report that begins later brings no news at first
            const auto grown = last_[i] && totals[i] ? *totals[i] - *last_[i] : 0;
            if (grown > 0) news_.push_back({i, grown, now});
            if (totals[i]) last_[i] = totals[i];
        }
        const std::chrono::seconds window(unsigned_at(kWindow));
        while (!news_.empty() && now - news_.front().at > window) news_.pop_front();
        while (news_.size() > kMostNews) news_.pop_front();
        put(kTroubles, troubles(), now);
        const bool has_any = std::ranges::any_of(totals, [](const auto& total) { return total.has_value(); });
        note_trouble(has_any ? std::string()
                             : "neither EDAC nor machine checks, thermal throttling or smartd are there");
    }

private:
    struct News {
        std::size_t what;
        std::int64_t count;
        Time at;
    };
    static constexpr std::size_t kMostNews = 4096;

    [[nodiscard]] std::int64_t troubles() const {
        std::array<std::int64_t, kTotals> sums{};
        for (const auto& news : news_) sums[news.what] += news.count;
        const auto in = [&](std::size_t what, std::size_t attribute) {
            const auto limit = static_cast<std::int64_t>(unsigned_at(attribute));
            return limit > 0 ? sums[what] / limit : 0;
        };
        return sums[kUncorrected] + sums[kMachineChecks] + sums[kDisks] + in(kCorrected, kCorrectedLimit) +
               in(kThrottles, kThrottleLimit);
    }

    void put(std::size_t index, std::optional<std::int64_t> value, Time now) const {
        auto& source = static_cast<PlainSource&>(*children()[index]);
        if (!value) return source.clear();
        const auto before = source.read({});
        const Sample sample{.value = *value, .time = now, .fresh_for = fresh_for()};
        if (before && before->value == sample.value) source.refresh(sample);
        else source.set(sample);
    }

    HardwareReader reader_;
    Totals last_{};
    std::deque<News> news_;
};

} // namespace

const Descriptor kHardware{
    .name = "hardware_probe",
    .kind = Kind::probe,
    .doc = "What the machine reports of its own troubles, and what of that is new.",
    .make = make_part<HardwareProbe>,
    .attributes = kAttributes,
    .sources = kSourceSpecs,
    .alias = "hardware",
};

} // namespace schedd::probes
