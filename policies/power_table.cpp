// Reading the table of power profiles, word by word.
#include "policies/power_table.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "components/kit/limits.h"
#include "components/kit/number.h"
#include "policies/spec_text.h"

namespace schedd::policies {

namespace {

constexpr std::size_t kMostRows = 32;
constexpr std::size_t kLongestProfile = 64;
constexpr std::uint64_t kMostMhz = 100'000;
/// The kernel's words of energy_performance_preference.
constexpr std::string_view kPreferences[] = {"default", "performance", "balance_performance", "balance_power",
                                             "power"};
constexpr std::string_view kWords =
    "words such as batch.kind=efficient, batch.cores=25%, batch.weight=20, cpus.epp=power, "
    "SCHEDULER.ATTRIBUTE=VALUE, SCHEDULER/POLICY.ATTRIBUTE=VALUE or */POLICYTYPE.ATTRIBUTE=VALUE";

std::unexpected<Error> refuse(std::string_view profile, const std::string& what, std::string_view accepted) {
    return fail(Errc::invalid_value, fmt::format("the row '{}' {}", brief(profile), what),
                fmt::format("accepted: {}", accepted));
}

/// Any text that a daemon may say, but for what separates rows and words.
bool is_profile(std::string_view text) {
    return !text.empty() && text.size() <= kLongestProfile &&
           std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f && c != ';' && c != ':'; });
}

std::optional<std::uint64_t> number_in(std::string_view text, std::uint64_t least, std::uint64_t most) {
    const auto number = parse_unsigned(text);
    return number && *number >= least && *number <= most ? number : std::nullopt;
}

/// True if the key is one of how CPUs trade speed for energy.
Result<bool> set_hint(const PowerRow& row, std::string_view owner, FrequencyHint& hint, std::string_view key,
                      std::string_view value) {
    if (key == "epp") {
        const bool is_word = std::ranges::find(kPreferences, value) != std::ranges::end(kPreferences);
        if (!is_word && !number_in(value, 0, 255))
            return refuse(row.profile, fmt::format("has epp={}", brief(value)),
                          fmt::format("epp= {}, or 0 to 255", fmt::join(kPreferences, ", ")));
        hint.preference = value;
        return true;
    }
    if (key != "min_mhz" && key != "max_mhz") return false;
    const auto mhz = number_in(value, 1, kMostMhz);
    if (!mhz)
        return refuse(row.profile, fmt::format("has {}={}", key, brief(value)),
                      fmt::format("{}= 1 to {}", key, kMostMhz));
    (key == "min_mhz" ? hint.least_khz : hint.most_khz) = *mhz * 1000;
    if (hint.least_khz && hint.most_khz && *hint.least_khz > *hint.most_khz)
        return refuse(row.profile,
                      fmt::format("has min_mhz={} above max_mhz={} for {}", *hint.least_khz / 1000,
                                  *hint.most_khz / 1000, owner),
                      "a min_mhz= that is at most max_mhz=");
    return true;
}

Status set_class(PowerRow& row, WorkClass work_class, std::string_view key, std::string_view value) {
    auto& rule = row.classes[static_cast<std::size_t>(work_class)];
    const auto wrong = [&](std::string_view accepted) {
        return refuse(row.profile, fmt::format("has {}.{}={}", name_of(work_class), brief(key), brief(value)),
                      accepted);
    };
    const auto is_hint = set_hint(row, name_of(work_class), rule.hint, key, value);
    if (!is_hint) return std::unexpected(is_hint.error());
    if (*is_hint) return {};
    if (key == "kind") {
        if (value == "any") rule.kind = KindOrder::any;
        else if (value == "efficient") rule.kind = KindOrder::efficient;
        else if (value == "performance") rule.kind = KindOrder::performance;
        else return wrong("kind= one of any, efficient, performance");
        return {};
    }
    if (key == "cores") {
        rule.is_percent = value.ends_with('%');
        const auto most = rule.is_percent ? 100U : static_cast<std::uint64_t>(limits::kMaxCpus);
        const auto cores = number_in(value.substr(0, value.size() - (rule.is_percent ? 1 : 0)), 1, most);
        if (!cores)
            return wrong(fmt::format("cores= 1 to {} whole cores, or 1% to 100% of them", limits::kMaxCpus));
        rule.cores = static_cast<int>(*cores);
        return {};
    }
    if (key == "weight") {
        rule.weight = number_in(value, 1, 10000);
        if (!rule.weight) return wrong("weight= 1 to 10000");
        return {};
    }
    return wrong("of a class: kind, cores, weight, epp, min_mhz and max_mhz");
}

