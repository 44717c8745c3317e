// From options to results.
#include "service/simulate/simulate.h"

#include <algorithm>
#include <array>
#include <filesystem>

#include <fmt/ranges.h>

#include "components/sim/baselines.h"
#include "components/sim/limits.h"
#include "components/sim/swf.h"
#include "components/sim/timeline.h"
#include "service/host/hwloc_topology.h"
#include "service/host/plain_file.h"
#include "service/simulate/load_file.h"
#include "service/simulate/scheduling.h"

namespace schedd::service::simulate {

namespace {

Result<std::string> read_whole(const std::string& path, std::size_t limit, std::string_view limit_name) {
    auto text = host::read_plain_file(path, limit);
    if (!text) return std::unexpected(text.error());
    if (!*text) return fail(Errc::invalid_value, path + " is empty", "a file with content");
    if ((*text)->size() > limit)
        return fail(Errc::limit_exceeded, path + " is too large",
                    fmt::format("at most {} bytes (limit {})", limit, limit_name));
    return std::move(**text);
}

Result<LoadFile> read_load(const Options& options) {
    const auto text = read_whole(options.load, limits::kConfigBytes, "kConfigBytes");
    if (!text) return std::unexpected(text.error());
    auto load = parse_load(options.load, *text);
    if (!load) return load;
    if (options.seed) load->seed = *options.seed;
    if (options.duration) load->duration = std::chrono::seconds(*options.duration);
    return load;
}

/// One file, or all that the daemon would read in a directory.
Result<Desired> read_config(const std::string& path) {
    std::error_code none;
    if (std::filesystem::is_directory(path, none)) {
        const std::array directories{path};
        return load_config(directories);
    }
    const auto text = read_whole(path, limits::kConfigBytes, "kConfigBytes");
    if (!text) return std::unexpected(text.error());
    return parse_config(path, *text);
}

/// A log stands beside the load that names it.
Result<std::vector<sim::Job>> jobs_of(const LoadRow& row, int index, const std::string& beside,
                                      const sim::Scenario& scenario, Rng& rng, std::size_t& skipped) {
    if (row.log.empty())
        return sim::make_jobs(row.kind, index, capacity_of(scenario.topology, scenario.costs),
                              scenario.duration, rng);
    const auto path = (std::filesystem::path(beside).parent_path() / row.log).string();
    const auto text = read_whole(path, sim::kSimLogBytes, "kSimLogBytes");
    if (!text) return fail_at(row.where, text.error()); // which job asks for it
    const auto log = sim::parse_swf(path, *text);
    if (!log) return std::unexpected(log.error());
    skipped += log->skipped;
    return sim::jobs_of_log(log->jobs, index, row.speedup, scenario.topology.online.count(),
                            scenario.duration);
}

Status add_jobs(const LoadFile& load, const std::string& beside, sim::Scenario& scenario,
                std::size_t& skipped) {
    for (std::size_t i = 0; i < load.rows.size(); ++i) {
        scenario.kinds.push_back(load.rows[i].kind);
        // each kind has chance of its own: another one changed, its jobs stay
        Rng rng(load.seed * 1000003 + i);
        auto jobs = jobs_of(load.rows[i], static_cast<int>(i), beside, scenario, rng, skipped);
        if (!jobs) return std::unexpected(jobs.error());
        if (scenario.jobs.size() + jobs->size() > sim::kSimJobs)
            return fail(Errc::limit_exceeded, "too many jobs in all",
                        fmt::format("at most {} (limit kSimJobs)", sim::kSimJobs));
        scenario.jobs.insert(scenario.jobs.end(), jobs->begin(), jobs->end());
    }
    sim::sort_jobs(scenario.jobs);
    std::size_t threads = 0;
    for (const auto& job : scenario.jobs) threads += static_cast<std::size_t>(job.threads);
    if (threads > sim::kSimPids)
        return fail(Errc::limit_exceeded, fmt::format("the jobs have {} threads", threads),
                    fmt::format("at most {} (limit kSimPids)", sim::kSimPids));
    if (scenario.jobs.empty())
        return fail(Errc::invalid_value, "no job comes in the time given", "a longer duration or more load");
    return {};
}

/// Some loads would take days: better said now than found out then.
Status check_cost(const LoadFile& load, const sim::Scenario& scenario, bool has_config, const Warn& warn) {
    const double steps = sim::steps_of(scenario, load.kernel);
    if (steps > sim::kSimSteps)
        return fail(Errc::limit_exceeded, fmt::format("one run would take about {:.1g} steps", steps),
                    fmt::format("at most {:.1g} (limit kSimSteps): a shorter duration, less load, fewer "
                                "threads or a longer balance_ms",
                                sim::kSimSteps));
    const auto runs = static_cast<double>(sim::all_baselines().size() + (has_config ? 1 : 0));
    if (warn && runs * steps > sim::kSimQuickSteps)
        warn(fmt::format("{:g} runs of about {:.1g} steps each take minutes or more; a shorter --duration is "
                         "quicker",
                         runs, steps));
    return {};
}

/// What may be used, and nothing else: the simulated kernel knows no other CPUs.
Result<Topology> read_topology(const Options& options) {
    auto source = host::TopologySource::parse(options.topology);
    if (!source) return std::unexpected(source.error());
    auto topology = host::TopologyReader(std::move(*source)).load();
    if (!topology) return topology;
    const auto usable = topology->usable();
    std::erase_if(topology->cpus, [&](const Cpu& cpu) { return !usable.contains(cpu.id); });
    topology->online = topology->allowed = usable;
    return topology;
}

sim::RunResult named(sim::RunResult result, std::string_view name, std::string_view what) {
    result.name = name;
    result.what = what;
    return result;
}

std::vector<std::string> kind_names(const sim::Scenario& scenario) {
    std::vector<std::string> names;
    for (const auto& kind : scenario.kinds)
        names.push_back(kind.work_class == "normal" ? kind.name
                                                    : fmt::format("{} ({})", kind.name, kind.work_class));
    return names;
}

/// The configured schedulers' run, or without any the kernel's alone, with its picture.
struct Runs {
    const Options& options;
    const sim::Scenario& scenario;
    const LoadFile& load;
    const Tell& tell;
    Report& report;
    std::string picture = {};

