// Checks of option dictionaries.
#include "dbus/options.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace schedd::dbus {

namespace {

constexpr std::array<std::string_view, 3> kCommon{"dry_run", "interactive", "local"};

std::unexpected<Error> wrong_type(std::string_view key, std::string_view wanted) {
    return fail(Errc::invalid_value, fmt::format("option '{}' has the wrong type", key),
                fmt::format("it takes {}", wanted));
}

} // namespace

Result<model::AttributeValue> attribute_value(const Basic& value) {
    if (const auto* number = std::get_if<std::uint64_t>(&value)) return model::AttributeValue(*number);
    if (const auto* number = std::get_if<std::int64_t>(&value)) return model::AttributeValue(*number);
    if (const auto* flag = std::get_if<bool>(&value)) return model::AttributeValue(*flag);
    if (const auto* text = std::get_if<std::string>(&value)) return model::AttributeValue(*text);
    return fail(Errc::invalid_value, "attributes do not take real numbers", "send t, x, b or s");
}

Status Options::add(std::string key, Entry value) {
    const auto [at, is_new] = entries_.emplace(std::move(key), std::move(value));
    if (is_new) return {};
    return fail(Errc::invalid_value, fmt::format("option '{}' is given twice", at->first.substr(0, 64)),
                "give it once");
}

Status Options::check(std::initializer_list<std::string_view> known) const {
    for (const auto& [key, value] : entries_) {
        const bool is_common = std::ranges::find(kCommon, key) != kCommon.end();
        if (!is_common && std::ranges::find(known, key) == known.end())
            return fail(Errc::invalid_value, fmt::format("there is no option '{}'", key.substr(0, 64)),
                        fmt::format("it may be: {}{}{}", fmt::join(kCommon, " "), known.size() ? " " : "",
                                    fmt::join(known, " ")));
        if (is_common)
            if (auto read = flag(key); !read) return std::unexpected(read.error());
    }
    return {};
}

const Basic* Options::basic(std::string_view key) const {
    const auto at = entries_.find(key);
    return at == entries_.end() ? nullptr : std::get_if<Basic>(&at->second);
}

Result<bool> Options::flag(std::string_view key, bool otherwise) const {
    if (!entries_.contains(key)) return otherwise;
    const auto* value = basic(key);
    if (const auto* flag = value ? std::get_if<bool>(value) : nullptr) return *flag;
    return wrong_type(key, "b");
}

Result<std::string> Options::text(std::string_view key, std::string_view otherwise) const {
    if (!entries_.contains(key)) return std::string(otherwise);
    const auto* value = basic(key);
    if (const auto* text = value ? std::get_if<std::string>(value) : nullptr) return *text;
    return wrong_type(key, "s");
}

Result<Options::Attributes> Options::attributes(std::string_view key) const {
    const auto at = entries_.find(key);
    if (at == entries_.end()) return Attributes{};
    if (const auto* nested = std::get_if<Attributes>(&at->second)) return *nested;
    return wrong_type(key, "a{sv}");
}

} // namespace schedd::dbus
