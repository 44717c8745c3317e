// execvp, and its failure in words.
#include "cli/exec.h"

#include <cerrno>
#include <cstring>

#include <fmt/format.h>
#include <unistd.h>

#include "cli/console.h"
#include "cli/text.h"

namespace schedd::cli {

namespace {

constexpr int kNotExecutable = 126;
constexpr int kNotFound = 127;

} // namespace

int become(const std::vector<std::string>& words, std::string_view verb) {
    std::vector<char*> arguments;
    arguments.reserve(words.size() + 1);
    for (const auto& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    ::execvp(arguments.front(), arguments.data());
    const int reason = errno;
    complain(fmt::format("{}: cannot run '{}': {}", verb, shown(words.front()), std::strerror(reason)));
    return reason == ENOENT ? kNotFound : kNotExecutable;
}

} // namespace schedd::cli
