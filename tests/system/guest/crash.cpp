// Preloaded into the daemon by a case: ends it by SIGKILL right after the Nth change that it makes to the
// machine. What counts: writes to files, files removed or renamed, affinities set, properties of units set.
// The plan is a file with numbers: the first is N for the process that reads it, which takes it out when it
// comes to that; -N halts it. A plan that is removed is off.
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include <dlfcn.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

namespace {

constexpr const char* kPlan = "/run/systemd/test-crash";
int left = 0; // changes until the end; 0 = no plan was seen yet
int what = 0; // the signal

/// The function that ours stands before.
template <class Function> Function* next(const char* name) {
    return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

/// The plan without its first number.
void cross_out() {
    std::array<char, 64> rest{};
    if (std::FILE* plan = std::fopen(kPlan, "r")) {
        int own = 0;
        if (std::fscanf(plan, "%d ", &own) != 1 || std::fgets(rest.data(), rest.size(), plan) == nullptr)
            rest[0] = 0;
        std::fclose(plan);
    }
    if (rest[0] == 0) {
        syscall(SYS_unlink, kPlan);
    } else if (std::FILE* plan = std::fopen(kPlan, "w")) {
        std::fputs(rest.data(), plan);
        std::fclose(plan);
    }
}

/// Something has been changed.
void changed() {
    if (left > 0 && access(kPlan, F_OK) != 0) left = 0; // taken back
    if (left == 0) {
        std::FILE* plan = std::fopen(kPlan, "r");
        if (plan == nullptr) return;
        if (std::fscanf(plan, "%d", &left) != 1) left = 0;
        std::fclose(plan);
        what = left < 0 ? SIGSTOP : SIGKILL;
        left = std::abs(left);
        if (left == 0) return;
    }
    if (--left > 0) return;
    cross_out();
    kill(getpid(), what);
}

int counted(int result) {
    const int why = errno;
    if (result >= 0) changed();
    errno = why;
    return result;
}

} // namespace

extern "C" {

ssize_t write(int fd, const void* bytes, size_t count) {
    const auto wrote = syscall(SYS_write, fd, bytes, count);
    struct stat about{};
    if (wrote >= 0 && fstat(fd, &about) == 0 && S_ISREG(about.st_mode)) changed();
    return wrote;
}

int renameat(int from, const char* old_name, int to, const char* new_name) {
    return counted(next<decltype(renameat)>("renameat")(from, old_name, to, new_name));
}

int unlink(const char* name) { return counted(next<decltype(unlink)>("unlink")(name)); }

int rmdir(const char* name) { return counted(next<decltype(rmdir)>("rmdir")(name)); }

int sched_setaffinity(pid_t task, size_t size, const cpu_set_t* cpus) {
    return counted(next<decltype(sched_setaffinity)>("sched_setaffinity")(task, size, cpus));
}

int sd_bus_call(sd_bus* bus, sd_bus_message* message, uint64_t timeout, sd_bus_error* error,
                sd_bus_message** reply) {
    const char* member = sd_bus_message_get_member(message);
    const bool is_change = member != nullptr && std::string_view(member) == "SetUnitProperties";
    const int result = next<decltype(sd_bus_call)>("sd_bus_call")(bus, message, timeout, error, reply);
    return is_change ? counted(result) : result;
}

} // extern "C"
