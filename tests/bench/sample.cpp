// Medians and clocks.
#include "tests/bench/sample.h"

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <fstream>

#include <fmt/format.h>

namespace schedd::bench {

namespace {

std::int64_t read_clock(clockid_t which) {
    timespec time{};
    clock_gettime(which, &time);
    return static_cast<std::int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

} // namespace

double median(std::vector<double> values) {
    std::ranges::sort(values);
    const auto half = values.size() / 2;
    return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

void Pairs::add(double ours, double peer) {
    ours_.push_back(ours);
    peer_.push_back(peer);
    ratios_.push_back(ours / peer);
}

std::int64_t thread_cpu_ns() { return read_clock(CLOCK_THREAD_CPUTIME_ID); }
std::int64_t monotonic_ns() { return read_clock(CLOCK_MONOTONIC); }

Result<std::int64_t> process_cpu_ns(pid_t pid) {
    const auto directory = fmt::format("/proc/{}/task", pid);
    std::error_code error;
    std::int64_t sum = 0;
    for (const auto& task : std::filesystem::directory_iterator(directory, error)) {
        std::int64_t ns = 0;
        if (std::ifstream(task.path() / "schedstat") >> ns) sum += ns;
    }
    if (error) return fail(Errc::no_such_object, fmt::format("process {} has ended", pid));
    return sum;
}

} // namespace schedd::bench
