// Loads in TOML: no text breaks the reader, and what is accepted is in range, makes jobs, and can be run.
#include <algorithm>

#include "components/sim/baselines.h"
#include "components/sim/bounds.h"
#include "components/sim/timeline.h"
#include "service/simulate/load_file.h"
#include "tests/fuzz/fuzz.h"
#include "tests/kit/machine.h"

using namespace schedd;

namespace {

using service::simulate::LoadFile;

constexpr std::size_t kMostJobs = 24;
constexpr kit::Duration kShort = std::chrono::milliseconds(200);

void check_row(const service::simulate::LoadRow& row) {
    const auto& kind = row.kind;
    fuzz::require(!kind.name.empty() && kind.executable.starts_with('/') && kind.group.starts_with('/'),
                  "a job has a name, a program and a group", kind.name);
    fuzz::require(kind.unit.empty() || kind.group.ends_with("/" + kind.unit) || kind.unit == "-.slice",
                  "a unit has a group", kind.group);
    fuzz::require(kind.threads >= 1 && kind.weight >= 1 && row.speedup >= 1, "numbers are in range");
    if (!row.log.empty()) return;
    fuzz::require((kind.load > 0) != (kind.every > kit::Duration{}), "it is clear how many come");
    fuzz::require(sim::mean_size_ns(kind) >= 1, "a job takes time", kind.name);
}

/// Jobs of the first kinds, few enough and small enough to be run at once.
sim::Scenario scenario_of(const LoadFile& load) {
    sim::Scenario scenario{.topology = test::machine({.nodes = 2, .cores_per_l3 = 2, .threads_per_core = 2}),
                           .kinds = {},
                           .jobs = {},
                           .costs = load.costs,
                           .duration = std::min(load.duration, kShort),
                           .ideal = {}};
    const double capacity = sim::capacity_of(scenario.topology, scenario.costs);
    fuzz::require(capacity > 0, "a machine can do something");
    for (std::size_t i = 0; i < std::min<std::size_t>(load.rows.size(), 3); ++i) {
        if (!load.rows[i].log.empty()) continue;
        const auto row = static_cast<int>(scenario.kinds.size());
        scenario.kinds.push_back(load.rows[i].kind);
        kit::Rng rng(load.seed + i);
        auto jobs = sim::make_jobs(load.rows[i].kind, row, capacity, scenario.duration, rng);
        if (!jobs) {
            fuzz::require(jobs.error().kind == kit::Errc::limit_exceeded,
                          "any load can be made, or is too large", jobs.error().text());
            continue;
        }
        for (const auto& job : *jobs)
            fuzz::require(job.arrives >= sim::Time{} && job.arrives < scenario.duration &&
                              job.size > kit::Duration{} && job.threads == load.rows[i].kind.threads,
                          "jobs come in time");
        jobs->resize(std::min(jobs->size(), kMostJobs / 3));
        for (auto& job : *jobs) job.threads = std::min(job.threads, 4);
        scenario.jobs.insert(scenario.jobs.end(), jobs->begin(), jobs->end());
    }
    sim::sort_jobs(scenario.jobs);
    scenario.ideal = sim::processor_sharing(scenario.jobs, capacity);
    return scenario;
}

void check_run(const LoadFile& load) {
    const auto scenario = scenario_of(load);
    if (scenario.jobs.empty()) return;
    auto kernel = load.kernel;
    kernel.balance_period = std::max<kit::Duration>(kernel.balance_period, std::chrono::milliseconds(10));
    for (const auto baseline : {sim::Baseline::pull, sim::Baseline::random}) {
        const auto director = sim::make_director(baseline, scenario, load.seed, load.stale);
        sim::Timeline timeline(scenario.topology, scenario.kinds.size(), scenario.duration);
        const auto result = sim::run(scenario, sim::kernel_of(baseline, kernel), *director, &timeline, {});
        fuzz::require(result.all.jobs == scenario.jobs.size() && result.all.ended <= result.all.jobs,
                      "every job is counted, once");
        // an age that has ended too early is no slowdown; who has ended has done its work
        fuzz::require(result.all.ended < result.all.jobs || result.all.mean >= 0.999,
                      "nothing ends before its work is done");
        fuzz::require(result.utilisation <= 1.000001 && result.wasted <= 1.000001,
                      "a CPU has no more than its time");
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto text = fuzz::text_from(data, size);
    const auto load = service::simulate::parse_load("load", text);
    if (!load) {
        fuzz::require(load.error().what.starts_with("load"), "an error names its file", load.error().text());
        return 0;
    }
    fuzz::require(!load->rows.empty() && load->duration > kit::Duration{}, "a load has jobs and time");
    std::vector<sim::JobKind> kinds;
    for (const auto& row : load->rows) {
        check_row(row);
        kinds.push_back(row.kind);
    }
    for (const auto& [unit, group] : service::simulate::units_of(kinds))
        fuzz::require(group.ends_with("/" + unit), "a unit's group bears its name", group);
    check_run(*load);
    return 0;
}
