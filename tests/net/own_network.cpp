// unshare(CLONE_NEWNET), and the ip program.
#include "tests/net/own_network.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include <sched.h>

namespace schedd::net::test {

const std::string& own_network() {
    static const std::string why_not = [] {
        if (::unshare(CLONE_NEWNET) != 0)
            return std::string("no network namespace of its own: ") + std::strerror(errno);
        if (!ip("link set lo up")) return std::string("the program ip (iproute2) does not work here");
        return std::string();
    }();
    return why_not;
}

bool ip(const std::string& arguments) {
    return std::system(("ip " + arguments + " 2>/dev/null").c_str()) == 0; // NOLINT(cert-env33-c)
}

} // namespace schedd::net::test
