// Earlier lives and remembered peers, as text and in files.
#include "service/net/lives.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>

#include "service/net/addresses.h"
#include "service/net/state_files.h"

namespace schedd::net {
namespace {

namespace fs = std::filesystem;

class Lived : public testing::Test {
protected:
    Lived() {
        std::string name = (fs::temp_directory_path() / "schedd-lives-XXXXXX").string();
        directory = ::mkdtemp(name.data());
    }
    ~Lived() override { fs::remove_all(directory); }
    void write(const std::string& name, std::string_view text) const {
        std::ofstream(directory + "/" + name, std::ios::binary) << text;
    }
    std::string directory;
    std::vector<Error> troubles;
};

TEST_F(Lived, OneLifeMoreIsCountedAtEachStart) {
    EXPECT_EQ(begin_life(directory, troubles).counter, 1U);
    auto lives = begin_life(directory, troubles);
    EXPECT_EQ(lives.counter, 2U);
    lives.number = 7;
    lives.stamp = 1234567;
    lives.is_draining = true;
    ASSERT_TRUE(write_lives(directory, lives));
    ++lives.counter;
    EXPECT_EQ(begin_life(directory, troubles), lives);
    EXPECT_TRUE(troubles.empty());
    EXPECT_EQ(fs::status(directory + "/cluster.boot").permissions(),
              fs::perms::owner_read | fs::perms::owner_write);
}

TEST_F(Lived, ADamagedFileIsSetAsideAndTheNodeBeginsAnew) {
    for (const auto* text : {"", "counter", "counter x\n", "counter 1\nstamp -1\n", "counter 99999999999\n",
                             "stamp 1\n", "counter 1\nnumber 70000\n", "counter 1", "\0\0\0\0"}) {
        write("cluster.boot", text);
        troubles.clear();
        EXPECT_EQ(begin_life(directory, troubles).counter, 1U) << text;
        ASSERT_EQ(troubles.size(), 1U) << text;
        EXPECT_EQ(troubles[0].kind, Errc::invalid_value);
        EXPECT_THAT(troubles[0].text(),
                    testing::HasSubstr("kept as " + directory + "/cluster.boot.rejected-1"));
    }
    EXPECT_TRUE(fs::exists(directory + "/cluster.boot.rejected-3"));
    EXPECT_FALSE(fs::exists(directory + "/cluster.boot.rejected-4"));
}

TEST_F(Lived, AHugeFileOrNoFileAtAllIsNamedAndNotRead) {
    write("cluster.boot", std::string(1 << 20, 'x'));
    EXPECT_EQ(begin_life(directory, troubles).counter, 0U);
    ASSERT_EQ(troubles.size(), 1U);
    EXPECT_EQ(troubles[0].kind, Errc::limit_exceeded);
    fs::remove(directory + "/cluster.boot");
    fs::create_directory(directory + "/cluster.boot");
    EXPECT_EQ(begin_life(directory, troubles).counter, 0U);
    EXPECT_EQ(troubles.size(), 2U);
}

TEST_F(Lived, ADirectoryThatIsNotThereIsATroubleAndNoMore) {
    EXPECT_EQ(begin_life(directory + "/gone", troubles).counter, 1U);
    ASSERT_EQ(troubles.size(), 1U);
    EXPECT_THAT(troubles[0].text(), testing::HasSubstr("/gone/cluster.boot"));
    EXPECT_EQ(begin_life("", troubles).counter, 0U);
    EXPECT_EQ(troubles.size(), 1U);
}

TEST_F(Lived, AFullDiskLeavesTheOldFile) {
    if (!fs::exists("/dev/full")) GTEST_SKIP() << "no /dev/full here";
    ASSERT_TRUE(replace_state(directory + "/a", "old"));
    fs::create_symlink("/dev/full", directory + "/a.new");
    EXPECT_FALSE(replace_state(directory + "/a", "new")) << "a link is not followed";
    EXPECT_EQ(read_state(directory + "/a", 100).value(), "old");
}

Remembered somebody() {
    Remembered peer;
    peer.uid = NodeUid{0x0123456789abcdef};
    peer.boot = {4, 0xdeadbeef};
    peer.seq = 99;
    peer.number = 3;
    peer.name = "node three";
    peer.addresses = {parse_address("10.0.0.3", 7420).value(), parse_address("[fd00::3]:1", 7420).value()};
    peer.heard_wall_ms = 1'700'000'000'000;
    return peer;
}

TEST_F(Lived, PeersAreRemembered) {
    auto other = somebody();
    other.uid = NodeUid{5};
    other.number = -1;
    other.name.clear();
    other.addresses.clear();
    ASSERT_TRUE(write_peers(directory, std::vector{somebody(), other}));
    const auto peers = read_peers(directory, troubles);
    EXPECT_TRUE(troubles.empty());
    ASSERT_EQ(peers.size(), 2U);
    EXPECT_EQ(peers[0].uid, somebody().uid);
    EXPECT_EQ(peers[0].boot, somebody().boot);
    EXPECT_EQ(peers[0].seq, 99U);
    EXPECT_EQ(peers[0].number, 3);
    EXPECT_EQ(peers[0].name, "node three");
    EXPECT_EQ(peers[0].addresses, somebody().addresses);
    EXPECT_EQ(peers[0].heard_wall_ms, 1'700'000'000'000U);
    EXPECT_EQ(peers[1].number, -1);
    EXPECT_TRUE(peers[1].addresses.empty());
}

TEST_F(Lived, ANameCannotForgeALine) {
    auto peer = somebody();
    peer.name = "x\n0000000000000009 1 1 1 - 1 - y";
    ASSERT_TRUE(write_peers(directory, std::vector{peer}));
    EXPECT_EQ(read_peers(directory, troubles).size(), 1U);
}

TEST_F(Lived, LinesThatCannotBeReadAreLeftOutAndCounted) {
    std::size_t unreadable = 0;
    const auto good = text_of(std::vector{somebody()});
    const auto peers =
        parse_peers("\n\nx\n" + good + "0123456789abcdef 4\n" + good.substr(0, 20), unreadable);
    EXPECT_EQ(peers.size(), 1U);
    EXPECT_EQ(unreadable, 5U);
    EXPECT_TRUE(parse_peers("", unreadable).empty());
}

TEST_F(Lived, NoMorePeersAreReadThanMayBeKnown) {
    std::string text;
    for (std::size_t i = 0; i < membership::limits::kPeers + 100; ++i)
        text += text_of(std::vector{somebody()});
    std::size_t unreadable = 0;
    EXPECT_EQ(parse_peers(text, unreadable).size(), membership::limits::kPeers);
}

} // namespace
} // namespace schedd::net
