// Layout of doctor: a line per check, and below it what follows and what to do.
#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/print.h"

namespace schedd::cli {

namespace {

Hue hue_of_check(const Json& check) {
    const auto state = text_at(check, "state");
    if (state == "ok") return Hue::good;
    return state == "lacks" && flag_at(check, "essential") ? Hue::bad : Hue::warn;
}

/// Words of a sentence in lines that fit behind `indent` columns.
std::string sentence(std::string_view label, std::string_view text, std::size_t indent, const Look& look) {
    std::vector<std::string> words;
    for (std::size_t end = 0; !text.empty(); text.remove_prefix(std::min(end + 1, text.size()))) {
        end = std::min(text.find(' '), text.size());
        if (end > 0) words.push_back(shown(text.substr(0, end), look));
    }
    const auto width = static_cast<std::size_t>(std::max(look.width, 0));
    const auto before = indent + label.size();
    std::string out;
    for (const auto& line : wrap(words, width == 0 ? 0 : std::max<std::size_t>(width, before + 24) - before))
        out += (out.empty() ? paint(look, Hue::dim, label) : std::string(before, ' ')) + line + "\n";
    return out;
}

} // namespace

std::string print_doctor(const Json& report, const Look& look) {
    const Json& checks = field(report, "checks");
    std::size_t state_width = 0;
    std::size_t name_width = 0;
    for (const auto& check : checks) {
        state_width = std::max(state_width, columns(shown(text_at(check, "state"), look)));
        name_width = std::max(name_width, columns(shown(text_at(check, "check"), look)));
    }
    const auto indent = state_width + name_width + 4;
    std::string out;
    std::string missing;
    for (const auto& check : checks) {
        const auto name = shown(text_at(check, "check"), look);
        out += pad(paint(look, hue_of_check(check), shown(text_at(check, "state"), look)), state_width) +
               "  " + pad(paint(look, Hue::strong, name), name_width) + "  " +
               sentence("", text_at(check, "found"), indent, look);
        for (const auto& [label, key] : {std::pair("so: ", "follows"), std::pair("do: ", "remedy")})
            if (const auto text = text_at(check, key); !text.empty())
                out += std::string(indent, ' ') + sentence(label, text, indent, look);
        if (text_at(check, "state") == "lacks" && flag_at(check, "essential"))
            missing += (missing.empty() ? "" : ", ") + name;
    }
    if (checks.empty()) return "The daemon made no checks.\n";
    if (missing.empty()) return out + "\n" + paint(look, Hue::good, "Nothing essential is missing.") + "\n";
    return out + "\n" + paint(look, Hue::bad, "Essential, and missing here") + ": " + missing + ".\n";
}

} // namespace schedd::cli
