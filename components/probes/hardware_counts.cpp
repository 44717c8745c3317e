// Reading EDAC, machine checks, thermal throttling and what smartd has noticed.
#include "components/probes/hardware_counts.h"

#include <algorithm>

#include "components/kit/number.h"
#include "components/model/proc_text.h"

namespace schedd::probes {

using model::take_line;
using model::take_number;
using model::take_word;

namespace {

constexpr std::size_t kLargest = 32U << 20U; // proc/interrupts: a column for each CPU
constexpr std::size_t kMostFiles = 8192;     // of one kind
constexpr std::int64_t kMost = std::int64_t{1} << 40;

std::int64_t plus(std::int64_t sum, std::uint64_t more) {
    return std::min(sum + static_cast<std::int64_t>(std::min<std::uint64_t>(more, kMost)), kMost);
}

bool is_number(std::string_view text) { return parse_unsigned(text).has_value(); }

} // namespace

HardwareCounts HardwareReader::read() {
    const std::string edac = "sys/devices/system/edac/mc";
    return {.corrected = sum_of(edac, "mc", "ce_count"),
            .uncorrected = sum_of(edac, "mc", "ue_count"),
            .machine_checks = machine_checks(),
            .throttles = sum_of("sys/devices/system/cpu", "cpu", "thermal_throttle/core_throttle_count"),
            .disk_warnings = disk_warnings()};
}

std::optional<std::int64_t> HardwareReader::sum_of(const std::string& directory, std::string_view prefix,
                                                   std::string_view file) {
    std::vector<std::string> paths;
    (void)host_.list(directory, [&](std::string_view name) {
        if (name.starts_with(prefix) && is_number(name.substr(prefix.size())) && paths.size() < kMostFiles)
            paths.push_back(directory + "/" + std::string(name) + "/" + std::string(file));
    });
    std::optional<std::int64_t> sum;
    for (const auto& path : paths) {
        auto text = text_of(path);
        if (const auto count = text ? take_number(*text) : std::nullopt) sum = plus(sum.value_or(0), *count);
    }
    return sum;
}

/// "MCE:   0   0   Machine check exceptions"
std::optional<std::int64_t> HardwareReader::machine_checks() {
    auto text = text_of("proc/interrupts");
    while (text && !text->empty()) {
        auto line = take_line(*text);
        if (take_word(line) != "MCE:") continue;
        std::int64_t sum = 0;
        while (const auto count = take_number(line)) sum = plus(sum, *count);
        return sum;
    }
    return std::nullopt;
}

/// smartd keeps of each disk how many warnings of each sort it has sent: "mail.5.count = 1".
std::optional<std::int64_t> HardwareReader::disk_warnings() {
    const std::string directory = "var/lib/smartmontools";
    std::vector<std::string> files;
    (void)host_.list(directory, [&](std::string_view name) {
        if (name.starts_with("smartd.") && name.ends_with(".state") && files.size() < kMostFiles)
            files.push_back(directory + "/" + std::string(name));
    });
    std::optional<std::int64_t> sum;
    for (const auto& file : files) {
        auto text = text_of(file);
        if (text && !sum) sum = 0;
        while (text && !text->empty()) {
            auto line = take_line(*text);
            const auto name = take_word(line);
            if (!name.starts_with("mail.") || !name.ends_with(".count") || take_word(line) != "=") continue;
            if (const auto count = take_number(line)) sum = plus(*sum, *count);
        }
    }
    return sum;
}

std::optional<std::string_view> HardwareReader::text_of(const std::string& path) {
    while (true) {
        const auto text = host_.read(path, buffer_);
        if (!text) return std::nullopt;
        if (text->size() < buffer_.size() || buffer_.size() >= kLargest) return *text;
        buffer_.resize(buffer_.size() * 2);
    }
}

} // namespace schedd::probes
