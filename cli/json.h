// Reading the daemon's JSON without trusting it: a missing or ill-typed field reads as empty, never throws.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "cli/failure.h"

namespace schedd::cli {

/// Keeps the order the daemon wrote, so that attributes appear as they were declared.
using Json = nlohmann::ordered_json;

enum class JsonForm { off, compact, pretty };

/// Fails with Exit::error when `text` is not JSON; `from` names where it came from.
Answer<Json> parse_json(std::string_view text, std::string_view from);

/// One line or indented, with a newline at the end. Bytes that are not UTF-8 are replaced.
std::string dump_json(const Json& json, JsonForm form);

/// The field as it is, or null.
const Json& field(const Json& object, std::string_view key);
std::string text_at(const Json& object, std::string_view key);
std::int64_t number_at(const Json& object, std::string_view key);
bool flag_at(const Json& object, std::string_view key);
/// A scalar as people read it: "500", "true", "auto"; "" for null, JSON for anything larger.
std::string scalar(const Json& value);

} // namespace schedd::cli
