// Summing up who ran where.
#include "components/sim/timeline.h"

#include <algorithm>

namespace schedd::sim {

Timeline::Timeline(const Topology& topology, std::size_t kinds, Duration whole)
    : topology_(topology), kinds_(kinds), whole_(whole), row_of_(topology.width(), -1),
      cells_(topology.cpus.size() * kColumns * kinds), moves_(topology.cpus.size() * kColumns) {
    for (std::size_t row = 0; row < topology.cpus.size(); ++row)
        if (topology.online.contains(topology.cpus[row].id))
            row_of_[static_cast<std::size_t>(topology.cpus[row].id)] = static_cast<int>(row);
}

std::size_t Timeline::column_of(Time time) const {
    const double part = static_cast<double>(time.count()) / static_cast<double>(whole_.count());
    return std::min(static_cast<std::size_t>(std::max(0.0, part * kColumns)), kColumns);
}

void Timeline::passed(Time from, Duration time, const std::vector<Slice>& slices) {
    if (from >= whole_ || slices.empty()) return;
    const double width = static_cast<double>(whole_.count()) / kColumns;
    const auto begin = static_cast<double>(from.count());
    const double end = std::min(begin + static_cast<double>(time.count()), width * kColumns);
    for (auto column = column_of(from); column < kColumns; ++column) {
        const double left = std::max(begin, width * static_cast<double>(column));
        const double right = std::min(end, width * static_cast<double>(column + 1));
        if (left >= end) break;
        const double part = std::max(0.0, right - left) / static_cast<double>(time.count());
        for (const auto& slice : slices) {
            const int row = row_of_[static_cast<std::size_t>(slice.cpu)];
            if (row < 0) continue;
            const auto kind = std::min(static_cast<std::size_t>(slice.task->habit.kind), kinds_ - 1);
            cells_[(static_cast<std::size_t>(row) * kColumns + column) * kinds_ + kind] +=
                static_cast<float>(part * static_cast<double>(slice.run.count()));
        }
    }
}

void Timeline::moved(Time now, const SimTask& /*task*/, int /*from*/, int to) {
    const int row = row_of_[static_cast<std::size_t>(to)];
    const auto column = column_of(now);
    if (row < 0 || now >= whole_ || column >= kColumns) return;
    ++moves_[static_cast<std::size_t>(row) * kColumns + column];
}

} // namespace schedd::sim
