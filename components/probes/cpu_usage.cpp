// Reading proc/stat (man 5 proc).
#include "components/probes/cpu_usage.h"

#include <array>

#include "components/kit/limits.h"
#include "components/kit/number.h"
#include "components/model/proc_text.h"

namespace schedd::probes {

using namespace schedd::model;

namespace {

constexpr std::size_t kLargest = 2U << 20U; // kMaxCpus lines of at most 200 bytes

/// user nice system idle iowait irq softirq steal; guest times are in user and nice already.
enum Field : std::size_t { kUser, kNice, kSystem, kIdle, kIowait, kIrq, kSoftirq, kSteal, kFields };

} // namespace

Status CpuUsage::measure(Time now) {
    ++pass_;
    const auto text = file_.read(buffer_, "\nintr", kLargest);
    if (text && take_lines(*text)) {
        time_ = now;
        return {};
    }
    for (auto& cpu : cpus_) cpu = {};
    if (!text) return std::unexpected(text.error());
    return fail(Errc::io, "proc/stat cannot be understood", "expected a line of numbers for each CPU");
}

bool CpuUsage::take_lines(std::string_view text) {
    bool found = false;
    while (!text.empty()) {
        auto line = take_line(text);
        if (!line.starts_with("cpu")) break; // the CPUs come first
        const auto label = take_word(line);
        if (label == "cpu") continue;
        const auto number = parse_unsigned(label.substr(3));
        std::array<std::uint64_t, kFields> field{};
        std::size_t count = 0;
        while (count < kFields) {
            const auto value = take_number(line);
            if (!value) break;
            field[count++] = *value;
        }
        if (!number || count <= kIdle) return false;
        found = true;
        if (*number >= limits::kMaxCpus) continue;
        if (*number >= cpus_.size()) cpus_.resize(*number + 1);
        const auto used = field[kUser] + field[kNice] + field[kSystem] + field[kIowait] + field[kIrq] +
                          field[kSoftirq] + field[kSteal];
        take(cpus_[*number], used, field[kIdle]);
    }
    return found;
}

void CpuUsage::take(PerCpu& cpu, std::uint64_t used, std::uint64_t idle) const {
    const bool is_first = cpu.seen + 1 != pass_;
    cpu.seen = pass_;
    if (is_first) cpu.percent.reset();
    // iowait and idle have been seen to go back by a tick or two
    const auto more_used = used > cpu.used ? used - cpu.used : 0;
    const auto more_idle = idle > cpu.idle ? idle - cpu.idle : 0;
    if (!is_first && more_used + more_idle == 0) return; // no tick since: what was measured still stands
    if (!is_first) cpu.percent = static_cast<std::int64_t>(100 * more_used / (more_used + more_idle));
    cpu.used = used;
    cpu.idle = idle;
}

std::optional<std::int64_t> CpuUsage::percent(std::int64_t cpu) const {
    if (cpu < 0 || cpu >= cpus()) return std::nullopt;
    const auto& row = cpus_[static_cast<std::size_t>(cpu)];
    if (row.seen != pass_) return std::nullopt;
    return row.percent;
}

} // namespace schedd::probes
