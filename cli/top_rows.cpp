// The rows of top: subjects with their load, sorted and selected.
#include <algorithm>
#include <charconv>
#include <map>

#include <nlohmann/json.hpp>

#include "cli/top_view.h"

namespace schedd::cli {

namespace {

using Loads = std::map<std::string, long long>;

void add_loads(const Json& values, Loads& loads) {
    for (const auto& [pid, value] : values.items())
        if (value.is_number()) loads[pid] = static_cast<long long>(value.get<double>());
}

/// Loads by pid, from whatever probe has a source process_load; its path is the result, "" if there is none.
std::string collect_loads(const Json& part, Loads& loads) {
    std::string path;
    if (text_at(part, "kind") == "source" && text_at(part, "name") == "process_load") {
        add_loads(field(field(part, "flow"), "values"), loads);
        path = text_at(part, "path");
    }
    for (const auto& child : field(part, "children"))
        if (auto found = collect_loads(child, loads); path.empty()) path = std::move(found);
    return path;
}

/// The pid of "process:12", else "".
std::string pid_of(const std::string& target) {
    constexpr std::string_view kProcess = "process:";
    return target.starts_with(kProcess) ? target.substr(kProcess.size()) : std::string();
}

std::vector<const Json*> subjects_of(const Json& dump) {
    std::vector<const Json*> subjects;
    for (const auto& subject : field(dump, "explain")) subjects.push_back(&subject);
    return subjects;
}

/// The decision that holds: the last one that was not overruled.
const Json& deciding(const Json& subject) {
    const Json& decisions = field(subject, "decisions");
    const Json* holds = &field(decisions, "none");
    for (const auto& decision : decisions)
        if (text_at(decision, "result") != "conflict" || holds->is_null()) holds = &decision;
    return *holds;
}

TopRow row_of(const Json& subject, const Loads& loads) {
    const Json& decision = deciding(subject);
    TopRow row{.target = text_at(subject, "target"),
               .name = text_at(subject, "comm"),
               .scheduler = text_at(decision, "scheduler"),
               .cpus = text_at(subject, "effective"),
               .state = text_at(subject, "state"),
               .reason = text_at(decision, "reason")};
    if (const auto detail = text_at(subject, "detail"); !detail.empty())
        row.reason += (row.reason.empty() ? "" : "; ") + detail;
    const Json& members = field(subject, "members");
    if (row.scheduler.empty() && members.is_array() && !members.empty())
        row.scheduler = text_at(members[0], "scheduler");
    const auto load = loads.find(pid_of(row.target));
    if (load != loads.end()) row.load = load->second;
    return row;
}

/// "process:9" before "process:10".
bool target_before(const std::string& a, const std::string& b) {
    const auto number = [](const std::string& text) {
        long long value = -1;
        const auto colon = text.find(':') + 1;
        std::from_chars(text.data() + colon, text.data() + text.size(), value);
        return value;
    };
    const auto left = number(a), right = number(b);
    return left != right ? left < right : a < b;
}

} // namespace

std::vector<TopRow> top_rows(const Json& dump, const TopState& state) {
    Loads loads;
    collect_loads(field(dump, "tree"), loads);
    add_loads(field(dump, "loads"), loads);
    std::vector<TopRow> rows;
    for (const Json* subject : subjects_of(dump)) rows.push_back(row_of(*subject, loads));
    std::ranges::stable_sort(rows, target_before, &TopRow::target);
    const auto repeated = std::ranges::unique(rows, {}, &TopRow::target);
    rows.erase(repeated.begin(), repeated.end());
    switch (state.sort) {
    case TopSort::target: break;
    case TopSort::load: std::ranges::stable_sort(rows, std::ranges::greater{}, &TopRow::load); break;
    case TopSort::cpus: std::ranges::stable_sort(rows, {}, &TopRow::cpus); break;
    case TopSort::state: std::ranges::stable_sort(rows, {}, &TopRow::state); break;
    }
    if (state.reverse) std::ranges::reverse(rows);
    return rows;
}

std::vector<std::pair<std::string, std::string>> loads_to_read(const Json& dump, std::size_t most) {
    Loads loads;
    const auto source = collect_loads(field(dump, "tree"), loads);
    std::vector<std::pair<std::string, std::string>> places;
    if (source.empty()) return places;
    for (const Json* subject : subjects_of(dump)) {
        const auto pid = pid_of(text_at(*subject, "target"));
        if (pid.empty() || loads.contains(pid)) continue;
        if (places.size() == most) break;
        places.emplace_back(pid, source + "[" + pid + "]");
    }
    return places;
}

void move_selection(TopState& state, const std::vector<TopRow>& rows, int steps) {
    if (rows.empty()) return;
    const auto found = std::ranges::find(rows, state.selected, &TopRow::target);
    const auto at = found == rows.end() ? 0 : found - rows.begin();
    const auto last = static_cast<std::ptrdiff_t>(rows.size()) - 1;
    state.selected = rows[static_cast<std::size_t>(std::clamp<std::ptrdiff_t>(at + steps, 0, last))].target;
}

} // namespace schedd::cli
