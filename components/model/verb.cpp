// Recipe lines to verbs and back.
#include "components/model/verb.h"

#include <optional>
#include <tuple>

#include <fmt/format.h>

#include "components/kit/limits.h"
#include "components/model/chain.h"
#include "components/model/proc_text.h"

namespace schedd::model {

namespace {

struct Words {
    std::vector<std::string> list;
    std::string error;
};

/// Takes a quoted word off at `i`, which stands on the quote; within "..." a backslash keeps the next byte
/// from meaning anything. None if the quote is not closed.
std::optional<std::string> take_quoted(std::string_view line, std::size_t& i) {
    const char quote = line[i++];
    std::string word;
    for (; i < line.size(); ++i) {
        if (line[i] == quote) return ++i, word;
        if (quote == '"' && line[i] == '\\' && i + 1 < line.size()) ++i;
        word += line[i];
    }
    return std::nullopt;
}

/// A word as split() reads it back.
std::string quoted(const std::string& word) {
    const bool plain = !word.empty() && word.find_first_of(" \t\r'\"#\\") == std::string::npos;
    if (plain) return word;
    std::string out = "\"";
    for (const char c : word) {
        if (c == '"' || c == '\\') out += '\\';
        out += c;
    }
    return out + '"';
}

/// Splits at blanks; a word may be in '...' or "...", and '#' at a word's start ends the line.
Words split(std::string_view line) {
    Words words;
    std::size_t i = 0;
    while (true) {
        while (i < line.size() && (line[i] == ' ' || line[i] == '\t' || line[i] == '\r')) ++i;
        if (i == line.size() || line[i] == '#') return words;
        std::string word;
        if (line[i] == '"' || line[i] == '\'') {
            auto inside = take_quoted(line, i);
            if (!inside) {
                words.error = "a quote is not closed";
                return words;
            }
            word = std::move(*inside);
        } else {
            while (i < line.size() && line[i] != ' ' && line[i] != '\t' && line[i] != '\r') word += line[i++];
        }
        words.list.push_back(std::move(word));
    }
}

/// "PATH.ATTRIBUTE" at the last dot; an attribute's name never holds one.
Result<std::pair<Path, std::string>> split_attribute(const std::string& text) {
    const auto dot = text.rfind('.');
    if (dot == std::string::npos || dot + 1 == text.size())
        return fail(Errc::invalid_value, fmt::format("'{}' names no attribute", text), "use PATH.ATTRIBUTE");
    auto path = Path::parse(std::string_view(text).substr(0, dot));
    if (!path) return std::unexpected(path.error());
    auto name = text.substr(dot + 1);
    if (auto named = check_name(name); !named) return std::unexpected(named.error());
    return std::pair{std::move(*path), std::move(name)};
}

Result<Recipe> link_verbs(const std::string& source, const std::string& sink) {
    auto sink_path = Path::parse(sink);
    if (!sink_path) return std::unexpected(sink_path.error());
    return parse_chain(source, *sink_path);
}

Result<Recipe> verbs_of(std::vector<std::string> words) {
    const auto is = [&](std::string_view verb, std::size_t least, std::size_t most) {
        return words.front() == verb && words.size() > least && words.size() <= most + 1;
    };
    Verb verb;
    if (is("create", 1, 2)) {
        verb.what = Verb::Do::create;
        if (words.size() == 3) verb.word = words[2];
    } else if (is("remove", 1, 2) && (words[1] == "-r") == (words.size() == 3)) {
        verb.what = Verb::Do::remove;
        verb.recursive = words.size() == 3;
        words[1] = words.back();
    } else if (is("unlink", 1, 1)) {
        verb.what = Verb::Do::unlink;
    } else if (is("link", 2, 2)) {
        return link_verbs(words[1], words[2]);
    } else if (is("write", 2, 2) || is("set", 2, 2) || is("read", 1, 1)) {
        verb.what = words.size() == 2 ? Verb::Do::read : Verb::Do::write;
        auto place = split_attribute(words[1]);
        if (!place) return std::unexpected(place.error());
        std::tie(verb.path, verb.word) = std::move(*place);
        if (words.size() == 3) verb.value = words[2];
        return Recipe{std::move(verb)};
    } else {
        return fail(Errc::invalid_value,
                    fmt::format("'{}' is not a verb with its words", words.front().substr(0, 64)),
                    "create PATH [TYPE] | remove [-r] PATH | write PATH.ATTRIBUTE VALUE | read "
                    "PATH.ATTRIBUTE | "
                    "link SOURCE SINK | unlink SINK");
    }
    auto path = Path::parse(words[1]);
    if (!path) return std::unexpected(path.error());
    verb.path = std::move(*path);
    return Recipe{std::move(verb)};
}

} // namespace

std::string text_of(const Verb& verb) {
    // a word must stand there, also for the root
    const auto word_for = [](const Path& path) { return path.is_root() ? std::string("/") : path.text(); };
    const auto path = word_for(verb.path);
    switch (verb.what) {
    case Verb::Do::create: return "create " + path + (verb.word.empty() ? "" : " " + quoted(verb.word));
    case Verb::Do::remove: return (verb.recursive ? "remove -r " : "remove ") + path;
    case Verb::Do::read: return "read " + quoted(path + "." + verb.word);
    case Verb::Do::write:
        return fmt::format("write {} {}", quoted(path + "." + verb.word), quoted(text_of(verb.value)));
    case Verb::Do::link: return fmt::format("link {} {}", word_for(verb.source), path);
    case Verb::Do::unlink: return "unlink " + path;
    }
    return {};
}

Result<Recipe> parse_recipe(std::string_view text) {
    if (text.size() > limits::kConfigBytes)
        return fail(Errc::limit_exceeded, "the recipe is too large",
                    fmt::format("limit bytes = {}", limits::kConfigBytes));
    Recipe recipe;
    for (std::size_t number = 1; !text.empty(); ++number) {
        auto words = split(take_line(text));
        const auto at = [&](Error error) {
            error.what = fmt::format("line {}: {}", number, error.what);
            return std::unexpected(std::move(error));
        };
        if (!words.error.empty()) return at({Errc::invalid_value, words.error, {}});
        if (words.list.empty()) continue;
        auto verbs = verbs_of(std::move(words.list));
        if (!verbs) return at(verbs.error());
        for (auto& verb : *verbs) recipe.push_back(std::move(verb));
        if (recipe.size() > limits::kRecipeVerbs)
            return at({Errc::limit_exceeded, "too many verbs",
                       fmt::format("limit verbs = {}", limits::kRecipeVerbs)});
    }
    return recipe;
}

} // namespace schedd::model
