// The shape of a configuration file: which tables and keys there are, and what they hold.
#include <algorithm>
#include <set>

#include <fmt/ranges.h>

#include "components/kit/limits.h"
#include "components/model/chain.h"
#include "service/config_cluster.h"
#include "service/config_migration.h"
#include "service/config_toml.h"

namespace schedd::service {

namespace {

Status check_name_at(const TomlValue::Entry& entry) {
    if (auto named = check_name(entry.key); !named) return fail_at(entry.value.where, named.error());
    return {};
}

Result<DesiredAttribute> read_attribute(const TomlValue::Entry& entry) {
    const auto* value = entry.value.scalar();
    if (!value) return wrong_sort(entry, "a string, a whole number, true or false");
    return DesiredAttribute{entry.key, *value, entry.value.where};
}

Result<std::vector<DesiredAttribute>> read_attributes(const TomlValue::Entry& entry) {
    const auto* table = entry.value.table();
    if (!table) return wrong_sort(entry, "a table of attributes");
    std::vector<DesiredAttribute> attributes;
    for (const auto& inner : *table) {
        auto attribute = read_attribute(inner);
        if (!attribute) return std::unexpected(attribute.error());
        attributes.push_back(std::move(*attribute));
    }
    return attributes;
}

/// "NAME" or "NAME:TYPE", as in a chain.
Status read_named_type(const TomlValue::Entry& entry, std::string& name, std::string& type) {
    const auto* text = entry.value.text();
    if (!text) return wrong_sort(entry, "a string: TYPE or NAME:TYPE");
    const auto colon = text->find(':');
    name = text->substr(0, colon);
    if (colon != std::string::npos) type = text->substr(colon + 1);
    for (const auto& part : {name, colon == std::string::npos ? name : type})
        if (auto named = check_name(part); !named) return fail_at(entry.value.where, named.error());
    return {};
}

Result<DesiredProbe> read_probe(const TomlValue::Entry& entry) {
    if (auto named = check_name_at(entry); !named) return std::unexpected(named.error());
    const auto* table = entry.value.table();
    if (!table) return wrong_sort(entry, "a table: [probe.NAME]");
    DesiredProbe probe{entry.key, {}, {}, entry.value.where};
    for (const auto& inner : *table) {
        if (inner.key == "type") {
            const auto* text = inner.value.text();
            if (!text) return wrong_sort(inner, "a string, the type's name");
            probe.type = *text;
            continue;
        }
        auto attribute = read_attribute(inner);
        if (!attribute) return std::unexpected(attribute.error());
        probe.attributes.push_back(std::move(*attribute));
    }
    return probe;
}

Result<std::string> member_name(const TomlValue::Entry& entry, bool is_escaped) {
    const auto* text = entry.value.text();
    if (!text) return wrong_sort(entry, "a string such as \"unit:batch.slice\"");
    if (!is_escaped) return *text;
    auto path = Path::parse(*text);
    if (!path) return fail_at(entry.value.where, path.error());
    if (path->depth() != 1) return wrong_sort(entry, "one member, with '/' written %2F");
    return path->leaf();
}

bool is_member_attribute(std::string_view key) {
    const auto& table = Member::table();
    const auto spec = std::ranges::find(table, key, &AttributeSpec::name);
    return spec != table.end() && !spec->read_only;
}

Status read_member_key(const TomlValue::Entry& entry, DesiredMember& member) {
    static constexpr std::string_view kKnown[] = {"member", "escaped",   "weight", "class",
                                                  "cpus",   "exclusive", "memory", "quota"};
    if (entry.key == "member" || entry.key == "escaped") {
        if (!member.name.empty()) return unknown_key(entry, "a member is named once and", kKnown);
        auto name = member_name(entry, entry.key == "escaped");
        if (!name) return std::unexpected(name.error());
        member.name = std::move(*name);
        return {};
    }
    if (!is_member_attribute(entry.key)) return unknown_key(entry, "a member", kKnown);
    auto attribute = read_attribute(entry);
    if (!attribute) return std::unexpected(attribute.error());
    member.attributes.push_back(std::move(*attribute));
    return {};
}

/// "MEMBER", { member = "MEMBER", weight = 200 }, or { escaped = "exec:%FF" } for what is not UTF-8.
Result<DesiredMember> read_member(const TomlValue& value) {
    DesiredMember member{{}, {}, value.where};
    if (const auto* text = value.text()) {
        member.name = *text;
    } else if (const auto* table = value.table()) {
        for (const auto& entry : *table)
            if (auto read = read_member_key(entry, member); !read) return std::unexpected(read.error());
    } else {
        return fail_at(value.where, Errc::invalid_value, fmt::format("a member cannot be {}", value.sort()),
                       "use \"unit:batch.slice\" or { member = \"unit:batch.slice\", weight = 200 }");
    }
    if (auto parsed = MemberName::parse(member.name); !parsed) return fail_at(value.where, parsed.error());
    return member;
}

Status read_members(const TomlValue::Entry& entry, DesiredScheduler& scheduler) {
    const auto* list = entry.value.array();
    if (!list) return wrong_sort(entry, "a list of members");
    std::set<std::string> names;
    for (const auto& value : *list) {
        auto member = read_member(value);
        if (!member) return std::unexpected(member.error());
        if (!names.insert(member->name).second)
            return fail_at(value.where, Errc::exists,
                           fmt::format("'{}' is there twice", member->name.substr(0, 80)),
                           "name each member once");
        scheduler.members.push_back(std::move(*member));
    }
    return {};
}

Status read_ports(const TomlValue::Entry& entry, DesiredScheduler& scheduler) {
    const auto* table = entry.value.table();
    if (!table) return wrong_sort(entry, "a table: PORT = \"PROBE/SOURCE | FILTER\"");
    std::set<Path> sinks;
    for (const auto& port : *table) {
        const auto* chain = port.value.text();
        if (!chain) return wrong_sort(port, "a chain such as \"cpu/node_load | threshold(threshold=100)\"");
        auto sink = Path::parse(port.key);
        if (!sink) return fail_at(port.value.where, sink.error());
        if (sink->is_root()) return wrong_sort(port, "the name of a port");
        // read here for its errors; the verbs are made where the port's place is known
        if (auto parsed = parse_chain(*chain, *sink); !parsed)
            return fail_at(port.value.where, parsed.error());
        if (!sinks.insert(*sink).second)
            return fail_at(port.value.where, Errc::exists, sink->text() + " is there twice",
                           "feed each port once");
        scheduler.ports.push_back({std::move(*sink), *chain, port.value.where});
    }
    return {};
}

Status read_scheduler_key(const TomlValue::Entry& entry, DesiredScheduler& scheduler) {
    static constexpr std::string_view kKnown[] = {
        "policy",   "precedence",         "process_set",      "handle_all", "attributes",   "ports",
        "node_set", "node_set_exclusive", "node_set_max_fit", "active",     "hold_profile",
    };
    if (entry.key == "policy") {
        scheduler.policy_where = entry.value.where;
        return read_named_type(entry, scheduler.policy, scheduler.policy_type);
    }
    if (entry.key == "process_set") return read_members(entry, scheduler);
    if (entry.key == "ports") return read_ports(entry, scheduler);
    if (entry.key == "attributes") {
        auto attributes = read_attributes(entry);
        if (!attributes) return std::unexpected(attributes.error());
        scheduler.policy_attributes = std::move(*attributes);
        return {};
    }
    const bool is_of_set = entry.key == "handle_all";
    if (!is_of_set && std::ranges::find(kKnown, entry.key) == std::end(kKnown))
        return unknown_key(entry, "a scheduler", kKnown);
    auto attribute = read_attribute(entry);
    if (!attribute) return std::unexpected(attribute.error());
    if (entry.key == "node_set")
        if (auto read = NodeSet::parse(text_of(attribute->value)); !read)
            return fail_at(entry.value.where, read.error());
    (is_of_set ? scheduler.set_attributes : scheduler.attributes).push_back(std::move(*attribute));
    return {};
}

/// node_set_max_fit is another way to say node_set = "all", and must not say otherwise.
Status settle_node_set(DesiredScheduler& scheduler) {
    auto& all = scheduler.attributes;
    const auto at = std::ranges::find(all, "node_set_max_fit", &DesiredAttribute::name);
    if (at == all.end()) return {};
    const auto fit = check_attribute(Scheduler::table()[Scheduler::kNodeSetMaxFit], at->value);
    if (!fit) return fail_at(at->where, fit.error());
    const auto where = at->where;
    all.erase(at);
    const auto set = std::ranges::find(all, "node_set", &DesiredAttribute::name);
    const bool names_nodes = set != all.end() && set->value != AttributeValue("all");
    if (std::get<bool>(*fit) == names_nodes)
        return fail_at(where, Errc::conflict,
                       names_nodes ? "node_set names nodes, and node_set_max_fit asks for all"
                                   : "node_set_max_fit = false without the nodes that are meant",
                       names_nodes ? "keep one of them" : "name them: node_set = \"0-2\"");
    if (set == all.end()) all.push_back({"node_set", std::string("all"), where});
    return {};
}

/// What can only be seen of the table as a whole.
Status check_scheduler(const DesiredScheduler& scheduler) {
    const bool needs_policy = !scheduler.policy_attributes.empty() || !scheduler.ports.empty();
    if (needs_policy && scheduler.policy.empty())
        return fail_at(scheduler.where, Errc::invalid_value,
                       fmt::format("scheduler {} has attributes or ports but no policy", scheduler.name),
                       "add policy = \"TYPE\"");
    for (const auto& attribute : scheduler.set_attributes)
        if (attribute.name == "handle_all" && attribute.value == AttributeValue(true) &&
            !scheduler.members.empty())
            return fail_at(attribute.where, Errc::conflict,
                           fmt::format("scheduler {} handles all processes and names members",
                                       scheduler.name),
                           "keep handle_all or process_set");
    return {};
}

Result<DesiredScheduler> read_scheduler(const TomlValue::Entry& entry) {
    if (auto named = check_name_at(entry); !named) return std::unexpected(named.error());
    const auto* table = entry.value.table();
    if (!table) return wrong_sort(entry, "a table: [scheduler.NAME]");
    DesiredScheduler scheduler;
    scheduler.name = entry.key;
    scheduler.where = entry.value.where;
    for (const auto& inner : *table)
        if (auto read = read_scheduler_key(inner, scheduler); !read) return std::unexpected(read.error());
    if (auto settled = settle_node_set(scheduler); !settled) return std::unexpected(settled.error());
    if (auto checked = check_scheduler(scheduler); !checked) return std::unexpected(checked.error());
    return scheduler;
}

Status read_patterns(const TomlValue::Entry& entry, std::vector<std::string>& patterns) {
    const auto* list = entry.value.array();
    if (!list) return wrong_sort(entry, "a list of patterns such as [\"/usr/bin/make\"]");
    for (const auto& value : *list) {
        const auto* text = value.text();
        const auto parsed = MemberName::parse("exec:" + (text ? *text : std::string()));
        if (!parsed) return fail_at(value.where, parsed.error());
        patterns.push_back(parsed->text);
    }
    return {};
}

/// A scheduler's table with `exec` in the place of its members.
Result<DesiredTemplate> read_template(const TomlValue::Entry& entry) {
    static constexpr std::string_view kKnown[] = {"exec",  "policy", "precedence",  "attributes",
                                                  "ports", "active", "hold_profile"};
    if (auto named = check_name_at(entry); !named) return std::unexpected(named.error());
    const auto* table = entry.value.table();
    if (!table) return wrong_sort(entry, "a table: [template.NAME]");
    DesiredTemplate made;
    made.scheduler.name = entry.key;
    made.scheduler.where = entry.value.where;
    for (const auto& inner : *table) {
        const bool is_of_scheduler =
            inner.key == "process_set" || inner.key == "handle_all" || inner.key.starts_with("node_set");
        if (is_of_scheduler) return unknown_key(inner, "a template", kKnown);
        auto read =
            inner.key == "exec" ? read_patterns(inner, made.exec) : read_scheduler_key(inner, made.scheduler);
        if (!read) return std::unexpected(read.error());
    }
    if (auto checked = check_scheduler(made.scheduler); !checked) return std::unexpected(checked.error());
    if (made.exec.empty())
        return fail_at(made.scheduler.where, Errc::invalid_value,
                       fmt::format("template {} does not say for which programs it is", entry.key),
                       "add exec = [\"/usr/bin/make\"]");
    return made;
}

constexpr AttributeSpec kDaemon[] = {
    {.name = "on_stop", .kind = AttributeKind::choice, .initial = "restore", .choices = "restore leave"},
    {.name = "log_level",
     .kind = AttributeKind::choice,
     .initial = "info",
     .choices = "debug info notice warning error"},
    {.name = "actuator",
     .kind = AttributeKind::choice,
     .initial = "auto",
     .choices = "auto systemd cgroup affinity dry-run"},
    {.name = "on_foreign", .kind = AttributeKind::choice, .initial = "yield", .choices = "yield reassert"},
    {.name = "reserved_cpus", .kind = AttributeKind::text, .initial = ""},
    {.name = "frequency", .kind = AttributeKind::choice, .initial = "off", .choices = "off on"},
    {.name = "scan_period", .unit = "ms", .initial = "1000", .minimum = 100, .maximum = 3'600'000},
    {.name = "tick_period", .unit = "ms", .initial = "100", .minimum = 10, .maximum = 10'000},
};

Result<DaemonSettings> read_daemon(const TomlValue::Entry& entry) {
    const auto* table = entry.value.table();
    if (!table) return wrong_sort(entry, "a table: [daemon]");
    DaemonSettings settings;
    for (const auto& inner : *table) {
        const auto* spec = std::ranges::find(kDaemon, std::string_view(inner.key), &AttributeSpec::name);
        if (spec == std::end(kDaemon)) {
            std::vector<std::string_view> known;
            for (const auto& row : kDaemon) known.push_back(row.name);
            return unknown_key(inner, "[daemon]", known);
        }
        auto written = read_attribute(inner);
        if (!written) return std::unexpected(written.error());
        auto value = check_attribute(*spec, written->value);
        if (!value) return fail_at(inner.value.where, value.error());
        if (spec->name == "on_stop") settings.on_stop = std::get<std::string>(*value);
        if (spec->name == "log_level") settings.log_level = std::get<std::string>(*value);
        if (spec->name == "actuator") settings.actuator = std::get<std::string>(*value);
        if (spec->name == "on_foreign") settings.on_foreign = std::get<std::string>(*value);
        if (spec->name == "reserved_cpus") {
            settings.reserved_cpus = std::get<std::string>(*value);
            if (auto cpus = model::CpuSet::parse(*settings.reserved_cpus); !cpus)
                return fail_at(inner.value.where, cpus.error());
        }
        if (spec->name == "frequency") settings.frequency = std::get<std::string>(*value);
        if (spec->name == "scan_period") settings.scan_period_ms = std::get<std::uint64_t>(*value);
        if (spec->name == "tick_period") settings.tick_period_ms = std::get<std::uint64_t>(*value);
    }
    return settings;
}

/// The tables of [probe.*] or [scheduler.*].
template <class T, class Read>
Status read_each(const TomlValue::Entry& entry, std::vector<T>& out, const Read& read) {
    const auto* table = entry.value.table();
    if (!table) return wrong_sort(entry, fmt::format("tables: [{}.NAME]", entry.key));
    if (table->size() > limits::kParts)
        return fail_at(entry.value.where, Errc::limit_exceeded,
                       fmt::format("{} tables [{}.NAME]", table->size(), entry.key),
                       fmt::format("limit parts = {}", limits::kParts));
    for (const auto& inner : *table) {
        auto one = read(inner);
        if (!one) return std::unexpected(one.error());
        out.push_back(std::move(*one));
    }
    return {};
}

} // namespace

Result<Desired> parse_config(std::string_view name, std::string_view text) {
    static constexpr std::string_view kKnown[] = {"cluster", "daemon",    "migration",
                                                  "probe",   "scheduler", "template"};
    auto file = parse_toml(name, text);
    if (!file) return std::unexpected(file.error());
    Desired desired;
    for (const auto& entry : *file->table()) {
        Status status;
        if (entry.key == "daemon") {
            auto settings = read_daemon(entry);
            if (!settings) return std::unexpected(settings.error());
            settings->cluster = std::move(desired.daemon.cluster);
            settings->cluster_where = std::move(desired.daemon.cluster_where);
            settings->migration = std::move(desired.daemon.migration);
            settings->migration_where = std::move(desired.daemon.migration_where);
            desired.daemon = std::move(*settings);
        } else if (entry.key == "cluster") {
            auto settings = read_cluster(entry);
            if (!settings) return std::unexpected(settings.error());
            desired.daemon.cluster = std::move(*settings);
            desired.daemon.cluster_where = entry.value.where;
        } else if (entry.key == "migration") {
            auto settings = read_migration(entry);
            if (!settings) return std::unexpected(settings.error());
            desired.daemon.migration = std::move(*settings);
            desired.daemon.migration_where = entry.value.where;
        } else if (entry.key == "probe") {
            status = read_each(entry, desired.probes, read_probe);
        } else if (entry.key == "scheduler") {
            status = read_each(entry, desired.schedulers, read_scheduler);
        } else if (entry.key == "template") {
            status = read_each(entry, desired.templates, read_template);
        } else {
            status = unknown_key(entry, "a file", kKnown);
        }
        if (!status) return std::unexpected(status.error());
    }
    return desired;
}

} // namespace schedd::service
