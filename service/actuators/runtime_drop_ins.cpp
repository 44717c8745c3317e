// Origins of properties, by systemd's own file names.
#include "service/actuators/runtime_drop_ins.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fstream>
#include <ranges>

#include <fmt/format.h>
#include <unistd.h>

#include "components/kit/errno_error.h"

namespace schedd::actuators {

namespace {

constexpr std::array<std::string_view, 4> kOrigins{"unset", "runtime", "persistent", "file"};

} // namespace

std::string_view name_of(Origin origin) { return kOrigins[static_cast<std::size_t>(origin)]; }

Result<Origin> parse_origin(std::string_view word) {
    const auto at = std::ranges::find(kOrigins, word);
    if (at == kOrigins.end())
        return fail(Errc::invalid_value, fmt::format("\"{}\" is no origin", word),
                    "unset, runtime, persistent, file");
    return static_cast<Origin>(at - kOrigins.begin());
}

std::string_view told(Origin origin) {
    switch (origin) {
    case Origin::unset: return "";
    case Origin::runtime: return " set at run time";
    case Origin::persistent: return " set by systemctl set-property";
    case Origin::file: return " in its unit files";
    }
    return "";
}

std::string RuntimeDropIns::path(const std::string& unit, std::string_view property,
                                 std::string_view folder) const {
    return fmt::format("{}/{}/{}.d/50-{}.conf", directory_, folder, unit, property);
}

Origin RuntimeDropIns::origin_of(const std::string& unit, std::string_view property, bool is_set,
                                 const std::vector<std::string>& files) const {
    if (!is_set) return Origin::unset;
    const auto has = [&](const std::string& file) { return std::ranges::find(files, file) != files.end(); };
    for (const auto* folder : {"system.control", "transient"})
        if (has(path(unit, property, folder))) return Origin::runtime;
    if (has(fmt::format("/etc/systemd/system.control/{}.d/50-{}.conf", unit, property)))
        return Origin::persistent;
    return Origin::file;
}

std::string RuntimeDropIns::who_set(std::string_view property, const std::vector<std::string>& files) {
    for (const auto& file : files | std::views::reverse) {
        std::ifstream lines(file);
        for (std::string line; std::getline(lines, line);)
            if (line.starts_with(property) && line.substr(property.size()).starts_with('=')) return file;
    }
    return "somebody else";
}

Status RuntimeDropIns::remove(const std::string& unit, std::string_view property) const {
    for (const auto* folder : {"system.control", "transient"}) {
        const auto file = path(unit, property, folder);
        if (::unlink(file.c_str()) != 0 && errno != ENOENT && errno != ENOTDIR)
            return std::unexpected(errno_error(errno, "removing " + file));
        ::rmdir(file.substr(0, file.rfind('/')).c_str()); // only if nothing else is in it
    }
    return {};
}

} // namespace schedd::actuators
