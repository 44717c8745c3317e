// The first words of the D-Bus protocol, spoken by hand.
#include "cli/bus_probe.h"

#include <cstddef>
#include <cstring>
#include <optional>
#include <string_view>

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace schedd::cli {

namespace {

constexpr std::string_view kGreeting{"\0AUTH EXTERNAL\r\nDATA\r\n", 22};
constexpr int kPatienceMs = 1000;

struct Place {
    sockaddr_un address{};
    socklen_t size = 0;
};

/// Of "unix:path=..." or "unix:abstract=...", whatever else stands there.
std::optional<Place> place_of(std::string_view address) {
    address = address.substr(0, address.find(';'));
    for (const std::string_view key : {"unix:path=", "unix:abstract="}) {
        if (!address.starts_with(key)) continue;
        const auto path = address.substr(key.size(), address.find(',') - key.size());
        const std::size_t from = key == "unix:path=" ? 0 : 1; // abstract names start with a NUL
        Place place;
        if (path.empty() || path.size() + from >= sizeof place.address.sun_path) return std::nullopt;
        place.address.sun_family = AF_UNIX;
        std::memcpy(place.address.sun_path + from, path.data(), path.size());
        place.size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + from + path.size());
        return place;
    }
    return std::nullopt;
}

/// "OK", or the end of the connection with nothing said.
bool says_ok_or_closes(int fd) {
    std::string heard;
    pollfd ready{fd, POLLIN, 0};
    while (heard.size() < 512 && ::poll(&ready, 1, kPatienceMs) == 1) {
        char buffer[256];
        const auto got = ::recv(fd, buffer, sizeof buffer, 0);
        if (got <= 0) return heard.empty();
        heard.append(buffer, static_cast<std::size_t>(got));
        if (heard.starts_with("OK ") || heard.find("\nOK ") != std::string::npos) return true;
    }
    return false;
}

} // namespace

bool turns_away(const std::string& address) {
    const auto place = place_of(address);
    const int fd = place ? ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0) : -1;
    if (fd < 0) return false;
    bool is_refused = false;
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&place->address), place->size) == 0) {
        const auto sent = ::send(fd, kGreeting.data(), kGreeting.size(), MSG_NOSIGNAL);
        is_refused = sent < 0 || says_ok_or_closes(fd); // it may have closed already
    }
    ::close(fd);
    return is_refused;
}

} // namespace schedd::cli
