// The daemon's entry: read the command line, start, run.
#include <cstdio>

#include <malloc.h>

#include <fmt/format.h>

#include "service/daemon.h"

int main(int argc, char** argv) {
    const auto parsed = schedd::service::parse_options(argc, argv);
    if (parsed.is_done) return parsed.exit_code;
    // large pieces go back when they are freed: left alone, the C library keeps as much as it ever needed
    mallopt(M_MMAP_THRESHOLD, 128 * 1024);
    auto daemon = schedd::service::Daemon::start(parsed.options);
    if (!daemon) {
        fmt::print(stderr, "schedd: cannot start: {}\n", daemon.error().text());
        return 1;
    }
    return (*daemon)->run();
}
