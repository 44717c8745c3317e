// Reading files below one directory.
#include "service/host/dir_host.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/openat2.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "components/kit/errno_error.h"
#include "components/kit/limits.h"

namespace schedd::host {

namespace {

// O_NONBLOCK: a fifo planted in a recorded tree must not stop the daemon; proc and sysfs ignore it.
constexpr int kReadFlags = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;

/// Kernel files with several records answer at most about a page per read, and stop before a record that does
/// not fit. So a short answer of less than this is the whole file, and the second read that would say so is
/// saved.
constexpr std::size_t kSurelyWhole = 1024;

int kernel_open(int root, const char* path, int flags) {
    open_how how{};
    how.flags = static_cast<std::uint64_t>(flags);
    how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
    for (int tries = 0; tries < 8; ++tries) { // EAGAIN: a rename raced with ".."; openat2(2) says to retry
        const auto fd = syscall(SYS_openat2, root, path, &how, sizeof how);
        if (fd >= 0 || errno != EAGAIN) return static_cast<int>(fd);
    }
    return -1;
}

bool badly_formed(const std::string& path) {
    return path.empty() || path.front() == '/' || path.find('\0') != std::string::npos;
}

Error malformed(const std::string& path) {
    return {Errc::invalid_value, fmt::format("\"{}\" is no path below the root", path),
            "a relative path such as proc/stat"};
}

Result<std::string_view> read_whole(int fd, std::span<char> buffer, const std::string& path) {
    std::size_t have = 0;
    while (have < buffer.size()) {
        const auto got = ::pread(fd, buffer.data() + have, buffer.size() - have, static_cast<off_t>(have));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return std::unexpected(errno_error(errno, "reading " + path));
        have += static_cast<std::size_t>(got);
        if (got == 0 || have < kSurelyWhole) break;
    }
    return std::string_view(buffer.data(), have);
}

class DirHostFile final : public HostFile {
public:
    DirHostFile(int fd, std::string path, std::shared_ptr<std::size_t> kept)
        : fd_(fd), path_(std::move(path)), kept_(std::move(kept)) {
        ++*kept_;
    }
    ~DirHostFile() override {
        ::close(fd_);
        --*kept_;
    }
    DirHostFile(const DirHostFile&) = delete;
    DirHostFile& operator=(const DirHostFile&) = delete;
    Result<std::string_view> read(std::span<char> buffer) override { return read_whole(fd_, buffer, path_); }

private:
    int fd_;
    std::string path_;
    std::shared_ptr<std::size_t> kept_; // of all files of the host
};

std::size_t soft_limit() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
    return static_cast<std::size_t>(limit.rlim_cur);
}

} // namespace

Result<std::unique_ptr<DirHost>> DirHost::open_root(const std::string& root) {
    struct stat top{};
    struct stat wanted{};
    if (::stat("/", &top) == 0 && ::stat(root.c_str(), &wanted) == 0 && top.st_dev == wanted.st_dev &&
        top.st_ino == wanted.st_ino)
        return open_root(root, Confinement::plain);
    auto host = open_root(root, Confinement::in_root);
    if (!host) return host;
    const int probe = (*host)->open_at(".", O_PATH | O_CLOEXEC);
    if (probe >= 0) ::close(probe);
    else if (errno == ENOSYS ||
             errno == EPERM) // EPERM: what seccomp filters that do not know the call answer
        (*host)->how_ = Confinement::walk;
    return host;
}

Result<std::unique_ptr<DirHost>> DirHost::open_root(const std::string& root, Confinement how) {
    const int fd = ::open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return std::unexpected(errno_error(errno, fmt::format("opening the root directory {}", root)));
    const auto limit = soft_limit();
    const auto budget = limit > limits::kReservedFiles ? limit - limits::kReservedFiles : 0;
    return std::unique_ptr<DirHost>(new DirHost(fd, how, budget));
}

DirHost::~DirHost() { ::close(root_); }

int DirHost::open_at(const std::string& path, int flags) const {
    switch (how_) {
    case Confinement::plain: return ::openat(root_, path.c_str(), flags);
    case Confinement::in_root: return kernel_open(root_, path.c_str(), flags);
    case Confinement::walk: return open_walking(path, flags);
    }
    return -1;
}

int DirHost::open_walking(const std::string& path, int flags) const {
    int at = ::fcntl(root_, F_DUPFD_CLOEXEC, 0);
    std::size_t start = 0;
    while (at >= 0 && start < path.size()) {
        const auto end = std::min(path.find('/', start), path.size());
        const auto name = path.substr(start, end - start);
        const bool last = path.find_first_not_of('/', end) == std::string::npos;
        start = end + 1;
        if (name.empty()) continue;
        int next = -1;
        if (name == "..") errno = EXDEV;
        else
            next = ::openat(at, name.c_str(), (last ? flags : O_PATH | O_DIRECTORY | O_CLOEXEC) | O_NOFOLLOW);
        const int why = errno;
        ::close(at);
        errno = why;
        at = next;
        if (last) break;
    }
    return at;
}

