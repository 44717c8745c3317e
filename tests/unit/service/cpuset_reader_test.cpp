// Lists of CPUs of the largest machine, as the kernel's files have them.
#include "service/actuators/cpuset_reader.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "service/actuators/dry_run.h"
#include "tests/kit/fake_host.h"

namespace schedd::test {
namespace {

using namespace actuators;

/// No set of this many CPUs has a longer list: two of three CPUs.
CpuSet longest() {
    CpuSet cpus;
    for (int cpu = 0; cpu < limits::kMaxCpus; ++cpu)
        if (cpu % 3 != 2) cpus.add(cpu);
    return cpus;
}

TEST(AListOfTheLargestMachine, IsReadWhole) {
    FakeHost host;
    const auto text = longest().text() + "\n";
    ASSERT_GT(text.size(), 20'000U);
    host.set("sys/devices/system/cpu/online", text);
    EXPECT_EQ(online_cpus(host), longest());
    host.set("sys/fs/cgroup/a/cgroup.controllers", "cpuset\n");
    host.set("sys/fs/cgroup/a/cpuset.cpus.effective", text);
    const auto effective = effective_of(host, {"sys/fs/cgroup", 2}, "/a");
    ASSERT_TRUE(effective);
    EXPECT_EQ(*effective, longest());
}

TEST(AListOfTheLargestMachine, IsReadWholeFromTheStatusOfAProcess) {
    FakeHost host;
    std::string stat = "7 (a) S";
    for (int field = 4; field < 22; ++field) stat += " 1";
    host.set("proc/7/stat", stat + " 500 0 0\n");
    std::string mask = "ffffffff"; // stands before the list
    for (int word = 1; word < limits::kMaxCpus / 32; ++word) mask += ",ffffffff";
    host.set("proc/7/status",
             fmt::format("Name:\ta\nCpus_allowed:\t{}\nCpus_allowed_list:\t{}\nMems_allowed:\t1\n", mask,
                         longest().text()));
    const auto current = DryRun(host).current(Target::process(7, 500));
    ASSERT_TRUE(current) << current.error().text();
    EXPECT_EQ(*current, longest());
}

TEST(AListOfMoreThanTheLargestMachine, IsNotTakenForAPartOfIt) {
    FakeHost host;
    host.set("sys/devices/system/cpu/online", fmt::format("0-{}\n", limits::kMaxCpus));
    EXPECT_EQ(online_cpus(host), CpuSet()) << "not known";
}

} // namespace
} // namespace schedd::test
