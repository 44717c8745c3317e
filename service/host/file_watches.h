// FileWatches: files that are written, told by inotify; made for the control files of cgroups.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "components/kit/result.h"

namespace schedd::host {

using namespace schedd::kit;

class FileWatches {
public:
    /// Fails with limit_exceeded or io when the kernel gives no descriptor.
    static Result<std::unique_ptr<FileWatches>> open();
    ~FileWatches();
    FileWatches(const FileWatches&) = delete;
    FileWatches& operator=(const FileWatches&) = delete;

    /// Readable when there is something to drain; non-blocking.
    [[nodiscard]] int fd() const { return fd_; }

    /// Follows `file` under a name of the caller's, in the place of what that name stood for. Fails with
    /// no_such_object, denied, limit_exceeded (fs.inotify.max_user_watches).
    Status follow(const std::string& name, const std::string& file);
    void let_go(const std::string& name);

    /// The names of files that were written since the last call, each once; `lost` is set when there were
    /// more than the kernel kept: then all may have been.
    struct Written {
        std::vector<std::string> names;
        bool lost = false;
    };
    Written drain();
    [[nodiscard]] std::size_t size() const { return by_name_.size(); }

private:
    explicit FileWatches(int fd) : fd_(fd) {}
    struct Followed {
        int watch;
        std::string file;
    };
    int fd_;
    std::map<std::string, Followed> by_name_;
    std::unordered_map<int, std::string> names_; // by watch
};

} // namespace schedd::host