Result<std::unique_ptr<HostFile>> DirHost::open(const std::string& path) {
    if (badly_formed(path)) return std::unexpected(malformed(path));
    // the rest of the descriptors is for what is not kept: the bus, the ledger, one-shot reads
    if (*kept_ >= budget_)
        return fail(Errc::limit_exceeded, fmt::format("{} files are kept open", *kept_),
                    "raise LimitNOFILE=");
    const int fd = open_at(path, kReadFlags);
    if (fd < 0) return std::unexpected(errno_error(errno, "opening " + path));
    return std::make_unique<DirHostFile>(fd, path, kept_);
}

Result<std::string_view> DirHost::read(const std::string& path, std::span<char> buffer) {
    if (badly_formed(path)) return std::unexpected(malformed(path));
    const int fd = open_at(path, kReadFlags);
    if (fd < 0) return std::unexpected(errno_error(errno, "opening " + path));
    auto text = read_whole(fd, buffer, path);
    ::close(fd);
    return text;
}

Status DirHost::list(const std::string& path, const std::function<void(std::string_view)>& visit) {
    if (badly_formed(path)) return std::unexpected(malformed(path));
    const int fd = open_at(path, kReadFlags | O_DIRECTORY);
    if (fd < 0) return std::unexpected(errno_error(errno, "opening " + path));
    DIR* directory = ::fdopendir(fd);
    if (directory == nullptr) {
        const int why = errno;
        ::close(fd);
        return std::unexpected(errno_error(why, "listing " + path));
    }
    const std::unique_ptr<DIR, int (*)(DIR*)> closer(directory, ::closedir);
    for (;;) {
        errno = 0;
        const dirent* entry = ::readdir(directory);
        if (entry == nullptr) break;
        const std::string_view name = entry->d_name;
        if (name != "." && name != "..") visit(name);
    }
    if (errno != 0) return std::unexpected(errno_error(errno, "listing " + path));
    return {};
}

Result<Space> DirHost::space_of(const std::string& path) {
    if (!path.empty() && badly_formed(path)) return std::unexpected(malformed(path));
    const int root = ::fcntl(root_, F_DUPFD_CLOEXEC, 0);
    if (root < 0) return std::unexpected(errno_error(errno, "keeping the root open"));
    const std::shared_ptr<const DirHost> own(new DirHost(root, how_, budget_));
    return spaces_.ask(path, [own, path] { return own->look_for_space(path); });
}

Result<Space> DirHost::look_for_space(const std::string& path) const {
    const auto inside = path.empty() ? std::string(".") : path;
    const int fd = open_at(inside, O_PATH | O_CLOEXEC);
    struct statvfs found{};
    const bool is_known = fd >= 0 && ::fstatvfs(fd, &found) == 0;
    const int why = errno;
    if (fd >= 0) ::close(fd);
    if (!is_known) return std::unexpected(errno_error(why, fmt::format("asking for the space in /{}", path)));
    const auto kib = [&](std::uint64_t blocks) {
        return static_cast<std::int64_t>(blocks / 1024 * found.f_frsize +
                                         blocks % 1024 * found.f_frsize / 1024);
    };
    return Space{.free_kib = kib(found.f_bavail), .total_kib = kib(found.f_blocks)};
}

Result<std::string> DirHost::link_target(const std::string& path) {
    if (badly_formed(path)) return std::unexpected(malformed(path));
    // O_PATH|O_NOFOLLOW opens the link itself, also a magic one such as proc/1/exe
    const int fd = open_at(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) return std::unexpected(errno_error(errno, "opening " + path));
    std::array<char, 4096> target;
    const auto length = ::readlinkat(fd, "", target.data(), target.size());
    const int why = errno;
    ::close(fd);
    // an opened object that is no link answers ENOENT
    if (length < 0)
        return std::unexpected(errno_error(why == ENOENT ? EINVAL : why, "reading the link " + path));
    return std::string(target.data(), static_cast<std::size_t>(length));
}

std::optional<std::uint64_t> DirHost::cpu_time_of(std::int32_t pid) {
    constexpr int kPidBits = 28; // a clock's number has no room for more, PID_MAX_LIMIT is 22 bits
    if (how_ != Confinement::plain || pid <= 0 || pid >> kPidBits != 0)
        return std::nullopt; // elsewhere the pids mean other processes
    // what clock_getcpuclockid(3) gives, without its extra system call
    constexpr unsigned kSchedClock = 2;
    const auto clock = static_cast<clockid_t>(~static_cast<unsigned>(pid) << 3U | kSchedClock);
    timespec time{};
    if (::clock_gettime(clock, &time) != 0) return std::nullopt;
    return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000U +
           static_cast<std::uint64_t>(time.tv_nsec);
}

Result<std::size_t> raise_file_limit() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return std::unexpected(errno_error(errno, "reading the limit on open files"));
    limit.rlim_cur = limit.rlim_max;
    if (::setrlimit(RLIMIT_NOFILE, &limit) != 0)
        return std::unexpected(errno_error(errno, "raising the limit on open files"));
    return static_cast<std::size_t>(limit.rlim_cur);
}

} // namespace schedd::host
