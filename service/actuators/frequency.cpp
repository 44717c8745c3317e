// Writing cpufreq's files, in an order that the kernel takes, with a way back.
#include "service/actuators/frequency.h"

#include <algorithm>
#include <array>
#include <ranges>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "components/kit/number.h"
#include "components/model/cpu_words.h"

namespace schedd::actuators {

using namespace schedd::kit;
using model::CpuSet;
using model::FrequencyHint;

namespace {

constexpr std::string_view kPreference = "energy_performance_preference";
constexpr std::string_view kLeast = "scaling_min_freq";
constexpr std::string_view kMost = "scaling_max_freq";
constexpr Duration kLookPeriod = std::chrono::seconds(10);

std::string file_of(int cpu, std::string_view name) {
    return fmt::format("sys/devices/system/cpu/cpu{}/cpufreq/{}", cpu, name);
}

std::string_view name_in(std::string_view path) { return path.substr(path.rfind('/') + 1); }

int cpu_in(std::string_view path) {
    constexpr std::string_view kBefore = "sys/devices/system/cpu/cpu";
    path.remove_prefix(std::min(kBefore.size(), path.size()));
    return static_cast<int>(parse_unsigned(path.substr(0, path.find('/'))).value_or(0));
}

bool is_ours(std::string_view path) {
    const auto name = name_in(path);
    return path == file_of(cpu_in(path), name) && (name == kPreference || name == kLeast || name == kMost);
}

bool has_word(std::string_view words, std::string_view word) {
    for (const auto part : std::views::split(words, ' '))
        if (std::string_view(part.begin(), part.end()) == word) return true;
    return false;
}

} // namespace

Frequency::Frequency(Host& host, SettingFiles& files, FrequencyLedger& ledger, std::string boot_id, Log& log)
    : host_(host), files_(files), ledger_(ledger), boot_id_(std::move(boot_id)), log_(log) {
    const auto text = ledger_.read();
    bool is_this_boot = false;
    std::size_t number = 0;
    for (const auto part : std::views::split(text, '\n')) {
        const std::string_view line(part.begin(), part.end());
        if (number++ == 0) is_this_boot = line == boot_id_; // another boot's values are gone
        else if (is_this_boot && std::ranges::count(line, '\t') == 2) {
            const auto first = line.find('\t');
            const auto second = line.rfind('\t');
            const std::string path(line.substr(0, first));
            if (is_ours(path))
                held_[path] = {std::string(line.substr(first + 1, second - first - 1)),
                               std::string(line.substr(second + 1))};
        }
    }
}

Status Frequency::keep() {
    std::string text = boot_id_ + "\n";
    for (const auto& [path, held] : held_)
        text += fmt::format("{}\t{}\t{}\n", path, held.before, held.written);
    return ledger_.replace(text);
}

Result<std::string> Frequency::read(const std::string& path) const {
    std::array<char, 512> buffer;
    const auto text = host_.read(path, buffer);
    if (!text) return std::unexpected(text.error());
    auto line = text->substr(0, text->find('\n'));
    while (line.ends_with(' ')) line.remove_suffix(1);
    return std::string(line);
}

void Frequency::allow(bool allowed) {
    if (std::exchange(is_allowed_, allowed) != allowed) is_new_ = true;
}

Status Frequency::check_preference(int cpu, const std::string& preference) {
    const auto known = read(file_of(cpu, "energy_performance_available_preferences"));
    if (!known)
        return fail(Errc::not_supported, fmt::format("CPU {} has no energy preference", cpu),
                    known.error().text());
    const bool is_number = parse_unsigned(preference).value_or(256) < 256;
    if (!is_number && !has_word(*known, preference))
        return fail(Errc::invalid_value, fmt::format("CPU {} knows no energy preference {}", cpu, preference),
                    fmt::format("accepted: {}, or 0 to 255", *known));
    // the kernel refuses it with EBUSY, so nothing is begun
    if (const auto governor = read(file_of(cpu, "scaling_governor"));
        governor && *governor == "performance" && preference != "performance" && preference != "0")
        return fail(Errc::busy, fmt::format("CPU {} has the governor performance", cpu),
                    "which allows no energy preference but performance: choose the governor powersave");
    return {};
}

Result<std::string> Frequency::clamp(int cpu, std::uint64_t khz) {
    const auto least = read(file_of(cpu, "cpuinfo_min_freq"));
    const auto most = read(file_of(cpu, "cpuinfo_max_freq"));
    const auto from = least ? parse_unsigned(*least) : std::nullopt;
    const auto to = most ? parse_unsigned(*most) : std::nullopt;
    if (!from || !to || *from > *to)
        return fail(Errc::not_supported, fmt::format("CPU {} does not say which frequencies it has", cpu),
                    {});
    return std::to_string(std::clamp(khz, *from, *to));
}

Status Frequency::add_values(Values& values, int cpu, const FrequencyHint& hint, bool with_epp) {
    if (!hint.preference.empty() && with_epp) {
        if (auto sound = check_preference(cpu, hint.preference); !sound) return sound;
        values.emplace(file_of(cpu, kPreference), hint.preference);
    }
    for (const auto& [name, khz] : {std::pair(kLeast, hint.least_khz), std::pair(kMost, hint.most_khz)}) {
        if (!khz) continue;
        auto value = clamp(cpu, *khz);
        if (!value) return std::unexpected(value.error());
        values.emplace(file_of(cpu, name), std::move(*value));
    }
    return {};
}

Result<Frequency::Values> Frequency::values_for(const std::vector<FrequencyHint>& hints, bool with_epp) {
    Values values;
    CpuSet done;
    for (const auto& hint : hints)
        for (int cpu = hint.cpus.first(); cpu >= 0; cpu = hint.cpus.next(cpu)) {
            if (done.contains(cpu)) continue;
            // "0 1 2": CPUs of one clock, of which the first stands for all
            const auto shared = read(file_of(cpu, "affected_cpus"));
            if (!shared)
                return fail(Errc::not_supported, fmt::format("CPU {} has no cpufreq", cpu),
                            shared.error().text());
            for (const auto part : std::views::split(*shared, ' '))
                if (const auto other = parse_unsigned(std::string_view(part.begin(), part.end()));
                    other && *other < static_cast<std::uint64_t>(limits::kMaxCpus))
                    done.add(static_cast<int>(*other));
            done.add(cpu);
            if (auto added = add_values(values, cpu, hint, with_epp); !added)
                return std::unexpected(added.error());
        }
    return values;
}

Status Frequency::put(const std::string& path, const std::string& value) {
    if (auto wrote = files_.write(path, value); !wrote) {
        auto error = wrote.error();
        if (error.kind == Errc::denied)
            error.detail += "; in schedd.service it needs ProtectKernelTunables=no (schedd.conf(5))";
        return std::unexpected(std::move(error));
    }
    const auto now = read(path);
    if (!now) return std::unexpected(now.error());
    if (*now == value) return {};
    return fail(Errc::not_applied, fmt::format("{} was written to {}", value, path),
                fmt::format("and it holds {}", *now));
}

/// The larger limit goes up before the smaller one, and down after it: the least is never above the most.
Status Frequency::change(const Values& values) {
    std::vector<std::pair<std::string, std::string>> writes;
    auto next = held_;
    for (const auto& [path, value] : values) {
        const auto now = read(path);
        if (!now) return std::unexpected(now.error());
        const auto held = next.find(path);
        if (held == next.end()) next[path] = {*now, value};
        else held->second.written = value;
        if (*now != value) writes.emplace_back(path, value);
    }
    const auto rank = [&](const std::pair<std::string, std::string>& write) {
        const auto now = parse_unsigned(read(write.first).value_or("")).value_or(0);
        const auto then = parse_unsigned(write.second).value_or(0);
        if (name_in(write.first) == kMost) return then >= now ? 0 : 2;
        return then >= now ? 1 : 0; // a lower least first
    };
    std::ranges::stable_sort(writes, {}, rank);
    const auto before = std::exchange(held_, std::move(next));
    if (auto kept = keep(); !kept) { // without a way back nothing is written
        held_ = before;
        return kept;
    }
    std::vector<std::pair<std::string, std::string>> undo;
    for (const auto& [path, value] : writes) {
        undo.emplace_back(path, read(path).value_or(""));
        auto done = put(path, value);
        if (done) continue;
        for (const auto& [undone, old] : std::views::reverse(undo)) (void)files_.write(undone, old);
        held_ = before;
        (void)keep();
        return done;
    }
    return {};
}

/// What is not among `keep` goes back, unless somebody else has written it since.
void Frequency::put_back(const Values& keep_these) {
    // a most that grows first, a least last: as they were before, they fit together again
    std::vector<std::string> paths;
    for (const auto& [path, held] : held_)
        if (!keep_these.contains(path)) paths.push_back(path);
    if (paths.empty()) return;
    std::ranges::stable_sort(paths, {}, [&](const std::string& path) {
        const auto now = parse_unsigned(read(path).value_or("")).value_or(0);
        const auto then = parse_unsigned(held_.at(path).before).value_or(0);
        if (name_in(path) == kMost) return then >= now ? 0 : 2;
        return then >= now ? 1 : 0;
    });
    for (const auto& path : paths) {
        const auto held = held_.at(path);
        const auto now = read(path);
        if (now && *now == held.written && held.before != held.written)
            if (auto done = put(path, held.before); !done)
                log_.write(Severity::error, "frequency", "could not be put back: " + done.error().text());
        if (now && *now != held.written)
            log_.write(Severity::notice, "frequency",
                       fmt::format("{} is left at {}, which somebody else wrote", path, *now));
        held_.erase(path);
    }
    if (auto kept = keep(); !kept) log_.write(Severity::warning, "frequency", kept.error().text());
}

void Frequency::look_for_others() {
    for (auto at = held_.begin(); at != held_.end();) {
        const auto now = read(at->first);
        if (now && *now == at->second.written) {
            ++at;
            continue;
        }
        const auto what =
            now ? fmt::format("{} holds {}, which somebody else wrote", at->first, *now) : now.error().text();
        log_.write(Severity::notice, "frequency", what + ": left as it is");
        trouble_ = what;
        at = held_.erase(at);
        (void)keep();
    }
}

void Frequency::want(const std::vector<FrequencyHint>& hints, const std::string& other, Time now) {
    static const std::vector<FrequencyHint> kNothing;
    const auto& wanted = is_allowed_ ? hints : kNothing;
    const bool is_withheld = !is_allowed_ && !hints.empty();
    if (!is_new_ && wanted == wanted_ && other == other_ && is_withheld == is_withheld_) {
        if (!held_.empty() && now >= look_at_) {
            look_at_ = now + kLookPeriod;
            look_for_others();
        }
        return;
    }
    is_new_ = false;
    is_withheld_ = is_withheld;
    wanted_ = wanted;
    other_ = other;
    look_at_ = now + kLookPeriod;
    trouble_.clear();
    preference_trouble_.clear();
    const bool has_preference =
        std::ranges::any_of(wanted, [](const FrequencyHint& hint) { return !hint.preference.empty(); });
    const auto values = values_for(wanted, other.empty());
    if (!values) {
        trouble_ = "CPUs stay as they were: " + values.error().text();
        put_back({});
    } else {
        put_back(*values);
        if (auto done = values->empty() ? Status() : change(*values); !done)
            trouble_ = "CPUs stay as they were: " + done.error().text();
    }
    if (has_preference && !other.empty())
        preference_trouble_ =
            fmt::format("energy preferences are left to {}, which writes them itself", other);
    if (is_withheld) trouble_ = "frequency is off: set frequency = \"on\" in schedd.conf and reload";
    for (const auto* why : {&trouble_, &preference_trouble_})
        if (!why->empty()) log_.write(Severity::warning, "frequency", *why);
}

void Frequency::release() {
    put_back({});
    is_new_ = true;
}

std::vector<std::string> Frequency::rows() const {
    std::map<std::pair<std::string, std::string>, CpuSet> cpus;
    for (const auto& [path, held] : held_) cpus[{std::string(name_in(path)), held.written}].add(cpu_in(path));
    std::vector<std::string> rows;
    for (const auto& [what, set] : cpus) {
        const auto& [name, value] = what;
        const auto mhz = parse_unsigned(value).value_or(0) / 1000;
        rows.push_back(name == kPreference
                           ? fmt::format("{}: energy preference {}", model::cpu_words(set), value)
                           : fmt::format("{}: {} {} MHz", model::cpu_words(set),
                                         name == kLeast ? "at least" : "at most", mhz));
    }
    return rows;
}

} // namespace schedd::actuators
