// The tables and keys of a load, each with its range.
#include "service/simulate/load_file.h"

#include <algorithm>
#include <array>
#include <functional>

#include <fmt/ranges.h>

#include "components/model/path.h"
#include "components/model/unit_name.h"
#include "components/sim/limits.h"

namespace schedd::service::simulate {

namespace {

using sim::Arrivals;
using sim::Sizes;

/// A whole number of a table; `into` stores it.
template <class T> struct NumberKey {
    std::string_view name;
    std::int64_t least;
    std::int64_t most;
    void (*into)(T&, std::int64_t);
};

Duration us(std::int64_t number) { return std::chrono::microseconds(number); }
Duration ms(std::int64_t number) { return std::chrono::milliseconds(number); }
Duration s(std::int64_t number) { return std::chrono::seconds(number); }

constexpr std::int64_t kHourMs = 3'600'000;

constexpr std::array<NumberKey<LoadFile>, 2> kLoadKeys{{
    {"seed", 0, INT64_MAX, [](LoadFile& f, std::int64_t n) { f.seed = static_cast<std::uint64_t>(n); }},
    {"duration_s", 1, sim::kSimSeconds, [](LoadFile& f, std::int64_t n) { f.duration = s(n); }},
}};

constexpr std::array<NumberKey<LoadFile>, 11> kMachineKeys{{
    {"balance_ms", 1, kHourMs, [](LoadFile& f, std::int64_t n) { f.kernel.balance_period = ms(n); }},
    {"imbalance_percent", 0, 1000,
     [](LoadFile& f, std::int64_t n) { f.kernel.imbalance = static_cast<int>(n); }},
    {"move_us", 0, 1'000'000, [](LoadFile& f, std::int64_t n) { f.costs.move = us(n); }},
    {"cold_cache_us", 0, 1'000'000, [](LoadFile& f, std::int64_t n) { f.costs.cold_cache = us(n); }},
    {"cold_node_us", 0, 10'000'000, [](LoadFile& f, std::int64_t n) { f.costs.cold_node = us(n); }},
    {"smt_percent", 50, 100, [](LoadFile& f, std::int64_t n) { f.costs.smt_percent = static_cast<int>(n); }},
    {"slow_percent", 1, 100, [](LoadFile& f, std::int64_t n) { f.costs.slow_percent = static_cast<int>(n); }},
    {"remote_percent", 0, 1000,
     [](LoadFile& f, std::int64_t n) { f.costs.remote_percent = static_cast<int>(n); }},
    {"cache_percent", 0, 1000,
     [](LoadFile& f, std::int64_t n) { f.costs.cache_percent = static_cast<int>(n); }},
    {"streams_percent", 0, 1000,
     [](LoadFile& f, std::int64_t n) { f.costs.streams_percent = static_cast<int>(n); }},
    {"stale_ms", 1, kHourMs, [](LoadFile& f, std::int64_t n) { f.stale = ms(n); }},
}};

constexpr std::array<NumberKey<LoadRow>, 14> kJobKeys{{
    {"load_percent", 1, 1000, [](LoadRow& r, std::int64_t n) { r.kind.load = static_cast<int>(n); }},
    {"every_ms", 1, 24 * kHourMs, [](LoadRow& r, std::int64_t n) { r.kind.every = ms(n); }},
    {"burst", 1, 100'000, [](LoadRow& r, std::int64_t n) { r.kind.burst = static_cast<int>(n); }},
    {"day_s", 1, sim::kSimSeconds, [](LoadRow& r, std::int64_t n) { r.kind.day = s(n); }},
    {"swing_percent", 0, 100, [](LoadRow& r, std::int64_t n) { r.kind.swing = static_cast<int>(n); }},
    {"mean_ms", 1, 1000 * kHourMs, [](LoadRow& r, std::int64_t n) { r.kind.mean = ms(n); }},
    {"min_ms", 1, 1000 * kHourMs, [](LoadRow& r, std::int64_t n) { r.kind.least = ms(n); }},
    {"max_ms", 1, 1000 * kHourMs, [](LoadRow& r, std::int64_t n) { r.kind.most = ms(n); }},
    {"alpha_percent", 10, 1000,
     [](LoadRow& r, std::int64_t n) { r.kind.alpha_percent = static_cast<int>(n); }},
    {"threads", 1, sim::kSimThreads,
     [](LoadRow& r, std::int64_t n) { r.kind.threads = static_cast<int>(n); }},
    {"weight", 1, 10'000, [](LoadRow& r, std::int64_t n) { r.kind.weight = static_cast<int>(n); }},
    {"memory_percent", 0, 100, [](LoadRow& r, std::int64_t n) { r.kind.memory = static_cast<int>(n); }},
    {"cache_percent", 0, 100, [](LoadRow& r, std::int64_t n) { r.kind.cache = static_cast<int>(n); }},
    {"speedup", 1, 1'000'000, [](LoadRow& r, std::int64_t n) { r.speedup = static_cast<int>(n); }},
}};

/// A text of a job; the words that are accepted, none for any.
struct TextKey {
    std::string_view name;
    std::vector<std::string_view> words;
    void (*into)(LoadRow&, const std::string&, std::size_t);
};

const std::vector<TextKey>& text_keys() {
    static const std::vector<TextKey> kKeys{
        {"unit", {}, [](LoadRow& r, const std::string& t, std::size_t) { r.kind.unit = t; }},
        {"slice", {}, [](LoadRow& r, const std::string& t, std::size_t) { r.kind.group = t; }},
        {"executable", {}, [](LoadRow& r, const std::string& t, std::size_t) { r.kind.executable = t; }},
        {"swf", {}, [](LoadRow& r, const std::string& t, std::size_t) { r.log = t; }},
        {"class",
         {"latency", "normal", "batch"},
         [](LoadRow& r, const std::string& t, std::size_t) { r.kind.work_class = t; }},
        {"arrivals",
         {"poisson", "bursts", "diurnal"},
         [](LoadRow& r, const std::string&, std::size_t i) { r.kind.arrivals = static_cast<Arrivals>(i); }},
        {"sizes",
         {"fixed", "exponential", "pareto"},
         [](LoadRow& r, const std::string&, std::size_t i) { r.kind.sizes = static_cast<Sizes>(i); }},
    };
    return kKeys;
}

/// Known keys are listed for the one that is not.
template <class Keys> std::string names(const Keys& keys) {
    std::string text;
    for (const auto& key : keys) text += (text.empty() ? "" : " ") + std::string(key.name);
    return text;
}

std::unexpected<Error> wrong(const TomlValue::Entry& entry, std::string what, std::string accepted) {
    return fail_at(entry.value.where, Errc::invalid_value, std::move(what), std::move(accepted));
}

std::unexpected<Error> unknown(const TomlValue::Entry& entry, const std::string& known) {
    return wrong(entry, fmt::format("unknown key '{}'", entry.key.substr(0, 64)), "known are: " + known);
}

template <class T>
Status read_number(const TomlValue::Entry& entry, const NumberKey<T>& key, T& into) {
    const auto accepted = fmt::format("a whole number from {} to {}", key.least, key.most);
    const auto* value = entry.value.scalar();
    std::int64_t number = -1;
    if (const auto* plain = value ? std::get_if<std::int64_t>(value) : nullptr) number = *plain;
    else if (const auto* large = value ? std::get_if<std::uint64_t>(value) : nullptr;
             large && *large <= INT64_MAX)
        number = static_cast<std::int64_t>(*large);
    else return wrong(entry, fmt::format("{} is {}", entry.key, entry.value.sort()), accepted);
    if (number < key.least || number > key.most)
        return wrong(entry, fmt::format("{} is {}", entry.key, number), accepted);
    key.into(into, number);
    return {};
}

template <class Keys> Status read_numbers(const TomlValue::Entry& table, const Keys& keys, LoadFile& file) {
    if (!table.value.table())
        return wrong(table, fmt::format("'{}' is {}", table.key, table.value.sort()), "a table");
    for (const auto& entry : *table.value.table()) {
        const auto key = std::ranges::find_if(keys, [&](const auto& one) { return one.name == entry.key; });
        if (key == keys.end()) return unknown(entry, names(keys));
        if (auto read = read_number(entry, *key, file); !read) return read;
    }
    return {};
}

Status read_text(const TomlValue::Entry& entry, const TextKey& key, LoadRow& row) {
    const auto* text = entry.value.text();
    if (!text) return wrong(entry, fmt::format("{} is {}", entry.key, entry.value.sort()), "a string");
    std::size_t index = 0;
    if (!key.words.empty()) {
        const auto at = std::ranges::find(key.words, *text);
        if (at == key.words.end())
            return wrong(entry, fmt::format("{} is '{}'", entry.key, text->substr(0, 64)),
                         fmt::format("one of: {}", fmt::join(key.words, " ")));
        index = static_cast<std::size_t>(at - key.words.begin());
    } else if (text->empty() || text->size() > limits::kMemberLength)
        return wrong(entry, fmt::format("{} has {} characters", entry.key, text->size()),
                     fmt::format("1 to {}", limits::kMemberLength));
    if (entry.key == "unit" || entry.key == "slice") {
        const auto good = model::check_unit_name(*text);
        if (!good) return fail_at(entry.value.where, good.error());
        const bool is_slice = text->ends_with(".slice");
        if (entry.key == "slice" && !is_slice) return wrong(entry, *text + " is no slice", "NAME.slice");
        if (model::is_template(*text)) return wrong(entry, *text + " never runs itself", "an instance of it");
    }
    if (entry.key == "executable" && !text->starts_with('/'))
        return wrong(entry, "executable is '" + text->substr(0, 64) + "'", "an absolute path");
    key.into(row, *text, index);
    return {};
}

/// "/a.slice/a-b.slice" for "a-b.slice", as systemd nests them; empty for the slice of all.
std::string slice_group(std::string_view slice) {
    if (slice == "-.slice") return {};
    std::string group;
    const auto stem = slice.substr(0, slice.size() - 6);
    for (auto dash = stem.find('-'); dash != std::string_view::npos; dash = stem.find('-', dash + 1))
        group += fmt::format("/{}.slice", stem.substr(0, dash));
    return group + fmt::format("/{}", slice);
}

/// What the keys say together.
Status complete(const TomlValue::Entry& entry, LoadRow& row) {
    auto& kind = row.kind;
    const auto bad = [&](std::string what, std::string accepted) {
        return wrong(entry, fmt::format("job {}: {}", kind.name, what), std::move(accepted));
    };
    const auto slice = kind.group == "/" ? std::string("system.slice") : kind.group;
    if (kind.unit.ends_with(".slice")) kind.group = slice_group(kind.unit);
    else if (!kind.unit.empty()) kind.group = slice_group(slice) + "/" + kind.unit;
    else kind.group = kind.group == "/" ? "" : slice_group(slice);
    if (kind.group.empty()) kind.group = "/";
    if (kind.executable.empty()) kind.executable = "/usr/bin/" + kind.name;
    if (!row.log.empty()) {
        kind.arrivals = Arrivals::log;
        if (kind.load > 0 || kind.every > Duration{})
            return bad("a log says itself when jobs come", "swf alone");
        return {};
    }
    if ((kind.load > 0) == (kind.every > Duration{}))
        return bad("how many jobs come is not clear", "either load_percent or every_ms, or swf");
    if (kind.arrivals == Arrivals::diurnal && kind.day == Duration{})
        return bad("the length of a day is missing", "day_s");
    if (kind.sizes == Sizes::pareto && (kind.least == Duration{} || kind.most < kind.least))
        return bad("sizes = \"pareto\" needs bounds", "min_ms and max_ms, max_ms no less than min_ms");
    if (kind.sizes != Sizes::pareto && kind.mean == Duration{})
        return bad("how long a job takes is missing", "mean_ms");
    return {};
}

Result<LoadRow> read_job(const TomlValue::Entry& job) {
    if (auto named = model::check_name(job.key); !named) return fail_at(job.value.where, named.error());
    if (!job.value.table())
        return wrong(job, fmt::format("'{}' is {}", job.key, job.value.sort()), "a table: [job.NAME]");
    LoadRow row;
    row.kind.name = job.key;
    row.where = job.value.where;
    for (const auto& entry : *job.value.table()) {
        const auto is_named = [&](const auto& one) { return one.name == entry.key; };
        if (const auto text = std::ranges::find_if(text_keys(), is_named); text != text_keys().end()) {
            if (auto read = read_text(entry, *text, row); !read) return std::unexpected(read.error());
            continue;
        }
        const auto number = std::ranges::find_if(kJobKeys, is_named);
        if (number == kJobKeys.end()) return unknown(entry, names(text_keys()) + " " + names(kJobKeys));
        if (auto read = read_number(entry, *number, row); !read) return std::unexpected(read.error());
    }
    if (auto whole = complete(job, row); !whole) return std::unexpected(whole.error());
    return row;
}

Status read_jobs(const TomlValue::Entry& jobs, LoadFile& file) {
    if (!jobs.value.table()) return wrong(jobs, "'job' is no table", "tables: [job.NAME]");
    for (const auto& entry : *jobs.value.table()) {
        if (file.rows.size() >= sim::kSimKinds)
            return fail_at(entry.value.where, Errc::limit_exceeded, "too many kinds of jobs",
                           fmt::format("at most {} (limit kSimKinds)", sim::kSimKinds));
        auto row = read_job(entry);
        if (!row) return std::unexpected(row.error());
        file.rows.push_back(std::move(*row));
    }
    return {};
}

} // namespace

LoadFile default_load() {
    LoadFile file;
    file.kernel.balance_period = ms(100);
    file.costs = {.move = us(5),
                  .cold_cache = us(100),
                  .cold_node = us(500),
                  .smt_percent = 65,
                  .slow_percent = 60,
                  .remote_percent = 50,
                  .cache_percent = 30,
                  .streams_percent = 50};
    return file;
}

Result<LoadFile> parse_load(std::string_view name, std::string_view text) {
    const auto parsed = parse_toml(name, text);
    if (!parsed) return std::unexpected(parsed.error());
    LoadFile file = default_load();
    for (const auto& entry : *parsed->table()) {
        Status read;
        if (entry.key == "load") read = read_numbers(entry, kLoadKeys, file);
        else if (entry.key == "machine") read = read_numbers(entry, kMachineKeys, file);
        else if (entry.key == "job") read = read_jobs(entry, file);
        else read = unknown(entry, "load machine job");
        if (!read) return std::unexpected(read.error());
    }
    if (file.rows.empty())
        return fail(Errc::invalid_value, fmt::format("{} names no jobs", name), "at least one [job.NAME]");
    return file;
}

std::map<std::string, std::string> units_of(const std::vector<sim::JobKind>& kinds) {
    std::map<std::string, std::string> units;
    for (const auto& kind : kinds) {
        const std::string& group = kind.group;
        for (std::size_t begin = 1; begin < group.size();) {
            const auto end = std::min(group.find('/', begin), group.size());
            units[group.substr(begin, end - begin)] = group.substr(0, end);
            begin = end + 1;
        }
    }
    return units;
}

} // namespace schedd::service::simulate
