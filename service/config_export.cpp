// A tree as a configuration file, and as the verbs that build it.
#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "components/kit/utf8.h"
#include "components/model/chain.h"
#include "service/config_toml.h"

namespace schedd::service {

namespace {

/// Calls `visit(spec, value)` for each attribute that a file has to name: writable and not as by default.
template <class Visit> void for_each_set(const Part& part, const Visit& visit) {
    for (std::size_t i = 0; i < part.attributes().size(); ++i) {
        const auto& spec = part.attributes()[i];
        if (spec.read_only || spec.is_alias ||
            part.attribute(i) == parse_attribute(spec, spec.initial).value())
            continue;
        visit(spec, part.attribute(i));
    }
}

std::string toml_value(const AttributeValue& value) {
    const auto* text = std::get_if<std::string>(&value);
    return text ? toml_string(*text) : text_of(value);
}

std::string set_lines(const Part& part) {
    std::string lines;
    for_each_set(part, [&](const AttributeSpec& spec, const AttributeValue& value) {
        lines += fmt::format("{} = {}\n", toml_key(spec.name), toml_value(value));
    });
    return lines;
}

/// The type as create takes it: "" where the name says it, by itself or as an alias.
std::string word_of(const Part& part) {
    if (!part.type() || part.name() == part.type()->name || part.name() == part.type()->alias) return {};
    return std::string(part.type()->name);
}

/// "TYPE" or "NAME:TYPE".
std::string named_type(const Part& part) {
    const auto word = word_of(part);
    return word.empty() ? part.name() : part.name() + ":" + word;
}

std::string stage_text(const Part& filter) {
    std::string attributes;
    for_each_set(filter, [&](const AttributeSpec& spec, const AttributeValue& value) {
        auto text = text_of(value);
        if (std::holds_alternative<std::string>(value)) {
            std::string quoted = "\"";
            for (const char c : text) quoted += c == '"' || c == '\\' ? std::string{'\\', c} : std::string{c};
            text = quoted + '"';
        }
        attributes += fmt::format("{}{}={}", attributes.empty() ? "" : ", ", spec.name, text);
    });
    return attributes.empty() ? named_type(filter) : fmt::format("{}({})", named_type(filter), attributes);
}

/// What feeds a sink, left to right; empty if nothing does.
std::string chain_text(const Input& sink) {
    if (!sink.source()) return {};
    const Part& below = sink.source()->part();
    if (below.kind() == Kind::source) {
        const auto path = below.path();
        return fmt::format("{}/{}", escape_name(path.names()[1]), escape_name(path.names()[2]));
    }
    const auto rest = chain_text(*input_of(below));
    return fmt::format("{}{}| {}", rest, rest.empty() ? "" : " ", stage_text(below));
}

/// A "PORT = CHAIN" line for each fed port below `part`; keys are relative to the policy at `depth`.
std::string port_lines(const Part& part, std::size_t depth) {
    std::string lines;
    if (part.kind() == Kind::port) {
        const auto chain = chain_text(*input_of(part));
        const auto path = part.path();
        const Path key({path.names().begin() + static_cast<std::ptrdiff_t>(depth), path.names().end()});
        if (!chain.empty()) lines += fmt::format("{} = {}\n", toml_key(key.text()), toml_string(chain));
    }
    for (const auto& child : part.children()) lines += port_lines(*child, depth);
    return lines;
}

std::string member_text(const Part& member) {
    const bool is_plain = kit::is_utf8(member.name());
    auto name = toml_string(is_plain ? member.name() : escape_name(member.name()));
    std::string weight;
    for_each_set(member, [&](const AttributeSpec& spec, const AttributeValue& value) {
        weight += fmt::format(", {} = {}", spec.name, toml_value(value));
    });
    if (is_plain && weight.empty()) return name;
    return fmt::format("{{ {} = {}{} }}", is_plain ? "member" : "escaped", name, weight);
}

std::string set_lines(const std::vector<DesiredAttribute>& attributes) {
    std::string lines;
    for (const auto& attribute : attributes)
        lines += fmt::format("{} = {}\n", toml_key(attribute.name), toml_value(attribute.value));
    return lines;
}

} // namespace

std::string export_scheduler(const Scheduler& scheduler, bool marks_ended) {
    auto text = fmt::format("\n[scheduler.{}]\n", toml_key(scheduler.name()));
    const auto* policy = scheduler.policy();
    if (policy) text += fmt::format("policy = {}\n", toml_string(named_type(*policy)));
    text += set_lines(scheduler);
    const auto& set = scheduler.process_set();
    text += set_lines(set);
    std::string members;
    for (const auto& member : set.children()) {
        // what has ended would be refused, and with it the whole file
        const bool has_ended = marks_ended && !static_cast<const Member&>(*member).alive();
        members += fmt::format("    {}{},{}\n", has_ended ? "# " : "", member_text(*member),
                               has_ended ? " has ended" : "");
    }
    if (!members.empty()) text += fmt::format("process_set = [\n{}]\n", members);
    if (!policy) return text;
    if (const auto lines = set_lines(*policy); !lines.empty())
        text += fmt::format("\n[scheduler.{}.attributes]\n{}", toml_key(scheduler.name()), lines);
    if (const auto lines = port_lines(*policy, policy->path().depth()); !lines.empty())
        text += fmt::format("\n[scheduler.{}.ports]\n{}", toml_key(scheduler.name()), lines);
    return text;
}

std::string export_template(const DesiredTemplate& made) {
    const auto& scheduler = made.scheduler;
    const auto key = toml_key(scheduler.name);
    std::string patterns;
    for (const auto& pattern : made.exec) patterns += (patterns.empty() ? "" : ", ") + toml_string(pattern);
    auto text = fmt::format("\n[template.{}]\nexec = [{}]\n", key, patterns);
    const bool has_own_type = !scheduler.policy_type.empty() && scheduler.policy_type != scheduler.policy;
    if (!scheduler.policy.empty())
        text += fmt::format("policy = {}\n", toml_string(scheduler.policy + (has_own_type ? ":" : "") +
                                                         (has_own_type ? scheduler.policy_type : "")));
    text += set_lines(scheduler.attributes);
    if (!scheduler.policy_attributes.empty())
        text += fmt::format("\n[template.{}.attributes]\n{}", key, set_lines(scheduler.policy_attributes));
    std::string ports;
    for (const auto& port : scheduler.ports)
        ports += fmt::format("{} = {}\n", toml_key(port.sink.text()), toml_string(port.chain));
    if (!ports.empty()) text += fmt::format("\n[template.{}.ports]\n{}", key, ports);
    return text;
}

namespace {

/// The verbs of a part and all below it. Links come last, members are set aside with the order they came in.
struct Export {
    Recipe builds;
    Recipe links;
    std::map<std::uint64_t, Recipe> attached;

