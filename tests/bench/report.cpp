// Collecting rows and printing them.
#include "tests/bench/report.h"

#include <cstdio>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace schedd::bench {

namespace {

std::string number_text(const std::optional<double>& value) {
    if (!value) return "-";
    const double size = *value < 0 ? -*value : *value;
    if (size >= 1000) return fmt::format("{:.0f}", *value);
    if (size >= 10) return fmt::format("{:.1f}", *value);
    return fmt::format("{:.3f}", *value);
}

std::string goal_text(const std::optional<Goal>& goal) {
    if (!goal) return "-";
    return fmt::format("{} {}", goal->sense == Goal::Sense::at_most ? "<=" : ">=", number_text(goal->bound));
}

std::string_view verdict(const Row& row) {
    if (!row.is_met) return "NOT MEASURED";
    if (!row.goal) return "-";
    return *row.is_met ? "met" : "MISSED";
}

template <class T> nlohmann::json or_null(const std::optional<T>& value) {
    return value ? nlohmann::json(*value) : nlohmann::json(nullptr);
}

} // namespace

void Run::progress(std::string_view text) const {
    fmt::print(stderr, "{}: {}\n", id_, text);
    std::fflush(stderr);
}

void Run::compared(std::string what, std::string unit, const Pairs& pairs, std::optional<Goal> goal,
                   std::string note) {
    const double ratio = pairs.ratio();
    rows_.push_back({id_, std::move(what), std::move(unit), pairs.ours(), pairs.peer(), ratio, goal,
                     !goal || goal->met_by(ratio), std::move(note)});
}

void Run::alone(std::string what, std::string unit, double ours, std::optional<Goal> goal, std::string note) {
    rows_.push_back({id_, std::move(what), std::move(unit), ours, std::nullopt, std::nullopt, goal,
                     !goal || goal->met_by(ours), std::move(note)});
}

void Run::not_measured(std::string what, std::string unit, std::optional<Goal> goal, const Error& why) {
    progress(fmt::format("not measured: {}: {}", what, why.text()));
    rows_.push_back({id_, std::move(what), std::move(unit), {}, {}, {}, goal, {}, why.text()});
}

std::string table_of(std::span<const Row> rows) {
    std::string out = fmt::format("{:<12} {:>9} {:>9} {:>8} {:>9}  {:<7} {}\n", "id", "ours", "peer", "ratio",
                                  "goal", "", "what");
    for (const auto& row : rows) {
        out += fmt::format("{:<12} {:>9} {:>9} {:>8} {:>9}  {:<7} {} [{}]\n", row.id, number_text(row.ours),
                           number_text(row.peer), number_text(row.ratio), goal_text(row.goal), verdict(row),
                           row.what, row.unit);
        if (!row.note.empty()) out += fmt::format("{:<62} ({})\n", "", row.note);
    }
    return out;
}

std::string json_of(std::span<const Row> rows) {
    auto array = nlohmann::json::array();
    for (const auto& row : rows) {
        nlohmann::json goal;
        nlohmann::json sense;
        if (row.goal) {
            goal = row.goal->bound;
            sense = row.goal->sense == Goal::Sense::at_most ? "at_most" : "at_least";
        }
        array.push_back({{"id", row.id},
                         {"what", row.what},
                         {"unit", row.unit},
                         {"ours", or_null(row.ours)},
                         {"peer", or_null(row.peer)},
                         {"ratio", or_null(row.ratio)},
                         {"goal", goal},
                         {"goal_sense", sense},
                         {"ok", or_null(row.is_met)},
                         {"note", row.note}});
    }
    return array.dump(2) + "\n";
}

} // namespace schedd::bench
