// Layout of the live tree: one line per part, aligned columns, the value at each stage.
#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/print.h"

namespace schedd::cli {

namespace {

constexpr std::size_t kValuesShown = 4; // of a source with a parameter; `get` reads any of them

struct Row {
    std::string branch; // lines drawn before the name
    std::string below;  // lines drawn before a continuation
    std::string name;
    Hue hue = Hue::plain;
    std::string kind;
    std::string value;
    std::vector<std::string> details;
};

struct Strokes {
    std::string_view fork, last, through, none, arrow, from;
};

Strokes strokes_of(const Look& look) {
    if (look.utf8) return {"├─ ", "└─ ", "│  ", "   ", "→", "←"};
    return {"|- ", "`- ", "|  ", "   ", "->", "<-"};
}

/// "load_balancing" of kind policy is just "policy"; an instance with a name of its own says its type.
std::string kind_cell(const Json& part, std::string_view name) {
    const auto kind = text_at(part, "kind");
    const auto type = text_at(part, "type");
    if (kind == "folder") return {};
    return kind == "source" || kind == "port" || !says_more(type, name, kind) ? kind : kind + " " + type;
}

std::string values_text(const Json& flow, const Look& look) {
    std::string out;
    std::size_t shown_count = 0;
    const Json& values = field(flow, "values");
    for (const auto& [parameter, value] : values.items()) {
        if (shown_count == kValuesShown) break;
        out += fmt::format("{}{}={}", shown_count++ ? " " : "", shown(parameter, look),
                           shown(scalar(value), look));
    }
    const auto count =
        std::max<std::int64_t>(number_at(flow, "count"), static_cast<std::int64_t>(values.size()));
    if (count == 0) return {};
    const auto rest = count - static_cast<std::int64_t>(shown_count);
    return rest > 0 ? fmt::format("{} and {} more", out, rest) : out;
}

/// What the part puts out; for a filter that changes it, what it took in as well.
std::string value_cell(const Json& part, const Strokes& strokes, const Look& look) {
    const Json& flow = field(part, "flow");
    if (!flow.is_object()) return {};
    auto value = shown(text_at(flow, "value"), look);
    auto collected = shown(text_at(flow, "collected_value"), look);
    if (text_at(part, "kind") == "port") return collected;
    if (!collected.empty() && !value.empty() && value != collected)
        return fmt::format("{} {} {}", collected, strokes.arrow, value);
    return value;
}

void add_flow_details(const Json& part, const Strokes& strokes, const Look& look,
                      std::vector<std::string>& out) {
    const Json& flow = field(part, "flow");
    if (!flow.is_object()) return;
    if (const auto source = text_at(flow, "source"); !source.empty() && flag_at(flow, "linked"))
        out.push_back(fmt::format("{} {}", strokes.from, paint(look, Hue::source, shown(source, look))));
    const auto parameter = text_at(flow, "parameter");
    auto type = fmt::format("{} [{}]", text_at(flow, "type"), text_at(flow, "unit"));
    if (!parameter.empty()) type += " by " + parameter;
    out.push_back(paint(look, Hue::dim, shown(type, look)));
    if (const auto values = values_text(flow, look); !values.empty()) out.push_back(values);
    if (const auto why = why_none_of(part); !why.empty())
        out.push_back(paint(look, Hue::warn, "(no value: " + shown(why, look) + ")"));
}

std::vector<std::string> details_of(const Json& part, const Strokes& strokes, const Look& look) {
    std::vector<std::string> out;
    for (const auto& [name, attribute] : field(part, "attributes").items()) {
        auto value = shown(text_at(attribute, "value"), look);
        if (value.empty() || value.find(' ') != std::string::npos) value = "\"" + value + "\"";
        if (value == "\"\"" && flag_at(attribute, "read_only")) continue;
        const auto hue = name == "state" ? hue_of_state(text_at(attribute, "value")) : Hue::plain;
        const auto unit = text_at(attribute, "unit");
        out.push_back(paint(look, Hue::dim, shown(name, look) + "=") + paint(look, hue, value) +
                      (unit.empty() ? "" : " " + shown(unit, look)));
    }
    add_flow_details(part, strokes, look, out);
    if (const auto trouble = text_at(part, "trouble"); !trouble.empty())
        out.push_back(paint(look, Hue::bad, "trouble: " + shown(trouble, look)));
    return out;
}

void collect(const Json& part, const std::string& branch, const std::string& below, const Strokes& strokes,
             const Look& look, std::vector<Row>& rows) {
    const auto name = text_at(part, "name");
    const auto kind = text_at(part, "kind");
    const Json& children = field(part, "children");
    const bool has_children = children.is_array() && !children.empty();
    Row row{.branch = branch,
            .below = below + std::string(has_children ? strokes.through : strokes.none),
            .name = name.empty() ? "/" : shown(name, look),
            .hue = hue_of_kind(kind),
            .kind = shown(kind_cell(part, name), look),
            .value = value_cell(part, strokes, look),
            .details = details_of(part, strokes, look)};
    rows.push_back(std::move(row));
    if (!has_children) return;
    for (std::size_t i = 0; i < children.size(); ++i) {
        const bool is_last = i + 1 == children.size();
        collect(children[i], below + std::string(is_last ? strokes.last : strokes.fork),
                below + std::string(is_last ? strokes.none : strokes.through), strokes, look, rows);
    }
}

void add_paths(const Json& part, Listing what, std::string& out) {
    const auto path = text_at(part, "path");
    const auto kind = text_at(part, "kind");
    const bool wanted = (what == Listing::parts && !path.empty() && path != "/") ||
                        (what == Listing::sources && kind == "source") ||
                        (what == Listing::sinks && (kind == "port" || kind == "filter"));
    if (wanted) out += shown(path) + "\n";
    const bool named = (what == Listing::schedulers && kind == "scheduler") ||
                       (what == Listing::members && kind == "member");
    if (named) out += shown(text_at(part, "name")) + "\n";
    if (what == Listing::nodes && kind == "node") {
        const auto name = scalar(field(field(field(part, "attributes"), "name"), "value"));
        out += shown(name.empty() ? text_at(part, "name") : name) + "\n";
    }
    if (what == Listing::attributes || what == Listing::writable)
        for (const auto& [name, attribute] : field(part, "attributes").items())
            if (what == Listing::attributes || !flag_at(attribute, "read_only"))
                out += shown(path) + "." + shown(name) + "\n";
    for (const auto& child : field(part, "children")) add_paths(child, what, out);
}

} // namespace

bool says_more(std::string_view type, std::string_view name, std::string_view kind) {
    return !type.empty() && type != kind && type != name && type != fmt::format("{}_{}", name, kind);
}

std::string why_none_of(const Json& part) {
    auto why = text_at(field(part, "flow"), "why_none");
    const auto path = text_at(part, "path");
    if (const auto at = why.find(path); at != std::string::npos && !path.empty())
        why.replace(at, path.size(), "it");
    return why;
}

std::string print_tree(const Json& part, const Look& look) {
    std::vector<Row> rows;
    collect(part, "", "", strokes_of(look), look, rows);
    std::size_t names = 0, kinds = 0, values = 0;
    for (const auto& row : rows) {
        names = std::max(names, columns(row.branch) + columns(row.name));
        kinds = std::max(kinds, columns(row.kind));
        values = std::max(values, columns(row.value));
    }
    const std::size_t indent = names + kinds + values + 6;
    // On a narrow terminal the details would be squeezed to nothing; then they run on as one line.
    const auto width = static_cast<std::size_t>(std::max(look.width, 0));
    const std::size_t room = width >= indent + 24 ? width - indent : 0;
    std::string out;
    for (const auto& row : rows) {
        auto line = pad(paint(look, Hue::dim, row.branch) + paint(look, row.hue, row.name), names + 2) +
                    pad(paint(look, Hue::dim, row.kind), kinds + 2) +
                    pad_left(paint(look, Hue::strong, row.value), values) + "  ";
        const auto details = wrap(row.details, room);
        for (std::size_t i = 0; i < std::max<std::size_t>(details.size(), 1); ++i) {
            if (i > 0) line = pad(paint(look, Hue::dim, row.below), indent);
            if (i < details.size()) line += details[i];
            line.erase(line.find_last_not_of(' ') + 1);
            out += line + "\n";
        }
    }
    return out;
}

std::string print_listing(const Json& part, Listing what) {
    std::string out;
    add_paths(part, what, out);
    return out;
}

std::string print_attributes(const Json& part, const Look& look) {
    std::vector<std::vector<std::string>> rows{{"ATTRIBUTE", "VALUE", "UNIT", ""}};
    for (const auto& [name, attribute] : field(part, "attributes").items())
        rows.push_back({shown(name, look), shown(text_at(attribute, "value"), look),
                        shown(text_at(attribute, "unit"), look),
                        flag_at(attribute, "read_only") ? paint(look, Hue::dim, "read-only") : ""});
    using enum Align;
    return rows.size() == 1 ? std::string() : table(rows, {left, right, left, left}, look);
}

} // namespace schedd::cli
