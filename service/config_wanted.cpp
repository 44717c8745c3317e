// Checking a configuration against the registry.
#include "service/config_wanted.h"

#include <algorithm>

#include <fmt/format.h>

#include "components/model/chain.h"
#include "service/config_toml.h"

namespace schedd::service {

namespace {

class Builder {
public:
    Builder(const Tree& tree, bool prune) : tree_(tree), prune_(prune) {}

    Status add(const DesiredProbe& probe);
    Status add(const DesiredScheduler& scheduler);
    Wanted take() { return std::move(wanted_); }

private:
    Status add_part(WantedPart part);
    Status add_chain(const Path& policy, const DesiredPort& port);
    Status add_filter(const Verb& create, const Where& where);
    Status add_write(const Verb& write, const Where& where);
    [[nodiscard]] Result<ValueType> sink_type(const Path& sink, const Where& where) const;
    [[nodiscard]] Status check_link(const Path& source, const Path& sink, const ValueType& type,
                                    const Where& where) const;
    [[nodiscard]] const Descriptor* type_at(const Path& path) const;

    const Tree& tree_;
    bool prune_;
    Wanted wanted_;
};

/// The attribute's declaration, after checking the value by it.
Status check(const WantedPart& part, const DesiredAttribute& attribute) {
    const auto spec = std::ranges::find(part.table, std::string_view(attribute.name), &AttributeSpec::name);
    if (spec == part.table.end()) {
        std::string known;
        for (const auto& row : part.table)
            if (!row.read_only) known += (known.empty() ? "" : " ") + std::string(row.name);
        return fail_at(attribute.where, Errc::no_such_object,
                       fmt::format("{} has no attribute '{}'", part.path.text(),
                                   attribute.name.substr(0, 64)),
                       known.empty() ? "it has none" : "it has: " + known);
    }
    if (spec->read_only)
        return fail_at(attribute.where, Errc::denied, fmt::format("'{}' is read-only", attribute.name),
                       "it reports a state");
    auto value = check_attribute(*spec, attribute.value);
    if (!value) return fail_at(attribute.where, value.error());
    return {};
}

template <class Specs> std::string names_of(const Specs& specs) {
    std::string names;
    for (const auto& spec : specs) names += (names.empty() ? "" : " ") + std::string(spec.name);
    return names.empty() ? "nothing" : names;
}

Status Builder::add_part(WantedPart part) {
    for (const auto& attribute : part.attributes)
        if (auto checked = check(part, attribute); !checked) return checked;
    const auto [same, is_new] = wanted_.index.emplace(part.path, wanted_.parts.size());
    if (!is_new)
        return fail_at(part.where, Errc::exists, part.path.text() + " is defined twice",
                       "first at " + wanted_.parts[same->second].where.text());
    wanted_.parts.push_back(std::move(part));
    return {};
}

Status Builder::add(const DesiredProbe& probe) {
    const auto type = tree_.registry().find(Kind::probe, probe.type.empty() ? probe.name : probe.type);
    if (!type) return fail_at(probe.where, type.error());
    return add_part({Path({"probes", probe.name}), Kind::probe, *type, probe.type, (*type)->attributes,
                     probe.attributes, probe.where});
}

Status Builder::add(const DesiredScheduler& scheduler) {
    const Path path({"schedulers", scheduler.name});
    const Path set = path.child("process_set");
    auto status = add_part(
        {path, Kind::scheduler, nullptr, {}, Scheduler::table(), scheduler.attributes, scheduler.where});
    if (status)
        status = add_part({set,
                           Kind::process_set,
                           nullptr,
                           {},
                           ProcessSet::table(),
                           scheduler.set_attributes,
                           scheduler.where});
    for (const auto& member : scheduler.members) {
        // asked here too, where file and line are known: is there such a process, may it be one?
        const bool is_new = !tree_.find(set.child(member.name));
        const auto fits = is_new && status ? ProcessSet(tree_.environment()).make_member(member.name)
                                           : Result<std::unique_ptr<Part>>(nullptr);
        if (!fits) return fail_at(member.where, fits.error());
        if (status)
            status = add_part({set.child(member.name),
                               Kind::member,
                               nullptr,
                               {},
                               Member::table(),
                               member.attributes,
                               member.where});
    }
    if (!status || scheduler.policy.empty()) return status;
    const auto& word = scheduler.policy_type;
    const auto type = tree_.registry().find(Kind::policy, word.empty() ? scheduler.policy : word);
    if (!type) return fail_at(scheduler.policy_where, type.error());
    const Path policy = path.child(scheduler.policy);
    status = add_part({policy, Kind::policy, *type, word, (*type)->attributes, scheduler.policy_attributes,
                       scheduler.policy_where});
    // the port of a filter comes after the chain that the filter is in
    auto ports = scheduler.ports;
    std::ranges::stable_sort(ports, {}, [](const DesiredPort& port) { return port.sink.depth(); });
    for (const auto& port : ports)
        if (status) status = add_chain(policy, port);
    return status;
}

const Descriptor* Builder::type_at(const Path& path) const {
    if (const auto* part = wanted_.find(path)) return part->type;
    const auto part = prune_ ? Result<Part*>(nullptr) : tree_.find(path);
    return part && *part ? (*part)->type() : nullptr;
}

Result<ValueType> Builder::sink_type(const Path& sink, const Where& where) const {
    const auto* owner = type_at(sink.parent());
    if (!owner || owner->kind == Kind::probe)
        return fail_at(where, Errc::no_such_object, fmt::format("there is no {}", sink.parent().text()),
                       "name a port of the policy, or PORT/FILTER/PORT for one of a filter");
    const auto spec = std::ranges::find(owner->ports, std::string_view(sink.leaf()), &PortSpec::name);
    if (spec == owner->ports.end())
        return fail_at(where, Errc::no_such_object,
                       fmt::format("{} has no port '{}'", owner->name, sink.leaf().substr(0, 64)),
                       "it has: " + names_of(owner->ports));
    return spec->type;
}

Status Builder::add_chain(const Path& policy, const DesiredPort& port) {
    auto names = policy.names();
    names.insert(names.end(), port.sink.names().begin(), port.sink.names().end());
    const Path sink(std::move(names));
    const auto type = sink_type(sink, port.where);
    if (!type) return std::unexpected(type.error());
    if (wanted_.sinks.contains(sink))
        return fail_at(port.where, Errc::exists, sink.text() + " is fed twice", {});
    wanted_.sinks.emplace(sink, Path());
    const auto verbs = parse_chain(port.chain, sink);
    if (!verbs) return fail_at(port.where, verbs.error());
    for (const auto& verb : *verbs) {
        Status status;
        if (verb.what == Verb::Do::create) status = add_filter(verb, port.where);
        if (verb.what == Verb::Do::write) status = add_write(verb, port.where);
        if (verb.what == Verb::Do::link) {
            status = check_link(verb.source, verb.path, *type, port.where);
            wanted_.sinks[verb.path] = verb.source;
        }
        if (!status) return status;
    }
    return {};
}

Status Builder::add_filter(const Verb& create, const Where& where) {
    const auto type =
        tree_.registry().find(Kind::filter, create.word.empty() ? create.path.leaf() : create.word);
    if (!type) return fail_at(where, type.error());
    wanted_.sinks.emplace(create.path, Path());
    return add_part({create.path, Kind::filter, *type, create.word, (*type)->attributes, {}, where});
}

Status Builder::add_write(const Verb& write, const Where& where) {
    // parse_chain puts the writes of a filter right after its creation
    WantedPart& filter = wanted_.parts.back();
    DesiredAttribute attribute{write.word, write.value, where};
    if (auto checked = check(filter, attribute); !checked) return checked;
    filter.attributes.push_back(std::move(attribute));
    return {};
}

Status Builder::check_link(const Path& source, const Path& sink, const ValueType& type,
                           const Where& where) const {
    const auto* probe = source.depth() == 3 ? type_at(source.parent()) : nullptr;
    if (!probe || probe->kind != Kind::probe)
        return fail_at(where, Errc::no_such_object, fmt::format("there is no source {}", source.text()),
                       prune_ ? "use PROBE/SOURCE of a [probe.NAME] in the configuration"
                              : "use PROBE/SOURCE of a probe that exists or has a [probe.NAME]");
    const auto spec = std::ranges::find(probe->sources, std::string_view(source.leaf()), &SourceSpec::name);
    if (spec == probe->sources.end())
        return fail_at(where, Errc::no_such_object,
                       fmt::format("{} has no source '{}'", probe->name, source.leaf().substr(0, 64)),
                       "it has: " + names_of(probe->sources));
    if (spec->type != type)
        return fail_at(where, Errc::type_mismatch,
                       fmt::format("{} gives {}, {} takes {}", source.text(), describe(spec->type),
                                   sink.text(), describe(type)),
                       "name, unit and parameter must agree");
    return {};
}

} // namespace

const WantedPart* Wanted::find(const Path& path) const {
    const auto at = index.find(path);
    return at == index.end() ? nullptr : &parts[at->second];
}

Result<Wanted> want(const Desired& desired, const Tree& tree, bool prune) {
    Builder builder(tree, prune);
    for (const auto& probe : desired.probes)
        if (auto added = builder.add(probe); !added) return std::unexpected(added.error());
    for (const auto& scheduler : desired.schedulers)
        if (auto added = builder.add(scheduler); !added) return std::unexpected(added.error());
    return builder.take();
}

} // namespace schedd::service
