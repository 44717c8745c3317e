// UTF-8 as RFC 3629 has it, without the noncharacters, which sd-bus refuses to send.
#include "dbus/text.h"

#include <cstddef>
#include <cstdint>

namespace schedd::dbus {

namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

/// Length of the valid, non-NUL sequence at the start of `bytes`; 0 if there is none.
std::size_t sequence_length(std::string_view bytes) {
    const auto at = [&](std::size_t i) { return static_cast<std::uint8_t>(bytes[i]); };
    const std::uint8_t lead = at(0);
    if (lead < 0x80) return lead == 0 ? 0 : 1;
    const std::size_t length = lead >= 0xC2 && lead <= 0xDF   ? 2
                               : (lead & 0xF0) == 0xE0        ? 3
                               : lead >= 0xF0 && lead <= 0xF4 ? 4
                                                              : 0;
    if (length == 0 || bytes.size() < length) return 0;
    for (std::size_t i = 1; i < length; ++i)
        if ((at(i) & 0xC0) != 0x80) return 0;
    // the second byte excludes overlong forms, surrogates and what lies above U+10FFFF
    if ((lead == 0xE0 && at(1) < 0xA0) || (lead == 0xED && at(1) > 0x9F)) return 0;
    if ((lead == 0xF0 && at(1) < 0x90) || (lead == 0xF4 && at(1) > 0x8F)) return 0;
    // noncharacters: U+FDD0 to U+FDEF, and the last two of every plane
    if (lead == 0xEF && at(1) == 0xB7 && at(2) >= 0x90 && at(2) <= 0xAF) return 0;
    if (lead == 0xEF && at(1) == 0xBF && at(2) >= 0xBE) return 0;
    if (length == 4 && (at(1) & 0x0F) == 0x0F && at(2) == 0xBF && at(3) >= 0xBE) return 0;
    return length;
}

} // namespace

bool is_fit(std::string_view bytes) {
    while (!bytes.empty()) {
        const auto length = sequence_length(bytes);
        if (length == 0) return false;
        bytes.remove_prefix(length);
    }
    return true;
}

std::string fit_text(std::string_view bytes) {
    std::string text;
    text.reserve(bytes.size());
    while (!bytes.empty()) {
        const auto length = sequence_length(bytes);
        if (length == 0) text += kReplacement;
        else text += bytes.substr(0, length);
        bytes.remove_prefix(length == 0 ? 1 : length);
    }
    return text;
}

} // namespace schedd::dbus
