// The ledger across crashes, torn lines and full disks.
#include "components/placement/ledger.h"

#include <gtest/gtest.h>

#include "tests/kit/fake_actuator.h"

namespace schedd::placement {
namespace {

using test::MemoryStore;

CpuSet cpus(std::string_view list) { return CpuSet::parse(list).value(); }
const Target kProcess = Target::process(12, 345);
const Target kGroup = Target::cgroup("/batch/tab\there");

struct ALedger : testing::Test {
    MemoryStore store;
    std::vector<std::string> complaints;

    Ledger open(std::string boot = "boot-1") {
        return Ledger(store, std::move(boot), store.text, complaints);
    }
};

TEST_F(ALedger, KeepsWhatWasWrittenBeforeAlsoWhenItIsMadeCompact) {
    {
        auto ledger = open();
        ASSERT_TRUE(ledger.record({{kGroup, {"cgroup", "x", cpus("0")}}}));
        for (int i = 0; i < 300; ++i) {
            ledger.note_written(kGroup, cpus(i % 2 == 0 ? "1" : "2"));
            ASSERT_TRUE(ledger.flush());
        }
        ledger.note_written(kGroup, {});
        ASSERT_TRUE(ledger.flush());
    }
    EXPECT_GT(store.replaces, 1);
    const auto again = open();
    EXPECT_TRUE(complaints.empty());
    EXPECT_EQ(again.find(kGroup)->original, "x");
    EXPECT_EQ(again.find(kGroup)->written, CpuSet());
    EXPECT_EQ(again.find(kGroup)->before, cpus("2"));
}

TEST_F(ALedger, IsTheSameAfterACrash) {
    {
        auto ledger = open();
        ASSERT_TRUE(ledger.record(
            {{kProcess, {"affinity", "0-1;13=0", cpus("0")}}, {kGroup, {"cgroup", "", cpus("1")}}}));
        ledger.note_written(kProcess, cpus("1"));
        ASSERT_TRUE(ledger.flush());
    }
    const auto again = open();
    EXPECT_TRUE(complaints.empty());
    ASSERT_EQ(again.entries().size(), 2U);
    EXPECT_EQ(again.find(kProcess)->original, "0-1;13=0");
    EXPECT_EQ(again.find(kProcess)->actuator, "affinity");
    EXPECT_EQ(again.find(kProcess)->written, cpus("1"));
    EXPECT_EQ(again.find(kGroup)->original, "");
}

TEST_F(ALedger, KeepsALongOriginalWithOddBytes) {
    // many threads, and nothing that a path could not hold
    std::string original = "0-1 \"x\" %";
    for (int tid = 1000; tid < 1500; ++tid) original += ";" + std::to_string(tid) + "=0-1,3";
    {
        auto ledger = open();
        ASSERT_TRUE(ledger.record({{kProcess, {"affinity", original, cpus("0")}}}));
    }
    EXPECT_EQ(open().find(kProcess)->original, original);
    EXPECT_TRUE(complaints.empty());
}

TEST_F(ALedger, ForgetsWhatWasPutBack) {
    auto ledger = open();
    ASSERT_TRUE(ledger.record({{kProcess, {"affinity", "0-1", cpus("0")}}}));
    ledger.forget(kProcess);
    ASSERT_TRUE(ledger.flush());
    EXPECT_TRUE(open().entries().empty());
    EXPECT_TRUE(complaints.empty());
}

TEST_F(ALedger, KeepsRemovalsThatWereNotFlushedWhenSomethingIsRecorded) {
    auto ledger = open();
    ASSERT_TRUE(ledger.record({{kProcess, {"affinity", "0-1", cpus("0")}}}));
    ledger.forget(kProcess);
    ASSERT_TRUE(ledger.record({{kGroup, {"cgroup", "0-1", cpus("0")}}}));
    EXPECT_EQ(open().entries().size(), 1U);
}

TEST_F(ALedger, IsVoidAfterAnotherBoot) {
    auto ledger = open();
    ASSERT_TRUE(ledger.record({{kProcess, {"affinity", "0-1", cpus("0")}}}));
    EXPECT_TRUE(open("boot-2").entries().empty());
    EXPECT_TRUE(complaints.empty());
}

TEST_F(ALedger, IgnoresATornLastLine) {
    auto ledger = open();
    ASSERT_TRUE(
        ledger.record({{kProcess, {"affinity", "0-1", cpus("0")}}, {kGroup, {"cgroup", "0-1", cpus("0")}}}));
    for (std::size_t cut = 0; cut <= store.text.size(); ++cut) {
        complaints.clear();
        const Ledger torn(store, "boot-1", store.text.substr(0, cut), complaints);
        EXPECT_LE(torn.entries().size(), 2U);
        EXPECT_TRUE(complaints.empty()) << "cut at " << cut << ": " << complaints.front();
    }
}

TEST_F(ALedger, ReportsLinesItCannotUnderstandAndGoesOn) {
    store.text = "schedd-ledger 1 boot-1\n"
                 "+\tprocess\t12\t345\taffinity\t0-1\t0\n"
                 "garbage\n"
                 "+\tprocess\t0\t1\taffinity\t0-1\t0\n"
                 "+\tprocess\t13\t1\taffinity\t0-1\t9-1\n"
                 "=\tprocess\t99\t1\t0\n"
                 "-\tprocess\t98\t1\n"
                 "+\tcgroup\t%2Fa\t0\tcgroup\t0-1\t1\n";
    const auto ledger = open();
    EXPECT_EQ(ledger.entries().size(), 2U);
    EXPECT_TRUE(ledger.find(Target::cgroup("/a")));
    EXPECT_EQ(complaints.size(), 5U);
}

TEST_F(ALedger, SaysThatAForeignFileIsNoLedger) {
    store.text = "[Unit]\nDescription=x\n";
    EXPECT_TRUE(open().entries().empty());
    EXPECT_EQ(complaints.size(), 1U);
}

TEST_F(ALedger, RecordsNothingOnAFullDisk) {
    auto ledger = open();
    store.is_full = true;
    const auto recorded = ledger.record({{kProcess, {"affinity", "0-1", cpus("0")}}});
    ASSERT_FALSE(recorded);
    EXPECT_EQ(recorded.error().kind, Errc::io);
    EXPECT_TRUE(ledger.entries().empty());
    store.is_full = false;
    EXPECT_TRUE(ledger.record({{kProcess, {"affinity", "0-1", cpus("0")}}}));
    EXPECT_EQ(open().entries().size(), 1U);
}

TEST_F(ALedger, KeepsWhatItCouldNotFlushForTheNextTime) {
    auto ledger = open();
    ASSERT_TRUE(ledger.record({{kProcess, {"affinity", "0-1", cpus("0")}}}));
    ledger.forget(kProcess);
    store.is_full = true;
    EXPECT_FALSE(ledger.flush());
    store.is_full = false;
    EXPECT_TRUE(ledger.flush());
    EXPECT_TRUE(open().entries().empty());
}

TEST_F(ALedger, StaysSmallOverManyMoves) {
    auto ledger = open();
    ASSERT_TRUE(ledger.record({{kProcess, {"affinity", "0-1", cpus("0")}}}));
    for (int i = 0; i < 5000; ++i) {
        ledger.note_written(kProcess, CpuSet::of(i % 2));
        ASSERT_TRUE(ledger.flush());
    }
    EXPECT_LT(store.text.size(), 20000U);
    EXPECT_GT(store.replaces, 1);
    EXPECT_EQ(open().find(kProcess)->written, cpus("1"));
}

TEST_F(ALedger, WritesNothingWhenNothingHappened) {
    auto ledger = open();
    ASSERT_TRUE(ledger.record({{kProcess, {"affinity", "0-1", cpus("0")}}}));
    const auto before = store.appends + store.replaces;
    ledger.note_written(kProcess, cpus("0"));
    ASSERT_TRUE(ledger.flush());
    EXPECT_EQ(store.appends + store.replaces, before);
}

TEST_F(ALedger, KeepsWhatItCouldNotStoreForTheNextTime) {
    const auto a = Target::process(1, 10);
    const auto b = Target::process(2, 20);
    auto ledger = open();
    ASSERT_TRUE(ledger.record({{a, {"affinity", "0-1", cpus("0")}}}));
    ledger.forget(a);
    store.is_full = true;
    EXPECT_FALSE(ledger.record({{b, {"affinity", "0-1", cpus("0")}}}));
    store.is_full = false;
    EXPECT_TRUE(ledger.flush());
    EXPECT_TRUE(open().entries().empty()) << "one was let go, and the next run would put it back once more";
}

} // namespace
} // namespace schedd::placement
