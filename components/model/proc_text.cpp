// Parsers of proc text (man 5 proc; kernel Documentation/scheduler/sched-stats.rst).
#include "components/model/proc_text.h"

#include <array>
#include <charconv>

namespace schedd::model {

namespace {

constexpr std::uint64_t kKernelThreadFlag = 0x00200000; // PF_KTHREAD in include/linux/sched.h

template <class T> bool to_number(std::string_view word, T& out) {
    const auto [stop, error] = std::from_chars(word.data(), word.data() + word.size(), out);
    return error == std::errc{} && stop == word.data() + word.size();
}

} // namespace

std::string_view take_word(std::string_view& text) {
    const auto start = text.find_first_not_of(" \t");
    if (start == std::string_view::npos) {
        text = {};
        return {};
    }
    auto end = text.find_first_of(" \t\n", start);
    if (end == std::string_view::npos) end = text.size();
    const auto word = text.substr(start, end - start);
    text.remove_prefix(end);
    return word;
}

std::string_view take_line(std::string_view& text) {
    const auto end = text.find('\n');
    const auto line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    return line;
}

std::optional<std::uint64_t> take_number(std::string_view& text) {
    std::uint64_t number = 0;
    std::string_view rest = text;
    const auto word = take_word(rest);
    if (word.empty() || !to_number(word, number)) return std::nullopt;
    text = rest;
    return number;
}

std::optional<ProcStat> parse_proc_stat(std::string_view text) {
    ProcStat stat;
    const auto open = text.find(" (");
    const auto close = text.rfind(')');
    if (open == std::string_view::npos || close == std::string_view::npos || close < open + 2)
        return std::nullopt;
    if (!to_number(text.substr(0, open), stat.pid) || stat.pid <= 0) return std::nullopt;
    stat.comm = text.substr(open + 2, close - open - 2);
    auto rest = text.substr(close + 1);
    const auto state = take_word(rest);
    if (state.size() != 1) return std::nullopt;
    stat.state = state.front();
    // fields 4 to 22 of proc(5); the array index is the field number
    std::array<std::string_view, 23> field;
    for (std::size_t i = 4; i < field.size(); ++i)
        if ((field[i] = take_word(rest)).empty()) return std::nullopt;
    std::uint64_t flags = 0;
    if (!to_number(field[4], stat.parent) || !to_number(field[5], stat.group) ||
        !to_number(field[6], stat.session) || !to_number(field[9], flags) ||
        !to_number(field[20], stat.threads) || !to_number(field[22], stat.start_time))
        return std::nullopt;
    if (stat.parent < 0 || stat.threads < 0) return std::nullopt;
    stat.kernel_thread = (flags & kKernelThreadFlag) != 0;
    return stat;
}

std::optional<SchedStat> parse_schedstat(std::string_view text) {
    const auto run = take_number(text);
    const auto wait = run ? take_number(text) : std::nullopt;
    if (!wait) return std::nullopt;
    return SchedStat{*run, *wait};
}

std::optional<std::uint64_t> parse_uptime(std::string_view text) {
    const auto word = take_word(text);
    const auto point = word.find('.');
    std::uint64_t seconds = 0;
    std::uint64_t hundredths = 0;
    if (point == std::string_view::npos || word.size() != point + 3 ||
        !to_number(word.substr(0, point), seconds) || !to_number(word.substr(point + 1), hundredths) ||
        seconds > UINT64_MAX / 100 - 1)
        return std::nullopt;
    return seconds * 100 + hundredths;
}

} // namespace schedd::model
