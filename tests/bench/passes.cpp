// Driving the cpu probe.
#include "tests/bench/passes.h"

#include <fmt/format.h>
#include <unistd.h>

#include "components/probes/probes.h"
#include "tests/bench/interrupt.h"
#include "tests/bench/sample.h"

namespace schedd::bench {

namespace {

/// The first opens the files, the second gives loads; what has no file of its own then comes in rotation.
constexpr int kWarmUp = 3;

} // namespace

Time Passes::MonotonicClock::now() const { return Time(monotonic_ns()); }

Passes::Passes(std::unique_ptr<host::DirHost> host)
    : host_(std::move(host)), table_(*host_, nullptr, getpid()),
      part_(probes::kCpu.make(probes::kCpu, "cpu", {clock_, rng_, *host_, log_, table_})),
      probe_(static_cast<model::Probe*>(part_.get())) {}

Result<std::unique_ptr<Passes>> Passes::over_all(const std::string& root) {
    auto host = host::DirHost::open_root(root);
    if (!host) return std::unexpected(host.error());
    std::unique_ptr<Passes> passes(new Passes(std::move(*host)));
    if (auto scanned = passes->table_.scan(); !scanned) return std::unexpected(scanned.error());
    if (auto settled = passes->settle(); !settled) return std::unexpected(settled.error());
    return passes;
}

Result<std::unique_ptr<Passes>> Passes::over(const std::string& root, const std::vector<pid_t>& pids) {
    auto host = host::DirHost::open_root(root);
    if (!host) return std::unexpected(host.error());
    std::unique_ptr<Passes> passes(new Passes(std::move(*host)));
    for (const pid_t pid : pids) passes->table_.apply({.what = model::ProcessEvent::What::fork, .pid = pid});
    if (auto settled = passes->settle(); !settled) return std::unexpected(settled.error());
    return passes;
}

Status Passes::settle() {
    if (auto warm = measure(kWarmUp, 20); !warm) return std::unexpected(warm.error());
    // a few may have ended meanwhile; more missing means that it is not measuring what it should
    if (measured() * 100 < processes() * 98)
        return fail(Errc::no_value, fmt::format("{} of {} processes have a load", measured(), processes()),
                    trouble());
    return {};
}

Result<double> Passes::measure(int count, std::int64_t apart_ms) {
    std::int64_t used = 0;
    for (int i = 0; i < count; ++i) {
        if (apart_ms > 0)
            if (auto rested = pause_for_ms(apart_ms); !rested) return std::unexpected(rested.error());
        const auto before = thread_cpu_ns();
        probe_->measure(clock_.now());
        used += thread_cpu_ns() - before;
    }
    return static_cast<double>(used) / count;
}

std::size_t Passes::measured() const {
    std::size_t count = 0;
    const auto* loads = dynamic_cast<const model::Source*>(probe_->child("process_load"));
    if (loads) loads->list([&](const model::Parameter&, const model::Sample&) { ++count; });
    return count;
}

} // namespace schedd::bench
