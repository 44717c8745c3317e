// The configuration over restarts: files that are damaged, cut off, or cannot be written.
#include "service/net/journal_file.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>

#include "service/net/sodium_hash.h"

namespace schedd::net {
namespace {

namespace fs = std::filesystem;
using membership::NodeUid;
using membership::Store;
using testing::HasSubstr;

class StillClocks final : public membership::MachineClocks {
public:
    [[nodiscard]] std::uint64_t wall_ms() const override { return 1'700'000'000'000; }
    [[nodiscard]] Duration suspended() const override { return {}; }
};

class AJournal : public testing::Test {
protected:
    AJournal() {
        std::string name = (fs::temp_directory_path() / "schedd-journal-XXXXXX").string();
        directory = ::mkdtemp(name.data());
    }
    ~AJournal() override { fs::remove_all(directory); }
    [[nodiscard]] Store store() const { return {NodeUid{1}, clocks, hash}; }
    [[nodiscard]] JournalFile journal() const { return {directory, hash, clocks}; }
    /// Stores and appends one change.
    void change(Store& to, JournalFile& in, const std::string& path, const std::string& value) {
        const auto entries = to.write(std::vector{membership::Write{path, value, 0}});
        ASSERT_TRUE(entries) << entries.error().text();
        std::vector<std::shared_ptr<const membership::Entry>> shared;
        for (const auto& entry : *entries) shared.push_back(std::make_shared<membership::Entry>(entry));
        const auto appended = in.append(shared, to.marks());
        ASSERT_TRUE(appended) << appended.error().text();
    }
    /// What a new start finds.
    std::string value(const std::string& path) {
        auto again = store();
        auto reader = journal();
        troubles.clear();
        has_history = reader.load(again, troubles);
        const auto* entry = again.find(path);
        return entry ? entry->value : "nothing";
    }
    [[nodiscard]] std::string at(const std::string& name) const { return directory + "/" + name; }
    void damage(const std::string& name, std::size_t where) const {
        std::fstream file(at(name), std::ios::in | std::ios::out | std::ios::binary);
        file.seekp(static_cast<std::streamoff>(where));
        file.put('\x5a');
    }

