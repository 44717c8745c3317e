// The TOML side of the configuration: a text becomes a plain tree of values with places; toml++ stays behind
// it.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "service/config.h"

namespace schedd::service {

/// One value of a file. A table's entries stand in the order of their lines; dates and floats are not taken.
struct TomlValue {
    struct Entry;
    using Array = std::vector<TomlValue>;
    using Table = std::vector<Entry>;
    std::variant<AttributeValue, Array, Table> value;
    Where where;

    [[nodiscard]] const Table* table() const { return std::get_if<Table>(&value); }
    [[nodiscard]] const Array* array() const { return std::get_if<Array>(&value); }
    [[nodiscard]] const AttributeValue* scalar() const { return std::get_if<AttributeValue>(&value); }
    [[nodiscard]] const std::string* text() const {
        const auto* plain = scalar();
        return plain ? std::get_if<std::string>(plain) : nullptr;
    }
    /// "a table", "a list", "a string", "a number", "true or false".
    [[nodiscard]] std::string_view sort() const;
};

struct TomlValue::Entry {
    std::string key;
    TomlValue value;
};

/// Parses a whole text; the result is a table. Bounds: limits::kConfigBytes, and kConfigDepth parts in a key.
Result<TomlValue> parse_toml(std::string_view name, std::string_view text);

/// A failure at a place: "FILE:LINE:COLUMN: what".
std::unexpected<Error> fail_at(const Where& where, Errc kind, std::string what, std::string detail = {});
/// The same error with the place in front.
std::unexpected<Error> fail_at(const Where& where, Error error);

/// Of a key that has no place there: `where` ("a scheduler") takes the known ones.
std::unexpected<Error> unknown_key(const TomlValue::Entry& entry, std::string_view where,
                                   std::span<const std::string_view> known);
/// Of a value that is a list where a string was wanted, or the like; `wanted` in words.
std::unexpected<Error> wrong_sort(const TomlValue::Entry& entry, std::string_view wanted);

/// A basic string with all that needs it escaped; REQUIRES: valid UTF-8 (kit::is_utf8).
std::string toml_string(std::string_view text);
/// A key, bare where it may be.
std::string toml_key(std::string_view key);

} // namespace schedd::service