    void add(const Part& part) {
        const bool is_member = part.kind() == Kind::member;
        if (is_member && !static_cast<const Member&>(part).alive()) return;
        Recipe& out = is_member ? attached[static_cast<const Member&>(part).order()] : builds;
        const auto path = part.path();
        if (!part.is_default() && part.kind() != Kind::folder)
            out.push_back({.what = Verb::Do::create, .path = path, .word = word_of(part)});
        for_each_set(part, [&](const AttributeSpec& spec, const AttributeValue& value) {
            // handle_all has its place in the order of attachment too
            const bool is_set = part.kind() == Kind::process_set;
            Recipe& to = is_set ? attached[static_cast<const ProcessSet&>(part).handle_all_order()] : out;
            to.push_back(
                {.what = Verb::Do::write, .path = path, .word = std::string(spec.name), .value = value});
        });
        const auto* input = input_of(part);
        if (input && input->source() && input->source()->part().kind() == Kind::source)
            links.push_back({.what = Verb::Do::link, .path = path, .source = input->source()->part().path()});
        for (const auto& child : part.children()) add(*child);
    }
};

} // namespace

std::string export_toml(const Tree& tree, std::span<const DesiredTemplate> templates,
                        const std::set<std::string>& left_out) {
    std::string text = "# The configuration of schedd as it was when this was written; see schedd.conf(5).\n";
    for (const auto& probe : tree.probes().children()) {
        text += fmt::format("\n[probe.{}]\n", toml_key(probe->name()));
        if (const auto word = word_of(*probe); !word.empty())
            text += fmt::format("type = {}\n", toml_string(word));
        text += set_lines(*probe);
    }
    for (const auto& scheduler : tree.schedulers().children())
        if (!left_out.contains(scheduler->name()))
            text += export_scheduler(static_cast<const Scheduler&>(*scheduler));
    for (const auto& made : templates) text += export_template(made);
    return text;
}

Recipe export_recipe(const Tree& tree) {
    Export all;
    all.add(tree.root());
    Recipe recipe = std::move(all.builds);
    for (auto& [order, verbs] : all.attached) std::ranges::move(verbs, std::back_inserter(recipe));
    std::ranges::move(all.links, std::back_inserter(recipe));
    return recipe;
}

} // namespace schedd::service
