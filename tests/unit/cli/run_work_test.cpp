// The words of systemd-run: what goes along, what does not, and nothing in a command that means something to
// anybody on the way.
#include "cli/run_work.h"

#include <algorithm>

#include <gmock/gmock.h>

namespace schedd::cli {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

Work compile() {
    return {.command = {"gcc", "-c", "a.c"},
            .directory = "/src",
            .environment = {"PATH=/usr/bin", "LANG=C"},
            .unit = "schedd-run-1.service",
            .scheduler = {},
            .properties = {},
            .attacher = "/usr/bin/schedd-cli",
            .output = {},
            .encloser = {}};
}

/// What stands after the first "--".
Words after_mark(const Words& words) { return {std::next(std::ranges::find(words, "--")), words.end()}; }

TEST(Work, IsAServiceWithInputOutputAndAnEnd) {
    const auto words = service_words(compile());
    for (const auto* word : {"--quiet", "--collect", "--service-type=exec", "--unit=schedd-run-1.service",
                             "--pipe", "--wait", "--setenv=PATH=/usr/bin", "--setenv=LANG=C"})
        EXPECT_THAT(words, Contains(word));
    EXPECT_THAT(words, Not(Contains("--pty")));
    EXPECT_EQ(std::ranges::count_if(words, [](const auto& word) { return word.starts_with("--property"); }),
              0);
}

TEST(Work, SaysThatItHasStartedBeforeItDoesAnything) {
    const auto inner = after_mark(service_words(compile()));
    ASSERT_EQ(inner.size(), 9U);
    EXPECT_EQ(inner[0], "/bin/sh");
    EXPECT_THAT(inner[2], HasSubstr("echo \"$$m\" >&2 || exit 1\n\"$$@\""))
        << "systemd takes one of each two";
    EXPECT_EQ(inner[4], started_line(compile()));
    EXPECT_THAT(Words(inner.begin() + 5, inner.end()), ElementsAre("/src", "gcc", "-c", "a.c"));
}

TEST(Work, WithATerminalIsTheCommandItself) {
    auto work = compile();
    work.has_terminal = true;
    const auto words = service_words(work);
    EXPECT_THAT(words, Contains("--pty"));
    EXPECT_THAT(words, Not(Contains("--pipe")));
    EXPECT_THAT(words, Contains("--working-directory=/src"));
    EXPECT_EQ(after_mark(words), work.command);
}

TEST(Work, ThatIsNotWaitedForHasNoPipes) {
    auto work = compile();
    work.waits = false;
    const auto words = service_words(work);
    for (const auto* word : {"--wait", "--pipe", "--pty"}) EXPECT_THAT(words, Not(Contains(word)));
    EXPECT_EQ(after_mark(words), work.command);
}

TEST(Work, ThatMayMoveHasPidsOfItsOwnAndNoTerminal) {
    auto work = compile();
    work.waits = false;
    work.is_migratable = true;
    const auto words = service_words(work);
    EXPECT_THAT(words, Contains("--setenv=SCHEDD_MIGRATABLE=1"));
    EXPECT_THAT(words, Contains("--property=StandardInput=null"));
    EXPECT_THAT(after_mark(words),
                ElementsAre("unshare", "--pid", "--fork", "setsid", "--", "gcc", "-c", "a.c"));
    work.encloser = "/usr/libexec/schedd/schedd-migrate";
    EXPECT_THAT(after_mark(service_words(work)),
                ElementsAre("/usr/libexec/schedd/schedd-migrate", "enclose", "--", "gcc", "-c", "a.c"));
    work.output = "/shared/log";
    for (const auto* stream : {"Output", "Error"})
        EXPECT_THAT(service_words(work),
                    Contains("--property=Standard" + std::string(stream) + "=append:/shared/log"));
}

TEST(Work, IsAMemberAsLongAsItsUnitLasts) {
    auto work = compile();
    work.scheduler = "B\"x$";
    const auto words = service_words(work);
    EXPECT_THAT(words,
                Contains("--property=ExecStartPre=+\"/usr/bin/schedd-cli\" attach --local \"B\\\"x$$\" "
                         "\"unit:schedd-run-1.service\""));
    EXPECT_THAT(words,
                Contains("--property=ExecStopPost=-+\"/usr/bin/schedd-cli\" detach --local \"B\\\"x$$\" "
                         "\"unit:schedd-run-1.service\""));
}

TEST(Work, HasThePropertiesThatWereAskedFor) {
    auto work = compile();
    work.properties = {"CPUWeight=20", "MemoryMax=1G"};
    const auto words = service_words(work);
    EXPECT_THAT(words, Contains("--property=CPUWeight=20"));
    EXPECT_THAT(words, Contains("--property=MemoryMax=1G"));
}

TEST(Work, KeepsEachDollarOfItsCommand) {
    auto work = compile();
    work.command = {"printf", "$HOME", "${HOME}", "$$", "a$", "100%"};
    const auto inner = after_mark(service_words(work));
    EXPECT_THAT(Words(inner.end() - 5, inner.end()),
                ElementsAre("$$HOME", "$${HOME}", "$$$$", "a$$", "100%"));
}

TEST(WorkHere, IsOfTheUsersOwnManagerWithoutRoot) {
    EXPECT_EQ(local_words(compile(), true)[1], "--quiet");
    EXPECT_EQ(local_words(compile(), false)[1], "--user");
    EXPECT_EQ(local_words(compile(), true)[0], "systemd-run");
}

TEST(WorkThere, GoesThroughAShellOfItsOwnWhateverTheLoginShellIs) {
    const auto words = remote_words(compile());
    EXPECT_EQ(words[0], "/bin/sh");
    EXPECT_EQ(words[1], "-c");
    EXPECT_THAT(words[2], HasSubstr("exec systemd-run $u \"$@\""));
    const auto rest = service_words(compile());
    EXPECT_TRUE(std::ranges::equal(words.end() - static_cast<std::ptrdiff_t>(rest.size()), words.end(),
                                   rest.begin(), rest.end()));
}

TEST(WorkThere, IsCheckedForFolderAndCommandUnderItsOwnPath) {
    const auto words = check_words(compile());
    EXPECT_THAT(Words(words.end() - 3, words.end()), ElementsAre("/src", "gcc", "/usr/bin"));
}

TEST(ASignal, IsSentToTheUnitAndNoneStopsIt) {
    const auto sent = signal_words("a.service", "SIGINT");
    EXPECT_THAT(Words(sent.end() - 4, sent.end()), ElementsAre("kill", "--signal=SIGINT", "--", "a.service"));
    const auto stopped = signal_words("a.service", "");
    EXPECT_THAT(Words(stopped.end() - 3, stopped.end()), ElementsAre("stop", "--", "a.service"));
    EXPECT_THAT(local_signal_words("a.service", "", false),
                ElementsAre("systemctl", "--user", "stop", "--", "a.service"));
}

TEST(AnEnvironment, GoesAlongButForWhatSpeaksOfThisPlace) {
    const char* environment[] = {"PATH=/bin",
                                 "EMPTY=",
                                 "EQUALS=a=b",
                                 "LINES=a\nb",
                                 "DISPLAY=:0",
                                 "SSH_AUTH_SOCK=/x",
                                 "MAKEFLAGS= -j4 --jobserver-auth=3,4",
                                 "INVOCATION_ID=1",
                                 "XDG_RUNTIME_DIR=/run/user/0",
                                 "LC_ALL=C",
                                 nullptr};
    EXPECT_THAT(carried_environment(environment),
                ElementsAre("PATH=/bin", "EMPTY=", "EQUALS=a=b", "LINES=a\nb", "LC_ALL=C"));
}

TEST(AnEnvironment, LosesWhatNoUnitCanHave) {
    const char* environment[] = {"no equals", "=x",         "1A=x",
                                 "a b=x",     "A-B=x",      "BASH_FUNC_f%%=() { :; }",
                                 "L1=\xff",   "A=\xc3\xa9", nullptr};
    EXPECT_THAT(carried_environment(environment), ElementsAre("A=\xc3\xa9"));
    EXPECT_TRUE(carried_environment(nullptr).empty());
}

TEST(Trouble, IsNamedWhereSshSpeaksInRiddles) {
    EXPECT_THAT(trouble_in("@@@@@@\n@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\n@@@\nIT IS "
                           "POSSIBLE\n"
                           "Host key verification failed.\r\n",
                           "node2"),
                StartsWith("its host key is another than the one known for node2"));
    EXPECT_THAT(trouble_in("No ED25519 host key is known for node2 and you have requested strict "
                           "checking.\r\nHost "
                           "key verification failed.\r\n",
                           "node2"),
                StartsWith("its host key is not known"));
    EXPECT_THAT(trouble_in("root@10.0.0.2: Permission denied (publickey,password).\r\n", "node2"),
                StartsWith("it wants a password or another key"));
}

TEST(Trouble, IsOtherwiseWhatWasSaidLast) {
    EXPECT_EQ(trouble_in("ssh: connect to host 10.0.0.2 port 22: Connection refused\r\n", "n"),
              "ssh: connect to host 10.0.0.2 port 22: Connection refused");
    EXPECT_EQ(trouble_in("Job for a.service failed because of x.\nSee \"journalctl -xeu a.service\" for "
                         "details.\n\n",
                         "n"),
              "Job for a.service failed because of x.");
    EXPECT_EQ(trouble_in("a\nb", "n"), "b");
    EXPECT_EQ(trouble_in("", "n"), "it did not say why");
    EXPECT_EQ(trouble_in("\n \r\n", "n"), "it did not say why");
    EXPECT_EQ(trouble_in("See x\n", "n"), "it did not say why");
}

TEST(AUnit, IsAService) {
    EXPECT_EQ(unit_name_of("", "0123"), "schedd-run-0123.service");
    EXPECT_EQ(unit_name_of("build", "0123"), "build.service");
    EXPECT_EQ(unit_name_of("build.service", "0123"), "build.service");
}

} // namespace
} // namespace schedd::cli
