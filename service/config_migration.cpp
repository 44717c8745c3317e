// Reading the [migration] table.
#include "service/config_migration.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

namespace schedd::service {

namespace {

constexpr AttributeSpec kMigration[] = {
    {.name = "ssh_user", .kind = AttributeKind::text, .initial = "root"},
    {.name = "ssh_port", .initial = "0", .maximum = 65'535},
    {.name = "directory", .kind = AttributeKind::text, .initial = "/var/lib/schedd/migrate"},
    {.name = "bandwidth", .unit = "MB/s", .initial = "100", .minimum = 1, .maximum = 100'000},
    {.name = "step_limit", .unit = "s", .initial = "30", .minimum = 5, .maximum = 3600},
};

/// Both become words of a command line on two nodes.
bool is_plain(std::string_view text, std::string_view others) {
    return !text.empty() && text.size() <= 255 && text.front() != '-' &&
           std::ranges::all_of(text, [&](char c) {
               return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                      others.find(c) != std::string_view::npos;
           });
}

Status take(const TomlValue& at, std::string_view key, const AttributeValue& value,
            remote::MigrationSettings& out) {
    const auto number = [&] { return std::get<std::uint64_t>(value); };
    const auto refuse = [&](std::string_view accepted) {
        return fail_at(at.where, Errc::invalid_value,
                       fmt::format("{} cannot be '{}'", key, std::get<std::string>(value).substr(0, 64)),
                       std::string(accepted));
    };
    if (key == "ssh_user") {
        out.ssh_user = std::get<std::string>(value);
        if (!is_plain(out.ssh_user, "._-")) return refuse("it takes letters, digits, '.', '_' and '-'");
    } else if (key == "directory") {
        out.directory = std::get<std::string>(value);
        if (!out.directory.starts_with('/') || !is_plain(out.directory, "/._-"))
            return refuse("it takes an absolute path of letters, digits, '/', '.', '_' and '-'");
    } else if (key == "ssh_port") out.ssh_port = static_cast<std::uint16_t>(number());
    else if (key == "bandwidth") out.bandwidth = number();
    else if (key == "step_limit") out.step_limit = number();
    return {};
}

} // namespace

Result<remote::MigrationSettings> read_migration(const TomlValue::Entry& entry) {
    const auto* table = entry.value.table();
    if (!table) return wrong_sort(entry, "a table: [migration]");
    remote::MigrationSettings settings;
    for (const auto& inner : *table) {
        const auto* spec = std::ranges::find(kMigration, std::string_view(inner.key), &AttributeSpec::name);
        if (spec == std::end(kMigration)) {
            std::vector<std::string_view> known;
            for (const auto& row : kMigration) known.push_back(row.name);
            return unknown_key(inner, "[migration]", known);
        }
        const auto* written = inner.value.scalar();
        if (!written) return wrong_sort(inner, "a string or a whole number");
        const auto value = check_attribute(*spec, *written);
        if (!value) return fail_at(inner.value.where, value.error());
        if (auto taken = take(inner.value, inner.key, *value, settings); !taken)
            return std::unexpected(taken.error());
    }
    return settings;
}

} // namespace schedd::service
