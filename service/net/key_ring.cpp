// Reading and replacing key files.
#include "service/net/key_ring.h"

#include <cerrno>
#include <filesystem>

#include <fcntl.h>
#include <fmt/format.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include "components/kit/errno_error.h"
#include "service/host/write_all.h"

namespace schedd::net {

using namespace schedd::membership;

namespace {

namespace fs = std::filesystem;

class Descriptor {
public:
    explicit Descriptor(int fd) : fd_(fd) {}
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor() {
        if (fd_ >= 0) ::close(fd_);
    }
    [[nodiscard]] int get() const { return fd_; }

private:
    int fd_;
};

std::unexpected<Error> failure(int number, const std::string& what) {
    return std::unexpected(errno_error(number, what));
}

/// What holds secrets until the end of the scope.
template <class Container> class Wiped {
public:
    explicit Wiped(Container& held) : held_(held) {}
    Wiped(const Wiped&) = delete;
    Wiped& operator=(const Wiped&) = delete;
    ~Wiped() { sodium_memzero(held_.data(), held_.size() * sizeof(*held_.data())); }

private:
    Container& held_;
};

/// A file that cannot be looked at is there: reading it says why.
bool is_there(const std::string& path) {
    std::error_code error;
    return fs::status(path, error).type() != fs::file_type::not_found;
}

Status check(const struct stat& status, const std::string& path) {
    if (!S_ISREG(status.st_mode)) return fail(Errc::invalid_value, path + " is not a file");
    if (status.st_uid != 0 && status.st_uid != ::geteuid())
        return fail(Errc::denied, fmt::format("{} belongs to user {}", path, status.st_uid),
                    "keys must belong to root, or to who schedd runs as");
    if ((status.st_mode & 077U) != 0)
        return fail(Errc::denied,
                    fmt::format("others may use {} (mode {:04o})", path, status.st_mode & 07777U),
                    "schedd uses keys that only the owner may read: chmod 0600 " + path);
    return {};
}

/// Fills `text`, which keeps its place in memory.
Status read_all(int fd, const std::string& path, std::string& text) {
    text.resize(kKeyFileBytes + 1);
    std::size_t size = 0;
    while (size < text.size()) {
        const auto got = ::read(fd, text.data() + size, text.size() - size);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return failure(errno, "cannot read " + path);
        if (got == 0) break;
        size += static_cast<std::size_t>(got);
    }
    text.resize(size);
    return {};
}

} // namespace

std::optional<std::string> find_key_file(const std::string& configured, const std::string& credentials,
                                         const std::string& of_machine) {
    if (!configured.empty()) return configured;
    if (const auto path = credentials + "/schedd.keys"; !credentials.empty() && is_there(path)) return path;
    if (is_there(of_machine)) return of_machine;
    return std::nullopt;
}

Status load_keys(const std::string& path, SodiumCipher& cipher) {
    const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    if (file.get() < 0) return failure(errno, "cannot read " + path);
    struct stat status{};
    if (::fstat(file.get(), &status) < 0) return failure(errno, "cannot read " + path);
    if (auto sound = check(status, path); !sound) return sound;
    std::string text;
    const Wiped<std::string> wiped(text);
    if (auto read = read_all(file.get(), path, text); !read) return read;
    auto keys = parse_keys(text, path);
    if (!keys) return std::unexpected(keys.error());
    const Wiped<std::vector<Key>> wiped_too(*keys);
    return cipher.replace(*keys);
}

Status write_keys(const std::string& path, std::string_view text) {
    auto keys = parse_keys(text, path);
    if (!keys) return std::unexpected(keys.error());
    const Wiped<std::vector<Key>> wiped(*keys);
    const auto next = path + ".new";
    const auto give_up = [&](const char* what) {
        const int number = errno;
        ::unlink(next.c_str());
        return failure(number, what + path);
    };
    ::unlink(next.c_str()); // of an earlier attempt; what is made anew is nobody else's
    const Descriptor file(::open(next.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (file.get() < 0) return failure(errno, "cannot write " + path);
    if (::fchmod(file.get(), 0600) != 0 || host::write_all(file.get(), text) != 0 || ::fsync(file.get()) != 0)
        return give_up("cannot write ");
    if (::rename(next.c_str(), path.c_str()) != 0) return give_up("cannot replace ");
    auto directory = fs::path(path).parent_path();
    if (directory.empty()) directory = ".";
    const Descriptor folder(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (folder.get() >= 0) ::fsync(folder.get());
    return {};
}

} // namespace schedd::net
