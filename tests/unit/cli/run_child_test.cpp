// One child: what it says before the work begins is kept, then all is passed through; its end as a shell has
// it.
#include "cli/run_child.h"

#include <csignal>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

namespace schedd::cli {
namespace {

using testing::HasSubstr;

ChildPlan shell(const std::string& script, std::string started_line = "now") {
    ChildPlan plan;
    plan.words = {"sh", "-c", script};
    plan.started_line = std::move(started_line);
    return plan;
}

/// Standard input and error are these while it lives.
struct Redirected {
    explicit Redirected(const std::string& input) {
        in = ::memfd_create("in", MFD_CLOEXEC);
        error = ::memfd_create("error", MFD_CLOEXEC);
        EXPECT_EQ(::write(in, input.data(), input.size()), static_cast<ssize_t>(input.size()));
        ::lseek(in, 0, SEEK_SET);
        ::dup2(in, STDIN_FILENO);
        ::dup2(error, STDERR_FILENO);
    }
    ~Redirected() {
        ::dup2(saved_in, STDIN_FILENO);
        ::dup2(saved_error, STDERR_FILENO);
        for (const int fd : {in, error, saved_in, saved_error}) ::close(fd);
    }
    Redirected(const Redirected&) = delete;
    Redirected& operator=(const Redirected&) = delete;
    [[nodiscard]] std::string said() const {
        std::string text(65536, '\0');
        const auto count = ::pread(error, text.data(), text.size(), 0);
        text.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
        return text;
    }
    int saved_in = ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 10);
    int saved_error = ::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 10);
    int in = -1;
    int error = -1;
};

TEST(AChild, EndsAsAShellHasIt) {
    EXPECT_EQ(run_child(shell("echo now >&2; exit 7")).status, 7);
    EXPECT_EQ(run_child(shell("echo now >&2; kill -KILL $$")).status, 137);
    ChildPlan none;
    none.words = {"/no/such/program"};
    none.keeps_said = true;
    const auto end = run_child(none);
    EXPECT_EQ(end.status, 127);
    EXPECT_THAT(end.said, HasSubstr("cannot run '/no/such/program': No such file"));
}

TEST(AChild, KeepsWhatItSaysBeforeTheWorkAndPassesOnTheRest) {
    const Redirected fds("");
    const auto end = run_child(shell("echo before >&2; printf 'now\\nafter' >&2; echo; echo later >&2"));
    EXPECT_TRUE(end.has_started);
    EXPECT_EQ(end.said, "before\n");
    EXPECT_EQ(fds.said(), "afterlater\n");
}

TEST(AChild, ThatNeverBeginsSaysWhy) {
    const Redirected fds("");
    const auto end = run_child(shell("echo it is not now >&2; echo nowhere >&2; echo no >&2; exit 3"));
    EXPECT_FALSE(end.has_started);
    EXPECT_EQ(end.status, 3);
    EXPECT_EQ(end.said, "it is not now\nnowhere\nno\n");
    EXPECT_EQ(fds.said(), "");
}

TEST(AChild, ReadsOurInputOnlyOnceTheWorkHasBegun) {
    const Redirected fds("input");
    EXPECT_FALSE(run_child(shell("exit 1")).has_started);
    EXPECT_EQ(::lseek(STDIN_FILENO, 0, SEEK_CUR), 0) << "for the next one";
    const auto end = run_child(shell("echo now >&2; cat >&2"));
    EXPECT_TRUE(end.has_started);
    EXPECT_EQ(fds.said(), "input");
}

TEST(AChild, MayLeaveItsInputUnread) {
    const Redirected fds(std::string(1'000'000, 'x'));
    EXPECT_EQ(run_child(shell("echo now >&2; exit 5")).status, 5);
    EXPECT_EQ(run_child(shell("echo now >&2; exec 0<&-; sleep 0.1; exit 6")).status, 6);
}

TEST(AChild, IsKilledWhenPatienceEnds) {
    auto plan = shell("exec sleep 100");
    plan.patience_ms = 50;
    auto end = run_child(plan);
    EXPECT_TRUE(end.is_late);
    EXPECT_FALSE(end.has_started);
    plan = shell("echo now >&2; sleep 0.2; exit 4");
    plan.patience_ms = 100;
    EXPECT_EQ(run_child(plan).status, 4) << "patience is for the beginning";
}

TEST(AChild, MayGoOnWhenPatienceEnds) {
    const auto file = testing::TempDir() + "schedd_goes_on_" + std::to_string(::getpid());
    ChildPlan plan;
    const auto go = file + ".go";
    plan.words = {"sh", "-c",
                  "while [ ! -e " + go + " ]; do sleep 0.01; done; echo nobody hears this >&2; : >" + file};
    plan.keeps_said = true;
    plan.patience_ms = 50;
    plan.stays_when_late = true;
    const auto end = run_child(plan);
    EXPECT_TRUE(end.is_late);
    EXPECT_NE(::access(file.c_str(), F_OK), 0);
    ::close(::open(go.c_str(), O_CREAT | O_WRONLY, 0600));
    EXPECT_GT(::wait(nullptr), 0); // in schedd-cli it outlives whoever began it
    EXPECT_EQ(::access(file.c_str(), F_OK), 0) << "no signal ended it";
    ::unlink(file.c_str());
    ::unlink(go.c_str());
}

TEST(AChild, HasItsSignalsDealtWith) {
    const Redirected fds("");
    auto plan = shell("trap 'exit 9' USR1; echo now >&2; kill -INT $PPID; while :; do sleep 0.01; done");
    int seen = 0;
    plan.on_signal = [&](int signal, int count) {
        seen = signal;
        EXPECT_EQ(count, 1);
        // as the real ones do, it runs another program meanwhile
        ChildPlan helper;
        helper.words = {"sh", "-c", "kill -USR1 $(ps -o pid= --ppid $PPID | head -1)"};
        helper.keeps_said = true;
        EXPECT_EQ(run_child(helper).status, 0);
    };
    const auto end = run_child(plan);
    EXPECT_EQ(seen, SIGINT);
    EXPECT_EQ(end.signal, SIGINT);
    EXPECT_EQ(end.status, 9);
}

TEST(AChild, ThatHasNotBegunIsKilledByASignal) {
    const auto end = run_child(shell("kill -TERM $PPID; exec sleep 100"));
    EXPECT_EQ(end.signal, SIGTERM);
    EXPECT_FALSE(end.has_started);
}

TEST(AChild, CannotFloodUsWithWhatItSaysBefore) {
    ChildPlan plan;
    plan.words = {"sh", "-c", "head -c 10000000 /dev/zero | tr '\\0' x >&2; echo end >&2"};
    plan.keeps_said = true;
    const auto end = run_child(plan);
    EXPECT_LE(end.said.size(), 65536U);
    EXPECT_TRUE(end.said.ends_with("xend\n"));
}

} // namespace
} // namespace schedd::cli
