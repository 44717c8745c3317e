// unshare(CLONE_NEWNET), and the ip program.
#include "tests/net/own_network.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

namespace schedd::net::test {

namespace {
int here = -1;  // the test's own namespace
int there = -1; // the other one

int current() { return ::open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC); }
} // namespace

const std::string& own_network() {
    static const std::string why_not = [] {
        if (::unshare(CLONE_NEWNET) != 0)
            return std::string("no network namespace of its own: ") + std::strerror(errno);
        there = current();
        if (::unshare(CLONE_NEWNET) != 0)
            return std::string("no second network namespace: ") + std::strerror(errno);
        here = current();
        if (!ip("link set lo up")) return std::string("the program ip (iproute2) does not work here");
        return std::string();
    }();
    return why_not;
}

bool ip(const std::string& arguments) {
    return std::system(("ip " + arguments + " 2>/dev/null").c_str()) == 0; // NOLINT(cert-env33-c)
}

Elsewhere::Elsewhere() { (void)::setns(there, CLONE_NEWNET); }
Elsewhere::~Elsewhere() { (void)::setns(here, CLONE_NEWNET); }
std::string Elsewhere::path() {
    return "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(there);
}

} // namespace schedd::net::test
