// Timeline: who ran where and when, summed up in columns of time; and its picture as SVG.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "components/sim/cpus.h"

namespace schedd::sim {

class Timeline final : public CpuWatcher {
public:
    /// Looks at the first `whole` of a run. REQUIRES: `whole` > 0, `kinds` > 0.
    Timeline(const Topology& topology, std::size_t kinds, Duration whole);

    void passed(Time from, Duration time, const std::vector<Slice>& slices) override;
    void moved(Time now, const SimTask& task, int from, int to) override;

    static constexpr std::size_t kColumns = 600;
    [[nodiscard]] const Topology& topology() const { return topology_; }
    [[nodiscard]] Duration whole() const { return whole_; }
    /// CPU time of jobs of a kind on the CPU of a row, in ns; rows are the CPUs of the topology.
    [[nodiscard]] double used(std::size_t row, std::size_t column, std::size_t kind) const {
        return cells_[(row * kColumns + column) * kinds_ + kind];
    }
    [[nodiscard]] std::size_t kinds() const { return kinds_; }
    /// Threads that came to a row from another CPU.
    [[nodiscard]] std::uint32_t moves_to(std::size_t row, std::size_t column) const {
        return moves_[row * kColumns + column];
    }

private:
    [[nodiscard]] std::size_t column_of(Time time) const;
    const Topology& topology_;
    std::size_t kinds_;
    Duration whole_;
    std::vector<int> row_of_; // by CPU number, -1 for none
    std::vector<float> cells_;
    std::vector<std::uint32_t> moves_;
};

/// Rows are CPUs, time goes to the right; the colour is the kind of jobs that used most of a column, paler
/// where less of it was used; a mark is a thread that came from another CPU. `names`: of the kinds.
std::string svg_of(const Timeline& timeline, const std::vector<std::string>& names, const std::string& title);

} // namespace schedd::sim
