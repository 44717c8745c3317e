// Spinner: threads that always want a CPU and count what they get done in a file that others can read.
//   schedd-spinner FILE [THREADS]    the file holds one little-endian 64-bit count per thread
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

int main(int argc, char** argv) {
    const long threads = argc > 2 ? std::strtol(argv[2], nullptr, 10) : 1;
    if (argc < 2 || threads < 1 || threads > 64) {
        std::fprintf(stderr, "usage: schedd-spinner FILE [THREADS from 1 to 64]\n");
        return 2;
    }
    const int fd = open(argv[1], O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    const auto size = static_cast<std::size_t>(threads) * sizeof(std::uint64_t);
    if (fd < 0 || ftruncate(fd, static_cast<off_t>(size)) != 0) {
        std::perror(argv[1]);
        return 1;
    }
    void* const memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED) {
        std::perror("mmap");
        return 1;
    }
    auto* const counts = static_cast<std::uint64_t*>(memory);
    const auto spin = [counts](long index) {
        std::atomic_ref<std::uint64_t> count(counts[index]);
        while (true) {
            std::uint64_t x = 1;
            for (int i = 0; i < 20000; ++i) x = x * 6364136223846793005ULL + 1442695040888963407ULL;
            // the result goes into the count, so that the work cannot be left out
            count.fetch_add(x == 0 ? 2 : 1, std::memory_order_relaxed);
        }
    };
    std::vector<std::jthread> others;
    for (long index = 1; index < threads; ++index) others.emplace_back(spin, index);
    spin(0);
}
