// load_probe - how many tasks can run now, and for how long each process has wanted a CPU without a pause
// (Kerrighed load_probe.c).
//   proc/loadavg "0.20 0.18 0.12 4/80 1206" -> active_tasks 3: who reads it runs, too, and does not count
//   process 70, asked for at 10 s, ran or waited all the time until 13 s -> process_jiffies 300; one that
//   slept meanwhile, or is not known -> 0
// A process is followed from when it is first asked for; between two looks only what it did in all is known,
// so one counts as having had no pause if it wanted 99.5 % of the time. Its main thread alone counts, as in
// the original. Usage: create probes/load_probe; read probes/load_probe/active_tasks
#include <array>
#include <unordered_map>

#include <fmt/format.h>

#include "components/kit/number.h"
#include "components/model/machine_types.h"
#include "components/model/proc_text.h"
#include "components/model/process_table.h"
#include "components/probes/kept_file.h"
#include "components/probes/probes.h"

namespace schedd::probes {

namespace {

constexpr AttributeSpec kAttributes[] = {probe_period(), publish()};

enum SourceIndex : std::size_t { kActiveTasks, kProcessJiffies };
constexpr SourceSpec kSourceSpecs[] = {
    {.name = "active_tasks", .type = types::kTasks, .doc = "Tasks that run or could run now."},
    {.name = "process_jiffies",
     .type = types::kTicksByPid,
     .doc = "How long a process has run or could have run without a pause, as far as is known."},
};

constexpr Duration kTick = std::chrono::milliseconds(10);
/// Nobody has asked for it during so many periods: it is followed no longer.
constexpr int kForgetAfterPeriods = 30;

/// The fourth word of proc/loadavg: "4/80" -> 4.
std::optional<std::int64_t> parse_running(std::string_view text) {
    for (int i = 0; i < 3; ++i) (void)take_word(text);
    const auto word = take_word(text);
    const auto slash = word.find('/');
    const auto number =
        slash == std::string_view::npos ? std::nullopt : parse_unsigned(word.substr(0, slash));
    if (!number || *number > INT32_MAX) return std::nullopt;
    return static_cast<std::int64_t>(*number);
}

class LoadProbe final : public Probe, public ProcessListener {
public:
    LoadProbe(const Descriptor& type, std::string name, const Environment& environment)
        : Probe(type, std::move(name), environment), file_(environment.host, "proc/loadavg") {
        adopt(std::make_unique<PlainSource>(kSourceSpecs[kActiveTasks]));
        adopt(std::make_unique<LookupSource>(
            kSourceSpecs[kProcessJiffies], [this](const Parameter& parameter) { return look(parameter); },
            [this](const Output::Visit& visit) {
                for (const auto& [pid, followed] : followed_)
                    visit(Parameter(static_cast<std::int64_t>(pid)), sample_of(followed));
            }));
        environment.processes.add_listener(*this);
    }
    ~LoadProbe() override { environment().processes.remove_listener(*this); }

    void measure(Time now) override {
        std::array<char, 128> buffer;
        const auto text = file_.read(buffer);
        const auto running = text ? parse_running(*text) : std::nullopt;
        auto& active = static_cast<PlainSource&>(*children()[kActiveTasks]);
        if (running)
            active.set(
                {.value = std::max<std::int64_t>(*running - 1, 0), .time = now, .fresh_for = fresh_for()});
        else active.clear();
        if (!text) note_trouble(text.error().text());
        else note_trouble(running ? "" : "proc/loadavg cannot be understood: expected '4/80' as fourth word");
        std::erase_if(followed_, [&](const auto& row) {
            return now - row.second.asked_at > kForgetAfterPeriods * period();
        });
        for (auto& [pid, followed] : followed_) follow(pid, followed, now);
    }
    void process_left(Pid pid) override { followed_.erase(pid); }

private:
    struct Followed {
        std::optional<std::uint64_t> busy_ns; // ran and waited, as last read
        Time read_at{};
        Time since{}; // has had no pause
        Time asked_at{};
    };

    void follow(Pid pid, Followed& followed, Time now) const {
        std::array<char, 128> buffer;
        const auto text = environment().host.read(fmt::format("proc/{}/schedstat", pid), buffer);
        const auto stat = text ? parse_schedstat(*text) : std::nullopt;
        const auto busy = stat ? std::optional(stat->run_ns + stat->wait_ns) : std::nullopt;
        const auto passed = static_cast<std::uint64_t>((now - followed.read_at).count());
        const bool is_busy = busy && followed.busy_ns && *busy >= *followed.busy_ns &&
                             *busy - *followed.busy_ns >= passed / 1000 * 995;
        if (!is_busy) followed.since = now;
        followed.busy_ns = busy;
        followed.read_at = now;
    }

    std::optional<Sample> look(const Parameter& parameter) {
        const auto* number = std::get_if<std::int64_t>(&parameter);
        if (!number || *number <= 0 || *number > INT32_MAX) return std::nullopt;
        const auto pid = static_cast<Pid>(*number);
        const auto now = environment().clock.now();
        if (!environment().processes.find(pid)) return Sample{.value = std::int64_t{0}, .time = now};
        auto [at, is_new] = followed_.try_emplace(pid);
        at->second.asked_at = now;
        if (is_new) follow(pid, at->second, now);
        return sample_of(at->second);
    }
    [[nodiscard]] Sample sample_of(const Followed& followed) const {
        return {.value = std::int64_t{(followed.read_at - followed.since) / kTick},
                .time = followed.read_at,
                .fresh_for = fresh_for()};
    }

    KeptFile file_;
    std::unordered_map<Pid, Followed> followed_;
};

} // namespace

const Descriptor kLoad{
    .name = "load_probe",
    .kind = Kind::probe,
    .doc = "How many tasks can run now, and for how long each process has wanted a CPU.",
    .make = make_part<LoadProbe>,
    .attributes = kAttributes,
    .sources = kSourceSpecs,
    .alias = "load",
};

} // namespace schedd::probes
