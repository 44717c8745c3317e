// WakeUps: how late a task that sleeps for a millisecond at a time gets its CPU, by cyclictest.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "components/kit/result.h"

namespace schedd::bench {

using namespace schedd::kit;

/// How often a wake-up was late by so many us; what is beyond the histogram counts as the latest of all.
class WakeUps {
public:
    /// One thread of the ordinary scheduling class that wakes each ms. `seconds` is about how long; `file` is
    /// where cyclictest leaves its histogram. Fails when interrupted, or when there is nothing in it.
    static Result<WakeUps> measure(int seconds, const std::string& file, const std::function<bool()>& enter);

    [[nodiscard]] std::uint64_t count() const { return count_; }
    /// In us; `part` in 0 to 1.
    [[nodiscard]] double quantile(double part) const;
    [[nodiscard]] double latest() const { return latest_; }

private:
    /// Of cyclictest's histogram: lines of "US COUNT", then comments with what was beyond and the latest.
    static Result<WakeUps> parse(const std::string& text);
    std::vector<std::uint64_t> by_us_;
    std::uint64_t count_ = 0;
    double latest_ = 0;
};

} // namespace schedd::bench
