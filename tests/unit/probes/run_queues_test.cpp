// RunQueues over hand-made proc/schedstat files.
#include "components/probes/run_queues.h"

#include <gtest/gtest.h>

#include "tests/kit/world.h"

namespace schedd::test {
namespace {

using std::chrono::seconds;

struct Queues : ::testing::Test {
    FakeHost host;
    probes::RunQueues queues{host};
    Time now = seconds(100);

    Status measure(const std::string& text) {
        host.set("proc/schedstat", text);
        now += seconds(1);
        return queues.measure(now);
    }
    /// One CPU line with its run and wait time in ms.
    static std::string cpu(int number, std::uint64_t run_ms, std::uint64_t wait_ms) {
        return fmt::format("cpu{} 0 0 1 2 3 4 {}000000 {}000000 99\ndomain0 3 1 2 3 4 5\n", number, run_ms,
                           wait_ms);
    }
    static constexpr const char* kHead = "version 15\ntimestamp 4295\n";
};

using RunQueuesOfAMachine = Queues;

TEST_F(RunQueuesOfAMachine, GiveRunAndWaitTimeOfAllCpus) {
    ASSERT_TRUE(measure(kHead + cpu(0, 0, 0) + cpu(1, 100, 100)));
    EXPECT_FALSE(queues.load());
    ASSERT_TRUE(measure(kHead + cpu(0, 1000, 1000) + cpu(1, 350, 100)));
    EXPECT_EQ(queues.load(), 2250);
}
TEST_F(RunQueuesOfAMachine, DoNotCountACpuThatHasJustComeOnline) {
    ASSERT_TRUE(measure(kHead + cpu(0, 0, 0)));
    ASSERT_TRUE(measure(kHead + cpu(0, 500, 0) + cpu(1, 99000, 0)));
    EXPECT_EQ(queues.load(), 500);
    ASSERT_TRUE(measure(kHead + cpu(0, 500, 0) + cpu(1, 99100, 0)));
    EXPECT_EQ(queues.load(), 100);
}
TEST_F(RunQueuesOfAMachine, TakeACounterThatWentBackAsABaseLine) {
    ASSERT_TRUE(measure(kHead + cpu(0, 500, 0)));
    ASSERT_TRUE(measure(kHead + cpu(0, 1, 0)));
    EXPECT_EQ(queues.load(), 0);
}
TEST_F(RunQueuesOfAMachine, AreNotUnderstoodFromOldKernels) {
    const auto done = measure("version 14\n" + cpu(0, 0, 0));
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().kind, Errc::not_supported);
    EXPECT_TRUE(measure("version 17\n" + cpu(0, 0, 0)));
}
TEST_F(RunQueuesOfAMachine, RefuseGarbageAndStartAnew) {
    ASSERT_TRUE(measure(kHead + cpu(0, 0, 0)));
    for (const std::string text : {"", "version\n", "version x\n", "cpu0 0 0 0 0 0 0 1 2 3\n", "version 15\n",
                                   "version 15\ncpu0 1 2 3\n", "version 15\ncpu0 0 0 0 0 0 0 -1 2 3\n",
                                   "version 15\ncpux 0 0 0 0 0 0 1 2 3\n"}) {
        const auto done = measure(text);
        ASSERT_FALSE(done) << text;
        EXPECT_EQ(done.error().kind, Errc::io);
        EXPECT_FALSE(queues.load());
    }
    ASSERT_TRUE(measure(kHead + cpu(0, 5000, 0)));
    EXPECT_FALSE(queues.load());
}
TEST_F(RunQueuesOfAMachine, ReadAFileOfAnyLength) {
    const auto text = [](std::uint64_t ms) {
        std::string all = kHead;
        for (int i = 0; i < 600; ++i) all += cpu(i, ms, 0) + "domain1 " + std::string(300, '7') + "\n";
        return all;
    };
    ASSERT_TRUE(measure(text(0)));
    ASSERT_TRUE(measure(text(10)));
    EXPECT_EQ(queues.load(), 6000);
}

} // namespace
} // namespace schedd::test
