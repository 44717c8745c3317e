// cpu - the load of the machine and of each process, what control groups use, and how busy each CPU is.
//   a process with two threads that ran 400 ms + waited 600 ms, and ran 250 ms within 1 s -> process_load
//   1250, process_wait 600; node_load: the sum over all tasks; two hogs on one CPU -> 2000; cpu_usage: ticks
//   used 25, idle 75 -> 25; time waiting for io counts as used (Kerrighed cpu_probe.c)
// Load is time: what tasks ran and waited for a CPU between two passes (schedstat), over the time passed.
// States are never sampled. node_load comes from proc/schedstat where the kernel has it, else it is the sum
// over tasks. Usage: create probes/cpu; write probes/cpu.probe_period 500; read probes/cpu/process_load[1234]
#include "components/model/group_usage.h"
#include "components/probes/cpu_usage.h"
#include "components/probes/group_usage.h"
#include "components/probes/probes.h"
#include "components/probes/run_queues.h"
#include "components/probes/task_meter.h"

namespace schedd::probes {

namespace {

constexpr AttributeSpec kAttributes[] = {probe_period(), publish("node_load")};

enum SourceIndex : std::size_t { kNodeLoad, kCpuUsage, kProcessLoad, kProcessWait, kCgroupUsage };
constexpr SourceSpec kSourceSpecs[] = {
    {.name = "node_load", .type = types::kLoad, .doc = "Runnable tasks of the machine over the last period."},
    {.name = "cpu_usage",
     .type = types::kUsageByCpu,
     .doc = "Share of the last period a CPU was used or waited for io."},
    {.name = "process_load",
     .type = types::kLoadByPid,
     .doc = "Runnable threads of a process over the last period."},
    {.name = "process_wait",
     .type = types::kWaitByPid,
     .doc = "Scheduling delay: what of process_load was waiting for a CPU, all threads together."},
    {.name = "cgroup_usage",
     .type = types::kUsageByCgroup,
     .doc = "CPU time of a control group over the last period, also of processes that came and went in it."},
};

/// A group nobody has asked for during so many periods is followed no longer ...
constexpr int kForgetAfterPeriods = 30;
/// ... but not before this: with short periods, who asks once a second still asks.
constexpr Duration kForgetAfter = std::chrono::seconds(10);

class CpuProbe final : public Probe, public ProcessListener {
public:
    CpuProbe(const Descriptor& type, std::string name, const Environment& environment)
        : Probe(type, std::move(name), environment), usage_(environment.host), queues_(environment.host),
          groups_(environment.host) {
        adopt(std::make_unique<PlainSource>(kSourceSpecs[kNodeLoad]));
        adopt(std::make_unique<LookupSource>(
            kSourceSpecs[kCpuUsage], [this](const Parameter& parameter) { return usage_of(parameter); },
            [this](const Output::Visit& visit) {
                for (std::int64_t cpu = 0; cpu < usage_.cpus(); ++cpu)
                    if (const auto sample = usage_of(Parameter(cpu))) visit(Parameter(cpu), *sample);
            }));
        adopt(by_process(kProcessLoad, &TaskMeter::Load::load));
        adopt(by_process(kProcessWait, &TaskMeter::Load::wait));
        adopt(std::make_unique<LookupSource>(
            kSourceSpecs[kCgroupUsage], [this](const Parameter& parameter) { return group_of(parameter); },
            [this](const Output::Visit& visit) {
                groups_.visit([&](const std::string& group, const GroupUsage::Usage& usage) {
                    visit(Parameter(std::string_view(group)), sample_of(usage));
                });
            }));
        environment.processes.add_listener(*this);
    }
    ~CpuProbe() override { environment().processes.remove_listener(*this); }

    void measure(Time now) override {
        if (!has_queues_) has_queues_ = environment().host.open("proc/schedstat").has_value();
        follow_tasks();
        if (tasks_) tasks_->pass(now);
        groups_.measure(now, std::max<Duration>(kForgetAfterPeriods * period(), kForgetAfter));
        const auto usage = usage_.measure(now);
        const auto queues = *has_queues_ ? queues_.measure(now) : Status{};
        auto& node_load = static_cast<PlainSource&>(*children()[kNodeLoad]);
        if (const auto load = *has_queues_ ? queues_.load() : tasks_ ? tasks_->total() : std::nullopt)
            node_load.set({.value = *load, .time = now, .fresh_for = fresh_for()});
        else node_load.clear();
        if (!usage) note_trouble(usage.error().text());
        else if (!queues) note_trouble(queues.error().text());
        else note_trouble(tasks_ ? tasks_->trouble() : std::string());
    }

