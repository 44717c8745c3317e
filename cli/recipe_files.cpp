// Reading and joining recipe files.
#include "cli/recipe_files.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

#include <fmt/format.h>

#include "cli/text.h"
#include "components/kit/limits.h"

namespace schedd::cli {

namespace {

Answer<std::string> read_whole(int fd, const std::string& name) {
    std::string text;
    char buffer[16384];
    for (;;) {
        const ssize_t got = ::read(fd, buffer, sizeof buffer);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0)
            return give_up(Exit::error, fmt::format("cannot read {}: {}", shown(name), std::strerror(errno)));
        if (got == 0) return text;
        text.append(buffer, static_cast<std::size_t>(got));
        if (text.size() > kit::limits::kConfigBytes)
            return give_up(Exit::error, fmt::format("{} is larger than {} KiB", shown(name),
                                                    kit::limits::kConfigBytes / 1024));
    }
}

Answer<std::string> read_file(const std::string& name) {
    if (name == "-") return read_whole(STDIN_FILENO, "the standard input");
    const int fd = ::open(name.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return give_up(Exit::error, fmt::format("cannot read {}: {}", shown(name), std::strerror(errno)));
    auto text = read_whole(fd, name);
    ::close(fd);
    return text;
}

} // namespace

void join(RecipeFiles& files, std::string name, std::string_view contents) {
    const auto lines = static_cast<std::size_t>(std::ranges::count(files.text, '\n'));
    files.files.push_back({std::move(name), lines + 1});
    files.text += contents;
    if (!contents.empty() && !contents.ends_with('\n')) files.text += '\n';
}

Answer<RecipeFiles> read_recipe_files(const std::vector<std::string>& names) {
    RecipeFiles files;
    for (const auto& name : names) {
        const auto text = read_file(name);
        if (!text) return std::unexpected(text.error());
        if (text->find('\0') != std::string::npos)
            return give_up(Exit::error, fmt::format("{} holds a NUL byte; it is not a recipe", shown(name)));
        if (const auto bad = first_that_is_not_utf8(*text); bad != std::string::npos) {
            const auto before = std::string_view(*text).substr(0, bad);
            const auto line_start = before.rfind('\n') + 1; // 0 if there is none
            return give_up(Exit::error,
                           fmt::format("{}:{}:{}: the byte 0x{:02x} is not UTF-8", shown(name),
                                       std::ranges::count(before, '\n') + 1, bad - line_start + 1,
                                       static_cast<unsigned char>((*text)[bad])));
        }
        join(files, name == "-" ? "standard input" : name, *text);
    }
    if (files.text.size() > kit::limits::kConfigBytes)
        return give_up(Exit::error, fmt::format("the files together are larger than {} KiB",
                                                kit::limits::kConfigBytes / 1024));
    return files;
}

std::string in_terms_of_files(const RecipeFiles& files, std::string_view message) {
    // The daemon says "recipe:12:3: ..." of TOML, as compilers do, and "line 12: ..." of recipe lines.
    constexpr std::string_view kRecipe = "recipe:";
    constexpr std::string_view kLine = "line ";
    const bool like_compilers = message.starts_with(kRecipe);
    const auto mark = like_compilers ? kRecipe : kLine;
    const auto at = message.find(mark);
    std::size_t line = 0;
    const auto* end = message.data() + message.size();
    const auto* number = at == std::string_view::npos ? end : message.data() + at + mark.size();
    const auto read = std::from_chars(number, end, line);
    if (read.ptr == number || files.files.empty())
        return files.files.size() == 1 ? fmt::format("{}: {}", shown(files.files[0].name), message)
                                       : std::string(message);
    const auto* file = &files.files.front();
    for (const auto& candidate : files.files)
        if (candidate.first_line <= line) file = &candidate;
    return fmt::format("{}{}{}{}{}", message.substr(0, at), shown(file->name),
                       like_compilers ? ":" : " line ", line - std::min(line, file->first_line) + 1,
                       std::string_view(read.ptr, end));
}

} // namespace schedd::cli
