// Validation and text forms of attributes.
#include "components/model/attribute.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "components/kit/limits.h"
#include "components/kit/number.h"
#include "components/kit/utf8.h"

namespace schedd::model {

namespace {

std::unexpected<Error> refuse(const AttributeSpec& spec, std::string_view text) {
    return fail(Errc::invalid_value, fmt::format("{} cannot be '{}'", spec.name, text.substr(0, 64)),
                "accepted: " + accepted_by(spec));
}

bool is_choice(const AttributeSpec& spec, std::string_view text) {
    std::string_view rest = spec.choices;
    while (!rest.empty()) {
        const auto space = rest.find(' ');
        if (rest.substr(0, space) == text) return true;
        if (space == std::string_view::npos) break;
        rest.remove_prefix(space + 1);
    }
    return false;
}

std::optional<bool> parse_boolean(std::string_view text) {
    if (text == "true" || text == "yes" || text == "1") return true;
    if (text == "false" || text == "no" || text == "0") return false;
    return std::nullopt;
}

/// What every skin can carry: D-Bus, TOML and JSON know no other bytes than UTF-8.
bool is_clean_text(std::string_view text) {
    return text.size() <= limits::kTextValue && kit::is_utf8(text) &&
           std::ranges::none_of(text, [](char c) { return c == '\0' || c == '\n'; });
}

} // namespace

Result<AttributeValue> parse_attribute(const AttributeSpec& spec, std::string_view text) {
    switch (spec.kind) {
    case AttributeKind::unsigned_number: {
        const auto number = parse_unsigned(text);
        if (!number || *number < static_cast<std::uint64_t>(spec.minimum) ||
            *number > static_cast<std::uint64_t>(spec.maximum))
            return refuse(spec, text);
        return AttributeValue(*number);
    }
    case AttributeKind::integer: {
        const auto number = parse_integer(text);
        if (!number || *number < spec.minimum || *number > spec.maximum) return refuse(spec, text);
        return AttributeValue(*number);
    }
    case AttributeKind::boolean: {
        const auto flag = parse_boolean(text);
        if (!flag) return refuse(spec, text);
        return AttributeValue(*flag);
    }
    case AttributeKind::text:
        if (!is_clean_text(text)) return refuse(spec, text);
        return AttributeValue(std::string(text));
    case AttributeKind::choice:
        if (!is_choice(spec, text)) return refuse(spec, text);
        return AttributeValue(std::string(text));
    }
    return refuse(spec, text);
}

Result<AttributeValue> check_attribute(const AttributeSpec& spec, const AttributeValue& value) {
    const bool is_flag = std::holds_alternative<bool>(value);
    const bool is_text = std::holds_alternative<std::string>(value);
    const bool wants_text = spec.kind == AttributeKind::text || spec.kind == AttributeKind::choice;
    // A typed value must be of its own sort: `threshold = true` is a mistake, not 1. Text is the common form.
    if (!is_text && (wants_text || is_flag != (spec.kind == AttributeKind::boolean)))
        return refuse(spec, text_of(value));
    return parse_attribute(spec, text_of(value));
}

std::string text_of(const AttributeValue& value) {
    return std::visit([](const auto& v) { return fmt::format("{}", v); }, value);
}

std::string accepted_by(const AttributeSpec& spec) {
    switch (spec.kind) {
    case AttributeKind::unsigned_number:
    case AttributeKind::integer: {
        auto range = spec.maximum == INT64_MAX
                         ? fmt::format("a number from {}", spec.minimum)
                         : fmt::format("a number from {} to {}", spec.minimum, spec.maximum);
        return spec.unit.empty() ? range : fmt::format("{} [{}]", range, spec.unit);
    }
    case AttributeKind::boolean: return "true or false";
    case AttributeKind::text: return fmt::format("one line of at most {} bytes of UTF-8", limits::kTextValue);
    case AttributeKind::choice: return fmt::format("one of: {}", spec.choices);
    }
    return {};
}

std::string_view name_of(AttributeKind kind) {
    switch (kind) {
    case AttributeKind::unsigned_number: return "unsigned";
    case AttributeKind::integer: return "integer";
    case AttributeKind::boolean: return "boolean";
    case AttributeKind::text: return "text";
    case AttributeKind::choice: return "choice";
    }
    return "text";
}

std::string camel_case(std::string_view name) {
    std::string out;
    bool up = true;
    for (const char c : name) {
        if (c == '_') {
            up = true;
            continue;
        }
        out += up && c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
        up = false;
    }
    return out;
}

} // namespace schedd::model
