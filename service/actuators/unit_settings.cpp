// Weight, quota and memory nodes by SetUnitProperties, read back from property and control group.
#include "service/actuators/unit_settings.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "components/kit/number.h"

namespace schedd::actuators {

namespace {

constexpr std::array kSettings{Setting::cpu_weight, Setting::cpu_quota, Setting::memory_nodes};
constexpr std::size_t kWrittenValues = 4;         // that are remembered of a setting
constexpr std::uint64_t kQuotaPeriodUs = 100'000; // systemd's, unless a unit file says another

/// As in unit files, and in the names of drop-ins.
std::string_view property_of(Setting setting) {
    switch (setting) {
    case Setting::cpu_weight: return "CPUWeight";
    case Setting::cpu_quota: return "CPUQuota";
    case Setting::memory_nodes: return "AllowedMemoryNodes";
    }
    return {};
}

/// "ORIGIN:VALUE>WRITTEN" of a setting in a recorded text, "" if it is not there.
std::string_view word_of(Setting setting, std::string_view captured) {
    const auto mark = fmt::format(" {}=", property_of(setting));
    const auto at = captured.find(mark);
    if (at == std::string_view::npos) return {};
    const auto word = captured.substr(at + mark.size());
    return word.substr(0, word.find(' '));
}

/// The one setting alone.
Tuning only(Setting setting, const Tuning& all) {
    Tuning one;
    if (setting == Setting::cpu_weight) one.cpu_weight = all.cpu_weight;
    if (setting == Setting::cpu_quota) one.cpu_quota_us = all.cpu_quota_us;
    if (setting == Setting::memory_nodes) one.memory_nodes = all.memory_nodes;
    return one;
}

std::string value_text(Setting setting, const Tuning& tuning) {
    if (setting == Setting::memory_nodes) return tuning.memory_nodes ? tuning.memory_nodes->text() : "";
    const auto& number = setting == Setting::cpu_weight ? tuning.cpu_weight : tuning.cpu_quota_us;
    return number ? std::to_string(*number) : "";
}

Result<Tuning> parse_value(Setting setting, std::string_view text) {
    Tuning value;
    if (text.empty()) return value;
    if (setting == Setting::memory_nodes) {
        auto nodes = CpuSet::parse(text);
        if (!nodes) return std::unexpected(nodes.error());
        value.memory_nodes = *nodes;
        return value;
    }
    const auto number = parse_unsigned(text);
    if (!number)
        return fail(Errc::invalid_value, fmt::format("\"{}\" is no recorded number", text), "digits");
    (setting == Setting::cpu_weight ? value.cpu_weight : value.cpu_quota_us) = *number;
    return value;
}

} // namespace

Result<std::string> UnitSettings::capture(const std::string& unit) {
    const auto now = manager_.tuning(unit);
    if (!now) return std::unexpected(now.error());
    const auto files = manager_.drop_ins(unit);
    if (!files) return std::unexpected(files.error());
    std::string text;
    for (const auto setting : kSettings) {
        const auto value = value_text(setting, *now);
        const auto origin = drop_ins_.origin_of(unit, property_of(setting), !value.empty(), *files);
        text += fmt::format(" {}={}:{}", property_of(setting), name_of(origin), value);
    }
    return text;
}

bool UnitSettings::Original::is_ours(const Tuning& now) const {
    return std::ranges::find(written, now) != written.end();
}

Result<std::map<Setting, UnitSettings::Original>> UnitSettings::parse(std::string_view captured) {
    std::map<Setting, Original> all;
    for (const auto setting : kSettings) {
        auto word = word_of(setting, captured);
        if (word.empty()) continue;
        const auto colon = word.find(':');
        auto origin = parse_origin(word.substr(0, colon));
        if (!origin || colon == std::string_view::npos)
            return fail(Errc::invalid_value, fmt::format("\"{}\" is no recorded setting", word),
                        "ORIGIN:VALUE>WRITTEN");
        word.remove_prefix(colon + 1);
        std::vector<Tuning> values; // the original first
        while (true) {
            const auto end = word.find('>');
            auto value = parse_value(setting, word.substr(0, end));
            if (!value) return std::unexpected(value.error());
            values.push_back(std::move(*value));
            if (end == std::string_view::npos) break;
            word.remove_prefix(end + 1);
        }
        all[setting] = {*origin, values.front(), {values.begin() + 1, values.end()}};
    }
    return all;
}

Result<std::string> UnitSettings::noted(std::string captured, const Tuning& tuning) {
    const auto originals = parse(captured);
    if (!originals) return std::unexpected(originals.error());
    for (const auto& [setting, original] : *originals) {
        const auto wanted = only(setting, tuning);
        if (wanted.empty()) continue; // what was written before is put back after this was noted
        auto written = original.written;
        std::erase(written, wanted);
        written.push_back(wanted);
        if (written.size() > kWrittenValues) written.erase(written.begin());
        auto text = fmt::format("{}:{}", name_of(original.origin), value_text(setting, original.value));
        for (const auto& value : written) text += '>' + value_text(setting, value);
        const auto word = word_of(setting, captured);
        captured.replace(static_cast<std::size_t>(word.data() - captured.data()), word.size(), text);
    }
    return captured;
}

std::string UnitSettings::told(std::string_view captured) {
    std::string words;
    const auto originals = parse(captured);
    if (!originals) return words;
    for (const auto& [setting, original] : *originals) {
        if (original.written.empty()) continue;
        const auto value = original.value.text(); // "CPUWeight=200"
        words += fmt::format("{}{}{}", words.empty() ? "" : ", ",
                             value.empty() ? fmt::format("{} unset", property_of(setting)) : value,
                             actuators::told(original.origin));
    }
    return words;
}

Tuning UnitSettings::written(std::string_view captured) {
    Tuning last;
    if (const auto originals = parse(captured))
        for (const auto& [setting, original] : *originals)
            if (!original.written.empty()) last.add(original.written.back());
    return last;
}

Status UnitSettings::tune(const std::string& unit, const std::string& group, const Tuning& tuning,
                          std::string_view captured) {
    const auto originals = parse(captured);
    if (!originals) return std::unexpected(originals.error());
    const auto now = manager_.tuning(unit);
    if (!now) return std::unexpected(now.error());
    for (const auto setting : kSettings) {
        const auto wanted = only(setting, tuning);
        const auto original = originals->find(setting);
        if (!wanted.empty()) {
            if (only(setting, *now) == wanted) continue; // equal values are not sent
            if (auto set = manager_.set(unit, setting, wanted); !set) return set;
        } else if (original != originals->end() && original->second.is_ours(only(setting, *now))) {
            if (auto back = put_back(unit, group, setting, original->second, *now); !back) return back;
        }
    }
    return check(unit, group, tuning);
}

Status UnitSettings::check(const std::string& unit, const std::string& group, const Tuning& tuning) {
    if (tuning.empty()) return {};
    const auto now = manager_.tuning(unit);
    if (!now) return std::unexpected(now.error());
    for (const auto setting : kSettings) {
        const auto wanted = only(setting, tuning);
        if (wanted.empty() || only(setting, *now) == wanted) continue;
        const auto is = value_text(setting, *now);
        return fail(Errc::held_by_other,
                    fmt::format("{} of {} is {}, {} was written", property_of(setting), unit,
                                is.empty() ? "unset" : is, value_text(setting, wanted)),
                    who_set(unit, setting) + " set it");
    }
    return group.empty() ? Status() : check_kernel(group, tuning);
}

std::string UnitSettings::who_set(const std::string& unit, Setting setting) {
    return RuntimeDropIns::who_set(property_of(setting),
                                   manager_.drop_ins(unit).value_or(std::vector<std::string>()));
}

Status UnitSettings::check_kernel(const std::string& group, const Tuning& tuning) const {
    const auto differs = [&](const char* file, const std::string& wanted) -> Status {
        const auto text = hierarchy_.read(group, file);
        if (text && *text == wanted) return {};
        return fail(Errc::not_applied,
                    fmt::format("{} of {} is \"{}\"", file, group, text.value_or("not there")),
                    fmt::format("systemd was asked for \"{}\"", wanted));
    };
    Status status;
    if (tuning.cpu_weight) status = differs("cpu.weight", std::to_string(*tuning.cpu_weight));
    if (status && tuning.cpu_quota_us)
        status = differs("cpu.max", fmt::format("{} {}", *tuning.cpu_quota_us * kQuotaPeriodUs / 1'000'000,
                                                kQuotaPeriodUs));
    if (status && tuning.memory_nodes) status = differs("cpuset.mems", tuning.memory_nodes->text());
    return status;
}

Result<CpuSet> UnitSettings::nodes_above(const std::string& group) const {
    const auto parent = group.substr(0, group.rfind('/'));
    const auto text = hierarchy_.read(parent.empty() ? "/" : parent, "cpuset.mems.effective");
    return text ? CpuSet::parse(*text) : Result<CpuSet>(std::unexpected(text.error()));
}

/// As for CPUs: what is simply unset would stay narrow.
Status UnitSettings::widen_memory(const std::string& unit, const std::string& group) {
    if (group.empty()) return {};
    const auto nodes = nodes_above(group);
    if (!nodes) return std::unexpected(nodes.error());
    Tuning wide;
    wide.memory_nodes = *nodes;
    if (auto set = manager_.set(unit, Setting::memory_nodes, wide); !set) return set;
    return check_kernel(group, wide);
}

Status UnitSettings::put_back(const std::string& unit, const std::string& group, Setting setting,
                              const Original& original, const Tuning& now) {
    const auto value = only(setting, original.value);
    if (only(setting, now) != value) {
        if (setting == Setting::memory_nodes && value.empty())
            if (auto widened = widen_memory(unit, group); !widened) return widened;
        if (auto set = manager_.set(unit, setting, value); !set) return set;
        if (!group.empty() && !value.empty())
            if (auto checked = check_kernel(group, value); !checked) return checked;
    }
    if (original.origin == Origin::runtime) return {};
    return drop_ins_.remove(unit, property_of(setting));
}

Status UnitSettings::restore(const std::string& unit, const std::string& group, std::string_view captured) {
    const auto originals = parse(captured);
    if (!originals) return std::unexpected(originals.error());
    if (originals->empty()) return {};
    const auto now = manager_.tuning(unit);
    if (!now) return std::unexpected(now.error());
    for (const auto& [setting, original] : *originals) {
        // a run that ended while it put the memory back has left it wide
        const bool is_wide = setting == Setting::memory_nodes && !original.written.empty() &&
                             !group.empty() && now->memory_nodes &&
                             nodes_above(group).value_or(CpuSet()) == *now->memory_nodes;
        if (!is_wide && !original.is_ours(only(setting, *now))) continue; // never ours, or theirs by now
        if (auto back = put_back(unit, group, setting, original, *now); !back) return back;
    }
    return {};
}

Status UnitSettings::forget(const std::string& unit, std::string_view captured) {
    const auto originals = parse(captured);
    if (!originals) return std::unexpected(originals.error());
    for (const auto& [setting, original] : *originals)
        if (original.origin != Origin::runtime && !original.written.empty())
            if (auto removed = drop_ins_.remove(unit, property_of(setting)); !removed) return removed;
    return {};
}

} // namespace schedd::actuators
