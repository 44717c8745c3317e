// Workload logs: what is read is in order and in range, reads back, and becomes jobs of any machine.
#include "components/sim/swf.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "components/sim/bounds.h"
#include "components/sim/limits.h"
#include "tests/fuzz/fuzz.h"

using namespace schedd;

namespace {

bool same(const sim::SwfLog& a, const sim::SwfLog& b) {
    // a time goes through a number of 53 bits each way
    const auto near = [](kit::Duration x, kit::Duration y) {
        return std::abs(static_cast<double>((x - y).count())) <= 2 + 1e-12 * static_cast<double>(x.count());
    };
    return a.skipped == b.skipped && std::ranges::equal(a.jobs, b.jobs, [&](const auto& x, const auto& y) {
               return near(x.submitted, y.submitted) && near(x.run, y.run) && x.processors == y.processors;
           });
}

std::string text_of(const sim::SwfLog& log) {
    std::string text;
    for (const auto& job : log.jobs)
        text += fmt::format("1 {} 0 {} {} 0 0 -1 0 0 1 1 1 1 1 1 -1 -1\n",
                            static_cast<double>(job.submitted.count()) / 1e9,
                            static_cast<double>(job.run.count()) / 1e9, job.processors);
    for (std::size_t i = 0; i < log.skipped; ++i) text += "1 0 0 -1 1 0 0 -1 0 0 1 1 1 1 1 1 -1 -1\n";
    return text;
}

void check_log(const sim::SwfLog& log) {
    fuzz::require(!log.jobs.empty() && log.jobs.front().submitted == kit::Duration{}, "the first comes at 0");
    fuzz::require(std::ranges::is_sorted(log.jobs, {}, &sim::LoggedJob::submitted),
                  "jobs are in order of submission");
    for (const auto& job : log.jobs)
        fuzz::require(job.run > kit::Duration{} && job.processors >= 1, "a job has run, somewhere");
    const auto again = sim::parse_swf("again", text_of(log));
    fuzz::require(again && same(log, *again), "a log reads back", text_of(log));
}

void check_jobs(const sim::SwfLog& log, int speedup, int cpus, kit::Duration duration) {
    const auto jobs = sim::jobs_of_log(log.jobs, 3, speedup, cpus, duration);
    fuzz::require(jobs.size() <= log.jobs.size(), "a machine has no jobs that its log has not");
    for (const auto& job : jobs)
        fuzz::require(job.arrives >= sim::Time{} && job.arrives < duration && job.size > kit::Duration{} &&
                          job.threads >= 1 && job.threads <= cpus && job.kind == 3,
                      "jobs come in time and fit the machine");
    const std::vector<double> speeds(static_cast<std::size_t>(cpus), 1);
    const auto ideal = sim::processor_sharing(jobs, cpus);
    for (std::size_t i = 0; i < jobs.size(); ++i)
        fuzz::require(ideal[i] >= jobs[i].size, "nothing ends before its work is done");
    const auto makespan = sim::makespan(jobs, speeds);
    fuzz::require(static_cast<double>(makespan.lpt.count()) >=
                      static_cast<double>(makespan.least.count()) * (1 - 1e-9),
                  "no schedule is shorter than the shortest");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    // the first two bytes say what machine it is
    if (size < 2) return 0;
    const int speedup = 1 + data[0];
    const int cpus = 1 + data[1] % 64;
    const std::string text(fuzz::text_from(data + 2, size - 2));
    const auto log = sim::parse_swf("log", text);
    const auto later = sim::parse_swf("log", "; a comment\n \t\n" + text);
    fuzz::require(log.has_value() == later.has_value(), "a comment and a blank line change nothing");
    if (!log) {
        fuzz::require(log.error().what.starts_with("log"), "an error names its file", log.error().text());
        fuzz::require(log.error().text().size() < 256, "an error repeats no more than a little");
        return 0;
    }
    fuzz::require(same(*log, *later), "a comment and a blank line change nothing");
    check_log(*log);
    check_jobs(*log, speedup, cpus, std::chrono::seconds(1));
    check_jobs(*log, speedup, cpus, std::chrono::seconds(sim::kSimSeconds));
    return 0;
}
