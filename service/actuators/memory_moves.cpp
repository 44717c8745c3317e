// Moving the pages of units in a child process, and telling what came of it.
#include "service/actuators/memory_moves.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "components/kit/number.h"
#include "components/model/proc_text.h"

namespace schedd::actuators {

namespace {

constexpr int kMostNodes = 1024;            // as many as a mainline kernel can be built for
constexpr int kDeepestGroup = 6;            // below the unit's own
constexpr std::size_t kProcesses = 1 << 16; // bytes of cgroup.procs: some ten thousand processes
constexpr std::size_t kNumaStat = 1 << 15;
constexpr std::uint64_t kMiB = 1 << 20;

using NodeMask = std::array<unsigned long, kMostNodes / (8 * sizeof(unsigned long))>;

NodeMask mask_of(const CpuSet& nodes) {
    constexpr auto kBits = 8 * sizeof(unsigned long);
    NodeMask mask{};
    for (int node = 0; node < kMostNodes; ++node)
        if (nodes.contains(node)) mask[static_cast<std::size_t>(node) / kBits] |= 1UL << (node % kBits);
    return mask;
}

} // namespace

long migrate_pages_of(Pid pid, const CpuSet& from, const CpuSet& to) {
    const auto old_nodes = mask_of(from);
    const auto new_nodes = mask_of(to);
    // the kernel takes the highest bit for one beyond the last
    const long unmoved =
        ::syscall(SYS_migrate_pages, pid, kMostNodes + 1UL, old_nodes.data(), new_nodes.data());
    return unmoved < 0 ? -errno : unmoved;
}

std::optional<std::uint64_t> bytes_elsewhere(std::string_view numa_stat, const CpuSet& nodes) {
    std::optional<std::uint64_t> sum;
    while (!numa_stat.empty()) {
        auto line = take_line(numa_stat);
        const auto what = take_word(line);
        if (what != "anon" && what != "file") continue; // "anon N0=4096 N1=0"
        for (auto word = take_word(line); !word.empty(); word = take_word(line)) {
            const auto sign = word.find('=');
            if (word.front() != 'N' || sign == std::string_view::npos) return std::nullopt;
            const auto node = parse_unsigned(word.substr(1, sign - 1));
            const auto bytes = parse_unsigned(word.substr(sign + 1));
            if (!node || *node >= kMostNodes || !bytes) return std::nullopt;
            sum = sum.value_or(0) + (nodes.contains(static_cast<int>(*node)) ? 0 : *bytes);
        }
    }
    return sum;
}

std::optional<std::uint64_t> MemoryMoves::elsewhere(const Job& job) const {
    std::vector<char> buffer(kNumaStat);
    const auto text = hierarchy_.host().read(hierarchy_.mount().file(job.group, "memory.numa_stat"), buffer);
    return text ? bytes_elsewhere(*text, job.nodes) : std::nullopt;
}

CpuSet MemoryMoves::all_nodes() const {
    std::array<char, 4096> buffer;
    const auto text = hierarchy_.host().read("sys/devices/system/node/has_memory", buffer);
    if (!text) return {};
    return CpuSet::parse(text->substr(0, text->find('\n'))).value_or(CpuSet());
}

void MemoryMoves::want(const std::string& unit, const std::string& group, const CpuSet& nodes) {
    if (const auto known = jobs_.find(unit);
        known != jobs_.end() && known->second.nodes == nodes && known->second.group == group)
        return;
    forget(unit);
    Job job{group, nodes, {}, {}};
    job.before = elsewhere(job);
    const bool has_work = job.before != std::uint64_t{0} && !(all_nodes() - nodes).empty();
    if (has_work) {
        job.told = "what of its memory lies elsewhere waits to be moved, one unit at a time";
        waiting_.push_back(unit);
    }
    jobs_.insert_or_assign(unit, std::move(job));
}

void MemoryMoves::forget(const std::string& unit) {
    jobs_.erase(unit);
    std::erase(waiting_, unit);
    if (moving_ == unit) stop();
}

std::string MemoryMoves::look(const std::string& unit) {
    take_report();
    begin_next();
    const auto job = jobs_.find(unit);
    return job == jobs_.end() ? std::string() : job->second.told;
}

void MemoryMoves::begin_next() {
    while (child_ == 0 && !waiting_.empty()) {
        const auto unit = waiting_.front();
        waiting_.pop_front();
        auto& job = jobs_.at(unit);
        moving_ = unit;
        if (begin(job)) job.told = fmt::format("its memory is being moved to node {}", job.nodes.text());
        else
            job.told =
                fmt::format("its memory stays where it is: no process to move it ({})", std::strerror(errno));
    }
}

bool MemoryMoves::begin(const Job& job) {
    int ends[2] = {-1, -1};
    if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return false;
    const pid_t child = ::fork();
    if (child == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        const auto report = work(job);
        ::_exit(::write(ends[1], &report, sizeof report) == sizeof report ? 0 : 1);
    }
    const int why = errno;
    ::close(ends[1]);
    if (child < 0) {
        ::close(ends[0]);
        errno = why;
        return false;
    }
    child_ = child;
    from_child_ = ends[0];
    return true;
}

MemoryMoves::Report MemoryMoves::work(const Job& job) const {
    Report report;
    move_group(job.group, job, 0, report);
    return report;
}

/// A process that ends meanwhile has no memory any more.
void MemoryMoves::move_group(const std::string& group, const Job& job, int depth, Report& report) const {
    std::vector<char> buffer(kProcesses);
    const auto from = all_nodes() - job.nodes;
    if (const auto text = hierarchy_.host().read(hierarchy_.mount().file(group, "cgroup.procs"), buffer))
        for (std::string_view rest = *text; !rest.empty();) {
            auto line = take_line(rest);
            const auto pid = take_number(line);
            if (!pid || *pid == 0 || *pid > INT32_MAX) continue;
            const long unmoved = migrate_(static_cast<Pid>(*pid), from, job.nodes);
            if (unmoved >= 0) {
                report.unmoved += static_cast<std::uint64_t>(unmoved);
                ++report.processes;
            } else if (unmoved != -ESRCH) {
                report.error = static_cast<int>(-unmoved);
                ++report.refused;
            }
        }
    if (depth == kDeepestGroup) return;
    for (const auto& child : hierarchy_.children(group)) move_group(child, job, depth + 1, report);
}

void MemoryMoves::take_report() {
    if (child_ == 0) return;
    int status = 0;
    pid_t ended = 0;
    do ended = ::waitpid(child_, &status, WNOHANG);
    while (ended < 0 && errno == EINTR);
    if (ended == 0) return;
    Report report;
    const bool is_told = ::read(from_child_, &report, sizeof report) == sizeof report;
    ::close(std::exchange(from_child_, -1));
    child_ = 0;
    const auto job = jobs_.find(std::exchange(moving_, {}));
    if (job == jobs_.end()) return;
    job->second.told = is_told ? words_for(job->second, report)
                               : "not all of its memory was moved: the process that did it was ended";
}

void MemoryMoves::stop() {
    if (child_ == 0) return;
    ::kill(child_, SIGKILL);
    while (::waitpid(child_, nullptr, 0) < 0 && errno == EINTR) {}
    ::close(std::exchange(from_child_, -1));
    child_ = 0;
    moving_.clear();
}

std::string MemoryMoves::words_for(const Job& job, const Report& report) const {
    std::string words;
    const auto after = elsewhere(job);
    if (job.before && after) {
        const auto moved = *job.before - std::min(*job.before, *after);
        words = fmt::format("of {} MiB elsewhere {} MiB were moved to node {}", *job.before / kMiB,
                            moved / kMiB, job.nodes.text());
    } else if (report.processes > 0) {
        words = fmt::format("what {} of its processes had elsewhere was moved to node {}", report.processes,
                            job.nodes.text());
    }
    const auto add = [&](const std::string& more) { words += (words.empty() ? "" : "; ") + more; };
    if (report.unmoved > 0) add(fmt::format("{} pages could not be moved", report.unmoved));
    if (report.refused > 0)
        add(fmt::format("the kernel refused it for {} of its processes: {}", report.refused,
                        std::strerror(report.error)));
    return words;
}

} // namespace schedd::actuators
