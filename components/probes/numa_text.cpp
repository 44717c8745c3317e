// Parsing what the kernel says of memory by node.
#include "components/probes/numa_text.h"

#include "components/kit/limits.h"
#include "components/kit/number.h"
#include "components/model/proc_text.h"

namespace schedd::probes {

using namespace schedd::model;

namespace {

/// More bytes than any machine has on a node; all nodes together still fit a number.
constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 60U;
constexpr std::uint64_t kMostKib = kMostBytes >> 10U;

/// Decimal alone, as the kernel writes it.
std::optional<std::uint64_t> decimal(std::string_view text) {
    if (text.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
    return parse_unsigned(text);
}

/// "N12=4096" is added to the bytes of node 12.
bool add_word(std::string_view word, std::vector<std::int64_t>& bytes) {
    const auto sign = word.find('=');
    if (!word.starts_with('N') || sign == std::string_view::npos) return false;
    const auto node = decimal(word.substr(1, sign - 1));
    const auto size = decimal(word.substr(sign + 1));
    if (!node || *node >= limits::kMaxNodes || !size || *size > kMostBytes) return false;
    if (bytes.size() <= *node) bytes.resize(*node + 1, -1);
    auto& sum = bytes[*node];
    sum = (sum < 0 ? 0 : sum) + static_cast<std::int64_t>(*size);
    return sum <= static_cast<std::int64_t>(kMostBytes);
}

bool add_line(std::string_view line, std::vector<std::int64_t>& bytes) {
    auto word = take_word(line);
    if (word.empty()) return false;
    for (; !word.empty(); word = take_word(line))
        if (!add_word(word, bytes)) return false;
    return true;
}

} // namespace

bool parse_numa_stat(std::string_view text, std::vector<std::int64_t>& kib) {
    kib.clear();
    bool any = false;
    text = text.substr(0, text.rfind('\n') + 1);
    while (!text.empty()) {
        auto line = take_line(text);
        const auto label = take_word(line);
        if (label != "anon" && label != "file") continue;
        any = add_line(line, kib);
        if (any) continue;
        kib.clear();
        return false;
    }
    for (auto& size : kib)
        if (size > 0) size /= 1024;
    return any;
}

std::optional<std::int64_t> parse_node_available(std::string_view text) {
    // "Node 0 MemFree:         7283244 kB"
    std::optional<std::uint64_t> free;
    std::uint64_t inactive = 0;
    while (!text.empty()) {
        auto line = take_line(text);
        if (take_word(line) != "Node" || !take_number(line)) continue;
        const auto label = take_word(line);
        if (label != "MemFree:" && label != "Inactive(file):") continue;
        const auto number = take_number(line);
        if (!number || *number > kMostKib || take_word(line) != "kB") return std::nullopt;
        if (label == "MemFree:") free = number;
        else inactive = *number;
    }
    if (!free) return std::nullopt;
    return static_cast<std::int64_t>(*free + inactive);
}

} // namespace schedd::probes
