// What the fuzzers share: the entry point's shape and a check that says what did not hold.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace schedd::fuzz {

inline std::string_view text_from(const std::uint8_t* data, std::size_t size) {
    return {reinterpret_cast<const char*>(data), size};
}

/// Ends the run with a report when an invariant does not hold.
inline void require(bool holds, const char* invariant, const std::string& about = {}) {
    if (holds) return;
    std::fprintf(stderr, "INVARIANT: %s\n%s\n", invariant, about.c_str());
    std::abort();
}

} // namespace schedd::fuzz
