// The files of the simulated machine, as the daemon's own readers take them.
#include "components/sim/host.h"

#include <gtest/gtest.h>

#include "components/model/proc_text.h"
#include "components/model/process_table.h"

namespace schedd::sim {
namespace {

using namespace std::chrono_literals;

struct Files : ::testing::Test {
    Files() {
        host.add_group("/system.slice/web.service");
        cpus.start(1000, CpuSet::of(0), {.threads = 2}, "/system.slice/web.service");
        host.add(1000, {"/usr/bin/web", "/system.slice/web.service"});
    }
    std::string text(const std::string& path) {
        const auto read = host.text_of(path);
        return read ? *read : "error: " + read.error().text();
    }
    SimCpus cpus{CpuSet::range(0, 1)};
    SimHost host{cpus};
};

TEST_F(Files, OfAProcessAreUnderstoodByTheProcessTable) {
    ProcessTable table(host, nullptr, 2);
    ASSERT_TRUE(table.scan());
    const auto* found = table.find(1000);
    ASSERT_NE(found, nullptr);
    EXPECT_EQ(found->comm, "web");
    EXPECT_EQ(found->threads, 2);
    EXPECT_EQ(table.trait(1000, Trait::executable), "/usr/bin/web");
    EXPECT_EQ(table.trait(1000, Trait::systemd_group), "/system.slice/web.service");
    EXPECT_TRUE(table.cgroup_exists("/system.slice"));
    EXPECT_FALSE(table.cgroup_exists("/user.slice"));
}

TEST_F(Files, SayHowLongEachThreadRanAndWaited) {
    cpus.advance(0s, 10s);
    for (const auto* path :
         {"proc/1000/schedstat", "proc/1000/task/1000/schedstat", "proc/1000/task/1001/schedstat"})
        EXPECT_EQ(text(path), "5000000000 5000000000 1\n") << path;
    EXPECT_EQ(text("proc/schedstat"), "version 15\ntimestamp 0\ncpu0 0 0 0 0 0 0 10000000000 10000000000 0\n"
                                      "cpu1 0 0 0 0 0 0 0 0 0\n");
    EXPECT_EQ(text("proc/stat"), "cpu  0 0 0 0 0 0 0 0 0 0\ncpu0 1000 0 0 0 0 0 0 0 0 0\n"
                                 "cpu1 0 0 0 1000 0 0 0 0 0 0\n");
}

TEST_F(Files, SayWhenAProcessWasBorn) {
    cpus.advance(0s, 1230ms);
    const auto& late = cpus.start(2000, cpus.all(), {}, "/");
    host.add(late.pid, {"/usr/bin/late"});
    cpus.advance(1230ms, 3s);
    ProcessTable table(host, nullptr, 2);
    ASSERT_TRUE(table.scan());
    EXPECT_EQ(text("proc/uptime"), "1004.23 0.00\n");
    EXPECT_EQ(table.find(2000)->start_time, 100'123U);
    EXPECT_EQ(table.find(1000)->start_time, 100'000U);
}

TEST_F(Files, SayForHowLongAGroupWaited) {
    EXPECT_NE(text("sys/fs/cgroup/system.slice/cpu.pressure").find("total=0\n"), std::string::npos);
    cpus.advance(0s, 1s);
    EXPECT_NE(text("sys/fs/cgroup/system.slice/cpu.pressure")
                  .find("some avg10=0.00 avg60=0.00 avg300=0.00 "
                        "total=1000000\n"),
              std::string::npos)
        << "of two threads on one CPU one always waits";
}

TEST_F(Files, SayWhatAGroupUsedAlsoByWhatHasEnded) {
    EXPECT_EQ(text("sys/fs/cgroup/system.slice/cpu.stat"), "usage_usec 0\n") << "counted from now on";
    cpus.advance(0s, 1s);
    EXPECT_EQ(text("sys/fs/cgroup/system.slice/cpu.stat"), "usage_usec 1000000\n") << "two threads, one CPU";
    cpus.end(1000);
    cpus.advance(1s, 1s);
    EXPECT_EQ(text("sys/fs/cgroup/system.slice/cpu.stat"), "usage_usec 1000000\n");
}

TEST_F(Files, ThatAreNotThereAreGone) {
    for (const auto* path : {"proc/999/stat", "proc/1000/maps", "proc/1000/task/1002/schedstat", "proc/", "",
                             "proc/99999999999999999999/stat", "sys/fs/cgroup/none/cpu.pressure",
                             "sys/fs/cgroup", "proc/1000/task/1/schedstat"})
        EXPECT_EQ(host.text_of(path).error().kind, Errc::no_such_object) << path;
    auto kept = host.open("proc/1000/schedstat");
    ASSERT_TRUE(kept);
    cpus.end(1000);
    std::array<char, 64> buffer{};
    EXPECT_EQ((*kept)->read(buffer).error().kind, Errc::no_such_object);
}

} // namespace
} // namespace schedd::sim
