// Acting without acting.
#include "service/actuators/dry_run.h"

#include <array>

#include <fmt/format.h>

#include "components/model/proc_text.h"
#include "service/actuators/affinity.h"
#include "service/actuators/cpuset_reader.h"

namespace schedd::actuators {

namespace {

/// The allowed CPUs in proc/.../status, none if it cannot be read.
std::optional<CpuSet> allowed_in(Host& host, const std::string& path) {
    std::array<char, 49152> buffer; // the longest list of kMaxCpus CPUs, and what stands around it
    const auto text = host.read(path, buffer);
    if (!text) return std::nullopt;
    constexpr std::string_view kKey = "\nCpus_allowed_list:";
    const auto at = text->find(kKey);
    if (at == std::string_view::npos) return std::nullopt;
    auto rest = text->substr(at + kKey.size());
    const auto set = CpuSet::parse(take_word(rest));
    return set ? std::optional(*set) : std::nullopt;
}

} // namespace

Result<CpuSet> DryRun::read(const Target& target) const {
    if (target.sort == Target::Sort::unit)
        return fail(Errc::not_supported, target.text() + " cannot be placed here",
                    "process: and cgroup: targets");
    if (target.sort == Target::Sort::process) {
        if (auto same = same_process(host_, target); !same) return std::unexpected(same.error());
        CpuSet all;
        // a recorded tree may hold processes without their threads
        const auto directory = fmt::format("proc/{}/task", target.pid);
        static_cast<void>(host_.list(directory, [&](std::string_view tid) {
            if (const auto set = allowed_in(host_, fmt::format("{}/{}/status", directory, tid))) all |= *set;
        }));
        if (const auto set = allowed_in(host_, fmt::format("proc/{}/status", target.pid))) all |= *set;
        if (all.empty()) all = online_cpus(host_);
        return all;
    }
    for (const auto& mount : {CpusetMount{"sys/fs/cgroup/cpuset", 1}, CpusetMount{"sys/fs/cgroup", 2},
                              CpusetMount{"sys/fs/cgroup/unified", 2}})
        if (auto set = effective_of(host_, mount, target.name)) return set;
    return fail(Errc::no_such_object, "there is no control group " + target.name);
}

void DryRun::note(std::string action) {
    if (actions_.size() == limits::kDryRunActions) actions_.pop_front();
    actions_.push_back(std::move(action));
}

Result<CpuSet> DryRun::current(const Target& target) {
    auto real = read(target); // also tells whether the target still is
    const auto at = placed_.find(target);
    if (at == placed_.end()) return real;
    if (!real) {
        placed_.erase(at);
        return real;
    }
    return at->second;
}

Result<std::string> DryRun::capture(const Target& target) {
    const auto now = read(target);
    if (!now) return std::unexpected(now.error());
    return now->text();
}

Result<std::string> DryRun::capture_child(const Target& /*parent*/, const std::string& /*parent_original*/,
                                          const CpuSet& /*parent_written*/, const Target& child) {
    return fail(Errc::no_such_object, child.text() + " inherits nothing: its parent was not placed");
}

Outcome DryRun::place(const Target& target, const CpuSet& cpus) {
    const auto real = read(target);
    if (!real) {
        placed_.erase(target);
        return failed(real.error(), cpus);
    }
    note(fmt::format("place {} on {}", target.text(), cpus.text()));
    placed_.insert_or_assign(target, cpus);
    return {State::applied, cpus, cpus, "dry run: nothing was written"};
}

Outcome DryRun::check(const Target& target, const CpuSet& written) {
    const auto now = current(target);
    if (!now) return failed(now.error(), written);
    return {now->subset_of(written) ? State::applied : State::overridden, written, *now,
            "dry run: nothing was written"};
}

Outcome DryRun::restore(const Target& target, const std::string& original) {
    const bool was_placed = placed_.erase(target) > 0;
    const auto real = read(target);
    if (!real) return failed(real.error());
    if (was_placed) note(fmt::format("restore {} to {}", target.text(), original));
    return {State::free, {}, *real, "dry run: nothing was written"};
}

} // namespace schedd::actuators
