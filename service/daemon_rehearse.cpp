// What a change would do to who runs where: it is made in a copy of the daemon, whose policies decide for
// real and whose acts nobody carries out.
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include <fmt/format.h>

#include "components/model/demand.h"
#include "dbus/describe.h"
#include "service/daemon.h"
#include "service/host/write_all.h"

namespace schedd::service {

namespace {

constexpr int kPatienceMs = 2000;

dbus::PlannedChange translate(const placement::PlannedChange& change) {
    return {change.target.text(), change.comm,      change.before.text(), change.after.text(),
            change.tuning.text(), change.scheduler, change.reason,        change.conflict};
}

/// All until the far end is closed; false when that takes too long.
bool read_all(int fd, std::string& text) {
    char bytes[4096];
    for (pollfd ready{fd, POLLIN, 0};;) {
        const int r = ::poll(&ready, 1, kPatienceMs);
        if (r < 0 && errno == EINTR) continue;
        if (r <= 0) return false;
        const auto count = ::read(fd, bytes, sizeof bytes);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return count == 0;
        text.append(bytes, static_cast<std::size_t>(count));
    }
}

} // namespace

/// In the copy. Nothing of the outside may be spoken to: its connections are the daemon's. (sd-bus itself
/// refuses to be used after a fork.)
std::string Daemon::play(const Recipe& recipe) {
    log_.write_nowhere();
    tree_->keep_only(*engine_);
    if (auto done = tree_->apply(recipe, false); !done) return {};
    std::vector<dbus::PlannedChange> plan;
    for (const auto& change : engine_->rehearse(clock_.now())) plan.push_back(translate(change));
    return dbus::describe_plan(plan);
}

Result<std::string> Daemon::rehearse(const Recipe& recipe) {
    const Time before = clock_.now();
    if (!rehearsing_.may_be_asked(before))
        return fail(Errc::busy, "it was not tried what that would place", "a moment ago it was; ask again");
    // who tries is about to attach: what rests for want of members is measured by then, and when asked again
    for_each_part(tree_->schedulers(), [](const Part& part) { ask_source_of(part); });
    int ends[2] = {-1, -1};
    if (::pipe2(ends, O_CLOEXEC) != 0) return fail(Errc::io, "no pipe for a rehearsal", std::strerror(errno));
    const pid_t copy = ::fork();
    if (copy == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        ::close(ends[0]);
        ::_exit(host::write_all(ends[1], play(recipe)) == 0 ? 0 : 1);
    }
    const int why = errno;
    ::close(ends[1]);
    std::string plan;
    const bool is_told = copy > 0 && read_all(ends[0], plan) && !plan.empty();
    ::close(ends[0]);
    if (copy > 0) {
        if (!is_told) ::kill(copy, SIGKILL);
        while (::waitpid(copy, nullptr, 0) < 0 && errno == EINTR) {}
    }
    rehearsing_.was_asked(before, clock_.now());
    if (copy < 0) return fail(Errc::io, "no process for a rehearsal", std::strerror(why));
    if (!is_told) return fail(Errc::io, "what that would place cannot be said", "the rehearsal did not end");
    return plan;
}

} // namespace schedd::service
