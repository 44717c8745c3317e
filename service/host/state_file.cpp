// Keeping the ledger in a file.
#include "service/host/state_file.h"

#include <array>
#include <cerrno>
#include <filesystem>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "components/kit/errno_error.h"
#include "components/kit/limits.h"
#include "components/kit/number.h"
#include "service/host/write_all.h"

namespace schedd::host {

namespace {

constexpr const char* kLedgerName = "ledger";
constexpr const char* kNewLedgerName = "ledger.new";
constexpr const char* kRejectedName = "ledger.rejected";
constexpr const char* kLockName = "lock";
constexpr mode_t kPrivate = 0600;

/// What ends by itself, or by the administrator: the rest is a fault of the directory.
bool is_no_room(int why) { return why == EROFS || why == ENOSPC || why == EDQUOT; }

std::string holder_of(int lock) {
    std::array<char, 32> text{};
    const auto size = ::pread(lock, text.data(), text.size(), 0);
    const auto pid =
        size > 0 ? parse_unsigned({text.data(), static_cast<std::size_t>(size) - 1}) : std::nullopt;
    return pid ? fmt::format("process {} uses it", *pid) : "another process uses it";
}

Status make_directory(const std::string& directory) {
    std::error_code error;
    const auto parent = std::filesystem::path(directory).parent_path();
    if (!parent.empty()) std::filesystem::create_directories(parent, error);
    if (error) return std::unexpected(errno_error(error.value(), "creating " + parent.string()));
    if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST)
        return std::unexpected(errno_error(errno, "creating the state directory " + directory));
    return {};
}

} // namespace

FileStore::~FileStore() {
    for (const int fd : {ledger_, lock_, directory_fd_})
        if (fd >= 0)
            ::close(fd); // the lock file stays: removing it would let two daemons lock different files
}

Result<std::unique_ptr<FileStore>> FileStore::open(const std::string& directory) {
    if (auto made = make_directory(directory); !made) return std::unexpected(made.error());
    std::unique_ptr<FileStore> store(new FileStore(directory));
    store->directory_fd_ = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (store->directory_fd_ < 0)
        return std::unexpected(errno_error(errno, "opening the state directory " + directory));
    struct stat about{};
    if (::fstat(store->directory_fd_, &about) != 0)
        return std::unexpected(errno_error(errno, "looking at the state directory " + directory));
    // what the ledger says is done to the machine at the next start
    if ((about.st_mode & S_IWOTH) != 0 || (about.st_uid != ::geteuid() && about.st_uid != 0))
        return fail(Errc::denied, fmt::format("the state directory {} may be written by others", directory),
                    "a directory of schedd's own user that only it may write");
    if (auto taken = store->take_lock(); !taken) return std::unexpected(taken.error());
    if (auto opened = store->open_ledger(); !opened) return std::unexpected(opened.error());
    return store;
}

/// The directory is locked: a lock file cannot be made on a full or read-only disk. One of earlier versions
/// is taken too, and says whose the lock is.
Status FileStore::take_lock() {
    lock_ = ::openat(directory_fd_, kLockName, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, kPrivate);
    if (lock_ < 0 && !is_no_room(errno))
        return std::unexpected(errno_error(errno, "opening the lock in " + directory_));
    for (const int fd : {directory_fd_, lock_}) {
        if (fd < 0 || ::flock(fd, LOCK_EX | LOCK_NB) == 0) continue;
        if (errno == EWOULDBLOCK)
            return fail(Errc::held_by_other, fmt::format("the state directory {} is in use", directory_),
                        (lock_ < 0 ? "another process has it" : holder_of(lock_)) +
                            "; end it, or name another by --state-dir");
        // a directory cannot be locked on every file system
        if (fd == lock_ || lock_ < 0) return std::unexpected(errno_error(errno, "locking " + directory_));
    }
    if (lock_ < 0) return {};
    const auto own = fmt::format("{}\n", ::getpid());
    if ((::ftruncate(lock_, 0) != 0 || write_all(lock_, own) != 0) && !is_no_room(errno))
        return std::unexpected(errno_error(errno, "writing the lock in " + directory_));
    return {};
}

