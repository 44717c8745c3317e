// schedd-cli: the command line, a client of the bus like any other.
#include <csignal>
#include <cstdlib>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "cli/verbs.h"

namespace schedd::cli {
namespace {

int ended(const Failure& failure) {
    complain(failure.text);
    return static_cast<int>(failure.exit);
}

int print_and_end(std::string_view text) {
    const auto written = print(text);
    return written ? 0 : ended(written.error());
}

int run(const std::vector<std::string>& arguments) {
    const auto invocation = find_invocation(arguments);
    if (!invocation) return ended(invocation.error());
    if (!invocation->rest.empty() && !invocation->verb) {
        const bool version = invocation->rest.back() == "--version";
        return print_and_end(version ? fmt::format("schedd-cli {}\n", SCHEDD_VERSION) : general_help());
    }
    const char* address = std::getenv("SCHEDD_BUS_ADDRESS");
    const auto options = parse_options(*invocation, address && *address ? address : "system");
    if (!options) return ended(options.error());
    if (options->help) return print_and_end(verb_help(*invocation->verb));
    const Look look = look_of_terminal(options->color);
    const auto exit = run_of(invocation->verb->name)({*options, look});
    return exit ? static_cast<int>(*exit) : ended(exit.error());
}

} // namespace
} // namespace schedd::cli

int main(int count, char** words) {
    // `schedd-cli tree | head` ends quietly, whatever the parent had set.
    std::signal(SIGPIPE, SIG_DFL);
    return schedd::cli::run(count > 0 ? std::vector<std::string>(words + 1, words + count)
                                      : std::vector<std::string>());
}
