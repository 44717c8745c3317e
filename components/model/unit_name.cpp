// Unit names, after systemd.unit(5).
#include "components/model/unit_name.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace schedd::model {

namespace {

constexpr std::size_t kLongest = 255; // UNIT_NAME_MAX of systemd, without its NUL
constexpr std::array<std::string_view, 6> kTypes{".service", ".scope", ".slice",
                                                 ".socket",  ".mount", ".swap"};

bool is_allowed(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view(":-_.\\@").find(c) != std::string_view::npos;
}

bool is_user_manager(std::string_view element) {
    return element.starts_with("user@") && element.ends_with(".service");
}

bool stands_for(std::string_view unit, std::string_view element) {
    if (element == unit) return true;
    const auto at = unit.find('@');
    if (!is_template(unit) || element.size() <= unit.size()) return false;
    return element.starts_with(unit.substr(0, at + 1)) && element.ends_with(unit.substr(at + 1));
}

} // namespace

Status check_unit_name(std::string_view name) {
    const auto type = std::ranges::find_if(kTypes, [&](auto t) { return name.ends_with(t); });
    if (type == kTypes.end())
        return fail(Errc::invalid_value,
                    fmt::format("'{}' has no type of unit that runs anything", name.substr(0, 80)),
                    fmt::format("it ends in {}; a service's is {}.service", fmt::join(kTypes, ", "),
                                name.substr(0, 80)));
    const auto stem = name.substr(0, name.size() - type->size());
    if (stem.empty() || stem.front() == '@' || name.size() > kLongest ||
        !std::ranges::all_of(stem, is_allowed))
        return fail(Errc::invalid_value, fmt::format("'{}' is no name of a unit", name.substr(0, 80)),
                    fmt::format("letters, digits and :-_.\\@, at most {} bytes", kLongest));
    return {};
}

bool is_template(std::string_view unit) {
    const auto at = unit.find('@');
    return at != std::string_view::npos && at + 1 < unit.size() && unit[at + 1] == '.';
}

std::string_view unit_in(std::string_view group, std::string_view unit) {
    while (!group.empty()) {
        const auto slash = group.find('/');
        const auto element = group.substr(0, slash);
        if (!element.empty() && stands_for(unit, element)) return element;
        if (is_user_manager(element) || slash == std::string_view::npos) return {};
        group.remove_prefix(slash + 1);
    }
    return {};
}

std::string_view group_of_unit(std::string_view group, std::string_view unit) {
    const auto element = unit_in(group, unit);
    if (element.empty()) return {};
    return group.substr(0, static_cast<std::size_t>(element.data() - group.data()) + element.size());
}

} // namespace schedd::model
