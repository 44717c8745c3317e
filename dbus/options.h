// Options: the a{sv} that ends every changing method; keys that are not known are refused.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <variant>

#include "components/kit/result.h"
#include "components/model/attribute.h"

namespace schedd::dbus {

using namespace schedd::kit;

/// A basic D-Bus value as it came: t u q y -> unsigned, x i n -> signed, b, d, s o.
using Basic = std::variant<std::uint64_t, std::int64_t, bool, double, std::string>;

/// A value for an attribute; a real number is refused with invalid_value.
Result<model::AttributeValue> attribute_value(const Basic& value);

class Options {
public:
    using Attributes = std::map<std::string, Basic>;
    using Entry = std::variant<Basic, Attributes>;

    /// Fails with invalid_value if the key is there already.
    Status add(std::string key, Entry value);

    /// Fails with invalid_value on a key that is neither common (dry_run, interactive, local) nor in `known`,
    /// and on common ones that are not booleans; the error lists all that are known.
    [[nodiscard]] Status check(std::initializer_list<std::string_view> known = {}) const;

    /// The value of a key, `otherwise` when it is absent; invalid_value when it is of another type.
    [[nodiscard]] Result<bool> flag(std::string_view key, bool otherwise = false) const;
    [[nodiscard]] Result<std::string> text(std::string_view key, std::string_view otherwise) const;
    /// The value of a key as an attribute's value, or null when it is absent.
    [[nodiscard]] const Basic* basic(std::string_view key) const;
    /// A nested a{sv}; empty when absent.
    [[nodiscard]] Result<Attributes> attributes(std::string_view key) const;
    /// After check(): whether nothing is to be changed.
    [[nodiscard]] bool dry_run() const { return flag("dry_run").value_or(false); }
    /// After check(): whether other nodes are not to be told.
    [[nodiscard]] bool local() const { return flag("local").value_or(false); }
    /// After check(): whether somebody may be asked for a password.
    [[nodiscard]] bool interactive() const { return flag("interactive").value_or(false); }

private:
    std::map<std::string, Entry, std::less<>> entries_;
};

} // namespace schedd::dbus
