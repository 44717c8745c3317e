// LiveKernel: pidfds and ids of own processes.
#include "service/host/live_kernel.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/service/world.h"

namespace schedd::test {
namespace {

TEST(AHold, LivesAsLongAsItsProcess) {
    host::LiveKernel kernel;
    Child child;
    const auto hold = kernel.hold(child.pid()).value();
    EXPECT_TRUE(hold->alive());
    child.end(); // not reaped yet
    EXPECT_FALSE(hold->alive());
}

TEST(AHold, OutlivesTheNumber) {
    host::LiveKernel kernel;
    std::unique_ptr<ProcessHold> hold;
    {
        const Child child;
        hold = kernel.hold(child.pid()).value();
    }
    EXPECT_FALSE(hold->alive());
}

TEST(AHold, IsRefusedForWhatIsNoProcess) {
    host::LiveKernel kernel;
    Pid gone = 0;
    {
        Child child(1);
        const auto thread = child.threads().back();
        const auto error = kernel.hold(thread).error();
        EXPECT_EQ(error.kind, Errc::no_such_object);
        EXPECT_NE(error.text().find("is a thread"), std::string::npos) << error.text();
        gone = child.pid();
        child.end();
        EXPECT_EQ(kernel.hold(gone).error().kind, Errc::no_such_object) << "a zombie";
    }
    for (const Pid pid : {gone, 0, -1, INT32_MAX})
        EXPECT_EQ(kernel.hold(pid).error().kind, Errc::no_such_object);
}

TEST(TheLiveKernel, TellsGroupAndSession) {
    host::LiveKernel kernel;
    const Child child;
    ASSERT_EQ(::setpgid(child.pid(), child.pid()), 0);
    const auto ids = kernel.ids(child.pid());
    ASSERT_TRUE(ids);
    EXPECT_EQ(ids->group, child.pid());
    EXPECT_EQ(ids->session, ::getsid(0));
    EXPECT_FALSE(kernel.ids(0)) << "0 would mean the caller";
    EXPECT_FALSE(kernel.ids(INT32_MAX));
}

} // namespace
} // namespace schedd::test
