// Limits of simulations: every maximum for what their files ask for, each with its reason.
#pragma once

#include <cstddef>

namespace schedd::sim {

constexpr std::size_t kSimJobs = 1'000'000; // jobs of one load or log; a hundred bytes each
constexpr std::size_t kSimKinds = 64;       // kinds of jobs of one load; each is a row of the tables
constexpr int kSimThreads = 4096;           // threads of one job; four times as many as CPUs
constexpr std::size_t kSimPids =
    1U << 30U; // threads of all jobs; each has a number of its own, a pid's range
constexpr std::size_t kSimLogBytes = 256U << 20U; // a workload log; the largest of the archive have 200 MB
constexpr double kSimSteps = 1e12;                // threads looked at in one run; some hours
constexpr double kSimQuickSteps = 1e9;        // of all runs; beyond, a minute or so, it is told beforehand
constexpr long long kSimSeconds = 31'622'400; // virtual time of one run: a year

} // namespace schedd::sim
