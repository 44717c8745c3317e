// schedd-simulate: what `schedd-cli simulate` runs; prints the report and writes the picture.
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <initializer_list>

#include <fmt/format.h>
#include <unistd.h>

#include "service/host/plain_file.h"
#include "service/simulate/simulate.h"

namespace schedd::service::simulate {
namespace {

constexpr const char* kClearLine = "\r\033[K";

/// The line of progress is taken away, and then it ends as by default: shells tell it from an exit (130).
void clear_and_end(int signal) {
    [[maybe_unused]] const auto written = ::write(STDERR_FILENO, "\r\033[K", 4);
    ::raise(signal); // pending until this returns; the default is back already
}

void end_cleanly() {
    struct sigaction action = {};
    action.sa_handler = clear_and_end;
    action.sa_flags = static_cast<int>(SA_RESETHAND);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
        struct sigaction before = {};
        // who was started with it ignored (nohup) goes on ignoring it
        if (::sigaction(signal, nullptr, &before) == 0 && before.sa_handler != SIG_IGN)
            ::sigaction(signal, &action, nullptr);
    }
}

int complain(const Error& error) {
    fmt::print(stderr, "simulate: {}\n", error.text());
    return 1;
}

/// Found out before the runs and not after them. What is there is replaced, so it must be a file.
Status check_picture(const std::filesystem::path& path) {
    std::error_code none;
    if (std::filesystem::exists(path, none) && !std::filesystem::is_regular_file(path, none))
        return fail(Errc::invalid_value, fmt::format("--picture: {} is not a file", path.string()),
                    "the name of a file, which is replaced");
    const auto folder = path.parent_path();
    if (!std::filesystem::is_directory(folder, none))
        return fail(Errc::invalid_value, fmt::format("--picture: there is no directory {}", folder.string()),
                    "a file in a directory that exists");
    if (::access(folder.c_str(), W_OK | X_OK) != 0)
        return fail(Errc::denied, fmt::format("--picture: cannot write to {}", folder.string()),
                    "a file in a directory of your own");
    return {};
}

int run(const Options& options) {
    // absolute, because it needs a directory to name
    const auto picture =
        options.picture.empty() ? std::filesystem::path() : std::filesystem::absolute(options.picture);
    if (!picture.empty())
        if (auto checked = check_picture(picture); !checked) return complain(checked.error());
    const bool is_watched = ::isatty(STDERR_FILENO) == 1;
    if (is_watched) end_cleanly();
    const auto tell = [&](const std::string& name, std::size_t done, std::size_t all) {
        if (!is_watched) return;
        fmt::print(stderr, "{}{}: {} of {} jobs", kClearLine, name, done, all);
        std::fflush(stderr);
    };
    const auto warn = [](const std::string& remark) { fmt::print(stderr, "simulate: {}\n", remark); };
    const auto output = simulate(options, tell, warn);
    if (is_watched) fmt::print(stderr, "{}", kClearLine);
    if (!output) return complain(output.error());
    if (!picture.empty())
        if (auto written = host::write_plain_file(picture.string(), output->picture); !written)
            return complain(written.error());
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
