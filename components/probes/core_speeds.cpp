// Reading speeds and ranks of cores.
#include "components/probes/core_speeds.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "components/kit/number.h"
#include "components/model/proc_text.h"

namespace schedd::probes {

namespace {

constexpr std::size_t kLargest = 32U << 20U;     // proc/cpuinfo of kMaxCpus CPUs
constexpr std::int64_t kMostKhz = 1'000'000'000; // what is beyond it is no frequency
constexpr std::int64_t kMostRank = 1'000'000;
constexpr std::array<std::string_view, 2> kRankFiles{"cpu_capacity", "acpi_cppc/highest_perf"};

/// "2394.374" -> 2394374; 0 if it is no such number.
std::int64_t khz_of(std::string_view mhz) {
    const auto point = std::min(mhz.find('.'), mhz.size());
    const auto whole = parse_unsigned(mhz.substr(0, point));
    if (!whole || *whole > kMostKhz / 1000) return 0;
    auto parts = std::string(mhz.substr(std::min(point + 1, mhz.size()), 3));
    parts.resize(3, '0');
    return static_cast<std::int64_t>(*whole * 1000 + parse_unsigned(parts).value_or(0));
}

} // namespace

Status CoreSpeeds::look() {
    std::array<char, 4096> buffer;
    const auto text = online_file_.read(buffer);
    if (text && *text == seen_) return {};
    auto online = text ? CpuSet::parse(*text) : Result<CpuSet>(std::unexpected(text.error()));
    online_ = online ? *online : CpuSet();
    seen_ = online ? std::string(*text) : std::string();
    read_speeds();
    if (!text) return std::unexpected(text.error());
    if (!online) return fail(Errc::io, online_file_.path() + " cannot be understood", online.error().text());
    return {};
}

std::optional<std::int64_t> CoreSpeeds::of(std::int64_t cpu) const {
    const bool is_known = cpu >= 0 && cpu < static_cast<std::int64_t>(speeds_.size());
    const auto speed = is_known ? speeds_[static_cast<std::size_t>(cpu)] : 0;
    return speed > 0 ? std::optional(speed) : std::nullopt;
}

void CoreSpeeds::read_speeds() {
    int last = -1;
    for (int cpu = online_.first(); cpu >= 0; cpu = online_.next(cpu)) last = cpu;
    speeds_.assign(static_cast<std::size_t>(last + 1), 0);
    mean_.reset();
    fastest_.reset();
    if (online_.empty()) return;
    read_frequencies();
    const auto best = *std::ranges::max_element(speeds_);
    for (const auto file : kRankFiles) {
        const auto ranks = read_ranks(file);
        if (ranks.empty()) continue;
        const auto first = *std::ranges::max_element(ranks);
        for (std::size_t i = 0; i < speeds_.size(); ++i) speeds_[i] = best * ranks[i] / first;
        break;
    }
    std::int64_t sum = 0;
    for (int cpu = online_.first(); cpu >= 0; cpu = online_.next(cpu)) {
        const auto speed = speeds_[static_cast<std::size_t>(cpu)];
        if (speed == 0) return;
        sum += speed;
    }
    mean_ = sum / online_.count();
    fastest_ = *std::ranges::max_element(speeds_);
}

void CoreSpeeds::read_frequencies() {
    for (int cpu = online_.first(); cpu >= 0; cpu = online_.next(cpu))
        speeds_[static_cast<std::size_t>(cpu)] =
            std::min(read_number(cpu, "cpufreq/cpuinfo_max_freq"), kMostKhz);
    if (speeds_[static_cast<std::size_t>(online_.first())] == 0) read_cpuinfo();
}

void CoreSpeeds::read_cpuinfo() {
    KeptFile file(host_, "proc/cpuinfo");
    std::vector<char> buffer(64U << 10U);
    auto text = file.read(buffer, {}, kLargest);
    std::size_t cpu = speeds_.size();
    while (text && !text->empty()) {
        const auto line = take_line(*text);
        const auto colon = line.find(": ");
        if (colon == std::string_view::npos) continue;
        const auto value = line.substr(colon + 2);
        if (line.starts_with("processor"))
            cpu = static_cast<std::size_t>(parse_unsigned(value).value_or(speeds_.size()));
        if (line.starts_with("cpu MHz") && cpu < speeds_.size() && online_.contains(static_cast<int>(cpu)))
            speeds_[cpu] = khz_of(value);
    }
}

/// By CPU; empty unless every CPU has one.
std::vector<std::int64_t> CoreSpeeds::read_ranks(std::string_view file) {
    std::vector<std::int64_t> ranks(speeds_.size(), 0);
    for (int cpu = online_.first(); cpu >= 0; cpu = online_.next(cpu)) {
        const auto rank = std::min(read_number(cpu, file), kMostRank);
        if (rank == 0) return {};
        ranks[static_cast<std::size_t>(cpu)] = rank;
    }
    return ranks;
}

/// 0 if the file is not there or holds no number.
std::int64_t CoreSpeeds::read_number(int cpu, std::string_view file) {
    std::array<char, 32> buffer;
    auto text = host_.read(fmt::format("sys/devices/system/cpu/cpu{}/{}", cpu, file), buffer);
    const auto number = text ? take_number(*text) : std::nullopt;
    return number && *number <= INT64_MAX ? static_cast<std::int64_t>(*number) : 0;
}

} // namespace schedd::probes
