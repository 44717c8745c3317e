// Limits of the machine, and private directories.
#include "tests/bench/machine_state.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <utility>

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

namespace schedd::bench {

namespace {

/// A forked sleeper needs about 120 KiB of kernel memory and page tables; twice that is asked for.
constexpr std::uint64_t kKibPerProcess = 256;
/// Left to others.
constexpr std::size_t kSparePids = 4000;

} // namespace

Result<std::int64_t> number_in(const std::string& file, const std::string& name) {
    std::ifstream lines(file);
    for (std::string line; std::getline(lines, line);)
        if (line.starts_with(name + ":")) return std::strtoll(line.c_str() + name.size() + 1, nullptr, 10);
    return fail(Errc::no_value, fmt::format("{} has no {}", file, name));
}

Status room_in_memory(std::uint64_t kib) {
    const auto available = number_in("/proc/meminfo", "MemAvailable");
    if (!available) return std::unexpected(available.error());
    if (static_cast<std::uint64_t>(*available) < kib)
        return fail(Errc::limit_exceeded, fmt::format("{} MiB of memory are available", *available / 1024),
                    fmt::format("{} MiB are needed", kib / 1024));
    return {};
}

Status room_for_processes(std::size_t count) {
    std::size_t highest = 0;
    std::ifstream("/proc/sys/kernel/pid_max") >> highest;
    std::size_t present = 0;
    std::string skipped;
    char slash = 0;
    std::ifstream("/proc/loadavg") >> skipped >> skipped >> skipped >> present >> slash >> present;
    if (present + count + kSparePids > highest)
        return fail(Errc::limit_exceeded, fmt::format("kernel.pid_max is {}", highest),
                    fmt::format("{} are needed beside the {} tasks there are", count + kSparePids, present));
    rlimit limit{};
    if (getrlimit(RLIMIT_NPROC, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY && limit.rlim_cur < count)
        return fail(Errc::limit_exceeded, fmt::format("RLIMIT_NPROC is {}", limit.rlim_cur),
                    fmt::format("{} are needed", count));
    return room_in_memory(count * kKibPerProcess);
}

Result<ScratchDirectory> ScratchDirectory::make(const std::string& parent) {
    auto path = parent + "/schedd-bench.XXXXXX";
    if (mkdtemp(path.data()) == nullptr)
        return fail(Errc::io, "cannot make a directory in " + parent, std::strerror(errno));
    return ScratchDirectory(path);
}

ScratchDirectory::ScratchDirectory(ScratchDirectory&& other) noexcept
    : path_(std::exchange(other.path_, {})) {}

ScratchDirectory::~ScratchDirectory() {
    std::error_code error;
    if (!path_.empty()) std::filesystem::remove_all(path_, error);
}

Status write_file(const std::string& path, const std::string& text) {
    std::ofstream out(path);
    out << text;
    out.close();
    if (!out) return fail(Errc::io, "cannot write " + path, std::strerror(errno));
    return {};
}

} // namespace schedd::bench
