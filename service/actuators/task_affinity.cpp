// Reading and writing affinity (sched_setaffinity(2)), for any number of CPUs.
#include "service/actuators/task_affinity.h"

#include <algorithm>
#include <cerrno>
#include <memory>
#include <unordered_set>

#include <fmt/format.h>
#include <sched.h>

#include "components/kit/errno_error.h"
#include "components/kit/number.h"
#include "service/actuators/cpuset_reader.h"

namespace schedd::actuators {

namespace {

constexpr int kUsualWidth = 1024;       // enough for most kernels, and looked through for each thread
constexpr int kLargestKernel = 1 << 16; // more CPUs than any kernel can be built for (NR_CPUS <= 8192 so far)

/// cpu_set_t of any width; glibc's own ends at CPU 1023 and the kernel refuses buffers smaller than its own.
class KernelMask {
public:
    explicit KernelMask(int cpus) : cpus_(cpus), bytes_(CPU_ALLOC_SIZE(cpus)), set_(CPU_ALLOC(cpus)) {
        if (set_ != nullptr) CPU_ZERO_S(bytes_, set_);
    }
    ~KernelMask() { CPU_FREE(set_); }
    KernelMask(const KernelMask&) = delete;
    KernelMask& operator=(const KernelMask&) = delete;

    void add(int cpu) { CPU_SET_S(static_cast<std::size_t>(cpu), bytes_, set_); }
    [[nodiscard]] bool has(int cpu) const {
        return CPU_ISSET_S(static_cast<std::size_t>(cpu), bytes_, set_) != 0;
    }
    [[nodiscard]] int width() const { return cpus_; }
    [[nodiscard]] std::size_t bytes() const { return bytes_; }
    [[nodiscard]] cpu_set_t* get() const { return set_; }

private:
    int cpus_;
    std::size_t bytes_;
    cpu_set_t* set_;
};

std::string text_of_mask(const TaskMask& mask) { return mask.cpus.text() + (mask.follows ? "*" : ""); }

Result<TaskMask> parse_mask(std::string_view text) {
    TaskMask mask;
    if (text.ends_with('*')) {
        mask.follows = true;
        text.remove_suffix(1);
    }
    auto cpus = CpuSet::parse(text);
    if (!cpus) return std::unexpected(cpus.error());
    if (cpus->empty()) return fail(Errc::invalid_value, "an affinity without CPUs", "a list such as 0-3");
    mask.cpus = *cpus;
    return mask;
}

/// What the thread must show after it was put back, given what its cpuset allows.
bool is_back(const CpuSet& got, const TaskMask& wanted, const std::optional<CpuSet>& cpuset) {
    if (!cpuset) return wanted.follows || got.subset_of(wanted.cpus);
    if (wanted.follows) return got == *cpuset;
    return got == (wanted.cpus & *cpuset);
}

} // namespace

std::string ProcessMasks::text() const {
    std::string text = text_of_mask(main);
    for (const auto& [tid, mask] : others) text += fmt::format(";{}={}", tid, text_of_mask(mask));
    return text;
}

std::string ProcessMasks::told() const {
    auto words = fmt::format("CPUs {}", main.cpus.text());
    if (const auto count = others.size(); count > 0)
        words += fmt::format(", {} {} on others", count, count == 1 ? "thread" : "threads");
    return words;
}

Result<ProcessMasks> ProcessMasks::parse(std::string_view text) {
    const auto junk = [&](std::string_view part) {
        return fail(Errc::invalid_value, fmt::format("\"{}\" is no recorded affinity", part),
                    "CPUS;TID=CPUS..., such as 0-1*;1240=0");
    };
    ProcessMasks masks;
    auto end = text.find(';');
    const auto main = parse_mask(text.substr(0, end));
    if (!main) return junk(text.substr(0, end));
    masks.main = *main;
    while (end != std::string_view::npos) {
        text.remove_prefix(end + 1);
        end = text.find(';');
        const auto part = text.substr(0, end);
        const auto equals = part.find('=');
        if (equals == std::string_view::npos) return junk(part);
        const auto tid = parse_unsigned(part.substr(0, equals));
        const auto mask = parse_mask(part.substr(equals + 1));
        if (!tid || *tid == 0 || *tid > INT32_MAX || !mask) return junk(part);
        masks.others[static_cast<Pid>(*tid)] = *mask;
    }
    return masks;
}

Result<CpuSet> affinity_of(Pid tid) {
    for (int width = kUsualWidth; width <= kLargestKernel; width *= 2) {
        const KernelMask mask(width);
        if (mask.get() == nullptr) return fail(Errc::io, "reading an affinity", "no memory");
        if (::sched_getaffinity(tid, mask.bytes(), mask.get()) != 0) {
            if (errno == EINVAL) continue; // the kernel's masks are wider
            return std::unexpected(errno_error(errno, fmt::format("reading the affinity of thread {}", tid)));
        }
        CpuSet cpus;
        for (int cpu = 0; cpu < mask.width(); ++cpu) {
            if (!mask.has(cpu)) continue;
            if (cpu >= limits::kMaxCpus)
                return fail(Errc::limit_exceeded, fmt::format("thread {} may run on CPU {}", tid, cpu),
                            fmt::format("CPUs below {} (limit kMaxCpus)", limits::kMaxCpus));
            cpus.add(cpu);
        }
        return cpus;
    }
    return fail(Errc::limit_exceeded,
                fmt::format("the affinity of thread {} is wider than any known kernel's", tid));
}

Status set_affinity(Pid tid, const TaskMask& mask) {
    KernelMask bits(mask.follows ? kLargestKernel : limits::kMaxCpus);
    if (bits.get() == nullptr) return fail(Errc::io, "setting an affinity", "no memory");
    if (mask.follows)
        for (int cpu = 0; cpu < bits.width(); ++cpu) bits.add(cpu);
    else
        for (int cpu = mask.cpus.first(); cpu >= 0; cpu = mask.cpus.next(cpu)) bits.add(cpu);
    if (::sched_setaffinity(tid, bits.bytes(), bits.get()) == 0) return {};
    switch (errno) {
    case EPERM:
        return fail(Errc::denied, fmt::format("thread {} may not be placed", tid),
                    "it belongs to another user (needs CAP_SYS_NICE)");
    case EINVAL:
        return fail(Errc::cpu_offline, fmt::format("thread {} cannot run on {}", tid, mask.cpus.text()),
                    "none of these CPUs is online and in its cpuset, or it is a kernel thread bound to its "
                    "CPU");
    default:
        return std::unexpected(errno_error(errno, fmt::format("setting the affinity of thread {}", tid)));
    }
}

Result<std::vector<Pid>> threads_of(Host& host, Pid pid) {
    std::vector<Pid> threads;
    auto listed = host.list(fmt::format("proc/{}/task", pid), [&](std::string_view name) {
        const auto tid = parse_unsigned(name);
        if (tid && *tid <= INT32_MAX) threads.push_back(static_cast<Pid>(*tid));
    });
    if (!listed || threads.empty())
        return fail(Errc::no_such_object, fmt::format("process {} has ended", pid));
    if (threads.size() > limits::kThreads)
        return fail(Errc::limit_exceeded, fmt::format("process {} has {} threads", pid, threads.size()),
                    fmt::format("at most {} (limit kThreads)", limits::kThreads));
    return threads;
}

Status for_each_thread(Host& host, Pid pid, const std::function<Status(Pid)>& visit) {
    std::unordered_set<Pid> done;
    for (std::size_t pass = 0; pass < limits::kThreadPasses; ++pass) {
        const auto threads = threads_of(host, pid);
        if (!threads) return std::unexpected(threads.error());
        bool found_new = false;
        for (const Pid tid : *threads) {
            if (!done.insert(tid).second) continue;
            found_new = true;
            auto visited = visit(tid);
            if (!visited && visited.error().kind != Errc::no_such_object) return visited;
        }
        if (!found_new) return {};
    }
    return {}; // born faster than looked at; they inherit from placed ones, and the read-back sees the rest
}

Result<ProcessMasks> read_masks(Host& host, const Target& target) {
    if (auto same = same_process(host, target); !same) return std::unexpected(same.error());
    const auto cpuset = cpuset_of(host, target.pid);
    const auto mask_of = [&](Pid tid) -> Result<TaskMask> {
        auto cpus = affinity_of(tid);
        if (!cpus) return std::unexpected(cpus.error());
        return TaskMask{*cpus, cpuset && *cpus == *cpuset};
    };
    ProcessMasks masks;
    auto main = mask_of(target.pid);
    if (!main) return std::unexpected(main.error());
    masks.main = *main;
    auto read = for_each_thread(host, target.pid, [&](Pid tid) -> Status {
        const auto mask = mask_of(tid);
        if (!mask) return std::unexpected(mask.error());
        if (*mask != masks.main) masks.others[tid] = *mask;
        return {};
    });
    if (!read) return std::unexpected(read.error());
    if (auto same = same_process(host, target); !same) return std::unexpected(same.error());
    return masks;
}

bool is_somebody_elses(const CpuSet& now, std::span<const CpuSet> written,
                       const std::optional<CpuSet>& cpuset) {
    if (cpuset && cpuset->subset_of(now)) return false;
    return std::ranges::none_of(written,
                                [&](const CpuSet& cpus) { return now == (cpuset ? cpus & *cpuset : cpus); });
}

std::string keep_what_others_set(Host& host, const Target& target, std::span<const CpuSet> written,
                                 ProcessMasks& masks) {
    const auto cpuset = cpuset_of(host, target.pid);
    std::map<Pid, CpuSet> theirs;
    static_cast<void>(for_each_thread(host, target.pid, [&](Pid tid) -> Status {
        if (const auto now = affinity_of(tid); now && is_somebody_elses(*now, written, cpuset))
            theirs.emplace(tid, *now);
        return {};
    }));
    if (theirs.empty()) return {};
    for (const auto& [tid, cpus] : theirs) masks.others[tid] = {cpus, false};
    const auto& [first, cpus] = *theirs.begin();
    if (theirs.size() == 1)
        return fmt::format("thread {} keeps {}, which somebody else has set", first, cpus.text());
    return fmt::format("{} threads keep what somebody else has set: thread {} has {}", theirs.size(), first,
                       cpus.text());
}

Result<std::string> restore_masks(Host& host, const Target& target, const ProcessMasks& masks,
                                  bool only_differing) {
    if (auto same = same_process(host, target); !same) return std::unexpected(same.error());
    const auto cpuset = cpuset_of(host, target.pid);
    std::string remark;
    auto put_back = for_each_thread(host, target.pid, [&](Pid tid) -> Status {
        const auto& wanted = masks.of(tid);
        if (only_differing) {
            const auto now = affinity_of(tid);
            if (now && is_back(*now, wanted, cpuset)) return {};
        }
        auto set = set_affinity(tid, wanted);
        if (!set && set.error().kind == Errc::cpu_offline) {
            // as the kernel itself does when the last CPU of an affinity goes offline
            remark = fmt::format("{} of thread {} can no longer be used: it may run everywhere",
                                 wanted.cpus.text(), tid);
            return set_affinity(tid, {wanted.cpus, true});
        }
        if (!set) return set;
        const auto now = affinity_of(tid);
        if (!now) return std::unexpected(now.error());
        if (!is_back(*now, wanted, cpuset))
            remark = fmt::format("thread {} had {} and now has {}", tid, wanted.cpus.text(), now->text());
        return {};
    });
    if (!put_back) return std::unexpected(put_back.error());
    if (auto same = same_process(host, target); !same) return std::unexpected(same.error());
    return remark;
}

} // namespace schedd::actuators
