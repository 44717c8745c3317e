// DirHost: reading below a root, and never outside of it.
#include "service/host/dir_host.h"

#include <algorithm>
#include <array>
#include <filesystem>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "components/kit/limits.h"
#include "tests/kit/count_new.h"
#include "tests/unit/service/world.h"

namespace schedd::test {
namespace {

using host::Confinement;
using host::DirHost;

/// Every kind of confinement must give the same answers but for links.
class ADirHost : public ::testing::TestWithParam<Confinement> {
protected:
    ADirHost() {
        dir.write("root/proc/stat", "cpu 1 2 3\n");
        dir.write("root/proc/empty", "");
        dir.write("secret", "secret\n");
        host = DirHost::open_root(dir.path() + "/root", GetParam()).value();
    }

    std::string read(const std::string& path) {
        std::array<char, 256> buffer;
        const auto text = host->read(path, buffer);
        return text ? std::string(*text) : "error " + std::string(name_of(text.error().kind));
    }

    TempDir dir;
    std::unique_ptr<DirHost> host;
};

INSTANTIATE_TEST_SUITE_P(Confined, ADirHost, ::testing::Values(Confinement::in_root, Confinement::walk),
                         [](const auto& way) { return way.param == Confinement::walk ? "walk" : "in_root"; });

TEST_P(ADirHost, ReadsAFileWhole) {
    EXPECT_EQ(read("proc/stat"), "cpu 1 2 3\n");
    EXPECT_EQ(read("proc//stat"), "cpu 1 2 3\n");
    EXPECT_EQ(read("proc/empty"), "");
}

TEST_P(ADirHost, TellsTheSpaceOfFileSystems) {
    for (const std::string& path : {std::string(), std::string("proc"), std::string("proc/stat")}) {
        const auto space = host->space_of(path);
        ASSERT_TRUE(space) << path;
        EXPECT_GT(space->total_kib, 0);
        EXPECT_LE(space->free_kib, space->total_kib);
    }
    EXPECT_EQ(host->space_of("proc/none").error().kind, Errc::no_such_object);
    EXPECT_EQ(host->space_of("/proc").error().kind, Errc::invalid_value);
}

TEST_P(ADirHost, CutsAtTheBuffersSize) {
    const std::string large(100'000, 'x');
    dir.write("root/large", large);
    std::array<char, 5000> buffer;
    EXPECT_EQ(host->read("large", buffer).value().size(), 5000U);
    std::string all(200'000, '\0');
    EXPECT_EQ(host->read("large", all).value(), large);
}

TEST_P(ADirHost, NamesAFileThatIsNotThere) {
    const auto error = host->open("proc/none").error();
    EXPECT_EQ(error.kind, Errc::no_such_object);
    EXPECT_NE(error.text().find("proc/none"), std::string::npos);
    EXPECT_EQ(read("proc/stat/below"), "error io");
}

TEST_P(ADirHost, RefusesPathsThatAreNotBelowTheRoot) {
    for (const std::string& path :
         {std::string(), std::string("/proc/stat"), std::string("proc/st\0at", 10)}) {
        EXPECT_EQ(read(path), "error invalid_value") << path;
        EXPECT_EQ(host->open(path).error().kind, Errc::invalid_value);
        EXPECT_EQ(host->list(path, [](std::string_view) {}).error().kind, Errc::invalid_value);
        EXPECT_EQ(host->link_target(path).error().kind, Errc::invalid_value);
    }
}

TEST_P(ADirHost, CannotBeLeftByDots) {
    for (const auto* path : {"../secret", "proc/../../secret", "proc/../../../../../../etc/passwd", ".."}) {
        EXPECT_EQ(read(path).rfind("error ", 0), 0U) << path;
        EXPECT_FALSE(host->open(std::string(path) + "/secret")) << path;
    }
}

TEST_P(ADirHost, CannotBeLeftByLinks) {
    namespace fs = std::filesystem;
    fs::create_symlink("../secret", dir.path() + "/root/relative");
    fs::create_symlink(dir.path() + "/secret", dir.path() + "/root/absolute");
    fs::create_directory_symlink("..", dir.path() + "/root/up");
    fs::create_directory_symlink("/", dir.path() + "/root/top");
    for (const auto* path : {"relative", "absolute", "up/secret", "up/../secret"})
        EXPECT_EQ(read(path).rfind("error ", 0), 0U) << path;
    EXPECT_NE(read("top/etc/hostname"), read("proc/stat"));
    EXPECT_EQ(read("top/etc/passwd").rfind("error ", 0), 0U);
    EXPECT_EQ(host->link_target("relative").value(), "../secret") << "reading a link follows nothing";
}

TEST_P(ADirHost, ListsNamesWithoutDots) {
    dir.write("root/proc/12/stat", "");
    std::vector<std::string> names;
    ASSERT_TRUE(host->list("proc", [&](std::string_view name) { names.emplace_back(name); }));
    std::ranges::sort(names);
    EXPECT_EQ(names, (std::vector<std::string>{"12", "empty", "stat"}));
    EXPECT_EQ(host->list("proc/stat", [](std::string_view) {}).error().kind, Errc::io);
    EXPECT_EQ(host->list("gone", [](std::string_view) {}).error().kind, Errc::no_such_object);
}

TEST_P(ADirHost, ReadsAKeptFileFromItsBeginningEachTime) {
    const auto file = host->open("proc/stat").value();
    std::array<char, 64> buffer;
    EXPECT_EQ(file->read(buffer).value(), "cpu 1 2 3\n");
    dir.write("root/proc/stat", "cpu 9\n");
    EXPECT_EQ(file->read(buffer).value(), "cpu 9\n");
}

TEST_P(ADirHost, DoesNotWaitAtAFifo) {
    ASSERT_EQ(::mkfifo((dir.path() + "/root/fifo").c_str(), 0600), 0);
    EXPECT_EQ(read("fifo"), "error io"); // comes back at all
}

TEST(ADirHostOfTheMachine, IsPlainAndReadsProc) {
    const auto host = DirHost::open_root("/").value();
    EXPECT_EQ(host->confinement(), Confinement::plain);
    std::array<char, 4096> buffer;
    EXPECT_TRUE(host->read("proc/self/stat", buffer).value().starts_with(std::to_string(::getpid())));
    EXPECT_EQ(host->link_target("proc/self").value(), std::to_string(::getpid()));
    EXPECT_FALSE(host->link_target("proc/self/exe").value().empty());
}

TEST(ADirHostOfTheMachine, SaysThatAnEndedProcessIsGoneAlsoThroughAKeptFile) {
    const auto host = DirHost::open_root("/").value();
    std::unique_ptr<HostFile> kept;
    std::string path;
    std::array<char, 256> buffer;
    {
        const Child child;
        path = "proc/" + std::to_string(child.pid()) + "/schedstat";
        kept = host->open(path).value();
        EXPECT_TRUE(kept->read(buffer));
    }
    EXPECT_EQ(kept->read(buffer).error().kind, Errc::no_such_object);
    EXPECT_EQ(host->read(path, buffer).error().kind, Errc::no_such_object);
}

TEST(ADirHostOfTheMachine, ReadsLongKernelFilesWhole) {
    const auto host = DirHost::open_root("/").value();
    std::string large(1U << 20U, '\0');
    const auto text = host->read("proc/self/maps", large); // many records, several pages
    ASSERT_TRUE(text);
    EXPECT_GT(text->size(), 4096U);
    EXPECT_TRUE(text->ends_with("\n"));
    EXPECT_NE(text->find("[stack]"), std::string_view::npos) << "the last records are missing";
}

TEST(ADirHostOfTheMachine, AllocatesNothingForAReadThatSucceeds) {
    ASSERT_TRUE(counting_works());
    const auto host = DirHost::open_root("/").value();
    const auto kept = host->open("proc/self/schedstat").value();
    const std::string path = "proc/self/schedstat";
    std::array<char, 256> buffer;
    bool fine = false;
    EXPECT_EQ(allocations_in([&] { fine = kept->read(buffer).has_value(); }), 0U);
    EXPECT_TRUE(fine);
    EXPECT_EQ(allocations_in([&] { fine = host->read(path, buffer).has_value(); }), 0U);
    EXPECT_TRUE(fine);
}

TEST(ADirHostOfARecordedMachine, ChoosesConfinementByItself) {
    const auto host = DirHost::open_root(SCHEDD_MACHINES "/two-cpus").value();
    EXPECT_NE(host->confinement(), Confinement::plain);
    std::array<char, 64> buffer;
    EXPECT_EQ(host->read("sys/devices/system/cpu/online", buffer).value(), "0-1\n");
}

TEST(ADirHost, TellsTheCpuTimeOfAProcessOfTheRunningMachineOnly) {
    const auto live = DirHost::open_root("/").value();
    const auto before = live->cpu_time_of(::getpid());
    ASSERT_TRUE(before);
    volatile unsigned work = 0;
    for (unsigned i = 0; i < 1'000'000; ++i) work = work + i;
    EXPECT_GT(live->cpu_time_of(::getpid()), before);
    EXPECT_TRUE(live->cpu_time_of(1)) << "also of other users' processes";
    EXPECT_EQ(live->cpu_time_of(INT32_MAX), std::nullopt);
    const TempDir dir;
    EXPECT_EQ(DirHost::open_root(dir.path()).value()->cpu_time_of(::getpid()), std::nullopt);
}

TEST(ADirHost, NamesARootThatCannotBeOpened) {
    const auto error = DirHost::open_root("/nowhere/at/all").error();
    EXPECT_EQ(error.kind, Errc::no_such_object);
    EXPECT_NE(error.text().find("/nowhere/at/all"), std::string::npos);
    EXPECT_FALSE(DirHost::open_root("/proc/self/stat")) << "a file is no root";
}

TEST(ADirHost, SaysDeniedWithoutPermission) {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root, to become somebody else";
    const TempDir dir;
    dir.write("closed", "x");
    ASSERT_EQ(::chmod(dir.path().c_str(), 0755), 0);
    ASSERT_EQ(::chmod((dir.path() + "/closed").c_str(), 0600), 0);
    const auto said = in_another_process(65534, [&] {
        const auto host = DirHost::open_root(dir.path()).value();
        std::array<char, 16> buffer;
        return host->read("closed", buffer).error().text();
    });
    EXPECT_NE(said.find("closed: Permission denied"), std::string::npos) << said;
}

TEST(TheFileLimit, IsRaisedToTheHardOneAndLeavesAReserve) {
    const auto said = in_another_process(0, [] {
        rlimit small{1024, 0};
        rlimit now{};
        ::getrlimit(RLIMIT_NOFILE, &now);
        small.rlim_max = now.rlim_max;
        ::setrlimit(RLIMIT_NOFILE, &small);
        const auto before = DirHost::open_root("/").value()->open_budget();
        const auto raised = host::raise_file_limit().value();
        const auto after = DirHost::open_root("/").value()->open_budget();
        return std::string(before == 1024 - limits::kReservedFiles ? "reserve " : "no reserve ") +
               (raised == now.rlim_max && after == raised - limits::kReservedFiles ? "raised" : "not raised");
    });
    EXPECT_EQ(said, "reserve raised");
}

TEST(TheFileLimit, IsNamedWhenItIsHit) {
    const auto said = in_another_process(0, [] {
        const auto host = DirHost::open_root("/").value();
        std::array<char, 64> buffer;
        if (!host->read("proc/loadavg", buffer)) return std::string("not read at first");
        rlimit before{};
        ::getrlimit(RLIMIT_NOFILE, &before);
        const rlimit few{64, before.rlim_max};
        ::setrlimit(RLIMIT_NOFILE, &few);
        // whichever descriptors this process was started with, none is left
        while (::open("/dev/null", O_RDONLY | O_CLOEXEC) >= 0) {}
        const auto read = host->read("proc/loadavg", buffer);
        ::setrlimit(RLIMIT_NOFILE, &before); // a sanitizer needs some to look around
        return std::string(read ? "read" : name_of(read.error().kind));
    });
    EXPECT_EQ(said, "limit_exceeded");
}

} // namespace
} // namespace schedd::test
