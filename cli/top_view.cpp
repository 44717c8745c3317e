// Layout of top's screen.
#include "cli/top_view.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/cpus_text.h"
#include "cli/print.h"

namespace schedd::cli {

namespace {

constexpr std::size_t kCpuCell = 26; // narrowest column of CPU bars
constexpr std::size_t kSchedulersShown = 4;
constexpr std::size_t kNestsShown = 3;

struct CpuUsage {
    std::string cpu;
    long long percent;
};

/// The first source of that name among the probes, or null.
const Json* find_source(const Json& part, std::string_view name) {
    if (text_at(part, "kind") == "source" && text_at(part, "name") == name) return &part;
    for (const auto& child : field(part, "children"))
        if (const auto* found = find_source(child, name)) return found;
    return nullptr;
}

/// What that source puts out, as it stands in its description.
const Json& flow_of_source(const Json& dump, std::string_view name) {
    const Json& tree = field(dump, "tree");
    const auto* source = find_source(tree, name);
    return field(source ? *source : field(tree, ""), "flow");
}

std::vector<CpuUsage> cpu_usage(const Json& dump) {
    std::vector<CpuUsage> cpus;
    for (const auto& [cpu, value] : field(flow_of_source(dump, "cpu_usage"), "values").items())
        cpus.push_back({cpu, value.is_number()
                                 ? std::clamp(static_cast<long long>(value.get<double>()), 0LL, 100LL)
                                 : 0});
    const auto number = [](const CpuUsage& usage) {
        int cpu = 0;
        std::from_chars(usage.cpu.data(), usage.cpu.data() + usage.cpu.size(), cpu);
        return cpu;
    };
    std::ranges::stable_sort(cpus, {}, number);
    return cpus;
}

TopLine heading(const Json& dump, const TopState& state, const Look& look) {
    const Json& status = field(dump, "status");
    auto text =
        fmt::format(" {}  up {}  {}  {}  {} held", shown(text_at(status, "version"), look),
                    duration_text(number_at(status, "uptime_ms")), shown(text_at(status, "actuator"), look),
                    counted(number_at(status, "processes"), "process", "processes"),
                    number_at(status, "held"));
    TopLine line{{"schedd", Hue::strong}, {state.paused ? " paused" : "", Hue::warn}, {text}};
    const Json& load = field(flow_of_source(dump, "node_load"), "value");
    if (load.is_number())
        line.push_back({fmt::format("  load {:.2f}", load.get<double>() / 1000), Hue::source});
    return line;
}

void add_bar(TopLine& line, const CpuUsage& usage, std::size_t width, const Look& look) {
    const auto label = fmt::format("{:>4} ", shown(usage.cpu, look));
    const auto number = fmt::format(" {:>3}%", usage.percent);
    const auto room = width > label.size() + number.size() + 3 ? width - label.size() - number.size() - 3 : 1;
    const auto full = (static_cast<std::size_t>(usage.percent) * room + 50) / 100;
    std::string bar, rest;
    for (std::size_t i = 0; i < room; ++i)
        (i < full ? bar : rest) += i < full ? (look.utf8 ? "█" : "#") : (look.utf8 ? "·" : ".");
    const Hue hue = usage.percent >= 90 ? Hue::bad : usage.percent >= 60 ? Hue::warn : Hue::good;
    line.push_back({label, Hue::dim});
    line.push_back({bar, hue});
    line.push_back({rest, Hue::dim});
    line.push_back({number + "   "});
}

void add_cpus(const Json& dump, std::size_t most_lines, std::size_t width, const Look& look,
              std::vector<TopLine>& screen) {
    const auto cpus = cpu_usage(dump);
    if (cpus.empty() || most_lines == 0) return;
    const std::size_t across =
        std::clamp<std::size_t>(width / kCpuCell, 1, std::max<std::size_t>(1, (cpus.size() + 1) / 2));
    const std::size_t room = across * most_lines;
    const std::size_t count = cpus.size() <= room ? cpus.size() : room - 1;
    TopLine line;
    for (std::size_t i = 0; i < count; ++i) {
        add_bar(line, cpus[i], width / across, look);
        if ((i + 1) % across == 0) screen.push_back(std::exchange(line, {}));
    }
    if (count < cpus.size())
        line.push_back({fmt::format(" and {} more CPUs", cpus.size() - count), Hue::dim});
    if (!line.empty()) screen.push_back(line);
}

void add_schedulers(const Json& dump, std::size_t most, const Look& look, std::vector<TopLine>& screen) {
    const Json& schedulers = field(field(dump, "status"), "schedulers");
    if (schedulers.empty() || most < 2) return;
    screen.push_back({{fmt::format("{:<20} {:<20} {:>7} {:>9} {:>7}", "SCHEDULER", "POLICY", "PLACED",
                                   "CONFLICTS", "MOVES"),
                       Hue::strong}});
    std::size_t count = 0;
    for (const auto& scheduler : schedulers) {
        if (count++ + 1 == most && schedulers.size() >= most) {
            screen.push_back({{fmt::format("and {} more", schedulers.size() - count + 1), Hue::dim}});
            break;
        }
        const auto why = text_at(scheduler, "ejected");
        const auto policy = text_at(scheduler, "policy");
        TopLine line{{pad(cut(shown(text_at(scheduler, "name"), look), 20, look), 21), Hue::scheduler},
                     {pad(cut(policy.empty() ? "none" : shown(policy, look), 20, look), 20),
                      policy.empty() ? Hue::dim : Hue::policy},
                     {fmt::format(" {:>7} {:>9} {:>7}", number_at(scheduler, "placed"),
                                  number_at(scheduler, "conflicts"), number_at(scheduler, "moves"))}};
        if (!why.empty()) line.push_back({" out of action: " + shown(why, look), Hue::bad});
        screen.push_back(line);
    }
}

/// Policies that keep their members on few warm cores say which.
void collect_nests(const Json& part, const Look& look, std::vector<TopLine>& lines) {
    const Json& attributes = field(part, "attributes");
    if (text_at(part, "kind") == "policy" && attributes.contains("nest_cpus")) {
        const auto value = [&](std::string_view name) { return field(field(attributes, name), "value"); };
        const auto reserve = scalar(value("reserve_cpus"));
        const auto scheduler = text_at(part, "path");
        const auto from = scheduler.find('/') + 1;
        lines.push_back(
            {{"nest ", Hue::policy},
             {pad(cut(shown(scheduler.substr(from, scheduler.rfind('/') - from), look), 15, look), 16),
              Hue::scheduler},
             {fmt::format("{}{}, {}", cpus_text(shown(scalar(value("nest_cpus")), look)),
                          reserve.empty() ? "" : fmt::format(" and {} in reserve", shown(reserve, look)),
                          shown(scalar(value("state")), look))}});
        if (value("wanted").is_number())
            lines.back().push_back(
                {fmt::format(", {:.2f} CPUs wanted", value("wanted").get<double>() / 1000), Hue::source});
    }
    for (const auto& child : field(part, "children")) collect_nests(child, look, lines);
}

void add_nests(const Json& dump, std::size_t most, const Look& look, std::vector<TopLine>& screen) {
    std::vector<TopLine> lines;
    collect_nests(field(dump, "tree"), look, lines);
    if (lines.size() > most) {
        const auto more = lines.size() - most + 1;
        lines.resize(most - 1);
        lines.push_back({{fmt::format("and {} more nests", more), Hue::dim}});
    }
    screen.insert(screen.end(), lines.begin(), lines.end());
}

void add_power(const Json& dump, const Look& look, std::vector<TopLine>& screen) {
    const auto sentence = power_sentence(field(field(dump, "status"), "power"), look);
    if (!sentence.empty()) screen.push_back({{sentence, Hue::strong}});
}

std::string load_text(long long load) {
    return load < 0 ? "-" : fmt::format("{:.2f}", static_cast<double>(load) / 1000);
}

TopLine row_heading(const TopState& state, const Look& look) {
    const std::string_view mark = state.reverse ? (look.utf8 ? "▲" : "^") : (look.utf8 ? "▼" : "v");
    const auto title = [&](std::string_view text, TopSort sort) {
        return state.sort == sort ? fmt::format("{}{}", text, mark) : std::string(text);
    };
    return {{pad(title("TARGET", TopSort::target), 21) + pad("NAME", 16) + pad("SCHEDULER", 15) +
                 pad_left(title("LOAD", TopSort::load), 7) + "  " + pad(title("CPUS", TopSort::cpus), 9) +
                 title("STATE", TopSort::state),
             Hue::strong}};
}

TopLine row_line(const TopRow& row, bool selected, const Look& look) {
    const auto cell = [&](const std::string& text, std::size_t width) {
        return pad(cut(shown(text, look), width - 1, look), width);
    };
    return {{cell(row.target, 21), Hue::plain, selected},
            {cell(row.name, 16), Hue::plain, selected},
            {cell(row.scheduler, 15), Hue::scheduler, selected},
            {pad_left(load_text(row.load), 7) + "  ", Hue::source, selected},
            {cell(row.cpus, 9), Hue::strong, selected},
            {shown(row.state, look), hue_of_state(row.state), selected}};
}

/// The reason of the selected row, in at most two lines.
void add_reason(const TopRow* row, std::size_t width, const Look& look, std::vector<TopLine>& screen) {
    std::string reason = row ? shown(row->reason, look) : std::string();
    if (row && reason.empty()) reason = "no scheduler has decided anything for it";
    for (int i = 0; i < 2; ++i) {
        auto line = cut(reason, width, look);
        if (line.size() < reason.size() && i == 0) {
            const auto blank = reason.rfind(' ', width - 1);
            line = blank == std::string::npos || blank == 0 ? line : reason.substr(0, blank);
            reason.erase(0, blank == std::string::npos || blank == 0 ? reason.size() : blank + 1);
        } else {
            reason.clear();
        }
        screen.push_back({{std::move(line), Hue::plain}});
    }
}

/// No line longer than the screen is wide.
void clip(std::vector<TopLine>& screen, std::size_t width, const Look& look) {
    for (auto& line : screen) {
        std::size_t used = 0;
        for (auto& piece : line) {
            piece.text = cut(piece.text, width - used, look);
            used += columns(piece.text);
        }
    }
}

} // namespace

std::vector<TopLine> top_screen(const Json& dump, TopState& state, std::size_t height, std::size_t width,
                                const Look& look) {
    std::vector<TopLine> screen{heading(dump, state, look)};
    if (height >= 12) add_power(dump, look, screen);
    add_cpus(dump, height / 5, width, look, screen);
    if (height >= 16) screen.push_back({});
    if (height >= 12) add_schedulers(dump, kSchedulersShown + 1, look, screen);
    if (height >= 16) add_nests(dump, kNestsShown, look, screen);
    if (height >= 16) screen.push_back({});
    const auto rows = top_rows(dump, state);
    if (std::ranges::find(rows, state.selected, &TopRow::target) == rows.end())
        state.selected = rows.empty() ? "" : rows.front().target;
    screen.push_back(row_heading(state, look));
    const std::size_t below = height >= 10 ? 3 : 0; // reason and keys
    const std::size_t room = height > screen.size() + below ? height - screen.size() - below : 0;
    const auto at =
        static_cast<std::size_t>(std::ranges::find(rows, state.selected, &TopRow::target) - rows.begin());
    const std::size_t latest = rows.size() > room ? rows.size() - room : 0;
    state.first_row = std::min(state.first_row, latest);
    if (at < state.first_row) state.first_row = at;
    if (room > 0 && at >= state.first_row + room) state.first_row = at - room + 1;
    for (std::size_t i = state.first_row; i < rows.size() && i < state.first_row + room; ++i)
        screen.push_back(row_line(rows[i], i == at, look));
    if (rows.empty() && room > 0) screen.push_back({{"No process is in any scheduler.", Hue::dim}});
    if (below > 0) {
        while (screen.size() + below < height) screen.push_back({});
        add_reason(at < rows.size() ? &rows[at] : nullptr, width, look, screen);
        screen.push_back({{"q quit  up/down select  s sort  r reverse  p pause", Hue::dim}});
    }
    if (screen.size() > height) screen.resize(height);
    clip(screen, width, look);
    return screen;
}

std::string top_text(const Json& dump, const Look& look) {
    const TopState state;
    const std::size_t width = look.width > 0 ? static_cast<std::size_t>(look.width) : 100;
    std::vector<TopLine> lines{heading(dump, state, look)};
    add_power(dump, look, lines);
    add_cpus(dump, SIZE_MAX / 1024, width, look, lines);
    lines.push_back({});
    add_schedulers(dump, SIZE_MAX, look, lines);
    add_nests(dump, SIZE_MAX, look, lines);
    lines.push_back({});
    lines.push_back(row_heading(state, look));
    for (const auto& row : top_rows(dump, state)) {
        lines.push_back(row_line(row, false, look));
        if (!row.reason.empty()) lines.push_back({{"    " + shown(row.reason, look), Hue::dim}});
    }
    std::string out;
    for (const auto& line : lines) {
        std::string text;
        for (const auto& piece : line) text += paint(look, piece.hue, piece.text);
        text.erase(text.find_last_not_of(' ') + 1);
        out += text + "\n";
    }
    return out;
}

} // namespace schedd::cli