Status FileStore::open_ledger() {
    int fd =
        ::openat(directory_fd_, kLedgerName, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, kPrivate);
    const int why = errno;
    is_writable_ = fd >= 0;
    if (fd < 0 && is_no_room(why)) {
        fd = ::openat(directory_fd_, kLedgerName, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        if (fd < 0 && errno == ENOENT) return {};
    }
    if (fd < 0)
        return std::unexpected(errno_error(why, fmt::format("opening {}/{}", directory_, kLedgerName)));
    if (ledger_ >= 0) ::close(ledger_);
    ledger_ = fd;
    return {};
}

Result<std::string> FileStore::read_all() const {
    std::string text;
    if (ledger_ < 0) return text;
    std::array<char, 65536> buffer;
    for (;;) {
        const auto got = ::pread(ledger_, buffer.data(), buffer.size(), static_cast<off_t>(text.size()));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0)
            return std::unexpected(errno_error(errno, fmt::format("reading {}/{}", directory_, kLedgerName)));
        if (got == 0) return text;
        text.append(buffer.data(), static_cast<std::size_t>(got));
        if (text.size() > limits::kLedgerBytes)
            return fail(Errc::limit_exceeded, fmt::format("{}/{} is too large", directory_, kLedgerName),
                        fmt::format("at most {} bytes (limit kLedgerBytes)", limits::kLedgerBytes));
    }
}

Result<std::string> FileStore::set_aside(std::string_view text) const {
    auto name = fmt::format("{}/{}", directory_, kRejectedName);
    const int fd = ::openat(directory_fd_, kRejectedName,
                            O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, kPrivate);
    if (fd < 0) return std::unexpected(errno_error(errno, "creating " + name));
    const int wrote = write_all(fd, text);
    const int why = errno;
    ::close(fd);
    if (wrote != 0) return std::unexpected(errno_error(why, "writing " + name));
    return name;
}

Status FileStore::append(std::string_view lines) {
    if (!is_writable_) {
        if (auto opened = open_ledger(); !opened) return opened;
        if (!is_writable_)
            return fail(Errc::io, fmt::format("{}/{} cannot be written", directory_, kLedgerName),
                        "the disk is full or read-only");
    }
    const auto end = ::lseek(ledger_, 0, SEEK_END);
    if (write_all(ledger_, lines) == 0) return {};
    const int why = errno;
    // a full disk must not leave half an entry for the next line to be glued to
    if (end >= 0 && ::ftruncate(ledger_, end) != 0)
        return std::unexpected(errno_error(why, fmt::format("{}/{} is torn", directory_, kLedgerName)));
    return std::unexpected(errno_error(why, fmt::format("writing {}/{}", directory_, kLedgerName)));
}

Status FileStore::replace(std::string_view all) {
    const int fd = ::openat(directory_fd_, kNewLedgerName,
                            O_RDWR | O_APPEND | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, kPrivate);
    if (fd < 0)
        return std::unexpected(errno_error(errno, fmt::format("creating {}/{}", directory_, kNewLedgerName)));
    if (write_all(fd, all) != 0 || ::fsync(fd) != 0 ||
        ::renameat(directory_fd_, kNewLedgerName, directory_fd_, kLedgerName) != 0) {
        const int why = errno;
        ::close(fd);
        ::unlinkat(directory_fd_, kNewLedgerName, 0);
        return std::unexpected(errno_error(why, fmt::format("replacing {}/{}", directory_, kLedgerName)));
    }
    if (ledger_ >= 0) ::close(ledger_);
    is_writable_ = true;
    ledger_ = fd; // opened for appending: what follows goes to the file that is there now
    return {};
}

} // namespace schedd::host
