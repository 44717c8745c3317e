// Layout of the types: a table of all, or one in full with its attributes, ports and sources.
#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/print.h"

namespace schedd::cli {

namespace {

std::string flow_type(const Json& end) {
    auto text = fmt::format("{} [{}]", text_at(end, "type"), text_at(end, "unit"));
    if (const auto parameter = text_at(end, "parameter"); !parameter.empty()) text += " by " + parameter;
    return text;
}

std::string section(std::string_view title, const Look& look) {
    return "\n" + paint(look, Hue::strong, title) + "\n";
}

/// Rows without a heading, two blanks in.
std::string indented(std::vector<std::vector<std::string>> rows, std::size_t cells, const Look& look) {
    rows.insert(rows.begin(), std::vector<std::string>{});
    auto text = table(rows, std::vector<Align>(cells, Align::left), look).substr(1);
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
        const auto end = text.find('\n', at);
        out += "  " + text.substr(at, end - at) + "\n";
        at = end + 1;
    }
    return out;
}

/// Words in lines of this many columns: one long list of choices would push what follows off the screen.
constexpr std::size_t kAcceptedColumns = 60;

std::vector<std::string> accepted_lines(const std::string& accepted) {
    std::vector<std::string> words;
    for (std::size_t at = 0; at < accepted.size();) {
        const auto end = std::min(accepted.find(' ', at), accepted.size());
        words.push_back(accepted.substr(at, end - at));
        at = end + 1;
    }
    auto lines = wrap(words, kAcceptedColumns);
    if (lines.empty()) lines.emplace_back();
    return lines;
}

std::string attributes_section(const Json& type, const Look& look) {
    const Json& attributes = field(type, "attributes");
    if (attributes.empty()) return {};
    std::vector<std::vector<std::string>> rows;
    for (const auto& attribute : attributes) {
        const bool read_only = flag_at(attribute, "read_only");
        const auto accepted = accepted_lines(read_only ? shown(text_at(attribute, "kind"), look)
                                                       : shown(text_at(attribute, "accepted"), look));
        rows.push_back({paint(look, Hue::strong, shown(text_at(attribute, "name"), look)),
                        read_only ? "read-only" : "default " + shown(text_at(attribute, "default"), look),
                        accepted.front(), shown(text_at(attribute, "doc"), look)});
        for (std::size_t i = 1; i < accepted.size(); ++i) rows.push_back({"", "", accepted[i], ""});
    }
    return section("Attributes", look) + indented(std::move(rows), 4, look);
}

std::string ends_section(const Json& type, std::string_view key, std::string_view title, const Look& look) {
    const Json& ends = field(type, key);
    if (ends.empty()) return {};
    std::vector<std::vector<std::string>> rows;
    for (const auto& end : ends)
        rows.push_back(
            {paint(look, key == "ports" ? Hue::port : Hue::source, shown(text_at(end, "name"), look)),
             shown(flow_type(end), look), flag_at(end, "wants_updates") ? "wants updates" : "",
             shown(text_at(end, "doc"), look)});
    return section(title, look) + indented(std::move(rows), 4, look);
}

std::string one_type(const Json& type, const Look& look) {
    const auto kind = text_at(type, "kind");
    auto out =
        fmt::format("{} ({}{}): {}\n", paint(look, hue_of_kind(kind), shown(text_at(type, "name"), look)),
                    shown(kind, look),
                    text_at(type, "alias").empty() ? ""
                                                   : ", short name " + shown(text_at(type, "alias"), look),
                    shown(text_at(type, "doc"), look));
    return out + attributes_section(type, look) + ends_section(type, "sources", "Sources", look) +
           ends_section(type, "ports", "Ports", look);
}

} // namespace

std::string print_types(const Json& types, std::string_view name, const Look& look) {
    std::vector<std::vector<std::string>> rows{{"TYPE", "KIND", "SHORT NAME", "WHAT IT DOES"}};
    for (const auto& type : types) {
        if (!name.empty() && (text_at(type, "name") == name || text_at(type, "alias") == name))
            return one_type(type, look);
        const auto kind = text_at(type, "kind");
        rows.push_back({paint(look, hue_of_kind(kind), shown(text_at(type, "name"), look)), shown(kind, look),
                        shown(text_at(type, "alias"), look), shown(text_at(type, "doc"), look)});
    }
    return name.empty() ? table(rows, std::vector<Align>(4, Align::left), look) : std::string();
}

std::string type_names(const Json& types) {
    std::string out;
    for (const auto& type : types) out += (out.empty() ? "" : " ") + shown(text_at(type, "name"));
    return out;
}

} // namespace schedd::cli
