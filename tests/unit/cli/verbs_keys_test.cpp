// nodes keygen on files of a directory of its own: made once, for the owner alone, replaced whole.
#include <filesystem>
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/verbs.h"

namespace schedd::cli {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

struct Keygen : testing::Test {
    Keygen() {
        std::string name = fs::temp_directory_path() / "schedd-keygen-XXXXXX";
        directory = ::mkdtemp(name.data());
        options.words = {"keygen", directory / "keys"};
    }
    ~Keygen() override { fs::remove_all(directory); }

    /// How it ended; what it said, on whichever stream it says such things, is in `said`.
    Exit run() {
        testing::internal::CaptureStdout();
        const auto exit = run_keygen({options, look});
        said = testing::internal::GetCapturedStdout();
        if (exit) return *exit;
        said += exit.error().text;
        return exit.error().exit;
    }
    Exit change(bool add, std::uint64_t activate, std::uint64_t remove) {
        options.key_added = add;
        options.key_activated = activate;
        options.key_removed = remove;
        return run();
    }
    std::string content(const char* name = "keys") const {
        std::ostringstream text;
        text << std::ifstream(directory / name).rdbuf();
        return text.str();
    }
    /// The number and the rest of each key, without the digits: "1 active", "2".
    std::vector<std::string> keys() const {
        std::istringstream lines(content());
        std::vector<std::string> out;
        for (std::string line; std::getline(lines, line);)
            if (!line.starts_with('#'))
                out.push_back(line.substr(0, line.find(' ')) + line.substr(line.find(' ') + 65));
        return out;
    }
    unsigned mode() const {
        struct stat status{};
        EXPECT_EQ(::stat((directory / "keys").c_str(), &status), 0);
        return status.st_mode & 07777U;
    }

    fs::path directory;
    Options options;
    Look look;
    std::string said;
};

TEST_F(Keygen, MakesAFileThatOnlyItsOwnerMayRead) {
    const auto before = ::umask(0);
    EXPECT_EQ(run(), Exit::ok) << said;
    ::umask(before);
    EXPECT_EQ(mode(), 0600U);
    EXPECT_EQ(keys(), std::vector<std::string>{"1 active"});
    EXPECT_THAT(said, HasSubstr((directory / "keys").string()));
    EXPECT_THAT(said, HasSubstr("LoadCredential=schedd.keys:"));
    EXPECT_THAT(said, HasSubstr("systemd-creds encrypt --name=schedd.keys"));
    const auto text = content();
    const auto key = text.substr(text.rfind("\n1 ") + 3, 64);
    EXPECT_THAT(said, Not(HasSubstr(key)));
}

TEST_F(Keygen, MakesAnotherKeyEachTime) {
    EXPECT_EQ(run(), Exit::ok);
    const auto first = content();
    options.words[1] = directory / "other";
    EXPECT_EQ(run(), Exit::ok);
    EXPECT_NE(content("other"), first);
}

TEST_F(Keygen, LeavesAFileAloneThatIsThere) {
    std::ofstream(directory / "keys") << "precious";
    EXPECT_EQ(run(), Exit::error);
    EXPECT_THAT(said, HasSubstr("exists and is left alone"));
    EXPECT_EQ(content(), "precious");
    fs::remove(directory / "keys");
    fs::create_symlink(directory / "elsewhere", directory / "keys");
    EXPECT_EQ(run(), Exit::error);
    EXPECT_FALSE(fs::exists(directory / "elsewhere"));
}

TEST_F(Keygen, WritesToTheStandardOutputAndNothingElseThere) {
    options.words[1] = "-";
    EXPECT_EQ(run(), Exit::ok);
    EXPECT_THAT(said, testing::StartsWith("# "));
    EXPECT_THAT(said, testing::EndsWith(" active\n"));
    EXPECT_TRUE(fs::is_empty(directory));
    EXPECT_EQ(change(true, 0, 0), Exit::usage);
}

TEST_F(Keygen, TurnsAKeyOverInThreeSteps) {
    ASSERT_EQ(run(), Exit::ok);
    EXPECT_EQ(change(true, 0, 0), Exit::ok) << said;
    EXPECT_EQ(keys(), (std::vector<std::string>{"1 active", "2"}));
    EXPECT_THAT(said, HasSubstr("--activate 2"));
    EXPECT_THAT(said, HasSubstr("`schedd-cli reload` there"));
    EXPECT_THAT(said, HasSubstr("`systemctl restart schedd` where LoadCredential= names it"));
    EXPECT_EQ(change(false, 0, 1), Exit::error);
    EXPECT_THAT(said, HasSubstr("key 1 is the active one"));
    EXPECT_EQ(change(false, 2, 0), Exit::ok) << said;
    EXPECT_EQ(keys(), (std::vector<std::string>{"1", "2 active"}));
    EXPECT_EQ(change(false, 0, 1), Exit::ok) << said;
    EXPECT_EQ(keys(), std::vector<std::string>{"2 active"});
    EXPECT_EQ(mode(), 0600U);
    EXPECT_FALSE(fs::exists(directory / "keys.new"));
}

TEST_F(Keygen, ChangesNothingWhereItCannot) {
    EXPECT_EQ(change(true, 0, 0), Exit::error);
    EXPECT_THAT(said, HasSubstr("cannot read"));
    std::ofstream(directory / "keys") << "junk\n";
    EXPECT_EQ(run(), Exit::error);
    EXPECT_THAT(said, HasSubstr("line 1 is no key"));
    EXPECT_EQ(content(), "junk\n");
    std::ofstream(directory / "keys") << std::string(70'000, '#');
    EXPECT_EQ(run(), Exit::error);
    EXPECT_THAT(said, HasSubstr("65536 bytes"));
    options.words[1] = directory;
    EXPECT_EQ(run(), Exit::error);
    options.words[1] = directory / "no/such/keys";
    EXPECT_EQ(change(false, 0, 0), Exit::error);
    EXPECT_THAT(said, HasSubstr("No such file"));
}

TEST_F(Keygen, TakesOneChangeAtATimeAndNoOptionsOfOtherVerbs) {
    EXPECT_EQ(change(true, 1, 0), Exit::usage);
    EXPECT_EQ(change(false, 1, 1), Exit::usage);
    options.key_activated = options.key_removed = 0;
    options.dry_run = true;
    EXPECT_EQ(run(), Exit::usage);
    options.dry_run = false;
    options.host = "web2";
    EXPECT_EQ(run(), Exit::usage);
    EXPECT_TRUE(fs::is_empty(directory));
}

} // namespace
} // namespace schedd::cli
