// What is shared in reading what a person writes on one line: "NAME: WORD WORD; NAME: WORD".
#pragma once

#include <string_view>
#include <vector>

namespace schedd::policies {

/// What of a text that may be anything is repeated in an error.
inline std::string_view brief(std::string_view text) { return text.substr(0, 64); }

inline std::string_view trim(std::string_view text) {
    const auto from = text.find_first_not_of(" \t");
    if (from == std::string_view::npos) return {};
    return text.substr(from, text.find_last_not_of(" \t") - from + 1);
}

/// The parts between, trimmed; one at least, which may be empty as all may.
inline std::vector<std::string_view> split(std::string_view text, char at) {
    std::vector<std::string_view> parts;
    for (;;) {
        const auto end = text.find(at);
        parts.push_back(trim(text.substr(0, end)));
        if (end == std::string_view::npos) return parts;
        text.remove_prefix(end + 1);
    }
}

} // namespace schedd::policies
