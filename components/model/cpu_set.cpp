// The kernel's cpulist notation (Documentation/admin-guide/kernel-parameters, "cpu lists").
#include "components/model/cpu_set.h"

#include <charconv>
#include <optional>

#include <fmt/format.h>

namespace schedd::model {

namespace {

std::unexpected<Error> bad_list(std::string_view list) {
    return fail(Errc::invalid_value, fmt::format("CPU list '{}' cannot be read", list.substr(0, 64)),
                fmt::format("use numbers and ranges such as 0-3,5 below {}", limits::kMaxCpus));
}

/// Takes a number off the front of `rest`; none if there is no number or it is too large.
std::optional<int> take_cpu(std::string_view& rest) {
    int cpu = 0;
    const auto [stop, error] = std::from_chars(rest.data(), rest.data() + rest.size(), cpu);
    if (error != std::errc{} || cpu < 0 || cpu >= limits::kMaxCpus || rest.front() == '-')
        return std::nullopt;
    rest.remove_prefix(static_cast<std::size_t>(stop - rest.data()));
    return cpu;
}

} // namespace

Result<CpuSet> CpuSet::parse(std::string_view list) {
    while (!list.empty() && (list.back() == '\n' || list.back() == ' ' || list.back() == '\0'))
        list.remove_suffix(1);
    CpuSet set;
    std::string_view rest = list;
    while (!rest.empty()) {
        const auto first = take_cpu(rest);
        if (!first) return bad_list(list);
        auto last = first;
        if (rest.starts_with('-')) {
            rest.remove_prefix(1);
            if (rest.empty() || !(last = take_cpu(rest)) || *last < *first) return bad_list(list);
        }
        set |= range(*first, *last);
        if (rest.empty()) break;
        if (rest.front() != ',' || rest.size() == 1) return bad_list(list);
        rest.remove_prefix(1);
    }
    return set;
}

CpuSet CpuSet::range(int first, int last) {
    CpuSet set;
    for (int cpu = first; cpu <= last; ++cpu) set.add(cpu);
    return set;
}

int CpuSet::next(int cpu) const {
    // by words, as libstdc++ offers it: bit by bit, 500 members' states took half of a resting daemon's time
    const auto found = cpu < 0 ? bits_._Find_first() : bits_._Find_next(static_cast<std::size_t>(cpu));
    return found == bits_.size() ? -1 : static_cast<int>(found);
}

std::string CpuSet::text() const {
    fmt::memory_buffer out;
    for (int cpu = first(); cpu >= 0;) {
        int last = cpu;
        while (contains(last + 1)) ++last;
        if (out.size() > 0) out.push_back(',');
        if (last == cpu) fmt::format_to(std::back_inserter(out), "{}", cpu);
        else fmt::format_to(std::back_inserter(out), "{}-{}", cpu, last);
        cpu = next(last);
    }
    return fmt::to_string(out);
}

} // namespace schedd::model
