// Reading pools, word by word, and finding those that cannot be meant.
#include "policies/pool_spec.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "components/kit/number.h"
#include "components/model/pattern.h"
#include "policies/spec_text.h"

namespace schedd::policies {

namespace {

constexpr std::string_view kKeys = "min, max, level, share, match and class";
constexpr WorkClass kClasses[] = {WorkClass::latency, WorkClass::normal, WorkClass::batch};

std::unexpected<Error> refuse(std::string_view pool, const std::string& what, std::string accepted) {
    return fail(Errc::invalid_value, fmt::format("pool '{}' {}", brief(pool), what),
                "accepted: " + std::move(accepted));
}

bool is_name(std::string_view text) {
    return !text.empty() && text.size() <= limits::kNameLength && std::ranges::all_of(text, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
               c == '-';
    });
}

template <class List, class Value> bool has(const List& list, const Value& value) {
    return std::ranges::find(list, value) != std::ranges::end(list);
}

template <class Choice, std::size_t N>
std::optional<Choice> choice_of(std::string_view text, const Choice (&all)[N]) {
    for (const Choice choice : all)
        if (name_of(choice) == text) return choice;
    return std::nullopt;
}

Status set_cores(PoolSpec& pool, std::string_view key, std::string_view value) {
    const auto cores = parse_unsigned(value);
    const int least = key == "min" ? 0 : 1;
    if (!cores || *cores < static_cast<std::uint64_t>(least) || *cores > limits::kMaxCpus)
        return refuse(pool.name, fmt::format("has {}={}", key, brief(value)),
                      fmt::format("{}= a number of whole cores from {} to {}", key, least, limits::kMaxCpus));
    (key == "min" ? pool.least : pool.most) = static_cast<int>(*cores);
    return {};
}

Status set_patterns(PoolSpec& pool, std::string_view value) {
    for (const auto pattern : split(value, ',')) {
        // members are called sort:name, all but one
        const bool can_match =
            pattern.find_first_of(":*?") != std::string_view::npos || pattern == "handle_all";
        if (!can_match)
            return refuse(pool.name, fmt::format("has match={}, which no member is called", brief(pattern)),
                          "patterns such as unit:web*, exec:/usr/bin/make or handle_all, with commas between "
                          "them and ? for blanks");
        pool.patterns.emplace_back(pattern);
    }
    return {};
}

Status set_classes(PoolSpec& pool, std::string_view value) {
    for (const auto word : split(value, ',')) {
        const auto work_class = choice_of(word, kClasses);
        if (!work_class)
            return refuse(pool.name, fmt::format("has class={}", brief(value)),
                          "class= one or several of latency,normal,batch");
        if (!has(pool.classes, *work_class)) pool.classes.push_back(*work_class);
    }
    return {};
}

Status set_word(PoolSpec& pool, std::string_view key, std::string_view value) {
    constexpr PoolLevel levels[] = {PoolLevel::core, PoolLevel::l3, PoolLevel::numa, PoolLevel::machine};
    constexpr PoolShare shares[] = {PoolShare::none, PoolShare::idle};
    if (key == "min" || key == "max") return set_cores(pool, key, value);
    if (key == "match") return set_patterns(pool, value);
    if (key == "class") return set_classes(pool, value);
    if (key == "level") {
        const auto level = choice_of(value, levels);
        if (!level)
            return refuse(pool.name, fmt::format("has level={}", brief(value)),
                          "level= one of core, l3, numa, machine");
        pool.level = *level;
        return {};
    }
    if (key == "share") {
        const auto share = choice_of(value, shares);
        if (!share)
            return refuse(pool.name, fmt::format("has share={}", brief(value)), "share= one of none, idle");
        pool.share = *share;
        return {};
    }
    return refuse(pool.name, fmt::format("has '{}'", brief(key)), fmt::format("{}", kKeys));
}

/// What one pool says against itself.
Status check_alone(PoolSpec& pool, bool has_min, bool has_max) {
    if (pool.level == PoolLevel::core) {
        if (has_max && pool.most > 1)
            return refuse(pool.name, fmt::format("has level=core and max={}", pool.most),
                          "max=1, or level= one of l3, numa, machine");
        pool.most = 1;
    }
    if (pool.least > pool.most) {
        if (!has_min) pool.least = pool.most;
        else
            return refuse(pool.name, fmt::format("has min={} above max={}", pool.least, pool.most),
                          pool.level == PoolLevel::core
                              ? std::string("min=0 or 1 with level=core")
                              : fmt::format("min=0 to {}, or max={} or more", pool.most, pool.least));
    }
    if (pool.patterns.empty() && pool.classes.empty())
        return refuse(pool.name, "does not say who belongs to it",
                      "match= patterns of member names, class= classes, or both");
    return {};
}

Result<PoolSpec> parse_pool(std::string_view text) {
    const auto colon = text.find(':');
    PoolSpec pool;
    pool.name = trim(text.substr(0, colon));
    if (colon == std::string_view::npos || !is_name(pool.name))
        return refuse(pool.name, "is not written as NAME: KEY=VALUE ...",
                      fmt::format("a name of at most {} letters, digits, '_' and '-', then a colon, then {}; "
                                  "a "
                                  "semicolon before the next pool",
                                  limits::kNameLength, kKeys));
    if (pool.name == "default")
        return refuse(pool.name, "is the one of who belongs to no other", "another name");
    std::vector<std::string_view> seen;
    for (const auto word : split(trim(text.substr(colon + 1)), ' ')) {
        if (word.empty()) continue;
        const auto equals = word.find('=');
        const auto key = word.substr(0, equals);
        if (equals == std::string_view::npos || equals + 1 == word.size())
            return refuse(pool.name, fmt::format("has '{}' without a value", brief(word)),
                          fmt::format("words KEY=VALUE without blanks, with the keys {}", kKeys));
        if (has(seen, key))
            return refuse(pool.name, fmt::format("has {} twice", brief(key)), "each key once");
        seen.push_back(key);
        if (auto done = set_word(pool, key, word.substr(equals + 1)); !done)
            return std::unexpected(done.error());
    }
    auto sound = check_alone(pool, has(seen, "min"), has(seen, "max"));
    if (!sound) return std::unexpected(sound.error());
    return pool;
}

/// Whether `wide` surely stands for all that `narrow` stands for.
bool covers(std::string_view wide, std::string_view narrow) {
    if (wide == narrow) return true;
    if (narrow.find_first_of("*?") == std::string_view::npos) return matches(wide, narrow);
    const auto sign = wide.find_first_of("*?");
    return sign + 1 == wide.size() && wide[sign] == '*' && narrow.starts_with(wide.substr(0, sign));
}

bool takes(const PoolSpec& pool, std::string_view pattern, WorkClass work_class) {
    if (!pool.classes.empty() && !has(pool.classes, work_class)) return false;
    return pool.patterns.empty() ||
           std::ranges::any_of(pool.patterns, [&](const std::string& own) { return covers(own, pattern); });
}

/// A pool whose members would all be another's before it is not meant so.
Status check_reached(std::span<const PoolSpec> before, const PoolSpec& pool) {
    const std::vector<std::string> any_name{"*"};
    std::string_view by;
    for (const auto& pattern : pool.patterns.empty() ? any_name : pool.patterns)
        for (const WorkClass work_class : kClasses) {
            if (!pool.classes.empty() && !has(pool.classes, work_class)) continue;
            const auto taker = std::ranges::find_if(before, [&](const PoolSpec& other) {
                return takes(other, pattern, work_class);
            });
            if (taker == before.end()) return {};
            by = taker->name;
        }
    return refuse(pool.name,
                  fmt::format("would never have a member: the first that matches takes it, which is '{}'",
                              by),
                  fmt::format("'{}' before '{}', or another match= or class=", pool.name, by));
}

} // namespace

