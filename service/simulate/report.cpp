// Laying out results.
#include "service/simulate/report.h"

#include <algorithm>
#include <cmath>
#include <set>

#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

namespace schedd::service::simulate {

namespace {

using Json = nlohmann::ordered_json;

double seconds(Duration time) { return static_cast<double>(time.count()) / 1e9; }

/// As many digits as mean something; equal on every machine.
double rounded(double number) { return std::round(number * 1e4) / 1e4; }

/// Work that came over what the machine could do while it came.
double offered(const Report& report, const sim::Scenario& scenario) {
    double work = 0;
    for (const auto& job : scenario.jobs) work += seconds(job.size) * job.threads;
    const double there = report.capacity * seconds(scenario.duration);
    return there > 0 ? work / there : 0;
}

std::size_t nodes_of(const Topology& topology) {
    std::set<int> nodes;
    for (const auto& cpu : topology.cpus) nodes.insert(cpu.numa);
    return nodes.size();
}

std::string plural(std::size_t count, std::string_view what) {
    return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

std::string kinds_table(const Report& report, const sim::Scenario& scenario, std::size_t width) {
    std::string out = fmt::format("\n{:<{}}", "slowdown mean / p99 of", width);
    std::vector<std::size_t> widths;
    for (const auto& kind : scenario.kinds) {
        widths.push_back(std::max<std::size_t>(kind.name.size(), 14) + 2);
        out += fmt::format("{:>{}}", kind.name, widths.back());
    }
    out += "\n";
    for (const auto& run : report.runs) {
        out += fmt::format("{:<{}}", run.name, width);
        for (std::size_t i = 0; i < widths.size() && i < run.by_kind.size(); ++i) {
            const auto& of = run.by_kind[i];
            out += fmt::format("{:>{}}", fmt::format("{:.2f} / {:.1f}", of.mean, of.p99), widths[i]);
        }
        out += "\n";
    }
    return out;
}

Json json_of(const sim::Slowdowns& sums) {
    return {{"jobs", sums.jobs},
            {"ended", sums.ended},
            {"slowdown_mean", rounded(sums.mean)},
            {"slowdown_median", rounded(sums.median)},
            {"slowdown_p99", rounded(sums.p99)},
            {"over_ideal", rounded(sums.over_ideal)},
            {"fairness", rounded(sums.fairness)}};
}

Json json_of(const sim::RunResult& run, const sim::Scenario& scenario) {
    Json json = {{"name", run.name},
                 {"doc", run.what},
                 {"all", json_of(run.all)},
                 {"utilisation", rounded(run.utilisation)},
                 {"idle_while_work_waits", rounded(run.wasted)},
                 {"moves_per_job", rounded(run.moves_per_job)},
                 {"decisions", run.decisions},
                 {"makespan_s", rounded(seconds(run.makespan))},
                 {"kinds", Json::object()}};
    for (std::size_t i = 0; i < run.by_kind.size(); ++i)
        json["kinds"][scenario.kinds[i].name] = json_of(run.by_kind[i]);
    return json;
}

} // namespace

std::string text_of(const Report& report, const sim::Scenario& scenario) {
    std::string out =
        fmt::format("machine     {}: {} on {}, worth {:.1f} of the fastest, each alone on its core\n"
                    "load        {} of {} in {:g} s, {:.0f} % of the machine; seed {}\n",
                    report.topology, plural(scenario.topology.cpus.size(), "CPU"),
                    plural(nodes_of(scenario.topology), "node"), report.capacity,
                    plural(scenario.jobs.size(), "job"), plural(scenario.kinds.size(), "kind"),
                    seconds(scenario.duration), offered(report, scenario) * 100, report.seed);
    if (report.skipped > 0)
        out += fmt::format("            {} of logs never ran\n", plural(report.skipped, "job"));
    if (!report.schedulers.empty()) out += fmt::format("schedulers  {}\n", fmt::join(report.schedulers, " "));
    out += fmt::format("bounds      global processor sharing: slowdown mean {:.2f}, p99 {:.1f}; all jobs at "
                       "once: makespan at least {:.1f} s, LPT {:.1f} s\n",
                       report.sharing.mean, report.sharing.p99, seconds(report.makespan.least),
                       seconds(report.makespan.lpt));
    std::size_t width = 24;
    for (const auto& run : report.runs) width = std::max(width, run.name.size() + 2);
    out += fmt::format("\n{:<{}}{:>8}{:>8}{:>8}{:>8}{:>7}{:>7}{:>11}{:>11}{:>9}{:>11}\n", "", width, "mean",
                       "median", "p99", "/ideal", "fair", "used", "idle+wait", "moves/job", "ended",
                       "decisions");
    for (const auto& run : report.runs)
        out +=
            fmt::format("{:<{}}{:>8.2f}{:>8.2f}{:>8.1f}{:>8.2f}{:>7.2f}{:>6.1f}%{:>10.2f}%{:>11.2f}{:>8.1f}%"
                        "{:>11}\n",
                        run.name, width, run.all.mean, run.all.median, run.all.p99, run.all.over_ideal,
                        run.all.fairness, run.utilisation * 100, run.wasted * 100, run.moves_per_job,
                        run.all.jobs > 0
                            ? 100.0 * static_cast<double>(run.all.ended) / static_cast<double>(run.all.jobs)
                            : 100.0,
                        run.decisions);
    if (scenario.kinds.size() > 1) out += kinds_table(report, scenario, width);
    out +=
        "\nmean, median, p99: response time over CPU time of a thread. /ideal: response time over that "
        "under\n"
        "global processor sharing. fair: Jain's index. used: CPU time used of what there was while jobs "
        "came.\n"
        "idle+wait: CPU time idle while a thread waited. moves/job: moves to another CPU, by the kernel or\n"
        "by masks. ended: jobs that ended in time. decisions: those of the schedulers.\n";
    for (const auto& note : report.notes) out += fmt::format("note: {}\n", note);
    return out;
}

std::string json_of(const Report& report, const sim::Scenario& scenario, bool is_indented) {
    Json json = {{"topology", report.topology},
                 {"cpus", scenario.topology.cpus.size()},
                 {"nodes", nodes_of(scenario.topology)},
                 {"capacity", rounded(report.capacity)},
                 {"seed", report.seed},
                 {"duration_s", rounded(seconds(scenario.duration))},
                 {"jobs", scenario.jobs.size()},
                 {"jobs_skipped", report.skipped},
                 {"offered", rounded(offered(report, scenario))},
                 {"schedulers", report.schedulers},
                 {"notes", report.notes},
                 {"bounds",
                  {{"processor_sharing", json_of(report.sharing)},
                   {"makespan_least_s", rounded(seconds(report.makespan.least))},
                   {"makespan_lpt_s", rounded(seconds(report.makespan.lpt))}}},
                 {"runs", Json::array()}};
    for (const auto& run : report.runs) json["runs"].push_back(json_of(run, scenario));
    // names come from files: what is no UTF-8 is replaced
    return json.dump(is_indented ? 2 : -1, ' ', false, Json::error_handler_t::replace) + "\n";
}

} // namespace schedd::service::simulate
