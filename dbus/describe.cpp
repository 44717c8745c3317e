// The JSON shapes; README.md lists them.
#include "dbus/describe.h"

#include <nlohmann/json.hpp>

#include "components/kit/limits.h"
#include "components/model/demand.h"
#include "dbus/flow_values.h"

namespace schedd::dbus {

namespace {

using namespace schedd::model;
using Json = nlohmann::ordered_json;

/// Bytes that are no UTF-8 become U+FFFD; numbers that are not finite are null (the library does that).
std::string text_of_json(const Json& json) {
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

template <class... T> Json json_of(const std::variant<T...>& value) {
    return std::visit([](const auto& v) { return Json(v); }, value);
}

Json attributes_json(const Part& part) {
    Json out = Json::object();
    for (std::size_t i = 0; i < part.attributes().size(); ++i) {
        const auto& spec = part.attributes()[i];
        out[std::string(spec.name)] = {{"value", json_of(part.attribute(i))},
                                       {"kind", name_of(spec.kind)},
                                       {"unit", spec.unit},
                                       {"read_only", spec.read_only}};
    }
    return out;
}

void list_values(const Output& output, Json& flow) {
    std::size_t count = 0;
    Json values = Json::object();
    output.list([&](const Parameter& parameter, const Sample& sample) {
        if (++count <= limits::kDescribedValues) values[text_of(parameter)] = json_of(sample.value);
    });
    flow["values"] = std::move(values);
    flow["count"] = count;
}

Json flow_json(const Part& part, Time now) {
    const auto* output = output_of(part);
    const auto* input = input_of(part);
    ask_source_of(part);
    const auto& type = output ? output->output_type() : input->input_type();
    const auto value = output ? value_of(part) : Result<Sample>(fail(Errc::no_value, {}));
    const auto collected = input ? collected_value_of(part) : Result<Sample>(fail(Errc::no_value, {}));
    const auto* source = input ? input->source() : nullptr;
    const auto& shown = output ? value : collected;
    Json flow{{"type", type.name}, {"unit", type.unit}, {"parameter", type.parameter}};
    flow["value"] = value ? json_of(value->value) : Json();
    flow["collected_value"] = collected ? json_of(collected->value) : Json();
    flow["age_ms"] = shown ? Json(milliseconds_of(now - shown->time)) : Json();
    flow["source"] = source ? Json(source->part().path().text()) : Json();
    flow["linked"] = source && source->part().kind() == Kind::source;
    flow["wants_updates"] = input ? input->wants_updates() : output->subscribed();
    flow["why_none"] = shown ? std::string() : shown.error().detail;
    if (type.parameter.empty()) return flow;
    if (output) list_values(*output, flow);
    else if (source) list_values(*source, flow);
    const bool has_values = flow.contains("count") && flow["count"] != 0;
    flow["why_none"] = has_values ? std::string() : why_none(part, true);
    return flow;
}

Json part_json(const Part& part, Time now) {
    Json out{{"path", part.path().text()},   {"name", part.name()},
             {"kind", name_of(part.kind())}, {"type", part.type() ? part.type()->name : name_of(part.kind())},
             {"default", part.is_default()}, {"attributes", attributes_json(part)}};
    if (output_of(part) || input_of(part)) out["flow"] = flow_json(part, now);
    out["trouble"] = part.kind() == Kind::probe ? static_cast<const Probe&>(part).trouble() : std::string();
    out["children"] = Json::array();
    for (const auto& child : part.children()) out["children"].push_back(part_json(*child, now));
    return out;
}

Json specs_json(AttributeTable attributes) {
    Json out = Json::array();
    for (const auto& spec : attributes)
        out.push_back({{"name", spec.name},
                       {"kind", name_of(spec.kind)},
                       {"unit", spec.unit},
                       {"default", spec.initial},
                       {"accepted", accepted_by(spec)},
                       {"read_only", spec.read_only},
                       {"doc", spec.doc}});
    return out;
}

Json type_json(std::string_view name, Kind kind, std::string_view doc, std::string_view alias,
               AttributeTable attributes) {
    return {{"name", name},
            {"kind", name_of(kind)},
            {"doc", doc},
            {"alias", alias},
            {"attributes", specs_json(attributes)},
            {"ports", Json::array()},
            {"sources", Json::array()}};
}

Json end_json(std::string_view name, const ValueType& type, std::string_view doc) {
    return {{"name", name},
            {"type", type.name},
            {"unit", type.unit},
            {"parameter", type.parameter},
            {"doc", doc}};
}

Json explanations_json(const std::vector<Explanation>& explanations) {
    Json out = Json::array();
    for (const auto& e : explanations) {
        Json members = Json::array();
        for (const auto& m : e.members) {
            members.push_back({{"scheduler", m.scheduler}, {"member", m.member}});
            if (!m.considered.empty()) members.back()["considered"] = m.considered;
        }
        Json decisions = Json::array();
        for (const auto& d : e.decisions) {
            decisions.push_back({{"scheduler", d.scheduler},
                                 {"cpus", d.cpus},
                                 {"reason", d.reason},
                                 {"result", d.result},
                                 {"considered", d.considered}});
            if (d.since_ms) decisions.back()["since_ms"] = *d.since_ms;
        }
        out.push_back({{"target", e.target},
                       {"comm", e.comm},
                       {"members", std::move(members)},
                       {"decisions", std::move(decisions)},
                       {"wanted", e.wanted},
                       {"written", e.written},
                       {"effective", e.effective},
                       {"state", e.state},
                       {"detail", e.detail},
                       {"settings", e.settings},
                       {"original", e.original},
                       {"before", e.before}});
    }
    return out;
}

/// What nobody says is null.
Json power_json(const PowerFacts& power) {
    return {{"profile", power.profile},
            {"profile_from", power.profile_from},
            {"on_battery", power.on_battery ? Json(*power.on_battery) : Json()},
            {"battery_percent", power.battery_percent ? Json(*power.battery_percent) : Json()},
            {"degraded", power.degraded},
            {"packed", power.packed},
            {"cores_asleep", power.cores_asleep ? Json(*power.cores_asleep) : Json()},
            {"held", power.held},
            {"hints", power.hints},
            {"trouble", power.trouble}};
}

Json facts_json(const Facts& facts, std::size_t parts) {
    Json schedulers = Json::array();
    for (const auto& s : facts.schedulers)
        schedulers.push_back({{"name", s.name},
                              {"policy", s.policy},
                              {"members", s.members},
                              {"handle_all", s.handle_all},
                              {"subjects", s.subjects},
                              {"placed", s.placed},
                              {"conflicts", s.conflicts},
                              {"moves", s.moves},
                              {"ejected", s.ejected}});
    Json holds = Json::array();
    for (const auto& h : facts.holds)
        holds.push_back({{"id", h.id},
                         {"what", h.request.what},
                         {"who", h.request.who},
                         {"why", h.request.why},
                         {"uid", h.request.uid},
                         {"pid", h.request.pid},
                         {"since_us", h.since_us},
                         {"age_ms", h.age_ms},
                         {"state", h.state}});
    Json unit_files = Json::array();
    for (const auto& row : facts.unit_files)
        unit_files.push_back({{"unit", row.unit},
                              {"scheduler", row.scheduler},
                              {"state", row.state},
                              {"detail", row.detail},
                              {"where", row.where}});
    Json guests = Json::array();
    for (const auto& row : facts.migration.guests) guests.push_back({{"unit", row.unit}, {"home", row.home}});
    Json moves = Json::array();
    for (const auto& row : facts.migration.moves)
        moves.push_back({{"id", row.id},
                         {"unit", row.unit},
                         {"node", row.node},
                         {"number", row.number < 0 ? Json() : Json(row.number)},
                         {"phase", row.phase},
                         {"reason", row.reason},
                         {"detail", row.detail},
                         {"bytes", row.bytes},
                         {"frozen_ms", row.frozen_ms},
                         {"age_ms", row.age_ms}});
    const auto& t = facts.topology;
    return {{"version", facts.version},
            {"uptime_ms", facts.uptime_ms},
            {"actuator", facts.actuator},
            {"on_stop", facts.on_stop},
            {"topology",
             {{"cpus", t.cpus},
              {"online", t.online},
              {"cores", t.cores},
              {"numa", t.numa},
              {"packages", t.packages},
              {"generation", t.generation}}},
            {"parts", parts},
            {"processes", facts.processes},
            {"ticks", facts.ticks},
            {"schedulers", std::move(schedulers)},
            {"unit_files", std::move(unit_files)},
            {"held", facts.held},
            {"holds", std::move(holds)},
            {"migration",
             {{"unavailable", facts.migration.unavailable},
              {"blocked", facts.migration.is_blocked},
              {"guests", std::move(guests)},
              {"moves", std::move(moves)}}},
            {"power", power_json(facts.power)}};
}

} // namespace

std::string describe_part(const Tree& tree, const Part& part) {
    return text_of_json(part_json(part, tree.environment().clock.now()));
}

std::string describe_types(const Registry& registry) {
    Json out = Json::array();
    for (const auto* type : registry.all()) {
        Json one = type_json(type->name, type->kind, type->doc, type->alias, type->attributes);
        for (const auto& port : type->ports) {
            Json end = end_json(port.name, port.type, port.doc);
            end["wants_updates"] = port.wants_updates;
            one["ports"].push_back(std::move(end));
        }
        for (const auto& source : type->sources)
            one["sources"].push_back(end_json(source.name, source.type, source.doc));
        out.push_back(std::move(one));
    }
    out.push_back(type_json("scheduler", Kind::scheduler,
                            "A process set, at most one policy, and a place in the stack.", "",
                            Scheduler::table()));
    out.push_back(type_json("process_set", Kind::process_set, "The work a scheduler is responsible for.", "",
                            ProcessSet::table()));
    out.push_back(type_json("member", Kind::member, "One member of a process set, and what became of it.", "",
                            Member::table()));
    return text_of_json(out);
}

std::string describe_facts(const Facts& facts, std::size_t parts) {
    return text_of_json(facts_json(facts, parts));
}

std::string describe_machine(const MachineFacts& machine) {
    const auto& topology = machine.topology;
    const auto usable = topology.usable();
    Json cpus = Json::array();
    for (const auto& cpu : topology.cpus)
        cpus.push_back({{"id", cpu.id},
                        {"package", cpu.package},
                        {"numa", cpu.numa},
                        {"l3", cpu.l3},
                        {"l2", cpu.l2},
                        {"core", cpu.core},
                        {"kind", cpu.kind},
                        {"usable", usable.contains(cpu.id)}});
    return text_of_json({{"generation", topology.generation},
                         {"online", topology.online.text()},
                         {"usable", usable.text()},
                         {"present", machine.present},
                         {"isolated", machine.isolated},
                         {"cpus", std::move(cpus)}});
}

std::string describe_checks(const std::vector<Check>& checks) {
    bool is_ok = true;
    Json list = Json::array();
    for (const auto& check : checks) {
        is_ok = is_ok && !(check.essential && check.state == "lacks");
        list.push_back({{"check", check.name},
                        {"state", check.state},
                        {"essential", check.essential},
                        {"found", check.found},
                        {"follows", check.follows},
                        {"remedy", check.remedy}});
    }
    return text_of_json({{"ok", is_ok}, {"checks", std::move(list)}});
}

std::string describe_explanations(const std::vector<Explanation>& explanations) {
    return text_of_json({{"subjects", explanations_json(explanations)}});
}

std::string describe_findings(const std::vector<Finding>& findings, bool dry_run) {
    Json drift = Json::array();
    Json waiting = Json::array();
    for (const auto& f : findings)
        (f.waits ? waiting : drift)
            .push_back({{"target", f.target},
                        {"scheduler", f.scheduler},
                        {"state", f.state},
                        {"wanted", f.wanted},
                        {"effective", f.effective},
                        {"detail", f.detail}});
    const bool ok = drift.empty();
    Json all = {{"ok", ok}, {"findings", std::move(drift)}, {"waiting", std::move(waiting)}};
    if (dry_run) all["dry_run"] = true;
    return text_of_json(all);
}

std::string describe_plan(const std::vector<PlannedChange>& plan) {
    Json rows = Json::array();
    for (const auto& change : plan)
        rows.push_back({{"target", change.target},
                        {"comm", change.comm},
                        {"before", change.before},
                        {"after", change.after},
                        {"settings", change.settings},
                        {"scheduler", change.scheduler},
                        {"reason", change.reason},
                        {"conflict", change.conflict}});
    return text_of_json(rows);
}

std::string describe_changes(const std::vector<std::string>& changes, bool dry_run, const std::string& plan,
                             const std::string& why) {
    Json all{{"changes", changes}, {"dry_run", dry_run}};
    if (!plan.empty()) all["plan"] = Json::parse(plan, nullptr, false);
    if (!why.empty()) all["no_plan"] = why;
    return text_of_json(all);
}

std::string describe_all(const Tree& tree, const Facts& facts, const std::vector<Explanation>& explanations) {
    return text_of_json({{"status", facts_json(facts, tree.size())},
                         {"tree", part_json(tree.root(), tree.environment().clock.now())},
                         {"explain", explanations_json(explanations)}});
}

} // namespace schedd::dbus
