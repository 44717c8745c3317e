// Passes: the cpu probe over real files in this process, and the CPU time that its measurements take.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "components/kit/log.h"
#include "components/kit/rng.h"
#include "components/model/probe.h"
#include "components/model/process_table.h"
#include "service/host/dir_host.h"

namespace schedd::bench {

using namespace schedd::kit;

/// All that the daemon gives its cpu probe. It follows every process of the table, as under handle_all.
class Passes {
public:
    /// Over all processes below `root`, found by a scan.
    static Result<std::unique_ptr<Passes>> over_all(const std::string& root);
    /// Over these alone, told one by one, as kernel events tell of them.
    static Result<std::unique_ptr<Passes>> over(const std::string& root, const std::vector<pid_t>& pids);

    /// Measures `count` times, `apart_ms` between two, and answers the CPU time of one measurement in ns.
    Result<double> measure(int count, std::int64_t apart_ms);
    [[nodiscard]] std::size_t processes() const { return table_.size(); }
    /// How many of them have a load; fewer than processes() if some could not be read.
    [[nodiscard]] std::size_t measured() const;
    /// What the probe complains of.
    [[nodiscard]] const std::string& trouble() const { return probe_->trouble(); }

private:
    class MonotonicClock final : public Clock {
    public:
        [[nodiscard]] Time now() const override;
    };
    class NoLog final : public Log {
    public:
        void write(Severity, std::string_view, std::string_view) override {}
    };
    explicit Passes(std::unique_ptr<host::DirHost> host);
    Status settle();

    MonotonicClock clock_;
    Rng rng_{1};
    NoLog log_;
    std::unique_ptr<host::DirHost> host_;
    model::ProcessTable table_;
    std::unique_ptr<model::Part> part_;
    model::Probe* probe_;
};

} // namespace schedd::bench
