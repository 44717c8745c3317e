// CpuEvents: which uevents say that a CPU came or went.
#include "service/host/uevents.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include "tests/unit/service/world.h"

namespace schedd::test {
namespace {

using namespace std::string_literals;
using host::CpuEvents;
using host::is_cpu_change;

TEST(AUevent, OfACpuThatComesOrGoesIsAChange) {
    EXPECT_TRUE(
        is_cpu_change("offline@/devices/system/cpu/cpu1\0ACTION=offline\0SUBSYSTEM=cpu\0SEQNUM=9\0"s));
    EXPECT_TRUE(is_cpu_change("online@/devices/system/cpu/cpu1\0ACTION=online\0SUBSYSTEM=cpu\0"s));
    EXPECT_TRUE(is_cpu_change("add@/x\0SUBSYSTEM=cpu\0ACTION=add"s)) << "no zero byte at the end";
}

TEST(AUevent, OfAnythingElseIsNone) {
    EXPECT_FALSE(is_cpu_change(""));
    EXPECT_FALSE(is_cpu_change("\0\0\0"s));
    EXPECT_FALSE(is_cpu_change("change@/devices/system/cpu/cpu1\0ACTION=change\0SUBSYSTEM=cpu\0"s));
    EXPECT_FALSE(is_cpu_change("offline@/m\0ACTION=offline\0SUBSYSTEM=memory\0"s));
    EXPECT_FALSE(is_cpu_change("x\0ACTION=offline\0SUBSYSTEM=cpuidle\0"s));
    EXPECT_FALSE(is_cpu_change("x\0NOTE=ACTION=offline\0SUBSYSTEM=cpu\0"s));
    EXPECT_FALSE(is_cpu_change("libudev\0\0ACTION=offlin\0SUBSYSTEM=cpu\0"s));
}

class TheKernelsCpuEvents : public ::testing::Test {
protected:
    void SetUp() override {
        auto opened = CpuEvents::open();
        if (!opened) GTEST_SKIP() << opened.error().text();
        events = std::move(*opened);
    }
    /// Lets the kernel send an event of our own making; changes no CPU
    /// (Documentation/ABI/testing/sysfs-uevent).
    static bool send(std::string_view action) {
        const int fd = ::open("/sys/devices/system/cpu/cpu0/uevent", O_WRONLY | O_CLOEXEC);
        const bool sent =
            fd >= 0 && ::write(fd, action.data(), action.size()) == static_cast<ssize_t>(action.size());
        if (fd >= 0) ::close(fd);
        return sent;
    }
    bool wait() const {
        pollfd wait{events->fd(), POLLIN, 0};
        return ::poll(&wait, 1, 5000) > 0;
    }
    std::unique_ptr<CpuEvents> events;
};

TEST_F(TheKernelsCpuEvents, AreTold) {
    if (!send("online")) GTEST_SKIP() << "uevents cannot be made here (no permission to write sysfs)";
    ASSERT_TRUE(wait());
    EXPECT_TRUE(events->drain().value());
    EXPECT_FALSE(events->drain().value()) << "once only";
}

TEST_F(TheKernelsCpuEvents, AreNotConfusedByOtherNews) {
    if (!send("change")) GTEST_SKIP() << "uevents cannot be made here (no permission to write sysfs)";
    ASSERT_TRUE(wait());
    EXPECT_FALSE(events->drain().value());
}

} // namespace
} // namespace schedd::test
