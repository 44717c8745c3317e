// mosix_probe - the load of the machine as MOSIX and Kerrighed smoothed it, once a second (mosix_probe.c).
//   load 0, then 1000 held -> mean_load 375, 609, 756, 847, ...: rises slowly, for decisions about oneself
//                          -> upper_load 1000 at once: looks loaded quickly, for others to see
//   load 0 again           -> mean_load 0 at once; upper_load 875, 765, 669, 585, ...
//   norm_x = x * speed of the fastest core known in the cluster / mean speed of the cores here: on a machine
//   half as fast 1000 -> 2000; where all cores of all nodes are equal norm_x = x
//   a process that wants 1000 from its start on -> process_load 375, 609, 755, ...
// Usage: create probes/mosix_probe; link mosix_probe/norm_mean_load .../local_load
#include <algorithm>
#include <unordered_map>

#include "components/model/cluster.h"
#include "components/model/machine_types.h"
#include "components/probes/core_speeds.h"
#include "components/probes/probes.h"
#include "components/probes/run_queues.h"
#include "components/probes/smoothed_load.h"
#include "components/probes/task_meter.h"

namespace schedd::probes {

namespace {

constexpr AttributeSpec kAttributes[] = {probe_period(),
                                         publish("norm_upper_load norm_single_process_load core_speed")};

enum SourceIndex : std::size_t {
    kMean,
    kUpper,
    kSingle,
    kNormMean,
    kNormUpper,
    kNormSingle,
    kProcess,
    kSpeed
};
constexpr SourceSpec kSourceSpecs[] = {
    {.name = "mean_load",
     .type = types::kLoad,
     .doc = "Runnable tasks of the machine; rises slowly, falls at once."},
    {.name = "upper_load",
     .type = types::kLoad,
     .doc = "Runnable tasks of the machine; rises at once, falls slowly."},
    {.name = "single_process_load",
     .type = types::kLoad,
     .doc = "What a process that always wants a CPU adds: 1000."},
    {.name = "norm_mean_load", .type = types::kLoad, .doc = "mean_load by the speed of the cores."},
    {.name = "norm_upper_load", .type = types::kLoad, .doc = "upper_load by the speed of the cores."},
    {.name = "norm_single_process_load",
     .type = types::kLoad,
     .doc = "single_process_load by the speed of the cores."},
    {.name = "process_load",
     .type = types::kLoadByPid,
     .doc = "Runnable threads of a process, smoothed both ways; 0 at its start."},
    {.name = "core_speed",
     .type = types::kSpeed,
     .doc = "The fastest core here; the fastest of all nodes is what norm_ values are measured by."},
};

/// Timers are late at times: a look so much before the second is over counts as its end.
constexpr Duration kSlack = std::chrono::milliseconds(50);
/// After a pause so many seconds are made up for; what is smoothed has settled long before.
constexpr int kMostSeconds = 60;
/// Speeds that differ by less are the same: "cpu MHz" of equal machines differs a little.
constexpr std::int64_t kSamePercent = 2;

class MosixProbe final : public Probe, public ProcessListener {
public:
    MosixProbe(const Descriptor& type, std::string name, const Environment& environment)
        : Probe(type, std::move(name), environment), tasks_(environment.host), queues_(environment.host),
          speeds_(environment.host) {
        for (std::size_t i = 0; i < kProcess; ++i) adopt(std::make_unique<PlainSource>(kSourceSpecs[i]));
        adopt(std::make_unique<LookupSource>(
            kSourceSpecs[kProcess], [this](const Parameter& parameter) { return load_of(parameter); },
            [this](const Output::Visit& visit) {
                tasks_.visit([&](Pid pid, const TaskMeter::Load& load) {
                    visit(Parameter(static_cast<std::int64_t>(pid)), sample_of(pid, load));
                });
            }));
        adopt(std::make_unique<PlainSource>(kSourceSpecs[kSpeed]));
        environment.processes.add_listener(*this);
    }
    ~MosixProbe() override { environment().processes.remove_listener(*this); }