    sim::RunResult one(const std::string& name, std::string_view what, const sim::KernelModel& kernel,
                       sim::Director& director, bool is_drawn) {
        std::optional<sim::Timeline> timeline;
        if (is_drawn && !options.picture.empty())
            timeline.emplace(scenario.topology, scenario.kinds.size(), scenario.duration);
        const auto progress = [&](std::size_t done, std::size_t all) {
            if (tell) tell(name, done, all);
        };
        auto result = sim::run(scenario, kernel, director, timeline ? &*timeline : nullptr, progress);
        if (timeline)
            picture =
                sim::svg_of(*timeline, kind_names(scenario),
                            fmt::format("{} on {}, {}, seed {}",
                                        report.schedulers.empty()
                                            ? name
                                            : fmt::format("{}", fmt::join(report.schedulers, " ")),
                                        report.topology,
                                        std::filesystem::path(options.load).filename().string(), load.seed));
        return named(std::move(result), name, what);
    }

    Status schedulers() {
        if (options.config.empty()) return {};
        const auto desired = read_config(options.config);
        if (!desired) return std::unexpected(desired.error());
        if (desired->schedulers.empty())
            return fail(Errc::invalid_value, options.config + " configures no scheduler",
                        "a file, or a directory of schedd.conf and schedulers.d/*.toml, with a "
                        "[scheduler.NAME]");
        for (const auto& scheduler : desired->schedulers) report.schedulers.push_back(scheduler.name);
        auto director = Scheduling::make(*desired, scenario, load.seed);
        if (!director) return std::unexpected(director.error());
        report.runs.push_back(one("schedd", "The configured schedulers over what Linux does by itself.",
                                  load.kernel, **director, true));
        report.notes = (*director)->notes();
        return {};
    }

    void baselines() {
        for (const auto baseline : sim::all_baselines()) {
            const auto director = sim::make_director(baseline, scenario, load.seed, load.stale);
            const bool is_drawn = report.runs.empty();
            report.runs.push_back(one(std::string(sim::name_of(baseline)), sim::doc_of(baseline),
                                      sim::kernel_of(baseline, load.kernel), *director, is_drawn));
        }
    }
};

} // namespace

Result<Output> simulate(const Options& options, const Tell& tell, const Warn& warn) {
    auto topology = read_topology(options);
    if (!topology) return std::unexpected(topology.error());
    const auto load = read_load(options);
    if (!load) return std::unexpected(load.error());
    sim::Scenario scenario{.topology = std::move(*topology),
                           .kinds = {},
                           .jobs = {},
                           .costs = load->costs,
                           .duration = load->duration,
                           .ideal = {}};
    Report report;
    if (auto added = add_jobs(*load, options.load, scenario, report.skipped); !added)
        return std::unexpected(added.error());
    report.topology = options.topology;
    report.seed = load->seed;
    report.capacity = capacity_of(scenario.topology, scenario.costs);
    scenario.ideal = sim::processor_sharing(scenario.jobs, report.capacity);
    if (auto checked = check_cost(*load, scenario, !options.config.empty(), warn); !checked)
        return std::unexpected(checked.error());
    report.sharing = sim::slowdowns_of(scenario, scenario.ideal);
    report.makespan = sim::makespan(scenario.jobs, speeds_of(scenario.topology, scenario.costs));
    Runs runs{options, scenario, *load, tell, report};
    if (auto done = runs.schedulers(); !done) return std::unexpected(done.error());
    runs.baselines();
    return Output{options.json == "off" ? text_of(report, scenario)
                                        : json_of(report, scenario, options.json == "pretty"),
                  std::move(runs.picture)};
}

} // namespace schedd::service::simulate
