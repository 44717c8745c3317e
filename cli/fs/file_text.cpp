// The rules of attribute files.
#include "cli/fs/file_text.h"

#include <algorithm>
#include <cerrno>
#include <cstdint>

#include "components/kit/number.h"

namespace schedd::cli::fs {

namespace {

constexpr std::string_view kHandleAll = "handle_all";

/// An optional '-' and digits, or 0x and hexadecimal digits.
bool looks_like_number(std::string_view text, bool may_be_negative) {
    if (may_be_negative && text.starts_with('-')) text.remove_prefix(1);
    const bool is_hex = text.starts_with("0x");
    if (is_hex) text.remove_prefix(2);
    return !text.empty() && std::ranges::all_of(text, [&](char c) {
        return (c >= '0' && c <= '9') || (is_hex && ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')));
    });
}

std::expected<std::string, int> handle_all_value(std::string_view text) {
    if (text == "true" || text == "false") return std::string(text);
    if (!looks_like_number(text, true)) return std::unexpected(EINVAL);
    const auto number = kit::parse_integer(text);
    if (!number || *number < INT16_MIN || *number > INT16_MAX) return std::unexpected(ERANGE);
    return *number > 0 ? "true" : "false";
}

} // namespace

std::string file_text(std::string value) {
    value += '\n';
    if (value.size() <= kFileBytes) return value;
    const auto end = value.rfind('\n', kFileBytes - 1);
    value.resize(end == std::string::npos ? kFileBytes : end + 1);
    return value;
}

std::string file_text(const Attribute& attribute, std::string value) {
    if (attribute.kind == "boolean") return value == "true" ? "1\n" : "0\n";
    return file_text(std::move(value));
}

std::expected<std::string, int> written_value(const Attribute& attribute, std::string_view bytes) {
    if (bytes.size() > kFileBytes) return std::unexpected(EFBIG);
    if (bytes.ends_with('\n')) bytes.remove_suffix(1);
    const auto is_control = [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; };
    if (std::ranges::any_of(bytes, is_control)) return std::unexpected(EINVAL);
    if (attribute.name == kHandleAll) return handle_all_value(bytes);
    return std::string(bytes);
}

bool is_out_of_range(const Attribute& attribute, std::string_view value) {
    return (attribute.kind == "unsigned" || attribute.kind == "integer") &&
           looks_like_number(value, attribute.kind == "integer");
}

} // namespace schedd::cli::fs
