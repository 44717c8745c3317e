// Putting the files of a configuration together.
#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "service/config_toml.h"

namespace schedd::service {

namespace {

template <class T>
Status take_setting(std::optional<T>& first, std::optional<T>& second, std::string_view name) {
    if (first && second && *first != *second)
        return fail(Errc::exists,
                    fmt::format("[daemon] {} is set twice, to {} and {}", name, *first, *second),
                    "set it in one file");
    if (second) first = std::move(second);
    return {};
}

Status merge_daemon(DaemonSettings& first, DaemonSettings second) {
    auto status = take_setting(first.on_stop, second.on_stop, "on_stop");
    if (status) status = take_setting(first.log_level, second.log_level, "log_level");
    if (status) status = take_setting(first.actuator, second.actuator, "actuator");
    if (status) status = take_setting(first.on_foreign, second.on_foreign, "on_foreign");
    if (status) status = take_setting(first.frequency, second.frequency, "frequency");
    if (status) status = take_setting(first.reserved_cpus, second.reserved_cpus, "reserved_cpus");
    if (status) status = take_setting(first.scan_period_ms, second.scan_period_ms, "scan_period");
    if (status) status = take_setting(first.tick_period_ms, second.tick_period_ms, "tick_period");
    if (status && first.cluster && second.cluster)
        return fail_at(second.cluster_where, Errc::exists, "[cluster] is defined twice",
                       "first at " + first.cluster_where.text());
    if (second.cluster) {
        first.cluster = std::move(second.cluster);
        first.cluster_where = std::move(second.cluster_where);
    }
    if (status && first.migration && second.migration)
        return fail_at(second.migration_where, Errc::exists, "[migration] is defined twice",
                       "first at " + first.migration_where.text());
    if (second.migration) {
        first.migration = std::move(second.migration);
        first.migration_where = std::move(second.migration_where);
    }
    return status;
}

/// Whether two files say the same of a probe, in whatever order.
bool agree(const DesiredProbe& a, const DesiredProbe& b) {
    const auto type = [](const DesiredProbe& probe) { return probe.type.empty() ? probe.name : probe.type; };
    const auto values = [](const DesiredProbe& probe) {
        std::map<std::string, std::string> out;
        for (const auto& attribute : probe.attributes) out.emplace(attribute.name, text_of(attribute.value));
        return out;
    };
    return type(a) == type(b) && values(a) == values(b);
}

} // namespace

Result<Desired> merge(Desired first, Desired second) {
    if (auto merged = merge_daemon(first.daemon, std::move(second.daemon)); !merged)
        return std::unexpected(merged.error());
    for (auto& probe : second.probes) {
        const auto same = std::ranges::find(first.probes, probe.name, &DesiredProbe::name);
        if (same == first.probes.end()) {
            first.probes.push_back(std::move(probe));
        } else if (!agree(*same, probe)) {
            return fail_at(probe.where, Errc::exists,
                           fmt::format("[probe.{}] is defined otherwise", probe.name),
                           "at " + same->where.text());
        }
    }
    for (auto& scheduler : second.schedulers) {
        const auto same = std::ranges::find(first.schedulers, scheduler.name, &DesiredScheduler::name);
        if (same != first.schedulers.end())
            return fail_at(scheduler.where, Errc::exists,
                           fmt::format("[scheduler.{}] is defined twice", scheduler.name),
                           "first at " + same->where.text());
        first.schedulers.push_back(std::move(scheduler));
    }
    for (auto& made : second.templates) {
        const auto same = std::ranges::find(first.templates, made.scheduler.name,
                                            [](const auto& other) { return other.scheduler.name; });
        if (same != first.templates.end())
            return fail_at(made.scheduler.where, Errc::exists,
                           fmt::format("[template.{}] is defined twice", made.scheduler.name),
                           "first at " + same->scheduler.where.text());
        first.templates.push_back(std::move(made));
    }
    return first;
}

} // namespace schedd::service
