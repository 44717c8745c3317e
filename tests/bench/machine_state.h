// MachineState: whether there is room for many processes and files, asked before they are made.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "components/kit/result.h"

namespace schedd::bench {

using namespace schedd::kit;

/// Fails naming the limit: pid_max, RLIMIT_NPROC or memory.
Status room_for_processes(std::size_t count);
/// Fails if less than `kib` KiB of memory are available.
Status room_in_memory(std::uint64_t kib);

/// A number after "NAME:" in a file such as proc/PID/status; fails if it is not there.
Result<std::int64_t> number_in(const std::string& file, const std::string& name);

/// A new private directory below `parent`, named after the bench and its pid; removed with all in it.
class ScratchDirectory {
public:
    static Result<ScratchDirectory> make(const std::string& parent);
    ScratchDirectory(ScratchDirectory&& other) noexcept;
    ScratchDirectory& operator=(ScratchDirectory&& other) = delete;
    ~ScratchDirectory();
    [[nodiscard]] const std::string& path() const { return path_; }

private:
    explicit ScratchDirectory(std::string path) : path_(std::move(path)) {}
    std::string path_;
};

Status write_file(const std::string& path, const std::string& text);

} // namespace schedd::bench
