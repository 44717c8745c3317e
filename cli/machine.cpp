// From the daemon's JSON to domains, CPUs and the sets that are held.
#include "cli/machine.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <set>
#include <tuple>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "components/kit/limits.h"

namespace schedd::cli {

namespace {

constexpr int kMostCpus = kit::limits::kMaxCpus; // a guard: the daemon knows no more

struct Row {
    int package, numa, l3, core, id, kind;
    bool usable;
    auto operator<=>(const Row&) const = default;
};

int small(const Json& object, std::string_view key) {
    return static_cast<int>(std::clamp<std::int64_t>(number_at(object, key), -1, kMostCpus));
}

/// Sorted from the outside in, each CPU once.
std::vector<Row> rows_of(const Json& topology) {
    std::vector<Row> rows;
    std::set<int> seen;
    for (const auto& cpu : field(topology, "cpus")) {
        if (!field(cpu, "id").is_number_integer()) continue;
        const auto id = number_at(cpu, "id");
        if (id < 0 || id >= kMostCpus || !seen.insert(static_cast<int>(id)).second) continue;
        rows.push_back({small(cpu, "package"), small(cpu, "numa"), small(cpu, "l3"), small(cpu, "core"),
                        static_cast<int>(id), small(cpu, "kind"), flag_at(cpu, "usable")});
    }
    std::ranges::sort(rows);
    return rows;
}

/// The last of `list` if it has this number, else a new one behind it.
template <class T> T& last_of(std::vector<T>& list, int number) {
    if (list.empty() || list.back().number != number) {
        list.emplace_back();
        list.back().number = number;
    }
    return list.back();
}

void add_domains(const std::vector<Row>& rows, const Json& topology, Machine& machine) {
    const auto isolated = list_of(machine.isolated);
    std::set<int> nodes;
    std::set<int> online;
    std::map<int, std::vector<int>> kinds;
    for (const auto& row : rows) {
        auto& node = last_of(last_of(machine.packages, row.package).nodes, row.numa);
        auto& cache = last_of(node.caches, row.l3);
        if (cache.cores.empty() || cache.cores.back().number != row.core) ++machine.cores;
        last_of(cache.cores, row.core)
            .cpus.push_back({.id = row.id,
                             .kind = row.kind,
                             .usable = row.usable,
                             .isolated = std::ranges::binary_search(isolated, row.id),
                             .sets = {}});
        machine.has_unusable = machine.has_unusable || !row.usable;
        nodes.insert(row.numa);
        online.insert(row.id);
        kinds[row.kind].push_back(row.id);
    }
    machine.cpus = rows.size();
    machine.nodes = nodes.size();
    for (auto& [kind, cpus] : kinds) {
        std::ranges::sort(cpus);
        machine.kinds.push_back(list_text(cpus));
    }
    for (const int cpu : list_of(text_at(topology, "present")))
        if (!online.contains(cpu)) machine.offline.push_back(cpu);
}

/// Who decides about a subject; "" if nobody does.
std::string decider_of(const Json& subject) {
    for (const auto& decision : field(subject, "decisions"))
        if (text_at(decision, "result") == "decides") return text_at(decision, "scheduler");
    return {};
}

std::string cpus_of(const Json& subject) {
    for (const auto* key : {"effective", "written", "wanted"})
        if (auto cpus = list_text(list_of(text_at(subject, key))); !cpus.empty()) return cpus;
    return {};
}

std::string member_of(const Json& subject, const std::string& scheduler) {
    for (const auto& member : field(subject, "members"))
        if (text_at(member, "scheduler") == scheduler) return text_at(member, "member");
    return text_at(subject, "target");
}

void add_subject(const Json& subject, const std::string& scheduler, std::vector<HeldMember>& members,
                 std::map<std::string, std::size_t>& known) {
    const auto name = member_of(subject, scheduler);
    const auto [at, is_new] = known.try_emplace(name, members.size());
    if (is_new) members.push_back({.name = name, .comm = {}, .subjects = 0, .state = {}});
    auto& member = members[at->second];
    member.comm = ++member.subjects == 1 ? text_at(subject, "comm") : std::string();
    const auto state = text_at(subject, "state");
    if (member.state.empty() || member.state == "applied") member.state = state;
}

std::string mark_of(std::size_t index) {
    std::string mark;
    for (++index; index > 0; index = (index - 1) / 26)
        mark.insert(mark.begin(), static_cast<char>('a' + (index - 1) % 26));
    return mark;
}

void add_sets(const Json& dump, const std::vector<std::string>& stack, std::string_view only,
              Machine& machine) {
    struct Gathered {
        std::vector<HeldMember> members;
        std::map<std::string, std::size_t> known;
    };
    // by place in the stack, then by lowest CPU, then by the rest
    std::map<std::tuple<std::size_t, std::string, std::vector<int>>, Gathered> gathered;
    for (const auto& subject : field(dump, "explain")) {
        const auto scheduler = decider_of(subject);
        if (scheduler.empty() || (!only.empty() && scheduler != only)) continue;
        auto cpus = list_of(cpus_of(subject));
        if (cpus.empty()) continue;
        const auto place = static_cast<std::size_t>(std::ranges::find(stack, scheduler) - stack.begin());
        auto& set = gathered[{place, scheduler, std::move(cpus)}];
        add_subject(subject, scheduler, set.members, set.known);
    }
    std::map<int, std::vector<std::size_t>> sets_of;
    for (auto& [key, set] : gathered) {
        const auto& [place, scheduler, cpus] = key;
        const bool is_first = machine.schedulers.empty() || machine.schedulers.back() != scheduler;
        if (is_first) machine.schedulers.push_back(scheduler);
        const auto index = machine.sets.size();
        machine.sets.push_back({.mark = mark_of(index),
                                .scheduler = machine.schedulers.size() - 1,
                                .shade = is_first ? 0 : machine.sets.back().shade + 1,
                                .cpus = list_text(cpus),
                                .members = std::move(set.members)});
        for (const int cpu : cpus) sets_of[cpu].push_back(index);
    }
    for (auto& package : machine.packages)
        for (auto& node : package.nodes)
            for (auto& cache : node.caches)
                for (auto& core : cache.cores)
                    for (auto& cpu : core.cpus) cpu.sets = sets_of[cpu.id];
}

} // namespace

Answer<Machine> machine_of(const Json& topology, const Json& dump, std::string_view only) {
    std::vector<std::string> stack;
    std::string names;
    for (const auto& scheduler : field(field(dump, "status"), "schedulers")) {
        stack.push_back(text_at(scheduler, "name"));
        names += (names.empty() ? "" : " ") + shown(stack.back());
    }
    if (!only.empty() && std::ranges::find(stack, only) == stack.end())
        return give_up(Exit::error, fmt::format("no scheduler '{}': {}", shown(only),
                                                names.empty() ? "there is none yet" : "there are: " + names));
    Machine machine;
    machine.isolated = text_at(topology, "isolated");
    add_domains(rows_of(topology), topology, machine);
    if (machine.cpus == 0)
        return give_up(Exit::error, "the daemon knows no CPU; schedd-cli status says more");
    add_sets(dump, stack, only, machine);
    return machine;
}

Json machine_json(const Machine& machine, const Json& topology) {
    Json sets = Json::array();
    for (const auto& set : machine.sets) {
        Json members = Json::array();
        for (const auto& member : set.members)
            members.push_back({{"member", member.name},
                               {"comm", member.comm},
                               {"subjects", member.subjects},
                               {"state", member.state}});
        sets.push_back({{"mark", set.mark},
                        {"scheduler", machine.schedulers[set.scheduler]},
                        {"cpus", set.cpus},
                        {"members", std::move(members)}});
    }
    return {{"topology", topology}, {"sets", std::move(sets)}};
}

std::string machine_title(const Machine& machine) {
    const auto count = [](std::size_t number, std::string_view one) {
        return counted(static_cast<long long>(number), one);
    };
    auto title = fmt::format("{}, {}, {}", count(machine.cpus, "CPU"), count(machine.cores, "core"),
                             count(machine.nodes, "NUMA node"));
    if (machine.packages.size() > 1) title += ", " + count(machine.packages.size(), "package");
    return title;
}

std::string member_text(const HeldMember& member) {
    std::string more;
    const auto add = [&](const std::string& text) { more += (more.empty() ? "" : ", ") + text; };
    if (!member.comm.empty()) add(member.comm);
    if (member.subjects > 1) add(counted(static_cast<long long>(member.subjects), "subject"));
    if (!member.state.empty() && member.state != "applied") add(member.state);
    return more.empty() ? member.name : fmt::format("{} ({})", member.name, more);
}

std::string marks_of(const Machine& machine, const MachineCpu& cpu) {
    constexpr std::size_t kRoom = 3;
    std::string marks;
    bool is_plain = true; // one letter each, so that they can be told apart
    for (const auto set : cpu.sets) {
        marks += machine.sets[set].mark;
        is_plain = is_plain && machine.sets[set].mark.size() == 1;
    }
    if (cpu.sets.size() < 2 || (is_plain && cpu.sets.size() <= kRoom)) return marks;
    return machine.sets[cpu.sets.front()].mark + "+";
}

std::string list_text(const std::vector<int>& numbers) {
    std::string text;
    for (std::size_t i = 0; i < numbers.size();) {
        std::size_t end = i + 1;
        while (end < numbers.size() && numbers[end] == numbers[end - 1] + 1) ++end;
        text += fmt::format("{}{}", text.empty() ? "" : ",", numbers[i]);
        if (end > i + 1) text += fmt::format("-{}", numbers[end - 1]);
        i = end;
    }
    return text;
}

std::vector<int> list_of(std::string_view text) {
    std::vector<bool> has(kMostCpus);
    const auto take = [&](int& number) {
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
        if (error != std::errc() || number < 0 || number >= kMostCpus) return false;
        text.remove_prefix(static_cast<std::size_t>(end - text.data()));
        return true;
    };
    int first = 0;
    while (take(first)) {
        int last = first;
        if (text.starts_with('-')) {
            text.remove_prefix(1);
            if (!take(last)) break;
        }
        for (int cpu = first; cpu <= last; ++cpu) has[static_cast<std::size_t>(cpu)] = true;
        if (!text.starts_with(',')) break;
        text.remove_prefix(1);
    }
    std::vector<int> numbers;
    for (int cpu = 0; cpu < kMostCpus; ++cpu)
        if (has[static_cast<std::size_t>(cpu)]) numbers.push_back(cpu);
    return numbers;
}

} // namespace schedd::cli
