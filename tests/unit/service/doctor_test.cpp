// The doctor on machines made of files: each thing there, not there, there but not as it could be.
#include "service/doctor.h"

#include <algorithm>
#include <set>

#include <gtest/gtest.h>

#include "tests/kit/fake_host.h"
#include "tests/kit/shapes.h"

namespace schedd::service {
namespace {

using test::FakeHost;

/// A machine that lacks nothing: Debian 12 with cgroup version 2.
void furnish(FakeHost& host) {
    host.set("sys/devices/system/cpu/present", "0-31\n");
    host.set("sys/devices/system/cpu/isolated", "\n");
    host.set("sys/devices/system/cpu/smt/control", "on\n");
    host.set("proc/mounts", "proc /proc proc rw 0 0\ncgroup2 /sys/fs/cgroup cgroup2 rw,nosuid,nodev 0 0\n");
    host.set("sys/fs/cgroup/cgroup.controllers", "cpuset cpu io memory pids\n");
    host.set("sys/fs/cgroup/cgroup.subtree_control", "cpu memory cpuset\n");
    host.set("sys/fs/cgroup/cpu.pressure", "some avg10=0.00 avg60=0.00 avg300=0.00 total=0\n");
    host.set("sys/fs/cgroup/system.slice/cpuset.cpus.partition", "member\n");
    host.set("run/systemd/system/x", "");
    host.set("proc/1/comm", "systemd\n");
    host.set("proc/pressure/cpu", "some avg10=0.00 avg60=0.00 avg300=0.00 total=0\n");
    host.set("proc/self/schedstat", "1 2 3\n");
    host.set("proc/schedstat", "version 15\n");
    host.set("sys/bus/event_source/devices/cpu", "");
    host.set("sys/bus/event_source/devices/software", "");
    host.set("proc/sys/kernel/perf_event_paranoid", "2\n");
}

struct TheDoctor : testing::Test {
    FakeHost host;
    Surroundings around;
    TheDoctor() {
        furnish(host);
        around.topology = test::shape_2n16c_smt();
        for (auto& cpu : around.topology.cpus) cpu.kind = cpu.id % 2;
        around.actuator = "auto";
        around.systemd_version = "252.39-1~deb12u1";
        around.has_polkit = true;
        around.has_logind = true;
        around.has_process_events = true;
        around.has_cpu_events = true;
    }
    dbus::Check check(std::string_view name) {
        const auto checks = examine(host, around);
        const auto found = std::ranges::find(checks, name, &dbus::Check::name);
        return found == checks.end() ? dbus::Check{"there is no such check", "", false, "", "", ""} : *found;
    }
    std::string state(std::string_view name) { return check(name).state; }
    bool is_essential_loss(std::string_view name) {
        const auto one = check(name);
        return one.state == "lacks" && one.essential;
    }
};

TEST_F(TheDoctor, FindsNothingOnAMachineThatHasAll) {
    for (const auto& one : examine(host, around)) {
        EXPECT_EQ(one.state, "ok") << one.name << ": " << one.found;
        EXPECT_FALSE(one.found.empty()) << one.name;
        EXPECT_EQ(one.follows + one.remedy, "") << one.name;
    }
}

TEST_F(TheDoctor, SaysWhatFollowsOfAllThatIsNotOkOnAnEmptyMachine) {
    FakeHost empty;
    Surroundings nothing;
    nothing.topology = test::shape_1n2c();
    nothing.actuator = "dry-run";
    std::set<std::string> names;
    for (const auto& one : examine(empty, nothing)) {
        EXPECT_TRUE(names.insert(one.name).second) << one.name;
        EXPECT_TRUE(one.state == "ok" || one.state == "warning" || one.state == "lacks") << one.state;
        EXPECT_EQ(one.follows.empty(), one.state == "ok") << one.name;
    }
    EXPECT_EQ(names.size(), examine(host, around).size()) << "the same checks on every machine";
}

TEST_F(TheDoctor, NeedsTwoCpusAtLeast) {
    around.topology = test::machine({});
    EXPECT_TRUE(is_essential_loss("cpus"));
}

TEST_F(TheDoctor, NamesOfflineAndForbiddenCpus) {
    host.set("sys/devices/system/cpu/present", "0-33\n");
    EXPECT_EQ(state("cpus"), "warning");
    EXPECT_NE(check("cpus").found.find("offline: 32-33"), std::string::npos) << check("cpus").found;
    EXPECT_NE(check("cpus").remedy.find("cpu32/online"), std::string::npos);
    around.topology = test::shape_container_4_of_64();
    EXPECT_NE(check("cpus").found.find("not allowed here: 0-7,12-63"), std::string::npos);
    around.is_described = true;
    around.topology = test::shape_2n16c_smt();
    EXPECT_EQ(state("cpus"), "ok") << "the files are of another machine than the description";
}

TEST_F(TheDoctor, TellsOfIsolatedCpusThatMayBeUsed) {
    host.set("sys/devices/system/cpu/isolated", "2-3,900\n");
    EXPECT_EQ(check("isolation").found, "CPUs 2-3 are isolated");
    host.set("sys/devices/system/cpu/isolated", "junk\n");
    EXPECT_EQ(state("isolation"), "ok");
}

TEST_F(TheDoctor, TellsWhatTheCpusShare) {
    around.topology = test::shape_no_caches();
    EXPECT_EQ(state("l3"), "lacks");
    EXPECT_EQ(state("smt"), "lacks");
    EXPECT_EQ(check("smt").remedy, "");
    EXPECT_EQ(state("core-kinds"), "lacks");
    EXPECT_EQ(state("numa"), "ok");
    host.set("sys/devices/system/cpu/smt/control", "off\n");
    EXPECT_NE(check("smt").remedy, "");
    around.topology = test::shape_1n2c();
    EXPECT_EQ(state("numa"), "lacks");
    EXPECT_FALSE(is_essential_loss("numa"));
    around.topology = test::shape_8n1024c_wide();
    EXPECT_EQ(state("numa"), "ok");
}

TEST_F(TheDoctor, MissesTheCpusetController) {
    host.set("sys/fs/cgroup/cgroup.controllers", "cpu io memory\n");
    host.set("proc/cgroups", "#subsys_name\thierarchy\tnum_cgroups\tenabled\ncpuset\t0\t1\t0\n");
    EXPECT_TRUE(is_essential_loss("cpuset"));
    EXPECT_NE(check("cpuset").found.find("cgroup_disable=cpuset"), std::string::npos);
    host.set("proc/cgroups", "#subsys_name\thierarchy\tnum_cgroups\tenabled\ncpu\t0\t1\t1\n");
    EXPECT_EQ(check("cpuset").found, "the kernel shows no cpuset controller");
    host.remove("proc/mounts");
    EXPECT_EQ(state("cgroup"), "lacks");
    EXPECT_TRUE(is_essential_loss("cpuset"));
    EXPECT_EQ(state("partitions"), "lacks");
}

TEST_F(TheDoctor, KnowsVersion1AndReadOnlyMounts) {
    host.set("proc/mounts", "cgroup /sys/fs/cgroup/cpuset cgroup rw,relatime,cpuset 0 0\n"
                            "cgroup /sys/fs/cgroup/systemd cgroup rw,name=systemd 0 0\n"
                            "cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0\n");
    EXPECT_EQ(state("cgroup"), "warning");
    EXPECT_EQ(check("cpuset").found, "in version 1, at /sys/fs/cgroup/cpuset");
    EXPECT_EQ(state("cpuset"), "warning");
    host.set("proc/mounts", "cgroup /sys/fs/cgroup/cpuset cgroup ro,relatime,cpuset 0 0\n");
    EXPECT_TRUE(is_essential_loss("cpuset"));
    host.set("proc/mounts", "cgroup2 /sys/fs/cgroup cgroup2 ro 0 0\n");
    EXPECT_TRUE(is_essential_loss("cpuset"));
}

TEST_F(TheDoctor, ReadsAllOfALongTableOfMounts) {
    std::string mounts;
    for (int i = 0; i < 2000; ++i)
        mounts += "overlay /var/lib/containers/" + std::to_string(i) + " overlay rw 0 0\n";
    host.set("proc/mounts", mounts + "cgroup2 /sys/fs/cgroup cgroup2 rw 0 0\n\nshort\n");
    EXPECT_EQ(state("cpuset"), "ok");
}

TEST_F(TheDoctor, TellsOfPartitions) {
    host.set("sys/fs/cgroup/rt.slice/cpuset.cpus.partition", "isolated\n");
    EXPECT_EQ(check("partitions").found, "/rt.slice (isolated)");
    EXPECT_EQ(state("partitions"), "warning");
    host.set("sys/fs/cgroup/ml.slice/cpuset.cpus.partition", "root invalid (Cpu list not exclusive)\n");
    EXPECT_EQ(check("partitions").found, "/ml.slice (root invalid (Cpu list not exclusive))");
}

TEST_F(TheDoctor, MissesPressure) {
    host.set_error("proc/pressure/cpu",
                   {kit::Errc::io, "reading proc/pressure/cpu", "Operation not supported"});
    EXPECT_EQ(state("psi"), "lacks");
    EXPECT_NE(check("psi").found.find("Operation not supported"), std::string::npos);
    EXPECT_NE(check("psi").remedy.find("psi=1"), std::string::npos);
    host.set("proc/pressure/cpu", "some\n");
    host.remove("sys/fs/cgroup/cpu.pressure");
    EXPECT_EQ(state("psi"), "warning");
    host.set("sys/fs/cgroup/system.slice/cpu.pressure", "some\n");
    EXPECT_EQ(state("psi"), "ok") << "the root has none on some kernels";
    host.set("sys/fs/cgroup/unified/cpu.pressure", "some\n");
    host.set("proc/mounts", "cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0\n");
    EXPECT_EQ(state("psi"), "warning") << "the probe looks right below /sys/fs/cgroup";
}

TEST_F(TheDoctor, MissesRunTimes) {
    host.remove("proc/schedstat");
    EXPECT_EQ(state("run-times"), "warning");
    host.set("proc/self/schedstat", "0 0 0\n");
    EXPECT_EQ(state("run-times"), "lacks") << "a kernel without CONFIG_SCHED_INFO has the file all the same";
}

TEST_F(TheDoctor, MissesCounters) {
    EXPECT_EQ(check("pmu").found, "cpu, perf_event_paranoid is 2");
    host.remove("sys/bus/event_source/devices/cpu");
    EXPECT_EQ(state("pmu"), "lacks");
    EXPECT_NE(check("pmu").remedy.find("hypervisor"), std::string::npos);
    host.remove("sys/bus/event_source/devices/software");
    EXPECT_NE(check("pmu").remedy.find("CONFIG_PERF_EVENTS"), std::string::npos);
}

TEST_F(TheDoctor, MissesSystemd) {
    around.systemd_version = "243";
    EXPECT_TRUE(is_essential_loss("systemd"));
    around.systemd_version.reset();
    EXPECT_EQ(state("systemd"), "warning") << "it is there, but the actuator does not ask it";
    around.systemd_trouble = "connecting to the bus system: No such file or directory";
    EXPECT_TRUE(is_essential_loss("systemd"));
    host.remove("run/systemd/system/x");
    host.set("proc/1/comm", "init\n");
    EXPECT_TRUE(is_essential_loss("systemd"));
    EXPECT_EQ(check("systemd").found, "PID 1 is init");
}

TEST_F(TheDoctor, TellsWhoIsNotHeard) {
    around.has_process_events = around.has_cpu_events = false;
    EXPECT_EQ(state("process-events"), "warning");
    EXPECT_EQ(state("cpu-events"), "warning");
    around.has_polkit = false;
    EXPECT_EQ(state("polkit"), "lacks");
    around.has_polkit.reset();
    EXPECT_EQ(state("polkit"), "warning") << "the bus did not say";
    around.has_logind = false;
    EXPECT_EQ(state("resume"), "lacks");
    around.has_logind.reset();
    EXPECT_EQ(state("resume"), "lacks");
}

TEST_F(TheDoctor, TellsOfAnActuatorThatPlacesLess) {
    around.actuator = "dry-run";
    EXPECT_EQ(state("actuator"), "warning");
    around.actuator = "affinity";
    EXPECT_EQ(state("actuator"), "warning");
}

} // namespace
} // namespace schedd::service
