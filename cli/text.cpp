// Escaping, widths, colours and tables.
#include "cli/text.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include <fmt/format.h>

namespace schedd::cli {

namespace {

struct Glyph {
    std::uint32_t code = 0;
    std::size_t bytes = 1;
    bool valid = false;
};

/// The character at the start of `text`; overlong forms, surrogates and cut sequences are not valid.
Glyph decode(std::string_view text) {
    const auto byte = [&](std::size_t i) {
        return static_cast<std::uint32_t>(static_cast<unsigned char>(text[i]));
    };
    const std::uint32_t lead = byte(0);
    if (lead < 0x80) return {lead, 1, true};
    const std::size_t length = lead >= 0xf0 && lead < 0xf5   ? 4
                               : lead >= 0xe0 && lead < 0xf0 ? 3
                               : lead >= 0xc2 && lead < 0xe0 ? 2
                                                             : 0;
    if (length == 0 || text.size() < length) return {lead, 1, false};
    std::uint32_t code = lead & (0xffU >> (length + 1));
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(i) & 0xc0) != 0x80) return {lead, 1, false};
        code = code << 6 | (byte(i) & 0x3f);
    }
    constexpr std::array<std::uint32_t, 5> kSmallest{0, 0, 0x80, 0x800, 0x10000};
    if (code < kSmallest[length] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
        return {lead, 1, false};
    return {code, length, true};
}

struct Range {
    std::uint32_t first, last;
};

template <std::size_t N> bool within(const std::array<Range, N>& ranges, std::uint32_t code) {
    return std::ranges::any_of(ranges,
                               [&](const Range& range) { return code >= range.first && code <= range.last; });
}

/// Control characters, and those that reorder, hide or break what stands around them.
bool is_hostile(std::uint32_t code) {
    constexpr std::array<Range, 7> kHostile{{{0, 0x1f},
                                             {0x7f, 0x9f},
                                             {0xad, 0xad},
                                             {0x200b, 0x200f},
                                             {0x2028, 0x202e},
                                             {0x2060, 0x206f},
                                             {0xfeff, 0xfeff}}};
    return within(kHostile, code);
}

std::size_t width_of(std::uint32_t code) {
    constexpr std::array<Range, 3> kNone{{{0x300, 0x36f}, {0x20d0, 0x20ff}, {0xfe00, 0xfe0f}}};
    constexpr std::array<Range, 10> kWide{{{0x1100, 0x115f},
                                           {0x2e80, 0xa4cf},
                                           {0xac00, 0xd7a3},
                                           {0xf900, 0xfaff},
                                           {0xfe30, 0xfe6f},
                                           {0xff00, 0xff60},
                                           {0xffe0, 0xffe6},
                                           {0x1f300, 0x1f64f},
                                           {0x1f900, 0x1f9ff},
                                           {0x20000, 0x3fffd}}};
    return within(kNone, code) ? 0 : within(kWide, code) ? 2 : 1;
}

/// Length of the escape sequence that paint() wrote at the start of `text`, or 0.
std::size_t sequence_length(std::string_view text) {
    if (!text.starts_with("\x1b[")) return 0;
    const auto end = text.find('m');
    return end == std::string_view::npos ? 0 : end + 1;
}

std::string_view code_of(Hue hue) {
    switch (hue) {
    case Hue::plain: return "";
    case Hue::strong: return "1";
    case Hue::dim: return "2";
    case Hue::source: return "32";
    case Hue::filter: return "33";
    case Hue::port: return "36";
    case Hue::policy: return "35";
    case Hue::scheduler: return "1;34";
    case Hue::member: return "34";
    case Hue::good: return "32";
    case Hue::warn: return "1;33";
    case Hue::bad: return "1;31";
    }
    return "";
}

} // namespace

Hue hue_of_kind(std::string_view kind) {
    constexpr std::array<std::pair<std::string_view, Hue>, 8> kHues{{{"probe", Hue::source},
                                                                     {"source", Hue::source},
                                                                     {"filter", Hue::filter},
                                                                     {"port", Hue::port},
                                                                     {"policy", Hue::policy},
                                                                     {"scheduler", Hue::scheduler},
                                                                     {"process_set", Hue::member},
                                                                     {"member", Hue::member}}};
    for (const auto& [name, hue] : kHues)
        if (name == kind) return hue;
    return Hue::strong;
}

Hue hue_of_state(std::string_view state) {
    if (state == "applied") return Hue::good;
    if (state == "overridden" || state == "invalid" || state == "foreign") return Hue::bad;
    if (state == "pending" || state == "conflict") return Hue::warn;
    return Hue::dim;
}

