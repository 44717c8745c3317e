// Host: the world as files under one root that is handed in; nothing below the daemon opens a path itself.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "components/kit/result.h"

namespace schedd::kit {

/// A file held open for repeated whole reads (proc and cgroup files: every read starts at 0 again).
class HostFile {
public:
    virtual ~HostFile() = default;
    /// Reads from offset 0 into `buffer`; the view is cut at the buffer's size. Fails with no_such_object
    /// when what the file described is gone (ESRCH, ENODEV), with io otherwise. Allocates only on failure.
    virtual Result<std::string_view> read(std::span<char> buffer) = 0;
};

/// Paths are relative to the root and never start with '/': "proc/stat",
/// "sys/fs/cgroup/cpuset/a/cpuset.cpus".
class Host {
public:
    virtual ~Host() = default;
    virtual Result<std::unique_ptr<HostFile>> open(const std::string& path) = 0;
    /// One read of a small file into the caller's buffer: open, read, close.
    virtual Result<std::string_view> read(const std::string& path, std::span<char> buffer) = 0;
    /// Calls `visit` with each entry's name, in no particular order, without "." and "..".
    virtual Status list(const std::string& path, const std::function<void(std::string_view)>& visit) = 0;
    /// Target of a symbolic link, such as proc/1/exe.
    virtual Result<std::string> link_target(const std::string& path) = 0;
    /// CPU time in ns that a process has used, with all its threads, also ended ones; none if there is no
    /// such process, or nothing but files. Costs a quarter of reading a file.
    [[nodiscard]] virtual std::optional<std::uint64_t> cpu_time_of(std::int32_t /*pid*/) {
        return std::nullopt;
    }
    /// How many files may be held open at once through this host; the caller that reaches it must rotate.
    [[nodiscard]] virtual std::size_t open_budget() const = 0;
};

} // namespace schedd::kit