    void measure(Time now) override {
        const bool is_first = !std::exchange(is_started_, true);
        if (is_first) start();
        const auto seconds = is_first ? 0 : (now - folded_ + kSlack) / std::chrono::seconds(1);
        if (!is_first && seconds < 1) return;
        folded_ = now;
        tasks_.pass(now);
        const auto queues = has_queues_ ? queues_.measure(now) : Status{};
        const auto speeds = speeds_.look();
        const auto load = has_queues_ ? queues_.load() : tasks_.total();
        const int steps = static_cast<int>(std::min<std::int64_t>(seconds, kMostSeconds));
        for (int i = 0; i < steps && load; ++i) smoothed_.take(*load);
        tasks_.visit([this, steps](Pid pid, const TaskMeter::Load& task) {
            auto& smoothed = loads_[pid];
            for (int i = 0; i < steps; ++i) smoothed = smoothed_process_load(smoothed, task.load);
        });
        tell(load.has_value(), now);
        if (!queues) note_trouble(queues.error().text());
        else if (!tasks_.trouble().empty()) note_trouble(tasks_.trouble());
        else note_trouble(speeds ? std::string() : speeds.error().text());
    }

    void process_arrived(const ProcessInfo& process) override {
        if (!is_started_) return;
        loads_[process.pid] = 0;
        tasks_.add(process);
    }
    void process_left(Pid pid) override {
        loads_.erase(pid);
        tasks_.remove(pid);
    }
    void threads_changed(Pid pid) override { tasks_.threads_changed(pid); }

private:
    void start() {
        has_queues_ = environment().host.open("proc/schedstat").has_value();
        environment().processes.for_each([this](const ProcessInfo& process) { process_arrived(process); });
    }

    [[nodiscard]] PlainSource& plain(std::size_t index) const {
        return static_cast<PlainSource&>(*children()[index]);
    }

    /// The constants tell nobody, as in the original; they are read.
    void tell(bool has_load, Time now) {
        const auto sample = [&](std::int64_t value) {
            return Sample{.value = value, .time = now, .fresh_for = fresh_for()};
        };
        const auto put = [&](std::size_t index, std::int64_t value) {
            if (has_load) plain(index).set(sample(value));
            else plain(index).clear();
        };
        if (const auto fastest = speeds_.fastest()) plain(kSpeed).refresh(sample(*fastest));
        else plain(kSpeed).clear();
        const auto standard = standard_speed(now);
        plain(kSingle).refresh(sample(kSingleProcess));
        plain(kNormSingle).refresh(sample(normalised(kSingleProcess, standard)));
        put(kUpper, smoothed_.upper());
        put(kNormUpper, normalised(smoothed_.upper(), standard));
        put(kMean, smoothed_.mean());
        put(kNormMean, normalised(smoothed_.mean(), standard)); // last: whoever hears it finds the others new
    }

    /// Of the fastest core that any node tells of, 0 if this one does not know its own.
    [[nodiscard]] std::int64_t standard_speed(Time now) const {
        auto standard = speeds_.fastest().value_or(0);
        const auto* remote = environment().remote;
        if (standard == 0 || !remote) return standard;
        for (const auto& node : remote->nodes()) {
            if (node.is_self || node.number < 0) continue;
            const auto told = remote->read(node.number, plain(kSpeed).key());
            if (told && told->fresh_at(now)) standard = std::max(standard, number_of(told->value));
        }
        return standard;
    }

    [[nodiscard]] std::int64_t normalised(std::int64_t load, std::int64_t standard) const {
        const auto own = speeds_.mean().value_or(0);
        if (own == 0 || (standard - own) * 100 <= own * kSamePercent) return load;
        return load * standard / own;
    }

    [[nodiscard]] std::optional<Sample> load_of(const Parameter& parameter) const {
        const auto* pid = std::get_if<std::int64_t>(&parameter);
        const auto load =
            pid && *pid > 0 && *pid <= INT32_MAX ? tasks_.load_of(static_cast<Pid>(*pid)) : std::nullopt;
        if (!load) return std::nullopt;
        return sample_of(static_cast<Pid>(*pid), *load);
    }
    [[nodiscard]] Sample sample_of(Pid pid, const TaskMeter::Load& load) const {
        const auto at = loads_.find(pid);
        return {.value = at == loads_.end() ? 0 : at->second,
                .time = load.time,
                .fresh_for = fresh_for() + (tasks_.longest_turn() - 1) * period()};
    }

    TaskMeter tasks_;
    RunQueues queues_;
    CoreSpeeds speeds_;
    SmoothedLoad smoothed_;
    std::unordered_map<Pid, std::int64_t> loads_;
    Time folded_{};
    bool is_started_ = false;
    bool has_queues_ = false;
};

} // namespace

const Descriptor kMosix{
    .name = "mosix_probe",
    .kind = Kind::probe,
    .doc = "Load of the machine and of each process, smoothed once a second as MOSIX did.",
    .make = make_part<MosixProbe>,
    .attributes = kAttributes,
    .sources = kSourceSpecs,
    .alias = "mosix",
};

} // namespace schedd::probes
