// Parsing and printing tree paths.
#include "components/model/path.h"

#include <algorithm>

#include <fmt/format.h>

#include "components/kit/limits.h"

namespace schedd::model {

namespace {

int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return -1;
}

std::unexpected<Error> bad_path(std::string_view text, std::string why) {
    return fail(Errc::invalid_value, fmt::format("path '{}' is not valid", text.substr(0, 80)),
                std::move(why));
}

/// What recipe lines and chains give a meaning to is escaped as well, so that a path can stand in them bare.
bool is_plain(char c) {
    return c > ' ' && c < '\x7f' && std::string_view("/%\"'#|\\").find(c) == std::string_view::npos;
}

} // namespace

Result<Path> Path::parse(std::string_view text) {
    std::string_view rest = text.starts_with('/') ? text.substr(1) : text;
    std::vector<std::string> names;
    while (!rest.empty()) {
        const auto slash = rest.find('/');
        const auto element = rest.substr(0, slash);
        if (element.empty() || element == "." || element == "..")
            return bad_path(text, "an element is empty, '.' or '..'");
        if (element.find('\0') != std::string_view::npos) return bad_path(text, "it holds a NUL byte");
        if (names.size() == limits::kPathDepth)
            return bad_path(text, fmt::format("more than {} elements", limits::kPathDepth));
        auto name = unescape_name(element);
        if (!name || name->contains('\0'))
            return bad_path(text, "'%' must be followed by two hex digits, not 00");
        if (name->size() > limits::kMemberLength)
            return bad_path(text, fmt::format("an element has more than {} bytes", limits::kMemberLength));
        names.push_back(std::move(*name));
        if (slash == std::string_view::npos) break;
        rest.remove_prefix(slash + 1);
        if (rest.empty()) return bad_path(text, "it ends with '/'");
    }
    return Path(std::move(names));
}

std::string Path::text() const {
    std::string out;
    for (const auto& name : names_) {
        if (!out.empty()) out += '/';
        out += escape_name(name);
    }
    return out;
}

Path Path::parent() const { return Path({names_.begin(), names_.end() - 1}); }

Path Path::child(std::string name) const {
    auto names = names_;
    names.push_back(std::move(name));
    return Path(std::move(names));
}

std::string escape_name(std::string_view name) {
    std::string out;
    for (const char c : name) {
        if (is_plain(c)) out += c;
        else out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
    // "." and ".." mean something else in a path
    if (out == "." || out == "..") out.replace(0, 1, "%2E");
    return out;
}

std::optional<std::string> unescape_name(std::string_view text) {
    std::string name;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            name += text[i];
            continue;
        }
        const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
        const int low = high >= 0 ? hex_digit(text[i + 2]) : -1;
        if (low < 0) return std::nullopt;
        name += static_cast<char>(high * 16 + low);
        i += 2;
    }
    return name;
}

Status check_name(std::string_view name) {
    const auto is_word = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
               c == '-';
    };
    if (!name.empty() && name.size() <= limits::kNameLength && std::ranges::all_of(name, is_word) &&
        name.front() != '-' && name.front() != '_')
        return {};
    return fail(Errc::invalid_value, fmt::format("name '{}' is not valid", name.substr(0, 80)),
                fmt::format("use 1 to {} letters, digits, '_' and '-', starting with a letter or digit",
                            limits::kNameLength));
}

} // namespace schedd::model
