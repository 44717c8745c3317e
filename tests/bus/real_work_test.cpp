// The real daemon on real processes and control groups: placed, followed, and as before whatever ends it.
#include <atomic>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <thread>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "components/model/cpu_set.h"
#include "tests/bus/daemon.h"

namespace schedd::test {
namespace {

using model::CpuSet;

CpuSet affinity(pid_t pid) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CpuSet cpus;
    if (::sched_getaffinity(pid, sizeof set, &set) != 0) return cpus;
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu)
        if (CPU_ISSET(cpu, &set)) cpus.add(cpu);
    return cpus;
}

void confine(pid_t pid, int cpu) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    ASSERT_EQ(::sched_setaffinity(pid, sizeof set, &set), 0);
}

[[noreturn]] void burn() {
    std::atomic<unsigned> count = 0;
    while (true) count.fetch_add(1, std::memory_order_relaxed);
}

/// A process that always wants a CPU; with `forks`, one that starts another such process at SIGUSR1.
class Spinner {
public:
    explicit Spinner(int cpu = -1) {
        const pid_t pid = ::fork();
        if (pid == 0) spin();
        child_ = Child(pid);
        if (cpu >= 0) confine(pid, cpu);
    }
    [[nodiscard]] pid_t pid() const { return child_.pid(); }
    [[nodiscard]] std::string member() const { return fmt::format("process:{}", pid()); }
    /// Makes it fork; the child's pid.
    [[nodiscard]] pid_t fork_child() const {
        ::kill(pid(), SIGUSR1);
        const auto children = fmt::format("/proc/{0}/task/{0}/children", pid());
        for (int i = 0; i < 500; ++i) {
            pid_t child = 0;
            if (std::ifstream(children) >> child) return child;
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
        }
        return 0;
    }

private:
    [[noreturn]] static void spin() {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        ::signal(SIGUSR1, [](int) {
            if (::fork() == 0) {
                ::prctl(PR_SET_PDEATHSIG, SIGKILL);
                burn();
            }
        });
        burn();
    }
    Child child_;
};

bool soon(const std::function<bool()>& done) {
    for (int i = 0; i < 1500; ++i) {
        if (done()) return true;
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return false;
}

constexpr const char* kScheduler = R"(
[probe.cpu]
probe_period = 200
[scheduler.CPU_LB]
policy = "load_balancing"
[scheduler.CPU_LB.attributes]
level = "core"
settle = 0
[scheduler.CPU_LB.ports]
node_load = "cpu/node_load"
process_load = "cpu/process_load"
)";

struct TheMachine : testing::Test {
    PrivateBus bus{BusKind::dbus_daemon};
    std::unique_ptr<Daemon> daemon;
    std::unique_ptr<Client> client;
    int first = 0;
    int second = 0;

    void SetUp() override {
        const auto mine = affinity(0);
        if (mine.count() < 2) GTEST_SKIP() << "only one CPU may be used here";
        first = mine.first();
        second = mine.next(first);
    }
    void start(std::vector<std::string> options = {}) {
        daemon = std::make_unique<Daemon>(bus, "", std::move(options));
        ASSERT_TRUE(daemon->is_running()) << daemon->log();
        client = std::make_unique<Client>(bus.address());
        const auto applied = client->call<std::string>("Apply", std::string(kScheduler), Variants{});
        ASSERT_TRUE(applied) << applied.message;
    }
    void attach(const std::string& member) {
        const auto attached =
            client->call<sdbus::ObjectPath>("Attach", std::string("CPU_LB"), member, Variants{});
        ASSERT_TRUE(attached) << attached.message;
    }
    bool spread(const Spinner& a, const Spinner& b) {
        return soon([&] { return !affinity(a.pid()).intersects(affinity(b.pid())); });
    }
};

TEST_F(TheMachine, IsAsBeforeWhenAMemberIsDetached) {
    const Spinner a(first);
    const Spinner b(first);
    start();
    attach(a.member());
    attach(b.member());
    ASSERT_TRUE(spread(a, b)) << daemon->log();
    for (const auto* spinner : {&a, &b}) {
        const auto gone = client->call("Detach", std::string("CPU_LB"), spinner->member(), Variants{});
        EXPECT_TRUE(gone) << gone.message;
        EXPECT_EQ(affinity(spinner->pid()), CpuSet::of(first)); // before the reply: nothing to wait for
    }
}

