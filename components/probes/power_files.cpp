// Reading what sysfs says of power; each file is small and of untrusted content.
#include "components/probes/power_files.h"

#include <algorithm>
#include <array>
#include <set>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "components/kit/number.h"

namespace schedd::probes {

namespace {

constexpr std::string_view kSupplies = "sys/class/power_supply";
constexpr std::string_view kPowercap = "sys/class/powercap";
constexpr std::string_view kProfile = "sys/firmware/acpi/platform_profile";
constexpr std::size_t kLongestWord = 64;
/// Supplies and RAPL zones beyond it are not looked at.
constexpr std::size_t kMost = 64;

/// The first line of a file.
Result<std::string> read_word(Host& host, const std::string& path) {
    std::array<char, 256> buffer;
    const auto text = host.read(path, buffer);
    if (!text) return std::unexpected(text.error());
    const auto line = text->substr(0, text->find('\n'));
    const bool is_word = !line.empty() && line.size() <= kLongestWord &&
                         std::ranges::all_of(line, [](char c) { return c > ' ' && c < 0x7f; });
    if (!is_word) return fail(Errc::invalid_value, path + " holds no word", "one word on a line");
    return std::string(line);
}

std::optional<std::string> word_or_none(Host& host, const std::string& path) {
    auto word = read_word(host, path);
    return word ? std::optional(std::move(*word)) : std::nullopt;
}

/// In order, so that what is read does not depend on the directory's.
std::set<std::string> names_in(Host& host, std::string_view path) {
    std::set<std::string> names;
    (void)host.list(std::string(path), [&](std::string_view name) {
        if (names.size() < kMost) names.emplace(name);
    });
    return names;
}

} // namespace

Result<std::string> read_platform_profile(Host& host) { return read_word(host, std::string(kProfile)); }

PowerSupply read_power_supply(Host& host) {
    bool has_mains = false;
    bool is_mains_online = false;
    bool is_discharging = false;
    int batteries = 0;
    double percent = 0;
    int measured = 0;
    for (const auto& name : names_in(host, kSupplies)) {
        const auto at = fmt::format("{}/{}/", kSupplies, name);
        const auto type = word_or_none(host, at + "type");
        if (!type || word_or_none(host, at + "scope") == "Device") continue;
        if (*type != "Battery") { // Mains, USB, Wireless
            const auto online = word_or_none(host, at + "online");
            has_mains = has_mains || online.has_value();
            is_mains_online = is_mains_online || (online && *online != "0");
            continue;
        }
        if (word_or_none(host, at + "present") == "0") continue;
        ++batteries;
        is_discharging = is_discharging || word_or_none(host, at + "status") == "Discharging";
        const auto capacity = parse_unsigned(word_or_none(host, at + "capacity").value_or(""));
        if (!capacity || *capacity > 100) continue;
        percent += static_cast<double>(*capacity);
        ++measured;
    }
    PowerSupply supply;
    if (batteries > 0) supply.on_battery = is_discharging || (has_mains && !is_mains_online);
    else if (has_mains) supply.on_battery = false;
    if (measured > 0) supply.percent = percent / measured;
    return supply;
}

Result<std::int64_t> EnergyMeter::measure(Host& host) {
    constexpr std::string_view kZone = "intel-rapl:";
    std::optional<Error> error;
    bool any = false;
    for (const auto& name : names_in(host, kPowercap)) {
        // packages are intel-rapl:0, what is in them intel-rapl:0:0
        if (!name.starts_with(kZone) || name.find(':', kZone.size()) != std::string::npos) continue;
        const auto at = fmt::format("{}/{}/", kPowercap, name);
        const auto word = read_word(host, at + "energy_uj");
        if (!word) {
            error = word.error();
            continue;
        }
        const auto now = parse_unsigned(*word);
        if (!now) continue;
        any = true;
        const auto [zone, is_new] = zones_.try_emplace(name, Zone{*now});
        if (is_new) continue;
        const auto last = std::exchange(zone->second.last_uj, *now);
        if (*now >= last) {
            used_uj_ += *now - last;
        } else if (const auto range =
                       parse_unsigned(word_or_none(host, at + "max_energy_range_uj").value_or(""));
                   range && *range >= last) {
            used_uj_ += *range - last + *now;
        }
    }
    if (any) return static_cast<std::int64_t>(used_uj_ / 1000);
    if (error) return std::unexpected(*error);
    return fail(Errc::no_such_object, fmt::format("{} has no intel-rapl zone", kPowercap), {});
}

} // namespace schedd::probes
