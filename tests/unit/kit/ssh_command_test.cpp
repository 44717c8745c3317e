// Vectors for ssh: nothing in them can ask, nothing in a name or an address becomes an option, and every word
// reaches the other side as it was.
#include "components/kit/ssh_command.h"

#include <algorithm>
#include <cstdio>

#include <gtest/gtest.h>

namespace schedd::kit {
namespace {

using Words = std::vector<std::string>;

SshNode node2() { return {.name = "node2", .address = "10.0.0.2", .user = {}, .port = 0}; }
SshSettings kept() { return {.control_folder = "/run/schedd/ssh", .config = {}}; }

/// The values given for an option, in order.
Words values_of(const Words& words, const std::string& option) {
    Words found;
    for (const auto& word : words)
        if (word.starts_with(option + "=")) found.push_back(word.substr(option.size() + 1));
    return found;
}

bool has(const Words& words, const std::string& word) { return std::ranges::count(words, word) == 1; }

/// What a real shell makes of a line: the words that a program it starts is handed.
Words read_by_sh(const std::string& line) {
    auto* pipe = ::popen(("printf '%s\\0' " + line).c_str(), "r");
    if (!pipe) return {"popen failed"};
    Words words;
    std::string word;
    for (int c = ::fgetc(pipe); c != EOF; c = ::fgetc(pipe)) {
        if (c != 0) {
            word += static_cast<char>(c);
            continue;
        }
        words.push_back(word);
        word.clear();
    }
    EXPECT_EQ(::pclose(pipe), 0);
    return words;
}

Words hostile() {
    Words all{"",      " ",  "'",     "''",      "'\\''", "\"",       "\\",  "\\n", "\n",    "a\nb",
              "\r\n",  "\t", "$HOME", "${HOME}", "$(id)", "`id`",     "*",   "?",   "[a-z]", "~",
              "~root", "#",  "a#b",   "!",       "!!",    ";",        ";id", "&",   "&&",    "|",
              "<",     ">",  "(",     ")",       "{a,b}", "=",        "A=b", "=ls", "-",     "--",
              "-rf",   "%n", "%%",    "\x01",    "\x7f",  "\xff\xfe", "é",   "if",  "done",  "a'b\"c\\d$e`f"};
    std::string bytes;
    for (int c = 1; c < 256; ++c) bytes += static_cast<char>(c);
    all.push_back(bytes);
    return all;
}

TEST(AShellWord, IsReadBackAsItWas) { EXPECT_EQ(read_by_sh(shell_line(hostile())), hostile()); }

TEST(AShellWord, OfAHundredKilobytesIsReadBackAsItWas) {
    std::string big;
    while (big.size() < 100'000) big += "words and $more `of` them\n";
    EXPECT_EQ(read_by_sh(shell_line({"a", big})), (Words{"a", big}));
}

TEST(AShellWord, IsLeftAsItIsWhereThatIsSafe) {
    EXPECT_EQ(shell_line({"gcc", "-O2", "-c", "src/a.c", "-o", "a.o"}), "gcc -O2 -c src/a.c -o a.o");
    EXPECT_EQ(shell_word("--unit=a"), "'--unit=a'");
    EXPECT_EQ(shell_line({}), "");
}

TEST(AFirstWord, IsNeverTakenForAnAssignment) {
    auto* pipe = ::popen((shell_line({"A=b"}) + " 2>/dev/null").c_str(), "r");
    ASSERT_NE(pipe, nullptr);
    EXPECT_EQ(::pclose(pipe), 127 << 8) << "a command of that name is looked for";
}

TEST(AnSshCommand, CanNeitherAskNorAcceptAKey) {
    const auto words = ssh_command(node2(), kept(), {"true"});
    ASSERT_TRUE(words);
    EXPECT_EQ(words->front(), "ssh");
    EXPECT_EQ(values_of(*words, "BatchMode"), Words{"yes"});
    EXPECT_EQ(values_of(*words, "StrictHostKeyChecking"), Words{"yes"});
    EXPECT_EQ(values_of(*words, "UpdateHostKeys"), Words{"no"});
    EXPECT_EQ(values_of(*words, "ConnectTimeout"), Words{"5"});
}

TEST(AnSshCommand, GoesToTheHeardAddressUnderTheNameOfTheNode) {
    const auto words = ssh_command(node2(), kept(), {"hostname", "-f"});
    ASSERT_TRUE(words);
    EXPECT_EQ(values_of(*words, "HostKeyAlias"), Words{"node2"});
    EXPECT_EQ(values_of(*words, "HostName"), Words{"10.0.0.2"});
    EXPECT_EQ(Words(words->end() - 3, words->end()), (Words{"--", "node2", "hostname -f"}));
    EXPECT_TRUE(values_of(*words, "Port").empty());
    EXPECT_TRUE(values_of(*words, "User").empty());
}

TEST(AnSshCommand, DoublesThePercentOfAZone) {
    auto node = node2();
    node.address = "fe80::1%eth0";
    const auto words = ssh_command(node, kept(), {"true"});
    ASSERT_TRUE(words) << words.error().text();
    EXPECT_EQ(values_of(*words, "HostName"), Words{"fe80::1%%eth0"});
}

TEST(AnSshCommand, SaysUserPortAndConfigurationWhereTheyAreGiven) {
    auto node = node2();
    node.user = "batch";
    node.port = 2222;
    auto settings = kept();
    settings.config = "/etc/cluster ssh";
    const auto words = ssh_command(node, settings, {"true"});
    ASSERT_TRUE(words);
    EXPECT_EQ(values_of(*words, "User"), Words{"batch"});
    EXPECT_EQ(values_of(*words, "Port"), Words{"2222"});
    const auto at = std::ranges::find(*words, "-F");
    ASSERT_NE(at, words->end());
    EXPECT_EQ(*(at + 1), "/etc/cluster ssh");
}

TEST(AnSshCommand, HasATerminalOnlyWhereOneIsWanted) {
    auto settings = kept();
    EXPECT_TRUE(has(*ssh_command(node2(), settings, {"true"}), "-T"));
    settings.tty = true;
    EXPECT_TRUE(has(*ssh_command(node2(), settings, {"true"}), "-tt"));
}

TEST(AnSshCommand, ReadsNoInputWhereThereIsNone) {
    auto settings = kept();
    EXPECT_FALSE(has(*ssh_command(node2(), settings, {"cat"}), "-n"));
    settings.has_input = false;
    EXPECT_TRUE(has(*ssh_command(node2(), settings, {"cat"}), "-n"));
}

TEST(AnSshCommand, WithoutWordsOnlySeesToTheConnection) {
    const auto words = ssh_command(node2(), kept(), {});
    ASSERT_TRUE(words);
    EXPECT_EQ(words->back(), ":");
    EXPECT_TRUE(has(*words, "-n"));
}

TEST(AnSshCommand, KeepsItsConnectionWhereTheSocketIsSaidToBe) {
    const auto words = ssh_command(node2(), kept(), {"true"});
    ASSERT_TRUE(words);
    EXPECT_EQ(values_of(*words, "ControlPath"), Words{ssh_control_path(node2(), kept())});
    EXPECT_EQ(values_of(*words, "ControlMaster"), Words{"auto"});
    EXPECT_EQ(values_of(*words, "ControlPersist"), Words{"300"});
    auto alone = kept();
    alone.control_folder.clear();
    EXPECT_EQ(values_of(*ssh_command(node2(), alone, {"true"}), "ControlPath"), Words{"none"});
    EXPECT_TRUE(values_of(*ssh_command(node2(), alone, {"true"}), "ControlMaster").empty());
}

TEST(AKeptConnection, IsOfOneNodeAddressUserAndPort) {
    const auto path = ssh_control_path(node2(), kept());
    EXPECT_EQ(path, ssh_control_path(node2(), kept()));
    for (const auto& other : {SshNode{"node3", "10.0.0.2", "", 0}, SshNode{"node2", "10.0.0.3", "", 0},
                              SshNode{"node2", "10.0.0.2", "x", 0}, SshNode{"node2", "10.0.0.2", "", 2}})
        EXPECT_NE(ssh_control_path(other, kept()), path) << other.name << other.address << other.port;
}

TEST(AKeptConnection, HasAPathThatFitsASocketWhateverTheName) {
    auto node = node2();
    node.name = std::string(255, 'n');
    auto settings = kept();
    settings.control_folder = "/" + std::string(47, 'f');
    ASSERT_TRUE(ssh_command(node, settings, {"true"}));
    EXPECT_LE(ssh_control_path(node, settings).size() + 17, 107U);
}

TEST(AKeptConnection, IsEndedByName) {
    const auto words = ssh_close(node2(), kept());
    ASSERT_TRUE(words);
    EXPECT_EQ(Words(words->end() - 4, words->end()), (Words{"-O", "stop", "--", "node2"}));
}

TEST(AnSshCommand, RefusesNamesThatCouldBeAnythingElse) {
    for (const auto* name :
         {"", "-oProxyCommand=id", "a b", "a\nb", "a@b", "a/b", "a:b", "%h", "[::1]", "é", "a;b"}) {
        auto node = node2();
        node.name = name;
        const auto words = ssh_command(node, kept(), {"true"});
        ASSERT_FALSE(words) << name;
        EXPECT_EQ(words.error().kind, Errc::invalid_value);
        EXPECT_FALSE(ssh_close(node, kept())) << name;
    }
}

TEST(AnSshCommand, RefusesAddressesThatAreNone) {
    for (const auto* address : {"", "-oProxyCommand=id", "10.0.0.2 x", "host", "10.0.0.2\n", "10.0.0.2/8",
                                "[::1]", "fe80::1%", "fe80::1%a b", "fe80::1%-o", "%eth0", "cafe", "1"}) {
        auto node = node2();
        node.address = address;
        EXPECT_FALSE(ssh_command(node, kept(), {"true"})) << "'" << address << "'";
    }
    auto node = node2();
    node.address = std::string(65, ':');
    EXPECT_FALSE(ssh_command(node, kept(), {"true"}));
}

TEST(AnSshCommand, RefusesUsersAndFoldersThatCouldBeAnythingElse) {
    auto node = node2();
    node.user = "a b";
    EXPECT_FALSE(ssh_command(node, kept(), {"true"}));
    for (const auto* folder : {"run", "/run/a b", "/run/%h", "/run/\"", "/run/$HOME", "/run/\n",
                               "/long/enough/that/no/socket/fits/below/it/any/more/"}) {
        auto settings = kept();
        settings.control_folder = folder;
        EXPECT_FALSE(ssh_command(node2(), settings, {"true"})) << folder;
    }
}

TEST(AnSshCommand, RefusesWhatTheOtherSideCannotBeHanded) {
    EXPECT_TRUE(ssh_command(node2(), kept(), {"echo", std::string(100'000, 'x')}));
    const auto big = ssh_command(node2(), kept(), {"echo", std::string(kSshLineMax, 'x')});
    ASSERT_FALSE(big);
    EXPECT_EQ(big.error().kind, Errc::limit_exceeded);
    const auto nul = ssh_command(node2(), kept(), {"echo", std::string("a\0b", 3)});
    ASSERT_FALSE(nul);
    EXPECT_EQ(nul.error().kind, Errc::invalid_value);
}

} // namespace
} // namespace schedd::kit
