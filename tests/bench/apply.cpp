// apply: writes to the cpusets of 1,000 sibling control groups, counted by the kernel, and what moving a few
// of them takes against rewriting all.
#include <array>
#include <cstring>
#include <memory>
#include <optional>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "components/kit/rng.h"
#include "components/placement/engine.h"
#include "service/actuators/cgroup.h"
#include "service/host/dir_host.h"
#include "tests/bench/bench.h"
#include "tests/bench/group_farm.h"
#include "tests/bench/interrupt.h"
#include "tests/bench/process.h"
#include "tests/kit/fake_actuator.h"
#include "tests/kit/manual_clock.h"
#include "tests/kit/recording.h"

namespace schedd::bench {

namespace {

using namespace schedd::test;

constexpr std::size_t kGroups = 1000;
constexpr const char* kCpusets = "/sys/fs/cgroup/cpuset";

std::string cpus_file(const std::string& group) { return fmt::format("{}{}/cpuset.cpus", kCpusets, group); }

/// Counts what anybody writes to these files.
class WriteCounter {
public:
    static Result<WriteCounter> over(const GroupFarm& farm) {
        WriteCounter counter(inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
        if (counter.fd_ < 0) return fail(Errc::io, "no inotify instance is left");
        for (std::size_t i = 0; i < farm.size(); ++i)
            if (inotify_add_watch(counter.fd_, cpus_file(farm.group(i)).c_str(), IN_MODIFY | IN_CLOSE_WRITE) <
                0)
                return fail(Errc::io, "cannot watch " + cpus_file(farm.group(i)));
        return counter;
    }
    WriteCounter(WriteCounter&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    WriteCounter& operator=(WriteCounter&& other) = delete;
    ~WriteCounter() {
        if (fd_ >= 0) close(fd_);
    }
    /// Since the last call. Equal events in a row are told once; between two writes there is a close.
    [[nodiscard]] std::size_t take() const {
        alignas(inotify_event) std::array<char, 65536> buffer;
        std::size_t count = 0;
        for (ssize_t got = 0; (got = read(fd_, buffer.data(), buffer.size())) > 0;)
            for (ssize_t at = 0; at < got;) {
                inotify_event event{};
                std::memcpy(&event, buffer.data() + at, sizeof event);
                if ((event.mask & IN_MODIFY) != 0) ++count;
                at += static_cast<ssize_t>(sizeof event + event.len);
            }
        return count;
    }

private:
    explicit WriteCounter(int fd) : fd_(fd) {}
    int fd_;
};

/// Holds the n-th of its subjects on the n-th CPU of what the bench says.
class Mover final : public Policy {
public:
    using Policy::Policy;
    std::vector<Decision> decide(const View& view) override {
        std::vector<Decision> all;
        all.reserve(view.subjects.size());
        for (std::size_t i = 0; i < view.subjects.size(); ++i)
            all.push_back({view.subjects[i].target, CpuSet::of(cpus[i % cpus.size()]), "a bench says so"});
        return all;
    }
    std::vector<int> cpus = std::vector<int>(kGroups, 0);
};
const Descriptor kMover{.name = "mover",
                        .kind = Kind::policy,
                        .doc = "Obeys the bench.",
                        .make = make_part<Mover>};

/// An engine over real groups, as the daemon has it, on a clock of its own.
struct Stage {
    std::unique_ptr<host::DirHost> host;
    ManualClock clock;
    kit::Rng rng{1};
    RecordingLog log;
    ProcessTable table{*host, nullptr, getpid()};
    Registry registry{std::vector<const Descriptor*>{&kMover}};
    Tree tree{Environment{clock, rng, *host, log, table}, registry};
    Topology topology{};
    actuators::CgroupActuator actuator;
    MemoryStore store{};
    std::vector<std::string> complaints{};
    Ledger ledger{store, "boot", "", complaints};
    placement::Engine engine{tree, topology, actuator, ledger};

    Stage(std::unique_ptr<host::DirHost> root, actuators::CpusetHierarchy hierarchy)
        : host(std::move(root)), actuator(std::move(hierarchy)) {
        topology.cpus = {{.id = 0, .core = 0}, {.id = 1, .core = 1}};
        topology.online = topology.allowed = CpuSet::range(0, 1);
        topology.generation = 1;
    }
    Status attach(const GroupFarm& farm) {
        std::string lines = "create schedulers/S\ncreate schedulers/S/mover\n";
        for (std::size_t i = 0; i < farm.size(); ++i)
            lines +=
                fmt::format("create schedulers/S/process_set/{}\n", escape_name("cgroup:" + farm.group(i)));
        const auto recipe = parse_recipe(lines);
        if (!recipe) return std::unexpected(recipe.error());
        return tree.apply(*recipe, false);
    }
    Mover& mover() {
        return static_cast<Mover&>(*tree.find(Path::parse("schedulers/S/mover").value()).value());
    }
    /// The policy decides and a tick passes. CPU time in us, the kernel's part included.
    double tick() {
        clock.advance(std::chrono::milliseconds(100));
        mover().make_due();
        const auto before = thread_cpu_ns();
        engine.tick(clock.now());
        return static_cast<double>(thread_cpu_ns() - before) / 1e3;
    }
};

/// Every sibling is written, as by who keeps no account of what changed. CPU time in us.
Result<double> rewrite_all(const GroupFarm& farm, const std::vector<std::string>& masks) {
    const auto before = thread_cpu_ns();
    for (std::size_t i = 0; i < farm.size(); ++i) {
        const int file = open(cpus_file(farm.group(i)).c_str(), O_WRONLY | O_CLOEXEC);
        const auto& mask = masks[i % masks.size()];
        const bool is_written = file >= 0 && write(file, mask.data(), mask.size()) > 0;
        if (file >= 0) close(file);
        if (!is_written) return fail(Errc::io, "cannot write " + cpus_file(farm.group(i)));
    }
    return static_cast<double>(thread_cpu_ns() - before) / 1e3;
}

Goal at_most(double bound) { return {Goal::Sense::at_most, bound}; }

Status count_writes(Run& run, Stage& stage, const WriteCounter& counter) {
    auto& cpus = stage.mover().cpus;
    for (std::size_t i = 0; i < kGroups; i += 2) cpus[i] = 1;
    stage.tick();
    run.alone("1,000 sibling groups, all placed: writes per group", "writes",
              static_cast<double>(counter.take()) / kGroups, at_most(1));
    // at least two rounds of the read-back, which is every 10 s
    for (int i = 0; i < 300; ++i) stage.tick();
    run.alone("1,000 sibling groups, 300 decisions that change nothing, read-back included: writes", "writes",
              static_cast<double>(counter.take()), at_most(0));
    for (const std::size_t moved : {1U, 10U, 100U}) {
        for (std::size_t i = 0; i < moved; ++i) cpus[i] ^= 1;
        stage.tick();
        run.alone(fmt::format("1,000 sibling groups, {} moved: writes per moved one", moved), "writes",
                  static_cast<double>(counter.take()) / static_cast<double>(moved), at_most(1));
    }
    return {};
}

/// Moves a few in a tick, and after it rewrites all siblings: to what they have, or to the other CPU and
/// back.
Status compare(Run& run, Stage& stage, const GroupFarm& farm, std::size_t moved) {
    Pairs same;
    Pairs other;
    auto& cpus = stage.mover().cpus;
    for (int pair = 0; pair < run.repeats(15, 7); ++pair) {
        if (auto going = not_interrupted(); !going) return going;
        for (std::size_t i = 0; i < moved; ++i) cpus[i] ^= 1;
        const double ours = stage.tick();
        // as our own read-back has it: the group of a subject is not the group of its number
        std::vector<std::string> now(farm.size());
        std::vector<std::string> opposite(farm.size());
        for (std::size_t i = 0; i < farm.size(); ++i) {
            const auto held = stage.actuator.current(Target::cgroup(farm.group(i)));
            if (!held || held->count() != 1) return fail(Errc::not_applied, "a group is not on one CPU");
            now[i] = held->text();
            opposite[i] = now[i] == "0" ? "1" : "0";
        }
        const auto unchanged = rewrite_all(farm, now);
        const auto there = rewrite_all(farm, opposite);
        const auto back = rewrite_all(farm, now);
        for (const auto* cost : {&unchanged, &there, &back})
            if (!*cost) return std::unexpected(cost->error());
        same.add(ours, *unchanged);
        other.add(ours, (*there + *back) / 2);
    }
    run.compared(fmt::
                     format("moving {} of 1,000 sibling groups (decision, writes, read-back), against giving "
                            "all siblings another CPU",
                            moved),
                 "us CPU", other, moved == 1 ? std::optional(at_most(1.0 / 50)) : std::nullopt);
    run.compared(fmt::format("moving {} of 1,000 sibling groups, against writing to all what they have",
                             moved),
                 "us CPU", same, std::nullopt, "the kernel does nothing for an equal set");
    return {};
}

} // namespace

Status apply(Run& run) {
    if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
        return fail(Errc::not_supported, "there is one CPU: nowhere to move");
    run.progress(fmt::format("making {} control groups", kGroups));
    auto farm = GroupFarm::make(kGroups);
    if (!farm) return std::unexpected(farm.error());
    auto root = host::DirHost::open_root("/");
    if (!root) return std::unexpected(root.error());
    auto hierarchy = actuators::CpusetHierarchy::find(**root);
    if (!hierarchy) return std::unexpected(hierarchy.error());
    Stage stage(std::move(*root), std::move(*hierarchy));
    if (auto scanned = stage.table.scan(); !scanned) return std::unexpected(scanned.error());
    if (auto attached = stage.attach(*farm); !attached) return attached;
    {
        auto counter = WriteCounter::over(*farm);
        if (!counter) return std::unexpected(counter.error());
        if (auto counted = count_writes(run, stage, *counter); !counted) return counted;
    }
    for (const std::size_t moved : {1U, 10U})
        if (auto compared = compare(run, stage, *farm, moved); !compared) return compared;
    stage.engine.release_all();
    return {};
}

} // namespace schedd::bench
