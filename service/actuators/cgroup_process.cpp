// Placing single processes by moving them to own control groups, and what to remember for the way back.
#include <fmt/format.h>

#include "components/kit/number.h"
#include "service/actuators/affinity.h"
#include "service/actuators/cgroup.h"
#include "service/actuators/task_affinity.h"

namespace schedd::actuators {

namespace {

constexpr std::string_view kProcessMark = "group:";

/// Group names may hold anything but '/' and newline; the ledger's and this text's separators are written
/// %xx.
std::string escaped(std::string_view name) {
    std::string text;
    for (const char c : name) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte <= 0x20 || c == '%' || c == ';' || c == '|' || byte == 0x7f)
            text += fmt::format("%{:02x}", byte);
        else text += c;
    }
    return text;
}

std::optional<std::string> unescaped(std::string_view text) {
    std::string name;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            name += text[i];
            continue;
        }
        const auto digits = text.substr(i + 1, 2);
        const auto byte = digits.size() == 2 ? parse_unsigned(fmt::format("0x{}", digits)) : std::nullopt;
        if (!byte || *byte == 0) return std::nullopt;
        name += static_cast<char>(*byte);
        i += 2;
    }
    return name;
}

/// Where the threads of a process were, and with which affinity.
struct Whereabouts {
    std::string group;
    std::map<Pid, std::string> others; // threads in another group (version 1)
    ProcessMasks masks;

    [[nodiscard]] std::string text() const {
        std::string all = fmt::format("{}{}", kProcessMark, escaped(group));
        for (const auto& [tid, other] : others) all += fmt::format(";{}:{}", tid, escaped(other));
        return all + "|" + masks.text();
    }

    static Result<Whereabouts> parse(std::string_view text) {
        const auto junk = fail(Errc::invalid_value, fmt::format("\"{}\" is no recorded process", text),
                               "group:PATH;TID:PATH|CPUS;TID=CPUS");
        const auto bar = text.find('|');
        if (!text.starts_with(kProcessMark) || bar == std::string_view::npos) return junk;
        Whereabouts where;
        auto masks = ProcessMasks::parse(text.substr(bar + 1));
        if (!masks) return std::unexpected(masks.error());
        where.masks = std::move(*masks);
        auto rest = text.substr(kProcessMark.size(), bar - kProcessMark.size());
        auto end = rest.find(';');
        auto group = unescaped(rest.substr(0, end));
        if (!group || !group->starts_with('/')) return junk;
        where.group = std::move(*group);
        while (end != std::string_view::npos) {
            rest.remove_prefix(end + 1);
            end = rest.find(';');
            const auto part = rest.substr(0, end);
            const auto colon = part.find(':');
            if (colon == std::string_view::npos) return junk;
            const auto tid = parse_unsigned(part.substr(0, colon));
            auto other = unescaped(part.substr(colon + 1));
            if (!tid || *tid == 0 || *tid > INT32_MAX || !other || !other->starts_with('/')) return junk;
            where.others[static_cast<Pid>(*tid)] = std::move(*other);
        }
        return where;
    }
};

std::string task_of(Pid pid, Pid tid) { return fmt::format("{}/task/{}", pid, tid); }

Error ended(const Target& target) { return {Errc::no_such_object, target.text() + " has ended", {}}; }

/// A process that lives is not gone because a group or file is.
Outcome failed_alive(Host& host, const Target& target, Error error, const CpuSet& written = {}) {
    if (!same_process(host, target)) return failed(ended(target), written);
    if (error.kind == Errc::no_such_object) error.kind = Errc::controller_unavailable;
    return failed(error, written);
}

} // namespace

Result<std::string> CgroupActuator::capture(const Target& target) {
    if (target.sort == Target::Sort::unit)
        return fail(Errc::not_supported, target.text() + " cannot be placed through control groups");
    if (target.sort == Target::Sort::cgroup) {
        if (auto may = may_change(target.name); !may) return std::unexpected(may.error());
        auto text = hierarchy_.read(target.name, "cpuset.cpus");
        if (!text) return text;
        return "cpus:" + *text;
    }
    Whereabouts where;
    auto masks = read_masks(hierarchy_.host(), target);
    if (!masks) return std::unexpected(masks.error());
    where.masks = std::move(*masks);
    const auto group = group_of(hierarchy_.host(), task_of(target.pid, target.pid));
    if (!group) return std::unexpected(ended(target));
    where.group = OwnGroups::home_of(*group);
    if (hierarchy_.version() == 1) {
        auto read = for_each_thread(hierarchy_.host(), target.pid, [&](Pid tid) -> Status {
            const auto other = group_of(hierarchy_.host(), task_of(target.pid, tid));
            if (other && OwnGroups::home_of(*other) != where.group)
                where.others[tid] = OwnGroups::home_of(*other);
            return {};
        });
        if (!read) return std::unexpected(read.error());
    }
    if (auto same = same_process(hierarchy_.host(), target); !same) return std::unexpected(same.error());
    return where.text();
}

