// Key files on disk: found, refused if others may use them, read whole or not at all, replaced whole.
#include "service/net/key_ring.h"

#include <filesystem>
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

namespace schedd::test {
namespace {

namespace fs = std::filesystem;
using namespace schedd::net;
using testing::HasSubstr;

const std::string kA = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
const std::string kB = "ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100";

struct AKeyRing : testing::Test {
    std::string directory;
    std::string path;
    std::unique_ptr<SodiumCipher> cipher = *SodiumCipher::make();

    void SetUp() override {
        std::string name = (fs::temp_directory_path() / "schedd-keys-XXXXXX").string();
        ASSERT_NE(::mkdtemp(name.data()), nullptr);
        directory = name;
        path = directory + "/cluster.keys";
    }
    void TearDown() override { fs::remove_all(directory); }

    void write(std::string_view text, mode_t mode = 0600) const {
        std::ofstream(path, std::ios::binary) << text;
        ASSERT_EQ(::chmod(path.c_str(), mode), 0);
    }
    Errc refusal() {
        const auto loaded = load_keys(path, *cipher);
        EXPECT_FALSE(loaded);
        if (loaded) return Errc::exists;
        EXPECT_THAT(loaded.error().what, HasSubstr(path));
        return loaded.error().kind;
    }
};

TEST_F(AKeyRing, IsReadFromAFileOfItsOwner) {
    for (const mode_t mode : {0600U, 0400U}) {
        write("# ours\n1 " + kA + "\n2 " + kB + " active\n", mode);
        const auto loaded = load_keys(path, *cipher);
        ASSERT_TRUE(loaded) << loaded.error().text();
        EXPECT_TRUE(cipher->knows(1));
        EXPECT_EQ(cipher->active(), 2);
        EXPECT_EQ(cipher->secret(2)[0], std::byte{0xff});
        fs::remove(path);
    }
}

TEST_F(AKeyRing, IsRefusedIfOthersMayUseTheFile) {
    for (const mode_t mode : {0640U, 0604U, 0620U, 0602U, 0644U, 0601U}) {
        write("1 " + kA, mode);
        EXPECT_EQ(refusal(), Errc::denied) << std::oct << mode;
    }
    EXPECT_THAT(load_keys(path, *cipher).error().text(), HasSubstr("(mode 0601)"));
    EXPECT_THAT(load_keys(path, *cipher).error().detail, HasSubstr("chmod 0600"));
    EXPECT_FALSE(cipher->knows(1));
}

TEST_F(AKeyRing, IsRefusedIfTheFileBelongsToSomebodyElse) {
    if (::geteuid() != 0) GTEST_SKIP() << "only root can give a file away";
    write("1 " + kA);
    ASSERT_EQ(::chown(path.c_str(), 12345, 0), 0);
    EXPECT_EQ(refusal(), Errc::denied);
    EXPECT_THAT(load_keys(path, *cipher).error().what, HasSubstr("12345"));
}

TEST_F(AKeyRing, SaysWhatIsWrongWithAFile) {
    EXPECT_EQ(refusal(), Errc::no_such_object);
    write("");
    EXPECT_EQ(refusal(), Errc::invalid_value);
    write("1 " + kA.substr(2));
    EXPECT_EQ(refusal(), Errc::invalid_value);
    EXPECT_THAT(load_keys(path, *cipher).error().what, HasSubstr(path + ":1: key 1 has 62 digits"));
    write(std::string((64U << 10U) + 1, '#'));
    EXPECT_EQ(refusal(), Errc::limit_exceeded);
    write(std::string(10U << 20U, '\0'));
    EXPECT_EQ(refusal(), Errc::limit_exceeded);
    fs::remove(path);
    fs::create_directory(path);
    EXPECT_EQ(refusal(), Errc::invalid_value);
    fs::remove(path);
    ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
    EXPECT_EQ(refusal(), Errc::invalid_value) << "without waiting for somebody to write into it";
}

TEST_F(AKeyRing, KeepsItsKeysIfTheFileCannotBeUsed) {
    write("1 " + kA);
    ASSERT_TRUE(load_keys(path, *cipher));
    write("2 " + kB + "\n3 nonsense");
    EXPECT_EQ(refusal(), Errc::invalid_value);
    EXPECT_TRUE(cipher->knows(1));
    EXPECT_FALSE(cipher->knows(2));
    fs::remove(path);
    EXPECT_EQ(refusal(), Errc::no_such_object);
    EXPECT_EQ(cipher->active(), 1);
}

TEST_F(AKeyRing, IsFoundWhereItIsConfiguredThenInCredentialsThenOnTheMachine) {
    const auto credentials = directory + "/credentials";
    fs::create_directory(credentials);
    EXPECT_EQ(find_key_file("", credentials, path), std::nullopt) << "membership is off";
    EXPECT_EQ(find_key_file("", "", path), std::nullopt);
    EXPECT_EQ(find_key_file("/gone", credentials, path), "/gone") << "an error when it is read";
    write("1 " + kA);
    EXPECT_EQ(find_key_file("", credentials, path), path);
    std::ofstream(credentials + "/schedd.keys") << "1 " << kB;
    EXPECT_EQ(find_key_file("", credentials, path), credentials + "/schedd.keys");
    EXPECT_EQ(find_key_file("/gone", credentials, path), "/gone");
}

TEST_F(AKeyRing, IsWrittenForTheOwnerAloneInPlaceOfTheOldFile) {
    const auto old_mask = ::umask(0);
    write("1 " + kA + "\n", 0644);
    std::ofstream(path + ".new") << "left behind";
    ASSERT_TRUE(write_keys(path, "2 " + kB + "\n"));
    ::umask(old_mask);
    struct stat status{};
    ASSERT_EQ(::stat(path.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777U, 0600U);
    EXPECT_FALSE(fs::exists(path + ".new"));
    ASSERT_TRUE(load_keys(path, *cipher));
    EXPECT_EQ(cipher->active(), 2);
}

TEST_F(AKeyRing, IsNotWrittenIfItCouldNotBeReadOrTheDirectoryIsGone) {
    write("1 " + kA + "\n");
    EXPECT_EQ(write_keys(path, "1 nonsense").error().kind, Errc::invalid_value);
    ASSERT_TRUE(load_keys(path, *cipher)) << "as it was";
    const auto gone = directory + "/gone/cluster.keys";
    EXPECT_EQ(write_keys(gone, "1 " + kA).error().kind, Errc::no_such_object);
    fs::create_directories(directory + "/folder/below");
    EXPECT_FALSE(write_keys(directory + "/folder", "1 " + kA)) << "a directory in its place";
    EXPECT_FALSE(fs::exists(directory + "/folder.new"));
}

TEST_F(AKeyRing, DoesNotFollowALinkWhereItWritesTheNewFile) {
    const auto victim = directory + "/victim";
    std::ofstream(victim) << "mine";
    fs::create_symlink(victim, path + ".new");
    ASSERT_TRUE(write_keys(path, "1 " + kA));
    std::stringstream text;
    text << std::ifstream(victim).rdbuf();
    EXPECT_EQ(text.str(), "mine");
}

} // namespace
} // namespace schedd::test
