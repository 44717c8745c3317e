// SmoothedLoad: the two averages of MOSIX, in the integers of the original (Kerrighed mosix_probe.c).
#pragma once

#include <algorithm>
#include <cstdint>

namespace schedd::probes {

/// What a process that always wants a CPU adds, in thousandths.
constexpr std::int64_t kSingleProcess = 1000;
/// Loads beyond it are taken for it, so that nothing overflows.
constexpr std::int64_t kMostLoad = std::int64_t{1} << 40;

/// One value each second, in thousandths of a task. Both start from 0.
class SmoothedLoad {
public:
    void take(std::int64_t load) {
        load = std::clamp<std::int64_t>(load, 0, kMostLoad);
        const auto fine = load * kFine;
        mean_ = fine > mean_ ? (5 * mean_ + 3 * fine) / 8 : fine;
        upper_ = load >= upper_ ? load : (7 * upper_ + load) / 8;
    }
    /// Rises slowly, falls at once: slow to admit being loaded.
    [[nodiscard]] std::int64_t mean() const { return (mean_ + kFine / 2) / kFine; }
    /// Rises at once, falls slowly: quick to look loaded.
    [[nodiscard]] std::int64_t upper() const { return upper_; }

private:
    static constexpr std::int64_t kFine = 128;
    std::int64_t mean_ = 0; // times kFine
    std::int64_t upper_ = 0;
};

/// A process's load after one more second.
constexpr std::int64_t smoothed_process_load(std::int64_t before, std::int64_t load) {
    return (5 * before + 3 * std::clamp<std::int64_t>(load, 0, kMostLoad)) / 8;
}

} // namespace schedd::probes
