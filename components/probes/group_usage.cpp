// Reading cpu.stat of control groups.
#include "components/probes/group_usage.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "components/model/proc_text.h"
#include "components/probes/group_path.h"

namespace schedd::probes {

std::optional<std::uint64_t> parse_cpu_stat(std::string_view text) {
    while (!text.empty()) {
        auto line = take_line(text);
        if (take_word(line) == "usage_usec") return take_number(line);
    }
    return std::nullopt;
}

std::optional<GroupUsage::Usage> GroupUsage::look(std::string_view group, Time now) {
    auto at = groups_.find(group);
    if (at == groups_.end()) {
        if (groups_.size() >= limits::kPressureGroups || !is_group_path(group)) return std::nullopt;
        at = groups_.emplace(group, Followed{}).first;
    }
    at->second.asked_at = now;
    return at->second.usage;
}

void GroupUsage::visit(const std::function<void(const std::string&, const Usage&)>& visit) const {
    for (const auto& [group, row] : groups_)
        if (row.usage) visit(group, *row.usage);
}

void GroupUsage::measure(Time now, Duration patience) {
    for (auto at = groups_.begin(); at != groups_.end();) {
        const bool is_wanted = now - at->second.asked_at <= patience;
        at = is_wanted && read(at->first, at->second, now) ? std::next(at) : groups_.erase(at);
    }
}

/// False when the group is gone, or says nothing of its usage.
bool GroupUsage::read(const std::string& group, Followed& row, Time now) {
    std::array<char, 1024> buffer;
    std::optional<std::uint64_t> total;
    if (row.file) {
        if (const auto text = row.file->read(buffer)) total = parse_cpu_stat(*text);
    } else {
        for (const auto mount : kUnifiedMounts) {
            row.file.emplace(host_, fmt::format("{}{}/cpu.stat", mount, group == "/" ? "" : group));
            if (const auto text = row.file->read(buffer)) total = parse_cpu_stat(*text);
            if (total) break;
        }
    }
    const auto passed_us = std::chrono::duration_cast<std::chrono::microseconds>(now - row.read_at).count();
    if (total && row.total_us && passed_us <= 0) return true; // nothing can have happened
    row.usage.reset();
    // a total that went back belongs to another group of the same name
    if (total && row.total_us && *total >= *row.total_us) {
        const double share = static_cast<double>(*total - *row.total_us) / static_cast<double>(passed_us);
        const auto most = static_cast<double>(limits::kMaxCpus); // more is no usage but a broken counter
        row.usage = Usage{static_cast<std::int64_t>(1000 * std::min(share, most) + 0.5), now};
    }
    row.total_us = total;
    row.read_at = now;
    return total.has_value();
}

} // namespace schedd::probes
