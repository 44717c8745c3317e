// Writing the files of a synthetic proc.
#include "tests/bench/synthetic_tree.h"

#include <filesystem>

#include <fmt/format.h>

#include "tests/bench/interrupt.h"

namespace schedd::bench {

Result<SyntheticTree> SyntheticTree::make(std::size_t count) {
    // two inodes and two pages per file, and a directory
    if (auto room = room_in_memory(count * 16); !room) return std::unexpected(room.error());
    auto directory = ScratchDirectory::make("/dev/shm");
    if (!directory) return std::unexpected(directory.error());
    SyntheticTree tree(std::move(*directory));
    std::error_code error;
    std::filesystem::create_directory(tree.root() + "/proc", error);
    for (std::size_t i = 0; i < count; ++i) {
        const auto pid = static_cast<std::size_t>(kFirstPid) + i;
        const auto place = fmt::format("{}/proc/{}", tree.root(), pid);
        std::filesystem::create_directory(place, error);
        auto done = write_file(
            place + "/stat",
            fmt::format("{0} (sleeper) S 1 {0} {0} 0 -1 4194304 100 0 0 0 5 3 0 0 20 0 1 0 {1} 2457600 200 "
                        "18446744073709551615 1 1 0 0 0 0 0 0 0 0 0 0 17 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n",
                        pid, 100 + i));
        if (done)
            done = write_file(place + "/schedstat", fmt::format("{} {} 12\n", 80'000'000 + i, 1'000'000 + i));
        if (done) done = not_interrupted();
        if (!done) return std::unexpected(done.error());
    }
    return tree;
}

} // namespace schedd::bench
