// protection: how late a periodic task wakes beside batch work, and what the batch work gets done, with
// pressure_guard and with what else there is.
#include <array>
#include <memory>
#include <optional>

#include <fmt/format.h>
#include <unistd.h>

#include "components/model/path.h"
#include "tests/bench/batch_work.h"
#include "tests/bench/bench.h"
#include "tests/bench/daemon_under_test.h"
#include "tests/bench/interrupt.h"
#include "tests/bench/side_by_side.h"
#include "tests/bench/wake_ups.h"

namespace schedd::bench {

namespace {

constexpr int kWarmS = 2;                   // not measured: in it pressure_guard finds out
constexpr std::int64_t kUpdateMs = 100;     // between two values, each of which may count
constexpr std::int64_t kGiveBackMs = 12000; // the longest that is waited for it

using Way = SideBySide::Way;
enum ArmIndex : std::size_t { kUnmanaged, kNice, kWeighed, kSplit, kGuarded, kArms };
struct Arm {
    std::string_view name;
    Way way;
    bool is_idle_measured; // also while the latency task is idle
};
constexpr std::array<Arm, kArms> kTable{{
    {"unmanaged", Way::unmanaged, true},
    {"batch at nice 19", Way::nice, false}, // nobody beside it to be nice to
    {"batch of weight 1 to 100", Way::weighed, false},
    {"static split, a CPU each", Way::split, true},
    {"pressure_guard", Way::unmanaged, true},
}};

/// What came out of one arm in one round.
struct Outcome {
    double p50 = 0;
    double p99 = 0;
    double latest = 0;
    double busy_ops = 0; // of batch work per second while the latency task runs
    double idle_ops = 0; // ... while it is idle
};

/// The daemon with a pressure_guard over both sides; gone, and all put back, with the object.
class Guard {
public:
    static Result<Guard> start(Run& run, const SideBySide& sides) {
        auto daemon = DaemonUnderTest::start(run, {"--actuator=auto", "--topology=synthetic:core:2 pu:1"});
        if (!daemon) return std::unexpected(daemon.error());
        std::string recipe =
            fmt::format("create probes/cpu\n"
                        "write probes/cpu.probe_period {0}\n"
                        "create schedulers/GUARD\n"
                        "create schedulers/GUARD/pressure_guard\n"
                        "write schedulers/GUARD/pressure_guard.period {0}\n"
                        "write schedulers/GUARD/pressure_guard.bound 1\n"
                        "write schedulers/GUARD/pressure_guard.keep_apart true\n"
                        "link probes/cpu/process_wait schedulers/GUARD/pressure_guard/wait\n"
                        "link probes/cpu/process_load schedulers/GUARD/pressure_guard/process_load\n",
                        kUpdateMs);
        for (const Side side : {Side::latency, Side::batch}) {
            const auto member =
                "schedulers/GUARD/process_set/" + model::escape_name("cgroup:" + sides.group(side));
            recipe += fmt::format("create {0}\nwrite {0}.class {1}\n", member,
                                  side == Side::latency ? "latency" : "batch");
        }
        if (auto built = (*daemon)->apply(recipe); !built) return std::unexpected(built.error());
        return Guard(std::move(*daemon));
    }
    /// ms until batch work has all CPUs again; how long was waited if that was in vain.
    Result<double> await_release() {
        const auto begun = monotonic_ns();
        const auto ms = [&] { return static_cast<double>(monotonic_ns() - begun) / 1e6; };
        while (ms() < static_cast<double>(kGiveBackMs)) {
            const auto squeezed = daemon_->client().read("schedulers/GUARD/pressure_guard.squeezed");
            if (!squeezed) return std::unexpected(squeezed.error());
            if (*squeezed == "0") break;
            if (auto rested = pause_for_ms(20); !rested) return std::unexpected(rested.error());
        }
        return ms();
    }

private:
    explicit Guard(std::unique_ptr<DaemonUnderTest> daemon) : daemon_(std::move(daemon)) {}
    std::unique_ptr<DaemonUnderTest> daemon_;
};

/// All that is needed again and again.
struct Stage {
    Run& run;
    SideBySide sides;
    ScratchDirectory directory;
    int measured_s;
    std::int64_t idle_ms;
    std::vector<double> release_ms = {};
    std::array<std::vector<Outcome>, kArms> outcomes = {};
};

Status measure_busy(Stage& stage, Outcome& outcome) {
    const auto file = stage.directory.path() + "/histogram";
    auto work = BatchWork::start(stage.directory.path(), stage.sides.enter(Side::batch));
    if (!work) return std::unexpected(work.error());
    Result<WakeUps> wakes = WakeUps();
    for (const int seconds : {kWarmS, stage.measured_s}) {
        wakes = WakeUps::measure(seconds, file, stage.sides.enter(Side::latency));
        if (!wakes) return std::unexpected(wakes.error());
    }
    const auto done = work->end();
    if (!done) return std::unexpected(done.error());
    outcome.p50 = wakes->quantile(0.5);
    outcome.p99 = wakes->quantile(0.99);
    outcome.latest = wakes->latest();
    outcome.busy_ops = *done;
    return {};
}

Status measure_arm(Stage& stage, std::size_t index) {
    const Arm& arm = kTable[index];
    if (auto shared = stage.sides.share(arm.way); !shared) return shared;
    // a service without requests: it is there all the time, and sleeps
    auto service =
        Process::start({"sleep", "600"},
                       {.discards = true, .errors = {}, .enter = stage.sides.enter(Side::latency)});
    if (!service) return std::unexpected(service.error());
    std::optional<Guard> guard;
    if (index == kGuarded) {
        auto started = Guard::start(stage.run, stage.sides);
        if (!started) return std::unexpected(started.error());
        guard.emplace(std::move(*started));
    }
    Outcome outcome;
    if (auto done = measure_busy(stage, outcome); !done) return done;
    if (guard) {
        if (stage.sides.cpus(Side::batch) == stage.sides.cpus(Side::latency))
            stage.run.progress("pressure_guard holds nobody at the end of its turn");
        const auto released = guard->await_release();
        if (!released) return std::unexpected(released.error());
        stage.release_ms.push_back(*released);
    }
    if (arm.is_idle_measured) {
        const auto done =
            BatchWork::work_for_ms(stage.idle_ms, stage.directory.path(), stage.sides.enter(Side::batch));
        if (!done) return std::unexpected(done.error());
        outcome.idle_ops = *done;
    }
    stage.outcomes[index].push_back(outcome);
    return {};
}

/// One figure of two arms, round by round.
Pairs pairs_of(const Stage& stage, std::size_t ours, std::size_t peer, double Outcome::* figure) {
    Pairs pairs;
    for (std::size_t round = 0; round < stage.outcomes[ours].size(); ++round)
        pairs.add(stage.outcomes[ours][round].*figure, stage.outcomes[peer][round].*figure);
    return pairs;
}

double median_of(const std::vector<Outcome>& outcomes, double Outcome::* figure) {
    std::vector<double> values;
    for (const auto& outcome : outcomes) values.push_back(outcome.*figure);
    return median(std::move(values));
}

void report_wake_ups(Stage& stage) {
    const auto note_on = [&](std::size_t arm) {
        const auto& all = stage.outcomes[arm];
        return fmt::format("p50 {:.0f}, latest {:.0f} us; the peer's {:.0f}, {:.0f} us",
                           median_of(all, &Outcome::p50), median_of(all, &Outcome::latest),
                           median_of(stage.outcomes[kSplit], &Outcome::p50),
                           median_of(stage.outcomes[kSplit], &Outcome::latest));
    };
    for (const std::size_t arm : {kGuarded, kUnmanaged, kNice, kWeighed})
        stage.run.compared(fmt::format("wake-up latency beside batch work, p99: {} against a static split",
                                       kTable[arm].name),
                           "us", pairs_of(stage, arm, kSplit, &Outcome::p99),
                           arm == kGuarded ? std::optional(Goal{Goal::Sense::at_most, 1.0}) : std::nullopt,
                           note_on(arm));
    stage.run.compared("wake-up latency beside batch work, p99: pressure_guard against unmanaged", "us",
                       pairs_of(stage, kGuarded, kUnmanaged, &Outcome::p99), std::nullopt);
}

void report_work(Stage& stage) {
    for (const std::size_t arm : {kGuarded, kSplit})
        stage.run.compared(fmt::format("batch work done while the latency task is idle: {} against unmanaged",
                                       kTable[arm].name),
                           "ops/s", pairs_of(stage, arm, kUnmanaged, &Outcome::idle_ops),
                           arm == kGuarded ? std::optional(Goal{Goal::Sense::at_least, 0.9}) : std::nullopt);
    for (const std::size_t arm : {kGuarded, kSplit, kNice, kWeighed})
        stage.run.compared(fmt::format("batch work done while the latency task runs: {} against unmanaged",
                                       kTable[arm].name),
                           "ops/s", pairs_of(stage, arm, kUnmanaged, &Outcome::busy_ops), std::nullopt);
    stage.run.alone("from the end of the latency task until batch work has all CPUs again", "ms",
                    median(stage.release_ms), std::nullopt,
                    fmt::format("an update each {} ms; {} ms would mean never", kUpdateMs, kGiveBackMs));
}

} // namespace

Status protection(Run& run) {
    if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
        return fail(Errc::not_supported, "there is one CPU: nothing to divide");
    for (const char* program : {"cyclictest", "stress-ng"})
        if (auto found = find_program(program); !found) return std::unexpected(found.error());
    auto directory = ScratchDirectory::make("/tmp");
    if (!directory) return std::unexpected(directory.error());
    auto sides = SideBySide::make();
    if (!sides) return std::unexpected(sides.error());
    Stage stage{run, std::move(*sides), std::move(*directory), run.repeats(3, 2), run.repeats(2500, 1500)};
    const int rounds = run.repeats(5, 1);
    for (int round = 0; round < rounds; ++round)
        for (std::size_t at = 0; at < kArms; ++at) {
            // each round begins with another one
            const auto arm = (at + static_cast<std::size_t>(round)) % kArms;
            run.progress(fmt::format("round {} of {}: {}", round + 1, rounds, kTable[arm].name));
            if (auto done = measure_arm(stage, arm); !done) return done;
        }
    report_wake_ups(stage);
    report_work(stage);
    return {};
}

} // namespace schedd::bench
