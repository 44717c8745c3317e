// Running stress-ng and reading its figures.
#include "tests/bench/batch_work.h"

#include <csignal>
#include <cstdlib>
#include <fstream>

#include <unistd.h>

#include "tests/bench/interrupt.h"
#include "tests/bench/sample.h"

namespace schedd::bench {

namespace {

constexpr std::int64_t kGraceMs = 10'000;

} // namespace

Result<BatchWork> BatchWork::start(const std::string& directory, const std::function<bool()>& enter) {
    if (auto found = find_program("stress-ng"); !found) return std::unexpected(found.error());
    auto figures = directory + "/stress-ng.yaml";
    unlink(figures.c_str());
    // one method: by default it goes through all of them, whose operations differ by orders of magnitude; and
    // a timeout for the case that nobody is left to end it
    auto process =
        Process::start({"stress-ng", "--quiet", "--cpu", "4", "--cpu-method", "matrixprod", "--timeout", "60",
                        "--metrics-brief", "--yaml", figures, "--temp-path", directory},
                       {.discards = true, .errors = {}, .enter = enter});
    if (!process) return std::unexpected(process.error());
    return BatchWork(std::move(*process), std::move(figures));
}

Result<double> BatchWork::end() {
    process_.signal(SIGINT);
    const auto give_up = monotonic_ns() + kGraceMs * 1'000'000;
    while (process_.alive()) {
        if (monotonic_ns() > give_up) return fail(Errc::io, "stress-ng does not end");
        if (auto rested = pause_for_ms(10); !rested) return std::unexpected(rested.error());
    }
    constexpr std::string_view kName = "bogo-ops-per-second-real-time:";
    std::ifstream lines(figures_);
    for (std::string line; std::getline(lines, line);)
        if (const auto at = line.find(kName); at != std::string::npos)
            if (const double figure = std::strtod(line.c_str() + at + kName.size(), nullptr); figure > 0)
                return figure;
    return fail(Errc::no_value, "stress-ng tells no " + std::string(kName));
}

Result<double> BatchWork::work_for_ms(std::int64_t ms, const std::string& directory,
                                      const std::function<bool()>& enter) {
    auto work = start(directory, enter);
    if (!work) return std::unexpected(work.error());
    if (auto rested = pause_for_ms(ms); !rested) return std::unexpected(rested.error());
    return work->end();
}

} // namespace schedd::bench
