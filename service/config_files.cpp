// The configuration's files: which of them count, and reading them.
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <map>
#include <memory>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "components/kit/limits.h"
#include "service/config_toml.h"

namespace schedd::service {

namespace {

namespace fs = std::filesystem;

class Descriptor {
public:
    explicit Descriptor(int fd) : fd_(fd) {}
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor() {
        if (fd_ >= 0) ::close(fd_);
    }
    [[nodiscard]] int get() const { return fd_; }

private:
    int fd_;
};

std::unexpected<Error> cannot_read(const fs::path& path, int number) {
    return fail(number == EACCES || number == EPERM ? Errc::denied : Errc::io, "cannot read " + path.string(),
                std::strerror(number));
}

/// The whole file, or none if it masks others (empty, or a link to /dev/null). Never blocks on a pipe or
/// device.
Result<std::optional<std::string>> read_file(const fs::path& path) {
    const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    if (file.get() < 0) return cannot_read(path, errno);
    struct stat status{};
    if (::fstat(file.get(), &status) < 0) return cannot_read(path, errno);
    struct stat null{};
    const bool is_null =
        S_ISCHR(status.st_mode) && ::stat("/dev/null", &null) == 0 && null.st_rdev == status.st_rdev;
    if (is_null) return std::nullopt;
    if (!S_ISREG(status.st_mode))
        return fail(Errc::invalid_value, path.string() + " is not a file",
                    "use a file or a link to /dev/null");
    std::string text;
    char buffer[16384];
    while (true) {
        const auto got = ::read(file.get(), buffer, sizeof buffer);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return cannot_read(path, errno);
        if (got == 0) break;
        text.append(buffer, static_cast<std::size_t>(got));
        // parse_config words the error
        if (text.size() > limits::kConfigBytes) break;
    }
    if (text.empty()) return std::nullopt;
    return text;
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
        const auto text = read_file(path);
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
