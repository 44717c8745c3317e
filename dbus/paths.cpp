// Escaping and unescaping of path elements, as systemd does it for units.
#include "dbus/paths.h"

#include <fmt/format.h>

#include "components/kit/limits.h"

namespace schedd::dbus {

namespace {

constexpr std::string_view kDigits = "0123456789abcdef";

bool is_plain(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

std::unexpected<Error> bad_path(std::string_view path, std::string why) {
    return fail(Errc::invalid_value, fmt::format("object path '{}' is not valid", path.substr(0, 80)),
                std::move(why));
}

/// One element's name; empty if it is not one that object_path() writes.
std::string unescape(std::string_view element) {
    std::string name;
    for (std::size_t i = 0; i < element.size(); ++i) {
        if (is_plain(element[i])) {
            name += element[i];
            continue;
        }
        if (element[i] != '_' || i + 2 >= element.size()) return {};
        const auto high = kDigits.find(element[i + 1]);
        const auto low = kDigits.find(element[i + 2]);
        if (high == std::string_view::npos || low == std::string_view::npos) return {};
        const char c = static_cast<char>(high * 16 + low);
        if (c == '\0' || is_plain(c)) return {};
        name += c;
        i += 2;
    }
    return name;
}

} // namespace

std::string object_path(const model::Path& path) {
    std::string out(kRootPath);
    for (const auto& name : path.names()) {
        out += '/';
        for (const char c : name) {
            if (is_plain(c)) {
                out += c;
                continue;
            }
            const auto byte = static_cast<unsigned char>(c);
            out += '_';
            out += kDigits[byte / 16U];
            out += kDigits[byte % 16U];
        }
    }
    return out;
}

Result<model::Path> tree_path(std::string_view object_path) {
    if (!object_path.starts_with(kRootPath))
        return bad_path(object_path, fmt::format("it must begin with {}", kRootPath));
    auto rest = object_path.substr(kRootPath.size());
    std::vector<std::string> names;
    while (!rest.empty()) {
        if (rest.front() != '/')
            return bad_path(object_path, fmt::format("it must begin with {}/", kRootPath));
        rest.remove_prefix(1);
        const auto element = rest.substr(0, rest.find('/'));
        auto name = unescape(element);
        if (name.empty())
            return bad_path(object_path, "an element is empty or not escaped as _xx in lower case");
        if (name.size() > limits::kMemberLength)
            return bad_path(object_path, fmt::format("limit bytes of a name = {}", limits::kMemberLength));
        if (names.size() == limits::kPathDepth)
            return bad_path(object_path, fmt::format("limit elements of a path = {}", limits::kPathDepth));
        names.push_back(std::move(name));
        rest.remove_prefix(element.size());
    }
    return model::Path(std::move(names));
}

Result<model::Path> parse_path(std::string_view text) {
    const bool is_object =
        text == kRootPath || (text.starts_with(kRootPath) && text[kRootPath.size()] == '/');
    return is_object ? tree_path(text) : model::Path::parse(text);
}

} // namespace schedd::dbus
