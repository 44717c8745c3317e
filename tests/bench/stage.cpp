// Going into namespaces and back.
#include "tests/bench/stage.h"

#include <array>
#include <cstdio>
#include <sstream>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/net/own_network.h"

namespace schedd::bench {

Stage::Home::Home(Home&& other) noexcept : fd(std::exchange(other.fd, -1)) {}

Stage::Home::~Home() {
    if (fd < 0) return;
    (void)::setns(fd, CLONE_NEWNET);
    ::close(fd);
}

Stage::~Stage() { machines_.clear(); }

Result<Stage> Stage::make() {
    const int home = ::open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    Home back(home);
    if (const auto& why_not = net::test::own_network(); !why_not.empty())
        return fail(Errc::not_supported, why_not);
    // it is made once; a second stage goes into the same one, which leaving the other one does
    { const net::test::Elsewhere elsewhere; }
    if (const auto why_not = net::test::make_bridges(); !why_not.empty())
        return fail(Errc::not_supported, why_not);
    auto directory = ScratchDirectory::make("/tmp");
    if (!directory) return std::unexpected(directory.error());
    const auto keys = directory->path() + "/keys";
    const std::string secret = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    if (auto written = write_file(keys, "1 " + secret + " active\n"); !written)
        return std::unexpected(written.error());
    if (::chmod(keys.c_str(), 0600) != 0) return fail(Errc::io, "making " + keys + " private");
    back.fd = -1;
    return Stage(home, std::move(*directory));
}

net::test::Machine& Stage::add() {
    net::test::Machine::Settings settings;
    settings.number = ++last_;
    machines_.push_back(std::make_unique<net::test::Machine>(settings, directory_.path(), 0));
    return *machines_.back();
}

std::string output_of(const std::string& command) {
    std::string all;
    FILE* pipe = ::popen((command + " 2>/dev/null").c_str(), "re"); // NOLINT(cert-env33-c)
    if (!pipe) return all;
    std::array<char, 4096> bytes{};
    while (const auto got = ::fread(bytes.data(), 1, bytes.size(), pipe)) all.append(bytes.data(), got);
    ::pclose(pipe);
    return all;
}

std::string output_in(const net::test::Machine& machine, const std::string& command) {
    return output_of(fmt::format("nsenter -t {} -n {}", machine.holder(), command));
}

Traffic traffic_of(const net::test::Machine& machine) {
    std::istringstream lines(output_in(machine, "cat /proc/net/dev"));
    Traffic traffic;
    for (std::string line; std::getline(lines, line);) {
        const auto colon = line.find("eth0:");
        if (colon == std::string::npos) continue;
        std::istringstream words(line.substr(colon + 5));
        std::array<double, 10> numbers{};
        for (auto& number : numbers) words >> number;
        traffic = {numbers[0], numbers[1], numbers[8], numbers[9]};
    }
    return traffic;
}

} // namespace schedd::bench
