// Attributes: declared once per type (name, kind, unit, range, default, one sentence); bus properties, files,
// `types`, validation and the manual pages all follow from the declaration.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "components/kit/result.h"

namespace schedd::model {

using namespace schedd::kit;

/// In the order of the kinds below.
using AttributeValue = std::variant<std::uint64_t, std::int64_t, bool, std::string>;

enum class AttributeKind { unsigned_number, integer, boolean, text, choice };

/// `minimum`/`maximum` bound numbers; `choices` is a blank-separated list for `choice`; `initial` is text and
/// must itself be valid. A read-only attribute is state that the part reports. An alias says another
/// attribute of the part in other words: writing it writes that one (Tree::without_aliases), and files leave
/// it out.
struct AttributeSpec {
    std::string_view name;
    AttributeKind kind = AttributeKind::unsigned_number;
    std::string_view unit = {};
    std::string_view initial = "0";
    std::int64_t minimum = 0;
    std::int64_t maximum = INT64_MAX;
    std::string_view choices = {};
    bool read_only = false;
    bool is_alias = false;
    std::string_view doc = {};
};

using AttributeTable = std::span<const AttributeSpec>;

/// Text to value, strict: decimal or 0x for numbers, true/false/yes/no/1/0 for booleans. The error names the
/// attribute, the text, the unit and the range or choices that would be accepted.
Result<AttributeValue> parse_attribute(const AttributeSpec& spec, std::string_view text);

/// Checks a value that came typed (from the bus or TOML), converting between the two number kinds and from
/// text where that is exact.
Result<AttributeValue> check_attribute(const AttributeSpec& spec, const AttributeValue& value);

/// The value as files and the command line show it: "500", "true", "auto".
std::string text_of(const AttributeValue& value);

/// What would be accepted, in words: "0 to 86400000 ms", "one of: auto core l3".
std::string accepted_by(const AttributeSpec& spec);

/// "unsigned", "integer", "boolean", "text", "choice".
std::string_view name_of(AttributeKind kind);

/// "probe_period" -> "ProbePeriod", the name of the bus property.
std::string camel_case(std::string_view name);

} // namespace schedd::model
