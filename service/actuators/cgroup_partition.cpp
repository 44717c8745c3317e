// Partitions of cgroup version 2: groups whose CPUs no other group has; after cgroup-v2.rst,
// cpuset.cpus.partition.
#include <algorithm>

#include <fmt/format.h>

#include "service/actuators/cgroup.h"

namespace schedd::actuators {

namespace {

constexpr const char* kFile = "cpuset.cpus.partition";
constexpr std::string_view kMark = " partition="; // behind what capture() says: WAS>WRITTEN

/// "root" of "root invalid (Parent is not a partition root)".
std::string_view kind_in(std::string_view text) { return text.substr(0, text.find(' ')); }

std::optional<Partition> parse_partition(std::string_view word) {
    for (const auto partition : {Partition::root, Partition::isolated})
        if (word == name_of(partition)) return partition;
    return std::nullopt;
}

struct Noted {
    std::string_view was;
    std::string_view written;
};

std::optional<Noted> noted_in(std::string_view captured) {
    const auto at = captured.find(kMark);
    if (at == std::string_view::npos) return std::nullopt;
    const auto word = captured.substr(at + kMark.size());
    const auto arrow = word.find('>');
    if (arrow == std::string_view::npos) return std::nullopt;
    return Noted{word.substr(0, arrow), word.substr(arrow + 1)};
}

Outcome without(Outcome outcome, const std::string& why) {
    outcome.state = std::max(outcome.state, State::overridden);
    outcome.detail += (outcome.detail.empty() ? "" : "; ") + why;
    return outcome;
}

} // namespace

Result<std::string> CgroupActuator::capture_tuning(const Target& target, const std::string& original,
                                                   const Tuning& tuning) {
    if (target.sort != Target::Sort::cgroup || !tuning.partition || hierarchy_.version() != 2)
        return original;
    const auto cpus = original.substr(0, original.find(kMark));
    const auto noted = noted_in(original);
    const auto now =
        noted ? Result<std::string>(std::string(noted->was)) : hierarchy_.read(target.name, kFile);
    if (!now) return original; // this kernel has none: tune() says so
    return fmt::format("{}{}{}>{}", cpus, kMark, kind_in(*now), name_of(*tuning.partition));
}

Tuning CgroupActuator::written_tuning(const std::string& original) const {
    Tuning tuning;
    if (const auto noted = noted_in(original)) tuning.partition = parse_partition(noted->written);
    return tuning;
}

Outcome CgroupActuator::tune(const Target& target, const Tuning& tuning, const std::string& original,
                             Outcome outcome) {
    if (target.sort != Target::Sort::cgroup)
        return Actuator::check_tuning(target, tuning, std::move(outcome));
    if (!tuning.partition) {
        if (auto back = leave_partition(target.name, original); !back)
            outcome = without(std::move(outcome), back.error().text());
        return check_tuning(target, tuning, std::move(outcome));
    }
    const auto now = hierarchy_.version() == 2 ? hierarchy_.read(target.name, kFile) : std::string();
    if (now && !now->empty() && kind_in(*now) != name_of(*tuning.partition))
        if (auto wrote = hierarchy_.write(target.name, kFile, std::string(name_of(*tuning.partition)));
            !wrote)
            return without(std::move(outcome), wrote.error().text());
    outcome = check_group(target.name, outcome.written); // its CPUs may be others now
    return check_tuning(target, tuning, std::move(outcome));
}

/// One that is not valid confines its tasks all the same, and becomes valid by itself when it can.
Outcome CgroupActuator::check_tuning(const Target& target, const Tuning& tuning, Outcome outcome) {
    auto others = tuning;
    others.partition.reset();
    outcome = Actuator::check_tuning(target, others, std::move(outcome));
    if (!tuning.partition || target.sort != Target::Sort::cgroup) return outcome;
    const auto name = name_of(*tuning.partition);
    const auto now = hierarchy_.version() == 2 ? hierarchy_.read(target.name, kFile) : std::string();
    if (!now || now->empty())
        return without(std::move(outcome),
                       fmt::format("{} cannot be a partition ({}): {}; its CPUs are confined without",
                                   target.name, name,
                                   hierarchy_.version() == 2 ? "this kernel has none"
                                                             : "that needs cgroup version 2"));
    if (*now == name) return outcome;
    return without(std::move(outcome),
                   fmt::format("{} of {} is \"{}\", {} was written; its CPUs are confined "
                               "without",
                               kFile, target.name, *now, name));
}

bool CgroupActuator::is_partition(const std::string& group) const {
    if (hierarchy_.version() != 2) return false;
    const auto now = hierarchy_.read(group, kFile);
    return now && parse_partition(*now).has_value();
}

/// Back to what it was, unless somebody else has set it since.
Status CgroupActuator::leave_partition(const std::string& group, const std::string& original) {
    const auto noted = noted_in(original);
    if (!noted) return {};
    const auto now = hierarchy_.read(group, kFile);
    if (!now) return std::unexpected(now.error());
    if (kind_in(*now) != noted->written || noted->was == noted->written) return {};
    return hierarchy_.write(group, kFile, std::string(noted->was));
}

} // namespace schedd::actuators
