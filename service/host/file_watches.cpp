// inotify(7). A write to a file in cgroupfs is a MODIFY like any other.
#include "service/host/file_watches.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include <sys/inotify.h>
#include <unistd.h>

#include "components/kit/errno_error.h"
#include "components/kit/limits.h"

namespace schedd::host {

Result<std::unique_ptr<FileWatches>> FileWatches::open() {
    const int fd = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (fd < 0) return std::unexpected(errno_error(errno, "watching files"));
    return std::unique_ptr<FileWatches>(new FileWatches(fd));
}

FileWatches::~FileWatches() { ::close(fd_); }

Status FileWatches::follow(const std::string& name, const std::string& file) {
    if (const auto at = by_name_.find(name); at != by_name_.end()) {
        if (at->second.file == file) return {};
        let_go(name);
    }
    const int watch = ::inotify_add_watch(fd_, file.c_str(), IN_MODIFY);
    if (watch < 0 && errno == ENOSPC)
        return fail(Errc::limit_exceeded, "no more files can be watched",
                    "raise fs.inotify.max_user_watches");
    if (watch < 0) return std::unexpected(errno_error(errno, "watching " + file));
    // a directory that was removed and made again has another inode, and so another watch
    if (const auto other = names_.find(watch); other != names_.end()) by_name_.erase(other->second);
    by_name_[name] = {watch, file};
    names_[watch] = name;
    return {};
}

void FileWatches::let_go(const std::string& name) {
    const auto at = by_name_.find(name);
    if (at == by_name_.end()) return;
    ::inotify_rm_watch(fd_, at->second.watch); // fails if the file is gone, and the watch with it
    names_.erase(at->second.watch);
    by_name_.erase(at);
}

FileWatches::Written FileWatches::drain() {
    Written written;
    alignas(inotify_event) std::array<char, 16384> buffer;
    for (std::size_t events = 0; events < limits::kEventsPerDrain;) {
        const auto got = ::read(fd_, buffer.data(), buffer.size());
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) break;
        for (std::size_t at = 0; at < static_cast<std::size_t>(got); ++events) {
            inotify_event event;
            std::memcpy(&event, buffer.data() + at, sizeof event);
            at += sizeof event + event.len;
            written.lost = written.lost || (event.mask & IN_Q_OVERFLOW) != 0;
            const auto name = names_.find(event.wd);
            if (name == names_.end()) continue;
            if ((event.mask & IN_MODIFY) != 0) written.names.push_back(name->second);
            if ((event.mask & IN_IGNORED) != 0) { // the file was removed
                by_name_.erase(name->second);
                names_.erase(name);
            }
        }
    }
    std::ranges::sort(written.names);
    written.names.erase(std::ranges::unique(written.names).begin(), written.names.end());
    return written;
}

} // namespace schedd::host
