// tmp, fsync, rename, fsync.
#include "service/net/state_files.h"

#include <array>
#include <cerrno>
#include <cstdio>
#include <filesystem>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "components/kit/errno_error.h"
#include "service/host/write_all.h"
#include "service/net/datagram_socket.h"

namespace schedd::net {

namespace {

constexpr int kAside = 3;

void sync_directory_of(const std::string& path) {
    const auto parent = std::filesystem::path(path).parent_path();
    const Descriptor directory(::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (directory) ::fsync(directory.get());
}

} // namespace

Result<std::optional<std::string>> read_state(const std::string& path, std::size_t limit) {
    const Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    if (!fd && errno == ENOENT) return std::nullopt;
    if (!fd) return std::unexpected(errno_error(errno, "opening " + path));
    struct stat about{};
    if (::fstat(fd.get(), &about) != 0) return std::unexpected(errno_error(errno, "looking at " + path));
    if (!S_ISREG(about.st_mode)) return fail(Errc::invalid_value, path + " is no plain file");
    std::string text;
    std::array<char, 65536> buffer;
    for (;;) {
        const auto got = ::read(fd.get(), buffer.data(), buffer.size());
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return std::unexpected(errno_error(errno, "reading " + path));
        if (got == 0) return text;
        text.append(buffer.data(), static_cast<std::size_t>(got));
        if (text.size() > limit)
            return fail(Errc::limit_exceeded, path + " is too large", fmt::format("at most {} bytes", limit));
    }
}

Status replace_state(const std::string& path, std::string_view text) {
    const auto fresh = path + ".new";
    {
        const Descriptor fd(
            ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
        if (!fd) return std::unexpected(errno_error(errno, "creating " + fresh));
        if (host::write_all(fd.get(), text) != 0 || ::fsync(fd.get()) != 0) {
            const int why = errno;
            ::unlink(fresh.c_str());
            return std::unexpected(errno_error(why, "writing " + fresh));
        }
    }
    if (::rename(fresh.c_str(), path.c_str()) != 0) {
        const int why = errno;
        ::unlink(fresh.c_str());
        return std::unexpected(errno_error(why, "replacing " + path));
    }
    sync_directory_of(path);
    return {};
}

Result<std::string> set_aside(const std::string& path, const std::string& from) {
    const auto name = [&](int i) { return fmt::format("{}.rejected-{}", path, i); };
    for (int i = kAside - 1; i >= 1; --i) (void)::rename(name(i).c_str(), name(i + 1).c_str());
    if (::rename((from.empty() ? path : from).c_str(), name(1).c_str()) != 0)
        return std::unexpected(errno_error(errno, "keeping " + path + " aside"));
    return name(1);
}

} // namespace schedd::net
