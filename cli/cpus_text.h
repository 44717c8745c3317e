// A list of CPUs from JSON, in a sentence.
#pragma once

#include <algorithm>
#include <string>

namespace schedd::cli {

/// "CPU 3", "CPUs 0-3,8".
inline std::string cpus_text(const std::string& list) {
    const bool is_one =
        !list.empty() && std::ranges::all_of(list, [](char c) { return c >= '0' && c <= '9'; });
    return (is_one ? "CPU " : "CPUs ") + list;
}

} // namespace schedd::cli