    std::string directory;
    StillClocks clocks;
    SodiumHash hash;
    std::vector<Error> troubles;
    bool has_history = false;
};

TEST_F(AJournal, OfAFirstStartIsEmpty) {
    EXPECT_EQ(value("probes/cpu"), "nothing");
    EXPECT_FALSE(has_history);
    EXPECT_TRUE(troubles.empty());
}

TEST_F(AJournal, KeepsChangesInItsLogAndInASnapshot) {
    auto first = store();
    auto kept = journal();
    change(first, kept, "probes/cpu", "cpu");
    EXPECT_EQ(value("probes/cpu"), "cpu");
    EXPECT_TRUE(has_history);
    ASSERT_TRUE(kept.replace(first));
    change(first, kept, "probes/mem", "mem");
    EXPECT_EQ(value("probes/cpu"), "cpu");
    EXPECT_EQ(value("probes/mem"), "mem");
    EXPECT_TRUE(troubles.empty());
    EXPECT_EQ(fs::status(at("cluster.log")).permissions(), fs::perms::owner_read | fs::perms::owner_write);
}

TEST_F(AJournal, ThatWasCutOffLosesTheLastChangeAndGoesOn) {
    auto first = store();
    auto kept = journal();
    change(first, kept, "probes/cpu", "cpu");
    change(first, kept, "probes/mem", "mem");
    fs::resize_file(at("cluster.log"), fs::file_size(at("cluster.log")) - 3);
    EXPECT_EQ(value("probes/cpu"), "cpu");
    EXPECT_EQ(value("probes/mem"), "nothing");
    // the torn end is gone, so that what follows can be read
    auto second = store();
    auto goes_on = journal();
    goes_on.load(second, troubles);
    change(second, goes_on, "probes/io", "io");
    EXPECT_EQ(value("probes/cpu"), "cpu");
    EXPECT_EQ(value("probes/io"), "io");
}

TEST_F(AJournal, WhoseSnapshotIsDamagedIsKeptAsideAndTheStoreIsEmpty) {
    auto first = store();
    auto kept = journal();
    change(first, kept, "probes/cpu", "cpu");
    ASSERT_TRUE(kept.replace(first));
    damage("cluster.config", fs::file_size(at("cluster.config")) / 2);
    EXPECT_EQ(value("probes/cpu"), "nothing");
    ASSERT_FALSE(troubles.empty());
    EXPECT_TRUE(fs::exists(at("cluster.config.rejected-1")));
    EXPECT_FALSE(fs::exists(at("cluster.config")));
    EXPECT_EQ(value("probes/cpu"), "nothing");
    EXPECT_TRUE(troubles.empty()) << "said once";
}

TEST_F(AJournal, OfRandomBytesIsKeptAside) {
    std::ofstream(at("cluster.config")) << std::string(5000, 'x');
    std::ofstream(at("cluster.log")) << std::string(5000, 'y');
    EXPECT_EQ(value("probes/cpu"), "nothing");
    EXPECT_TRUE(fs::exists(at("cluster.config.rejected-1")));
    EXPECT_TRUE(fs::exists(at("cluster.log.rejected-1")));
    auto first = store();
    auto kept = journal();
    change(first, kept, "probes/cpu", "cpu");
    EXPECT_EQ(value("probes/cpu"), "cpu");
}

TEST_F(AJournal, ThatCannotBeWrittenSaysWhereAndWhy) {
    fs::create_directory(at("cluster.log"));
    auto first = store();
    auto kept = journal();
    EXPECT_FALSE(kept.load(first, troubles));
    EXPECT_EQ(troubles.size(), 1U);
    const auto entries = first.write(std::vector{membership::Write{"probes/cpu", "cpu", 0}});
    ASSERT_TRUE(entries);
    const auto appended = kept.append({}, first.marks());
    ASSERT_FALSE(appended);
    EXPECT_THAT(appended.error().text(), HasSubstr(at("cluster.log")));
    fs::create_directory(at("cluster.config"));
    std::ofstream(at("cluster.config/file")) << "x";
    EXPECT_THAT(kept.replace(first).error().text(), HasSubstr(at("cluster.config")));
}

TEST_F(AJournal, KeepsAsideWhatIsGivenUpForTheClusters) {
    auto first = store();
    auto kept = journal();
    change(first, kept, "probes/cpu", "cpu");
    for (int i = 0; i < 5; ++i) ASSERT_TRUE(kept.set_aside(first));
    EXPECT_TRUE(fs::exists(at("cluster.config.rejected-1")));
    EXPECT_TRUE(fs::exists(at("cluster.config.rejected-3")));
    EXPECT_FALSE(fs::exists(at("cluster.config.rejected-4")));
    EXPECT_EQ(value("probes/cpu"), "cpu") << "what is kept aside is no loss of what is in use";
}

TEST_F(AJournal, IsDueToBecomeASnapshotWhenItIsLong) {
    auto first = store();
    auto kept = journal();
    for (int i = 0; !kept.is_snapshot_due() && i < 100; ++i)
        change(first, kept, "probes/cpu", std::string(60'000, static_cast<char>('a' + i % 26)));
    EXPECT_TRUE(kept.is_snapshot_due());
    ASSERT_TRUE(kept.replace(first));
    EXPECT_FALSE(kept.is_snapshot_due());
    EXPECT_EQ(value("probes/cpu").size(), 60'000U);
}

TEST_F(AJournal, WithoutADirectoryKeepsNothingAndFailsNowhere) {
    JournalFile nowhere("", hash, clocks);
    auto first = store();
    EXPECT_FALSE(nowhere.load(first, troubles));
    EXPECT_TRUE(nowhere.append({}, first.marks()));
    EXPECT_TRUE(nowhere.replace(first));
    EXPECT_TRUE(nowhere.set_aside(first));
}

} // namespace
} // namespace schedd::net
