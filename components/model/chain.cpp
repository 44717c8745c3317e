// The pipe notation of chains.
#include "components/model/chain.h"

#include <optional>
#include <utility>

#include <fmt/format.h>

#include "components/kit/limits.h"

namespace schedd::model {

namespace {

std::string_view trim(std::string_view text) {
    const auto first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::unexpected<Error> bad_chain(std::string_view at, std::string why) {
    return fail(Errc::invalid_value, fmt::format("chain: at '{}'", at.substr(0, 64)), std::move(why));
}

/// The part of `text` before the next `stop` outside double quotes; removed together with the stop.
std::string_view take_until(std::string_view& text, char stop) {
    bool quoted = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (quoted && text[i] == '\\') {
            ++i;
            continue;
        }
        if (text[i] == '"') quoted = !quoted;
        if (text[i] != stop || quoted) continue;
        const auto piece = text.substr(0, i);
        text.remove_prefix(i + 1);
        return piece;
    }
    return std::exchange(text, {});
}

/// A value without its quotes and the backslashes in them; none if a quote is left open or stands inside.
std::optional<std::string> unquote(std::string_view value) {
    if (!value.starts_with('"'))
        return value.contains('"') ? std::nullopt : std::optional(std::string(value));
    std::string out;
    for (std::size_t i = 1; i < value.size(); ++i) {
        if (value[i] == '"') return i + 1 == value.size() ? std::optional(out) : std::nullopt;
        if (value[i] == '\\' && i + 1 < value.size()) ++i;
        out += value[i];
    }
    return std::nullopt;
}

struct Stage {
    std::string name;
    std::string type; // "" = as the name
    std::vector<std::pair<std::string, std::string>> attributes;
};

Result<Stage> parse_stage(std::string_view text) {
    Stage stage;
    const auto open = text.find('(');
    auto type = trim(text.substr(0, open));
    const bool is_named = type.contains(':');
    stage.name = is_named ? trim(take_until(type, ':')) : type;
    if (is_named) stage.type = trim(type);
    if (is_named && !check_name(stage.type)) return bad_chain(text, "use NAME:TYPE, or TYPE alone");
    if (auto named = check_name(stage.name); !named) return bad_chain(text, named.error().text());
    if (open == std::string_view::npos) return stage;
    if (!text.ends_with(')')) return bad_chain(text, "'(' without ')' at the end of the filter");
    auto inside = text.substr(open + 1, text.size() - open - 2);
    if (trim(inside).empty()) return stage;
    do {
        auto value = take_until(inside, ',');
        const auto name = trim(take_until(value, '='));
        value = trim(value);
        if (!check_name(name) || value.empty())
            return bad_chain(text, "use NAME=VALUE, ... in the parentheses");
        auto plain = unquote(value);
        if (!plain)
            return bad_chain(text,
                             "a value in quotes begins and ends with '\"', and \\ stands before one inside");
        stage.attributes.emplace_back(name, std::move(*plain));
    } while (!inside.empty());
    return stage;
}

} // namespace

Result<Recipe> parse_chain(std::string_view text, const Path& sink) {
    std::string_view rest = text;
    const auto source_text = trim(take_until(rest, '|'));
    // what is left of the text beyond the source starts right after a '|'
    bool more = !text.empty() && (!rest.empty() || text.back() == '|');
    const bool has_filters = more;
    std::vector<Stage> stages;
    while (more) {
        const auto before = rest.size();
        const auto piece = take_until(rest, '|');
        more = piece.size() < before;
        if (trim(piece).empty()) return bad_chain(text, "a filter is missing beside '|'");
        auto stage = parse_stage(trim(piece));
        if (!stage) return std::unexpected(stage.error());
        stages.push_back(std::move(*stage));
        if (stages.size() > limits::kChainLength)
            return bad_chain(piece, fmt::format("limit filters = {}", limits::kChainLength));
    }
    auto source = Path::parse(source_text);
    if (!source) return std::unexpected(source.error());
    if (source->is_root() && !(has_filters && source_text.empty()))
        return bad_chain(text, "it starts with PROBE/SOURCE, such as cpu/node_load");
    if (source->depth() == 2 && source->names().front() != "probes") {
        source = Path({"probes", source->names()[0], source->names()[1]});
    }
    if (sink.depth() + stages.size() > limits::kPathDepth)
        return bad_chain(text,
                         fmt::format("its filters would be below more than {} elements (limit path depth)",
                                     limits::kPathDepth));
    Recipe recipe;
    Path inner = sink;
    for (auto stage = stages.rbegin(); stage != stages.rend(); ++stage) {
        inner = inner.child(stage->name);
        recipe.push_back({.what = Verb::Do::create, .path = inner, .word = std::move(stage->type)});
        for (auto& [name, value] : stage->attributes)
            recipe.push_back(
                {.what = Verb::Do::write, .path = inner, .word = name, .value = std::move(value)});
    }
    if (!source->is_root())
        recipe.push_back({.what = Verb::Do::link, .path = inner, .source = std::move(*source)});
    return recipe;
}

} // namespace schedd::model