std::string_view name_of(PoolLevel level) {
    switch (level) {
    case PoolLevel::core: return "core";
    case PoolLevel::l3: return "l3";
    case PoolLevel::numa: return "numa";
    case PoolLevel::machine: return "machine";
    }
    return "";
}

std::string_view name_of(PoolShare share) { return share == PoolShare::none ? "none" : "idle"; }

std::string PoolSpec::rule_for(std::string_view member, std::string_view own, WorkClass work_class) const {
    if (!classes.empty() && !has(classes, work_class)) return {};
    const auto pattern = std::ranges::find_if(patterns, [&](const std::string& each) {
        return matches(each, member) || matches(each, own);
    });
    if (!patterns.empty() && pattern == patterns.end()) return {};
    const auto class_rule = classes.empty() ? std::string() : fmt::format("class={}", name_of(work_class));
    if (patterns.empty()) return class_rule;
    return fmt::format("match={}{}{}", *pattern, class_rule.empty() ? "" : " ", class_rule);
}

Result<std::vector<PoolSpec>> parse_pools(std::string_view text) {
    std::vector<PoolSpec> pools;
    int least = 0;
    for (const auto part : split(text, ';')) {
        if (part.empty()) continue; // also after the last one
        auto pool = parse_pool(part);
        if (!pool) return std::unexpected(pool.error());
        if (std::ranges::find(pools, pool->name, &PoolSpec::name) != pools.end())
            return refuse(pool->name, "is there twice", "each name once");
        if (auto reached = check_reached(pools, *pool); !reached) return std::unexpected(reached.error());
        if ((least += pool->least) > limits::kMaxCpus)
            return refuse(pool->name,
                          fmt::format("has min={}, with which all together have {}", pool->least, least),
                          fmt::format("at most {} cores, more than any machine here has", limits::kMaxCpus));
        pools.push_back(std::move(*pool));
    }
    return pools;
}

} // namespace schedd::policies