Result<std::string> CgroupActuator::capture_child(const Target& parent, const std::string& parent_original,
                                                  const CpuSet& parent_written, const Target& child) {
    if (parent.sort != Target::Sort::process || child.sort != Target::Sort::process)
        return fail(Errc::no_such_object, child.text() + " inherits nothing");
    const auto original = Whereabouts::parse(parent_original);
    if (!original) return std::unexpected(original.error());
    if (auto same = same_process(hierarchy_.host(), child); !same) return std::unexpected(same.error());
    const auto group = group_of(hierarchy_.host(), task_of(child.pid, child.pid));
    if (!group) return std::unexpected(ended(child));
    if (!OwnGroups::is_own(*group) || !group->ends_with("/" + OwnGroups::name_for(parent_written)))
        return fail(Errc::no_such_object, fmt::format("{} is in {}", child.text(), *group),
                    "not in its parent's group");
    return Whereabouts{original->group, {}, {original->masks.main, {}}}.text();
}

Outcome CgroupActuator::place_process(const Target& target, const CpuSet& cpus) {
    auto& host = hierarchy_.host();
    if (auto same = same_process(host, target); !same) return failed(same.error(), cpus);
    const auto group = group_of(host, task_of(target.pid, target.pid));
    if (!group) return failed(ended(target), cpus);
    const auto base = own_.base_for(OwnGroups::home_of(*group));
    if (!base) return failed_alive(host, target, base.error(), cpus);
    const auto wanted = own_.ensure(*base, cpus);
    if (!wanted) return failed_alive(host, target, wanted.error(), cpus);
    auto moved = hierarchy_.move_process(*wanted, target.pid);
    if (moved) moved = same_process(host, target);
    if (!moved) {
        own_.tidy(*wanted);
        return failed_alive(host, target, moved.error(), cpus);
    }
    if (*group != *wanted) own_.tidy(*group);
    return check_process(target, cpus);
}

Outcome CgroupActuator::check_process(const Target& target, const CpuSet& written) {
    auto outcome = check_threads(hierarchy_.host(), target, written);
    if (outcome.state == State::gone || outcome.state == State::invalid) return outcome;
    const auto group = group_of(hierarchy_.host(), task_of(target.pid, target.pid));
    if (!group) return failed(ended(target), written);
    if (!OwnGroups::is_own(*group) || !group->ends_with("/" + OwnGroups::name_for(written))) {
        outcome.state = State::overridden;
        outcome.detail = fmt::format("it is in {}, not in the group made for {}: something else moved it",
                                     *group, written.text());
    }
    return outcome;
}

std::string CgroupActuator::nearest_existing(std::string group) const {
    while (group != "/" && !group.empty() && !hierarchy_.exists(group)) group = parent_of(group);
    return group.empty() ? "/" : group;
}

std::string CgroupActuator::told_process(const std::string& original) {
    const auto where = Whereabouts::parse(original);
    return where ? fmt::format("in {}, {}", where->group, where->masks.told()) : original;
}

Outcome CgroupActuator::restore_process(const Target& target, const std::string& original) {
    auto& host = hierarchy_.host();
    const auto where = Whereabouts::parse(original);
    if (!where) return failed(where.error());
    if (auto same = same_process(host, target); !same) return failed(same.error());
    const auto from = group_of(host, task_of(target.pid, target.pid));
    if (!from) return failed(ended(target));
    const auto home = nearest_existing(where->group);
    if (auto moved = hierarchy_.move_process(home, target.pid); !moved)
        return failed_alive(host, target, moved.error());
    std::string remark;
    if (home != where->group) remark = fmt::format("its group {} is gone: it is in {}", where->group, home);
    for (const auto& [tid, group] : where->others) {
        if (!group_of(host, task_of(target.pid, tid))) continue; // that thread has ended
        const auto moved = hierarchy_.move_thread(nearest_existing(group), tid);
        if (!moved && moved.error().kind != Errc::no_such_object) remark = moved.error().text();
    }
    own_.tidy(*from);
    const auto now = group_of(host, task_of(target.pid, target.pid));
    if (!now) return failed(ended(target));
    if (*now != home)
        return failed({Errc::not_applied, fmt::format("{} is in {}", target.text(), *now), home});
    const auto masks = restore_masks(host, target, where->masks, true);
    if (!masks) return failed(masks.error());
    if (remark.empty()) remark = *masks;
    Outcome outcome{State::free, {}, {}, remark};
    if (auto current_set = current(target)) outcome.effective = *current_set;
    return outcome;
}

} // namespace schedd::actuators