TEST_F(TheMachine, IsAsBeforeWhenTheDaemonStops) {
    const Spinner a(first);
    const Spinner b(first);
    start();
    attach(a.member());
    attach(b.member());
    ASSERT_TRUE(spread(a, b)) << daemon->log();
    EXPECT_EQ(daemon->end(), 0);
    EXPECT_EQ(affinity(a.pid()), CpuSet::of(first));
    EXPECT_EQ(affinity(b.pid()), CpuSet::of(first));
}

TEST_F(TheMachine, StaysAsPlacedWhenTheDaemonIsToldToLeaveIt) {
    const Spinner a(first);
    const Spinner b(first);
    start({"--on-stop=leave"});
    attach(a.member());
    attach(b.member());
    ASSERT_TRUE(spread(a, b)) << daemon->log();
    EXPECT_EQ(daemon->end(), 0);
    EXPECT_FALSE(affinity(a.pid()).intersects(affinity(b.pid())));
}

TEST_F(TheMachine, IsAsBeforeAfterACrashAndTheNextStart) {
    const Spinner a(first);
    const Spinner b(first);
    start();
    attach(a.member());
    attach(b.member());
    ASSERT_TRUE(spread(a, b)) << daemon->log();
    daemon->kill();
    EXPECT_FALSE(affinity(a.pid()).intersects(affinity(b.pid())));
    daemon->start_again(bus);
    ASSERT_TRUE(daemon->is_running()) << daemon->log();
    EXPECT_EQ(affinity(a.pid()), CpuSet::of(first)); // put right before the name was taken
    EXPECT_EQ(affinity(b.pid()), CpuSet::of(first));
}

TEST_F(TheMachine, GivesAChildThatIsNoMemberItsParentsOldPlace) {
    const Spinner a(first);
    const Spinner b(first);
    start();
    attach(a.member());
    attach(b.member());
    ASSERT_TRUE(spread(a, b)) << daemon->log();
    const auto& moved = affinity(a.pid()) == CpuSet::of(first) ? b : a;
    const pid_t child = moved.fork_child();
    ASSERT_GT(child, 0);
    EXPECT_TRUE(soon([&] { return affinity(child) == CpuSet::of(first); })) << affinity(child).text();
    EXPECT_NE(affinity(moved.pid()), CpuSet::of(first));
    ::kill(child, SIGKILL);
}

TEST_F(TheMachine, FollowsASessionAndWhoeverJoinsIt) {
    start();
    // a session of its own with one spinner that forks
    const pid_t leader = ::fork();
    if (leader == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        // before it can be seen where it is: a signal that comes too early would end it
        ::signal(SIGUSR1, [](int) {
            if (::fork() == 0) {
                ::prctl(PR_SET_PDEATHSIG, SIGKILL);
                burn();
            }
        });
        ::setsid();
        confine(0, first);
        burn();
    }
    const Child owner(leader);
    ASSERT_TRUE(soon([&] { return ::getsid(leader) == leader && affinity(leader) == CpuSet::of(first); }));
    attach(fmt::format("session:{}", leader));
    ::kill(leader, SIGUSR1);
    pid_t child = 0;
    ASSERT_TRUE(soon([&] {
        return static_cast<bool>(std::ifstream(fmt::format("/proc/{0}/task/{0}/children", leader)) >> child);
    }));
    EXPECT_TRUE(soon([&] { return !affinity(child).intersects(affinity(leader)); })) << daemon->log();
    ASSERT_TRUE(client->call("Detach", std::string("CPU_LB"), fmt::format("session:{}", leader), Variants{}));
    EXPECT_EQ(affinity(leader), CpuSet::of(first));
    EXPECT_EQ(affinity(child), CpuSet::of(first));
    ::kill(child, SIGKILL);
}