    [[nodiscard]] bool follows_processes() const override {
        return is_wanted(source(kProcessLoad)) || is_wanted(source(kProcessWait)) ||
               (sums_up_tasks() && is_wanted(source(kNodeLoad)));
    }

    void process_arrived(const ProcessInfo& process) override {
        if (tasks_) tasks_->add(process);
    }
    void process_left(Pid pid) override {
        if (tasks_) tasks_->remove(pid);
    }
    void threads_changed(Pid pid) override {
        if (tasks_) tasks_->threads_changed(pid);
    }

private:
    using Field = std::int64_t TaskMeter::Load::*;

    std::unique_ptr<LookupSource> by_process(SourceIndex index, Field field) {
        return std::make_unique<LookupSource>(
            kSourceSpecs[index],
            [this, field](const Parameter& parameter) { return load_of(parameter, field); },
            [this, field](const Output::Visit& visit) {
                if (!tasks_) return;
                tasks_->visit([&](Pid pid, const TaskMeter::Load& load) {
                    visit(Parameter(static_cast<std::int64_t>(pid)), sample_of(load, field));
                });
            });
    }

    /// Whether node_load is the sum over tasks. Not known before the first measurement.
    [[nodiscard]] bool sums_up_tasks() const { return !has_queues_.value_or(true); }

    /// Tasks are dear: a file each. While nobody wants their loads they are forgotten, base lines and all, so
    /// that the first value afterwards is of the last period, and not of all the time between.
    void follow_tasks() {
        const bool rest = source(kProcessLoad).rests() && source(kProcessWait).rests() &&
                          (!sums_up_tasks() || source(kNodeLoad).rests());
        if (rest) tasks_.reset();
        if (rest || tasks_) return;
        tasks_.emplace(environment().host);
        environment().processes.for_each([this](const ProcessInfo& process) { tasks_->add(process); });
    }

    [[nodiscard]] std::optional<Sample> usage_of(const Parameter& parameter) const {
        const auto* cpu = std::get_if<std::int64_t>(&parameter);
        const auto percent = cpu ? usage_.percent(*cpu) : std::nullopt;
        if (!percent) return std::nullopt;
        return Sample{.value = *percent, .time = usage_.measured_at(), .fresh_for = fresh_for()};
    }

    [[nodiscard]] std::optional<Sample> load_of(const Parameter& parameter, Field field) const {
        const auto* pid = std::get_if<std::int64_t>(&parameter);
        const auto load = tasks_ && pid && *pid > 0 && *pid <= INT32_MAX
                              ? tasks_->load_of(static_cast<Pid>(*pid))
                              : std::nullopt;
        if (!load) return std::nullopt;
        return sample_of(*load, field);
    }

    /// A process whose turn comes seldom is idle, and known to be, until its next turn.
    [[nodiscard]] Sample sample_of(const TaskMeter::Load& load, Field field) const {
        return {.value = load.*field,
                .time = load.time,
                .fresh_for = fresh_for() + (tasks_->longest_turn() - 1) * period()};
    }

    std::optional<Sample> group_of(const Parameter& parameter) {
        const auto* group = std::get_if<std::string_view>(&parameter);
        const auto usage = group ? groups_.look(*group, environment().clock.now()) : std::nullopt;
        if (!usage) return std::nullopt;
        return sample_of(*usage);
    }
    [[nodiscard]] Sample sample_of(const GroupUsage::Usage& usage) const {
        return {.value = usage.used, .time = usage.time, .fresh_for = fresh_for()};
    }

    std::optional<TaskMeter> tasks_; // none while nobody wants their loads
    CpuUsage usage_;
    RunQueues queues_;
    GroupUsage groups_;
    std::optional<bool> has_queues_; // none before the first measurement
};

} // namespace

const Descriptor kCpu{
    .name = "cpu",
    .kind = Kind::probe,
    .doc = "Load of the machine and of each process, and usage of each CPU.",
    .make = make_part<CpuProbe>,
    .attributes = kAttributes,
    .sources = kSourceSpecs,
};

} // namespace schedd::probes
