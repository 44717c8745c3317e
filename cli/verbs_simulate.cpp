// The verb simulate: hands its options to schedd-simulate, which knows policies and topologies; this program
// stays light.
#include <cerrno>
#include <climits>
#include <cstring>

#include <fmt/format.h>
#include <unistd.h>

#include "cli/text.h"
#include "cli/verbs.h"

namespace schedd::cli {

namespace {

constexpr std::string_view kProgram = "schedd-simulate";

/// Beside this program, as in a build tree, else where it is installed.
std::string program() {
    std::string self(PATH_MAX, '\0');
    const auto size = ::readlink("/proc/self/exe", self.data(), self.size());
    self.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    const auto beside = self.substr(0, self.rfind('/') + 1) + std::string(kProgram);
    if (!self.empty() && ::access(beside.c_str(), X_OK) == 0) return beside;
    return fmt::format("{}/{}", SCHEDD_LIBEXEC_DIR, kProgram);
}

std::vector<std::string> arguments_of(const Options& options) {
    std::vector<std::string> arguments;
    const auto add = [&](std::string_view name, const std::string& value) {
        if (!value.empty()) arguments.push_back(fmt::format("--{}={}", name, value));
    };
    add("topology", options.topology);
    add("load", options.load);
    add("config", options.config);
    add("seed", options.seed);
    add("duration", options.duration);
    add("picture", options.picture);
    if (options.json != JsonForm::off) add("json", options.json == JsonForm::pretty ? "pretty" : "short");
    if (!options.words.empty()) arguments.emplace_back("--");
    arguments.insert(arguments.end(), options.words.begin(), options.words.end());
    return arguments;
}

} // namespace

Answer<Exit> run_simulate(const Session& session) {
    const auto& options = session.options;
    if (options.topology.empty() || options.load.empty())
        return give_up(Exit::usage,
                       "simulate: --topology and --load are needed; try schedd-cli simulate --help");
    const auto path = program();
    auto words = arguments_of(options);
    words.insert(words.begin(), path);
    std::vector<char*> arguments;
    for (auto& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    ::execv(path.c_str(), arguments.data());
    return give_up(Exit::error,
                   fmt::format("simulate: cannot run {}: {}", shown(path), std::strerror(errno)));
}

} // namespace schedd::cli
