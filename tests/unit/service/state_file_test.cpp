// FileStore: the ledger's file, its lock, and what a full disk or a stranger does to it.
#include "service/host/state_file.h"

#include <csignal>
#include <filesystem>

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "components/kit/limits.h"
#include "tests/unit/service/world.h"

namespace schedd::test {
namespace {

using host::FileStore;

class AStateDirectory : public ::testing::Test {
protected:
    std::string path(const std::string& name = {}) const { return dir.path() + "/state" + name; }
    std::unique_ptr<FileStore> open() const { return FileStore::open(path()).value(); }
    TempDir dir;
};

TEST_F(AStateDirectory, IsMadePrivateWithItsParents) {
    const auto deep = dir.path() + "/a/b/state";
    const auto store = FileStore::open(deep);
    ASSERT_TRUE(store) << store.error().text();
    struct stat about{};
    ASSERT_EQ(::stat(deep.c_str(), &about), 0);
    EXPECT_EQ(about.st_mode & 0777U, 0700U);
    EXPECT_EQ((*store)->read_all().value(), "");
}

TEST_F(AStateDirectory, KeepsWhatWasAppendedAcrossStarts) {
    {
        const auto store = open();
        ASSERT_TRUE(store->append("one\n"));
        ASSERT_TRUE(store->append("two\n"));
        EXPECT_EQ(store->read_all().value(), "one\ntwo\n");
    }
    EXPECT_EQ(open()->read_all().value(), "one\ntwo\n");
}

TEST_F(AStateDirectory, ReplacesEverythingAndGoesOnAppendingToTheNewFile) {
    {
        const auto store = open();
        ASSERT_TRUE(store->append("old\n"));
        ASSERT_TRUE(store->replace("new\n"));
        ASSERT_TRUE(store->append("more\n"));
        EXPECT_EQ(store->read_all().value(), "new\nmore\n");
    }
    EXPECT_EQ(open()->read_all().value(), "new\nmore\n");
    EXPECT_FALSE(std::filesystem::exists(path("/ledger.new")));
}

TEST_F(AStateDirectory, KeepsWhatWasRejectedForSomebodyToLookAt) {
    const auto store = open();
    ASSERT_TRUE(store->append("garbage\n"));
    EXPECT_EQ(store->set_aside("garbage\n").value(), path("/ledger.rejected"));
    EXPECT_EQ(store->set_aside("worse\n").value(), path("/ledger.rejected"));
    struct stat about{};
    ASSERT_EQ(::stat(path("/ledger.rejected").c_str(), &about), 0);
    EXPECT_EQ(about.st_mode & 0777U, 0600U);
    EXPECT_EQ(about.st_size, 6);
    EXPECT_EQ(store->read_all().value(), "garbage\n") << "the ledger itself is not touched";
}

TEST_F(AStateDirectory, IsForOneDaemonAtATimeAndSaysForWhich) {
    auto first = open();
    const auto error = FileStore::open(path()).error();
    EXPECT_EQ(error.kind, Errc::held_by_other);
    EXPECT_NE(error.text().find("process " + std::to_string(::getpid())), std::string::npos) << error.text();
    first.reset();
    EXPECT_TRUE(FileStore::open(path())) << "the lock goes with its owner";
}

TEST_F(AStateDirectory, IsForOneDaemonAlsoWhereThereIsNoLockFile) {
    const auto first = open();
    std::filesystem::remove(path("/lock")); // as where it could not be made
    EXPECT_EQ(FileStore::open(path()).error().kind, Errc::held_by_other);
}

TEST_F(AStateDirectory, IsFreeAgainAfterItsDaemonWasKilled) {
    in_another_process(0, [&] { return FileStore::open(path()).value().release() != nullptr ? "" : "x"; });
    EXPECT_TRUE(FileStore::open(path()));
}

TEST_F(AStateDirectory, DoesNotTrustALockFileThatHoldsGarbage) {
    const auto first = open();
    dir.write("state/lock", "\xff\xfe no pid");
    EXPECT_NE(FileStore::open(path()).error().text().find("another process"), std::string::npos);
}

TEST_F(AStateDirectory, ThatOthersMayWriteIsRefused) {
    static_cast<void>(open());
    ASSERT_EQ(::chmod(path().c_str(), 0777), 0);
    const auto error = FileStore::open(path()).error();
    EXPECT_EQ(error.kind, Errc::denied);
    EXPECT_NE(error.text().find(path()), std::string::npos);
}

TEST_F(AStateDirectory, DoesNotFollowAPlantedLink) {
    static_cast<void>(open());
    dir.write("precious", "precious");
    std::filesystem::remove(path("/ledger"));
    std::filesystem::create_symlink(dir.path() + "/precious", path("/ledger"));
    EXPECT_FALSE(FileStore::open(path()));
    EXPECT_EQ(dir.read("precious"), "precious");
}

TEST_F(AStateDirectory, ThatIsAFileOrCannotBeMadeIsNamed) {
    dir.write("state", "a file");
    EXPECT_NE(FileStore::open(path()).error().text().find(path()), std::string::npos);
    EXPECT_FALSE(FileStore::open("/proc/none/state"));
}

TEST_F(AStateDirectory, WithALedgerBeyondTheLimitIsRefused) {
    const auto store = open();
    ASSERT_EQ(::truncate(path("/ledger").c_str(), static_cast<off_t>(limits::kLedgerBytes + 1)), 0);
    const auto error = store->read_all().error();
    EXPECT_EQ(error.kind, Errc::limit_exceeded);
    EXPECT_NE(error.text().find("kLedgerBytes"), std::string::npos);
}

/// In a process of its own, where no file may grow beyond `bytes`: a full disk.
std::string on_a_full_disk(rlim_t bytes, const std::function<std::string()>& work) {
    return in_another_process(0, [&] {
        ::signal(SIGXFSZ, SIG_IGN);
        const rlimit full{bytes, bytes};
        ::setrlimit(RLIMIT_FSIZE, &full);
        return work();
    });
}

TEST_F(AStateDirectory, IsAsBeforeWhenTheDiskIsFullInTheMiddleOfALine) {
    const auto said = on_a_full_disk(20, [&] {
        const auto store = open();
        if (!store->append("first line\n")) return std::string("refused too early");
        const auto second = store->append("a second line that does not fit\n");
        return (second ? "taken|" : second.error().text() + "|") + store->read_all().value();
    });
    EXPECT_NE(said.find("File too large|first line\n"), std::string::npos) << said;
    EXPECT_EQ(open()->read_all().value(), "first line\n");
}

TEST_F(AStateDirectory, KeepsTheOldLedgerWhenTheNewOneDoesNotFit) {
    const auto said = on_a_full_disk(20, [&] {
        const auto store = open();
        static_cast<void>(store->append("old\n"));
        const auto replaced = store->replace(std::string(100, 'x'));
        static_cast<void>(store->append("more\n"));
        return (replaced ? "replaced|" : "refused|") + store->read_all().value();
    });
    EXPECT_EQ(said, "refused|old\nmore\n");
    EXPECT_FALSE(std::filesystem::exists(path("/ledger.new")));
}

TEST_F(AStateDirectory, CarriesALedgerOverACrash) {
    std::vector<std::string> complaints;
    const auto target = Target::process(12, 345);
    {
        const auto store = open();
        placement::Ledger ledger(*store, "boot", "", complaints);
        ASSERT_TRUE(ledger.record({{target, {"affinity", "0-1*;13=0", CpuSet::of(1)}}}));
        ASSERT_TRUE(store->append("torn li")); // as a crash in the middle of a write leaves it
    }
    const auto store = open();
    const placement::Ledger ledger(*store, "boot", store->read_all().value(), complaints);
    EXPECT_TRUE(complaints.empty());
    ASSERT_NE(ledger.find(target), nullptr);
    EXPECT_EQ(ledger.find(target)->original, "0-1*;13=0");
}

} // namespace
} // namespace schedd::test