Status set_other(PowerRow& row, std::string_view left, std::string_view attribute, std::string_view value) {
    const bool is_full = left.starts_with("schedulers/");
    const auto path = Path::parse(is_full ? std::string(left) : fmt::format("schedulers/{}", left));
    if (!path) return refuse(row.profile, fmt::format("names '{}'", brief(left)), path.error().what);
    if (path->depth() < 2 || (path->names()[1] == "*" && path->depth() != 3))
        return refuse(row.profile, fmt::format("names '{}'", brief(left)), kWords);
    Setting setting{*path, std::string(attribute), std::string(value)};
    const bool is_twice = std::ranges::any_of(row.settings, [&](const Setting& other) {
        return other.part == setting.part && other.attribute == setting.attribute;
    });
    if (is_twice)
        return refuse(row.profile, fmt::format("sets {}.{} twice", brief(left), brief(attribute)),
                      "each attribute once");
    row.settings.push_back(std::move(setting));
    return {};
}

Status set_word(PowerRow& row, std::string_view word) {
    const auto equals = word.find('=');
    const auto left = word.substr(0, equals);
    const auto dot = left.rfind('.');
    if (equals == std::string_view::npos || equals + 1 == word.size() || dot == std::string_view::npos ||
        dot == 0 || dot + 1 == left.size())
        return refuse(row.profile, fmt::format("has '{}'", brief(word)), kWords);
    const auto owner = left.substr(0, dot);
    const auto key = left.substr(dot + 1);
    const auto value = word.substr(equals + 1);
    for (const auto work_class : {WorkClass::latency, WorkClass::normal, WorkClass::batch})
        if (owner == name_of(work_class)) return set_class(row, work_class, key, value);
    if (owner != "cpus") return set_other(row, owner, key, value);
    const auto is_hint = set_hint(row, "all other CPUs", row.all, key, value);
    if (!is_hint) return std::unexpected(is_hint.error());
    if (*is_hint) return {};
    return refuse(row.profile, fmt::format("has cpus.{}", brief(key)),
                  "of all CPUs: epp, min_mhz and max_mhz");
}

} // namespace

Result<std::vector<PowerRow>> parse_power_table(std::string_view text) {
    std::vector<PowerRow> table;
    for (const auto part : split(text, ';')) {
        if (part.empty()) continue;
        const auto colon = part.find(':');
        const auto name = trim(part.substr(0, colon));
        if (colon == std::string_view::npos || !is_profile(name))
            return refuse(name, "is not written as PROFILE: WORD ...",
                          fmt::format("a profile of at most {} letters, a colon, then {}; a semicolon before "
                                      "the next row",
                                      kLongestProfile, kWords));
        if (std::ranges::find(table, name, &PowerRow::profile) != table.end())
            return refuse(name, "is there twice", "one row for each profile");
        if (table.size() == kMostRows)
            return refuse(name, "is one too many", fmt::format("at most {} rows", kMostRows));
        PowerRow row{.profile = std::string(name)};
        for (const auto word : split(trim(part.substr(colon + 1)), ' ')) {
            if (word.empty()) continue;
            if (auto set = set_word(row, word); !set) return std::unexpected(set.error());
        }
        std::ranges::sort(row.settings);
        table.push_back(std::move(row));
    }
    return table;
}

const PowerRow* row_for(const std::vector<PowerRow>& table, std::string_view profile) {
    const auto find = [&](std::string_view name) {
        const auto at = std::ranges::find(table, name, &PowerRow::profile);
        return at == table.end() ? nullptr : &*at;
    };
    if (const auto* row = find(profile)) return row;
    if (profile == "low-power" || profile == "quiet" || profile == "cool") return find("power-saver");
    if (profile == "balanced-performance") return find("balanced");
    return nullptr;
}

} // namespace schedd::policies
