// Keeping the drop-in. The first line says whose it is.
#include "service/systemd/drop_in.h"

#include <algorithm>
#include <cerrno>
#include <optional>

#include <fmt/format.h>
#include <unistd.h>

#include "components/kit/errno_error.h"
#include "components/kit/limits.h"
#include "service/host/plain_file.h"
#include "service/systemd/unit_section.h"

namespace schedd::systemd {

namespace {

constexpr std::string_view kMark = "# Kept by schedd: attach --persistent wrote it, detach --persistent "
                                   "removes it. Changes by hand are lost.\n";

} // namespace

DropIn::DropIn(const std::string& directory, std::string_view unit)
    : unit_(unit), path_(fmt::format("{}/{}.d/50-schedd.conf", directory, unit)) {}

Result<DropIn::Contents> DropIn::read() const {
    const auto text = host::read_plain_file(path_, limits::kUnitFile);
    if (!text && text.error().kind == Errc::no_such_object) return Contents{};
    if (!text) return std::unexpected(text.error());
    if (!*text || !(*text)->starts_with(kMark))
        return fail(Errc::held_by_other, fmt::format("{} is there and was not written by schedd", path_),
                    "change it by hand and run `systemctl daemon-reload`, or remove it first");
    UnitWish wish;
    read_section(wish, unit_, path_, **text);
    Contents contents;
    for (auto& scheduler : wish.schedulers) contents.schedulers.push_back(scheduler.text);
    for (auto& [name, said] : wish.attributes) contents.attributes.emplace(name, said.text);
    return contents;
}

Status DropIn::write(const Contents& contents) const {
    std::string text(kMark);
    text += "[X-Schedd]\n";
    for (const auto& name : contents.schedulers) {
        text += "Scheduler=";
        for (const char c : name) text.append(c == '%' ? 2 : 1, c); // a specifier begins with one
        text += '\n';
    }
    for (const auto& [name, value] : contents.attributes) text += fmt::format("{}={}\n", key_of(name), value);
    return host::write_plain_file(path_, text);
}

Status DropIn::attach(const std::string& scheduler,
                      const std::map<std::string, std::string>& attributes) const {
    if (scheduler.find_first_of(" \t\r\n") != std::string::npos)
        return fail(Errc::invalid_value,
                    fmt::format("the scheduler '{}' cannot be named in a unit file", scheduler),
                    "a name without blanks");
    auto contents = read();
    if (!contents) return std::unexpected(contents.error());
    if (std::ranges::find(contents->schedulers, scheduler) == contents->schedulers.end())
        contents->schedulers.push_back(scheduler);
    for (const auto& [name, value] : attributes) contents->attributes[name] = value;
    return write(*contents);
}

Status DropIn::detach(const std::string& scheduler, bool dry_run) const {
    auto contents = read();
    if (!contents) return std::unexpected(contents.error());
    if (std::erase(contents->schedulers, scheduler) == 0)
        return fail(Errc::no_such_object, fmt::format("{} does not attach {} to {}", path_, unit_, scheduler),
                    "what other files say is changed there by hand");
    if (dry_run) return {};
    if (!contents->schedulers.empty()) return write(*contents);
    if (::unlink(path_.c_str()) != 0 && errno != ENOENT)
        return std::unexpected(errno_error(errno, "removing " + path_));
    ::rmdir(path_.substr(0, path_.rfind('/')).c_str()); // only if nothing else is in it
    return {};
}

} // namespace schedd::systemd
