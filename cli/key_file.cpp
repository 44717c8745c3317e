// Reading and changing key files.
#include "cli/key_file.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <vector>

#include <fmt/format.h>

namespace schedd::cli {

namespace {

constexpr unsigned kMostId = 255;

struct Line {
    std::string text;     // as it stands
    unsigned id = 0;      // 0 = a comment or nothing
    std::string key = {}; // 64 digits
    bool is_active = false;
};

std::string hex(KeyBytes key) {
    std::string out;
    out.reserve(2 * kKeyBytes);
    for (const auto byte : key) out += fmt::format("{:02x}", byte);
    return out;
}

std::vector<std::string> words_of(std::string_view line) {
    std::vector<std::string> words;
    line = line.substr(0, line.find('#'));
    while (true) {
        const auto start = line.find_first_not_of(" \t\r");
        if (start == std::string_view::npos) return words;
        line.remove_prefix(start);
        const auto end = std::min(line.find_first_of(" \t\r"), line.size());
        words.emplace_back(line.substr(0, end));
        line.remove_prefix(end);
    }
}

std::optional<unsigned> id_of(const std::string& word) {
    unsigned id = 0;
    const auto end = word.data() + word.size();
    const auto [stop, error] = std::from_chars(word.data(), end, id);
    const bool is_id = error == std::errc() && stop == end && id >= 1 && id <= kMostId;
    return is_id ? std::optional(id) : std::nullopt;
}

Answer<Line> read_line(std::string_view text, std::size_t number) {
    Line line{std::string(text)};
    const auto words = words_of(text);
    if (words.empty()) return line;
    const auto id = id_of(words[0]);
    const bool is_key = words.size() >= 2 && words[1].size() == 2 * kKeyBytes &&
                        words[1].find_first_not_of("0123456789abcdefABCDEF") == std::string::npos;
    const bool has_end = words.size() == 2 || (words.size() == 3 && words[2] == "active");
    if (!id || !is_key || !has_end)
        return give_up(Exit::error,
                       fmt::format("line {} is no key; it takes a number from 1 to {}, {} hexadecimal "
                                   "digits, and perhaps 'active'",
                                   number, kMostId, 2 * kKeyBytes));
    line.id = *id;
    line.key = words[1];
    line.is_active = words.size() == 3;
    return line;
}

Answer<std::vector<Line>> read_lines(std::string_view text) {
    std::vector<Line> lines;
    if (text.size() > kKeyFileBytes)
        return give_up(Exit::error, fmt::format("the file has more than {} bytes", kKeyFileBytes));
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        auto line = read_line(text.substr(0, end), lines.size() + 1);
        if (!line) return std::unexpected(line.error());
        if (line->id != 0 && std::ranges::find(lines, line->id, &Line::id) != lines.end())
            return give_up(Exit::error,
                           fmt::format("line {}: key {} is there twice", lines.size() + 1, line->id));
        lines.push_back(std::move(*line));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    const auto count = std::ranges::count_if(lines, [](const Line& line) { return line.id != 0; });
    const auto active = std::ranges::count_if(lines, &Line::is_active);
    if (count == 0) return give_up(Exit::error, "there is no key in the file");
    if (active > 1) return give_up(Exit::error, "several keys are active; one may be");
    if (active == 0 && count > 1)
        return give_up(Exit::error, "no key is active; write 'active' after one of them");
    if (active == 0)
        for (auto& line : lines) line.is_active = line.id != 0;
    return lines;
}

std::string written(const Line& line) {
    return fmt::format("{} {}{}", line.id, line.key, line.is_active ? " active" : "");
}

std::string written(const std::vector<Line>& lines) {
    std::string out;
    for (const auto& line : lines) out += line.text + "\n";
    return out;
}

Answer<Line*> key_of(std::vector<Line>& lines, unsigned id) {
    const auto found = std::ranges::find(lines, id, &Line::id);
    if (id != 0 && found != lines.end()) return &*found;
    std::string known;
    for (const auto& line : lines)
        if (line.id != 0) known += fmt::format("{}{}", known.empty() ? "" : ", ", line.id);
    return give_up(Exit::error, fmt::format("there is no key {}; there are: {}", id, known));
}

} // namespace

std::string new_key_file(KeyBytes key) {
    return "# Keys of a schedd cluster: the same on all its nodes, and nobody else's. A line is a number, "
           "64\n"
           "# hexadecimal digits, and 'active' after the one that is used for sending; see "
           "schedd.conf(5).\n" +
           fmt::format("1 {} active\n", hex(key));
}

Answer<ChangedKeys> with_key_added(std::string_view text, KeyBytes key) {
    auto lines = read_lines(text);
    if (!lines) return std::unexpected(lines.error());
    unsigned greatest = 0;
    for (const auto& line : *lines) greatest = std::max(greatest, line.id);
    // not one that was in use before, as long as there are others: somebody may still have its key
    unsigned id = greatest + 1;
    if (id > kMostId)
        for (id = 1; id <= kMostId && std::ranges::find(*lines, id, &Line::id) != lines->end();) ++id;
    if (id > kMostId)
        return give_up(Exit::error, fmt::format("there are {} keys already; remove one", kMostId));
    // a single key may be active without saying so; beside another it must say it
    for (auto& line : *lines)
        if (line.is_active && words_of(line.text).size() == 2) line.text = written(line);
    lines->push_back({fmt::format("{} {}", id, hex(key)), id});
    auto out = written(*lines);
    if (out.size() > kKeyFileBytes)
        return give_up(Exit::error, fmt::format("the file would have more than {} bytes", kKeyFileBytes));
    return ChangedKeys{std::move(out), id};
}

Answer<ChangedKeys> with_key_active(std::string_view text, unsigned id) {
    auto lines = read_lines(text);
    if (!lines) return std::unexpected(lines.error());
    const auto chosen = key_of(*lines, id);
    if (!chosen) return std::unexpected(chosen.error());
    for (auto& line : *lines) {
        const bool is_chosen = &line == *chosen;
        if (line.id == 0 || line.is_active == is_chosen) continue;
        line.is_active = is_chosen;
        line.text = written(line);
    }
    return ChangedKeys{written(*lines), id};
}

Answer<ChangedKeys> with_key_removed(std::string_view text, unsigned id) {
    auto lines = read_lines(text);
    if (!lines) return std::unexpected(lines.error());
    const auto chosen = key_of(*lines, id);
    if (!chosen) return std::unexpected(chosen.error());
    if ((*chosen)->is_active)
        return give_up(Exit::error, fmt::format("key {} is the active one; activate another first", id));
    lines->erase(lines->begin() + (*chosen - lines->data()));
    return ChangedKeys{written(*lines), id};
}

} // namespace schedd::cli
