// What the sentences of Policy::considered() share: counted things and lists that end in time.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include <fmt/format.h>

namespace schedd::policies {

/// Things that one sentence names one by one.
constexpr std::size_t kMostNamed = 8;

/// "1 core", "2 cores".
inline std::string counted(int count, std::string_view what) {
    return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

/// "a; b; c", of many the first `most` and how many more there are.
inline std::string listed(std::span<const std::string> things, std::size_t most = kMostNamed) {
    std::string text;
    for (std::size_t i = 0; i < things.size() && i < most; ++i)
        text += fmt::format("{}{}", i == 0 ? "" : "; ", things[i]);
    if (things.size() > most) text += fmt::format("; and {} more", things.size() - most);
    return text;
}

} // namespace schedd::policies
