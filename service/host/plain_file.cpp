// Reading and replacing whole files.
#include "service/host/plain_file.h"

#include <cerrno>
#include <filesystem>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "components/kit/errno_error.h"
#include "service/host/write_all.h"

namespace schedd::host {

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

bool is_null_device(const struct stat& status) {
    struct stat null{};
    return S_ISCHR(status.st_mode) && ::stat("/dev/null", &null) == 0 && null.st_rdev == status.st_rdev;
}

} // namespace

Result<std::optional<std::string>> read_plain_file(const std::string& path, std::size_t limit) {
    const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    if (file.get() < 0) return failure(errno, "cannot read " + path);
    struct stat status{};
    if (::fstat(file.get(), &status) < 0) return failure(errno, "cannot read " + path);
    if (is_null_device(status)) return std::nullopt;
    if (!S_ISREG(status.st_mode))
        return fail(Errc::invalid_value, path + " is not a file", "use a file or a link to /dev/null");
    std::string text;
    char buffer[16384];
    while (text.size() <= limit) {
        const auto got = ::read(file.get(), buffer, sizeof buffer);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return failure(errno, "cannot read " + path);
        if (got == 0) break;
        text.append(buffer, static_cast<std::size_t>(got));
    }
    if (text.empty()) return std::nullopt;
    if (text.size() > limit) text.resize(limit + 1);
    return text;
}

Status write_plain_file(const std::string& path, std::string_view text) {
    const auto directory = fs::path(path).parent_path();
    std::error_code error;
    // for all to read, whatever the umask of the daemon is
    if (fs::create_directories(directory, error))
        fs::permissions(directory, static_cast<fs::perms>(0755), error);
    if (error) return failure(error.value(), "cannot make " + directory.string());
    const auto next = path + ".new";
    const auto give_up = [&](const char* what) {
        const int number = errno;
        ::unlink(next.c_str());
        return failure(number, what + path);
    };
    const Descriptor file(::open(next.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644));
    if (file.get() < 0) return give_up("cannot write ");
    if (write_all(file.get(), text) != 0 || ::fchmod(file.get(), 0644) != 0 || ::fsync(file.get()) != 0)
        return give_up("cannot write ");
    if (::rename(next.c_str(), path.c_str()) != 0) return give_up("cannot replace ");
    const Descriptor folder(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (folder.get() >= 0) ::fsync(folder.get());
    return {};
}

} // namespace schedd::host
