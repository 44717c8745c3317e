// The configuration's files: which of them count, and reading them.
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <map>

#include <fmt/format.h>

#include "components/kit/limits.h"
#include "service/config_toml.h"
#include "service/host/plain_file.h"

namespace schedd::service {

namespace {

namespace fs = std::filesystem;

std::unexpected<Error> cannot_read(const fs::path& path, int number) {
    return fail(number == EACCES || number == EPERM ? Errc::denied : Errc::io, "cannot read " + path.string(),
                std::strerror(number));
}

/// Adds the files of one directory, a later one in the place of an earlier of the same name.
Status collect(const fs::path& directory, std::map<std::string, fs::path>& files) {
    std::error_code error;
    if (fs::exists(fs::symlink_status(directory / "schedd.conf", error)))
        files["schedd.conf"] = directory / "schedd.conf";
    const auto folder = directory / "schedulers.d";
    fs::directory_iterator entry(folder, error);
    if (error == std::errc::no_such_file_or_directory) return {};
    if (error) return cannot_read(folder, error.value());
    while (entry != fs::directory_iterator()) {
        const auto name = entry->path().filename().string();
        // an editor's hidden copy is no configuration
        if (name.ends_with(".toml") && !name.starts_with('.')) files["schedulers.d/" + name] = entry->path();
        if (files.size() > limits::kConfigFiles)
            return fail(Errc::limit_exceeded,
                        fmt::format("more than {} files in {}", limits::kConfigFiles, folder.string()),
                        fmt::format("limit files = {}", limits::kConfigFiles));
        entry.increment(error);
        if (error) return cannot_read(folder, error.value());
    }
    return {};
}

} // namespace

std::vector<std::string> default_directories() { return {"/usr/lib/schedd", "/run/schedd", "/etc/schedd"}; }

Result<Desired> load_config(std::span<const std::string> directories) {
    std::map<std::string, fs::path> files; // schedd.conf sorts before schedulers.d/
    for (const auto& directory : directories)
        if (auto collected = collect(directory, files); !collected) return std::unexpected(collected.error());
    Desired all;
    for (const auto& [name, path] : files) {
        const auto text = host::read_plain_file(path.string(), limits::kConfigBytes);
        if (!text) return std::unexpected(text.error());
        if (!*text) continue;
        auto one = parse_config(path.string(), **text);
        if (!one) return std::unexpected(one.error());
        auto merged = merge(std::move(all), std::move(*one));
        if (!merged) return merged;
        all = std::move(*merged);
    }
    return all;
}

} // namespace schedd::service