std::string paint(const Look& look, Hue hue, std::string_view text) {
    const auto code = code_of(hue);
    if (!look.color || code.empty() || text.empty()) return std::string(text);
    return fmt::format("\x1b[{}m{}\x1b[0m", code, text);
}

std::string shown(std::string_view raw, const Look& look) {
    std::string out;
    out.reserve(raw.size());
    while (!raw.empty()) {
        const Glyph glyph = decode(raw);
        if (!glyph.valid || (glyph.code < 0x80 && is_hostile(glyph.code)))
            out += fmt::format("\\x{:02x}", static_cast<unsigned char>(raw[0]));
        else if (is_hostile(glyph.code) || (glyph.code >= 0x80 && !look.utf8))
            out += fmt::format("\\u{{{:x}}}", glyph.code);
        else out += raw.substr(0, glyph.bytes);
        raw.remove_prefix(glyph.bytes);
    }
    return out;
}

std::size_t first_that_is_not_utf8(std::string_view raw) {
    for (std::size_t at = 0; at < raw.size();) {
        const Glyph glyph = decode(raw.substr(at));
        if (!glyph.valid) return at;
        at += glyph.bytes;
    }
    return std::string_view::npos;
}

std::size_t columns(std::string_view text) {
    std::size_t count = 0;
    while (!text.empty()) {
        if (const auto skip = sequence_length(text)) {
            text.remove_prefix(skip);
            continue;
        }
        const Glyph glyph = decode(text);
        count += glyph.valid ? width_of(glyph.code) : 1;
        text.remove_prefix(glyph.bytes);
    }
    return count;
}

std::string pad(std::string text, std::size_t width) {
    const auto have = columns(text);
    if (have < width) text.append(width - have, ' ');
    return text;
}

std::string pad_left(std::string text, std::size_t width) {
    const auto have = columns(text);
    if (have < width) text.insert(0, width - have, ' ');
    return text;
}

std::string cut(std::string_view text, std::size_t width, const Look& look) {
    if (columns(text) <= width) return std::string(text);
    if (width == 0) return {};
    std::string out;
    std::size_t used = 0;
    while (!text.empty()) {
        const Glyph glyph = decode(text);
        const auto wide = glyph.valid ? width_of(glyph.code) : 1;
        if (used + wide > width - 1) break;
        out += text.substr(0, glyph.bytes);
        used += wide;
        text.remove_prefix(glyph.bytes);
    }
    return out + (look.utf8 ? "…" : "~");
}

std::string table(const std::vector<std::vector<std::string>>& rows, const std::vector<Align>& aligns,
                  const Look& look) {
    std::vector<std::size_t> widths(aligns.size(), 0);
    for (const auto& row : rows)
        for (std::size_t i = 0; i < row.size() && i < widths.size(); ++i)
            widths[i] = std::max(widths[i], columns(row[i]));
    std::string out;
    for (const auto& row : rows) {
        std::string line;
        for (std::size_t i = 0; i < row.size() && i < widths.size(); ++i) {
            if (i > 0) line += "  ";
            const auto cell = &row == &rows.front() ? paint(look, Hue::strong, row[i]) : row[i];
            line += aligns[i] == Align::right ? pad_left(cell, widths[i]) : pad(cell, widths[i]);
        }
        line.erase(line.find_last_not_of(' ') + 1);
        out += line + "\n";
    }
    return out;
}

std::vector<std::string> wrap(const std::vector<std::string>& words, std::size_t width) {
    std::vector<std::string> lines;
    for (const auto& word : words) {
        if (word.empty()) continue;
        const bool fits =
            !lines.empty() && (width == 0 || columns(lines.back()) + 1 + columns(word) <= width);
        if (fits) lines.back() += " " + word;
        else lines.push_back(word);
    }
    return lines;
}

std::string duration_text(long long milliseconds) {
    if (milliseconds < 0) return "0 ms";
    if (milliseconds < 1000) return fmt::format("{} ms", milliseconds);
    const long long seconds = milliseconds / 1000;
    if (seconds < 60) return fmt::format("{} s", seconds);
    if (seconds < 3600) return fmt::format("{} min {} s", seconds / 60, seconds % 60);
    if (seconds < 86400) return fmt::format("{} h {} min", seconds / 3600, seconds / 60 % 60);
    return fmt::format("{} d {} h", seconds / 86400, seconds / 3600 % 24);
}

std::string counted(long long count, std::string_view one, std::string_view many) {
    if (count == 1) return fmt::format("1 {}", one);
    return many.empty() ? fmt::format("{} {}s", count, one) : fmt::format("{} {}", count, many);
}

} // namespace schedd::cli
