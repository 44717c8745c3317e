// schedd-simulate: what `schedd-cli simulate` runs; prints the report and writes the picture.
#include <cstdio>
#include <filesystem>

#include <fmt/format.h>
#include <unistd.h>

#include "service/host/plain_file.h"
#include "service/simulate/simulate.h"

namespace schedd::service::simulate {
namespace {

constexpr const char* kClearLine = "\r\033[K";

int complain(const Error& error) {
    fmt::print(stderr, "simulate: {}\n", error.text());
    return 1;
}

int run(const Options& options) {
    const bool is_watched = ::isatty(STDERR_FILENO) == 1;
    const auto tell = [&](const std::string& name, std::size_t done, std::size_t all) {
        if (!is_watched) return;
        fmt::print(stderr, "{}{}: {} of {} jobs", kClearLine, name, done, all);
        std::fflush(stderr);
    };
    const auto output = simulate(options, tell);
    if (is_watched) fmt::print(stderr, "{}", kClearLine);
    if (!output) return complain(output.error());
    if (!options.picture.empty()) {
        const auto path = std::filesystem::absolute(options.picture).string(); // it needs a directory to name
        if (auto written = host::write_plain_file(path, output->picture); !written)
            return complain(written.error());
    }
    if (std::fwrite(output->text.data(), 1, output->text.size(), stdout) != output->text.size() ||
        std::fflush(stdout) != 0)
        return complain({Errc::io, "cannot print the report", "the output is full or closed"});
    return 0;
}

} // namespace
} // namespace schedd::service::simulate

int main(int argc, char** argv) {
    const auto parsed = schedd::service::simulate::parse_options(argc, argv);
    if (parsed.is_done) return parsed.exit_code;
    return schedd::service::simulate::run(parsed.options);
}