TEST_F(TheMachine, PlacesAControlGroupAndPutsItsFileBack) {
    const auto group = fmt::format("/schedd-test-{}", ::getpid());
    const auto directory = "/sys/fs/cgroup/cpuset" + group;
    std::error_code refused;
    if (!std::filesystem::create_directory(directory, refused) || refused)
        GTEST_SKIP() << "no version 1 cpuset hierarchy to make a group in: " << refused.message();
    struct Remove {
        std::string directory;
        ~Remove() {
            std::error_code ignored;
            for (int i = 0; i < 100 && std::filesystem::exists(directory); ++i) {
                std::filesystem::remove(directory, ignored);
                std::this_thread::sleep_for(std::chrono::milliseconds(10));
            }
        }
    } remove{directory};
    const auto file = [&](const char* name) { return content_of(directory + "/" + name); };
    const auto all = CpuSet::range(first, second).text() + "\n";
    std::ofstream(directory + "/cpuset.mems") << content_of("/sys/fs/cgroup/cpuset/cpuset.mems");
    std::ofstream(directory + "/cpuset.cpus") << all;
    ASSERT_EQ(file("cpuset.cpus"), all);
    const Spinner inside;
    const Spinner outside(first);
    std::ofstream(directory + "/cgroup.procs") << inside.pid() << std::flush;
    start();
    attach(outside.member());
    attach("cgroup:" + group);
    EXPECT_TRUE(soon([&] { return file("cpuset.cpus") == fmt::format("{}\n", second); }))
        << file("cpuset.cpus") << daemon->log();
    EXPECT_EQ(affinity(inside.pid()), CpuSet::of(second));
    ASSERT_TRUE(client->call("Detach", std::string("CPU_LB"), "cgroup:" + group, Variants{}));
    EXPECT_EQ(file("cpuset.cpus"), all);
    EXPECT_EQ(affinity(inside.pid()).count(), 2);
    EXPECT_EQ(daemon->end(), 0);
}

TEST_F(TheMachine, KeepsItsConfigurationWhenOneFileOfTheSetIsFaulty) {
    start();
    daemon->configure("10-good.toml", "[probe.mem_probe]\nprobe_period = 700\n");
    ASSERT_TRUE(client->call<std::string>("Reload", Variants{}));
    EXPECT_EQ(client->read("probes/mem_probe.probe_period").value, "700");
    daemon->configure("10-good.toml", "[probe.mem_probe]\nprobe_period = 900\n");
    daemon->configure("20-bad.toml", "[probe.pressure]\nprobe_period = = 3\n");
    const auto reloaded = client->call<std::string>("Reload", Variants{});
    EXPECT_EQ(reloaded.error, "InvalidValue");
    EXPECT_NE(reloaded.message.find("20-bad.toml:2"), std::string::npos) << reloaded.message;
    EXPECT_EQ(client->read("probes/mem_probe.probe_period").value, "700");
    daemon->configure("20-bad.toml", "");
    daemon->configure("10-good.toml", "");
    ASSERT_TRUE(client->call<std::string>("Reload", Variants{}));
    EXPECT_EQ(client->read("probes/mem_probe.probe_period").error, "NoSuchObject"); // it came from a file
    EXPECT_EQ(client->read("probes/cpu.probe_period").value, "200");                // it came over the bus
}

TEST_F(TheMachine, LeavesToTheBusWhatAFileOnlyNames) {
    start();
    daemon->configure("10.toml", "[probe.cpu]\nprobe_period = 200\n"); // made over the bus before
    ASSERT_TRUE(client->call<std::string>("Reload", Variants{}));
    daemon->configure("10.toml", "");
    ASSERT_TRUE(client->call<std::string>("Reload", Variants{}));
    EXPECT_EQ(client->read("probes/cpu.probe_period").value, "200");
}

TEST_F(TheMachine, TellsAMemberThatHasEnded) {
    auto a = std::make_unique<Spinner>(first);
    start();
    attach(a->member());
    const auto state = "schedulers/CPU_LB/process_set/" + a->member() + ".state";
    EXPECT_TRUE(soon([&] { return client->read(state).value == "applied"; })) << daemon->log();
    a.reset();
    EXPECT_TRUE(soon([&] { return client->read(state).value == "gone"; })) << client->read(state).value;
    const auto member = client->read(state.substr(0, state.rfind('.')) + ".detail").value;
    EXPECT_EQ(member, "the process has ended");
    const auto verified = nlohmann::json::parse(client->call<std::string>("Verify").value);
    EXPECT_EQ(verified["ok"], true) << verified << ": what has ended differs from nothing";
    ASSERT_EQ(verified["waiting"].size(), 1U) << verified;
    EXPECT_EQ(verified["waiting"][0]["state"], "gone");
    const auto name = verified["waiting"][0]["target"].get<std::string>();
    const auto explained = nlohmann::json::parse(client->call<std::string>("Explain", name).value);
    ASSERT_EQ(explained["subjects"].size(), 1U) << explained;
    EXPECT_EQ(explained["subjects"][0]["state"], "gone");
    EXPECT_EQ(explained["subjects"][0]["detail"], "the process has ended");
}

} // namespace
} // namespace schedd::test
