// Finding, reading and applying recipes.
#include "components/model/tree.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "components/kit/number.h"
#include "components/model/change.h"
#include "components/model/demand.h"

namespace schedd::model {

namespace {

class Folder final : public Part {
public:
    explicit Folder(std::string name) : Part(Kind::folder, std::move(name), nullptr, {}) {}
};

std::unexpected<Error> nothing_at(const Part& deepest, const Path& wanted) {
    std::string known;
    std::size_t count = 0;
    for (const auto& child : deepest.children()) {
        if (++count > 12) {
            known += " ...";
            break;
        }
        known += (known.empty() ? "" : " ") + escape_name(child->name());
    }
    const auto where = deepest.path().text();
    return fail(Errc::no_such_object, "there is no " + wanted.text(),
                fmt::format("{} holds: {}", where.empty() ? "the root" : where,
                            known.empty() ? "nothing" : known));
}

/// A write of a scheduler's node_set_max_fit, the one alias there is.
bool is_alias(const Verb& verb) {
    return verb.what == Verb::Do::write && verb.word == "node_set_max_fit" && verb.path.depth() == 2 &&
           verb.path.names().front() == "schedulers";
}

/// "[x]" at the end of a place, taken off; empty if there is none.
std::string take_parameter(std::string_view& text) {
    if (!text.ends_with(']')) return {};
    const auto open = text.rfind('[');
    if (open == std::string_view::npos) return {};
    std::string parameter(text.substr(open + 1, text.size() - open - 2));
    text = text.substr(0, open);
    return parameter;
}

Result<std::string> sample_text(const std::optional<Sample>& sample, const Part& part) {
    if (sample) return text_of(sample->value);
    const auto* probe = part.kind() == Kind::source ? static_cast<const Probe*>(part.parent()) : nullptr;
    return fail(Errc::no_such_object, part.path().text() + " has no value",
                probe && !probe->trouble().empty() ? probe->trouble()
                                                   : "nothing connected, too old, or not measured yet");
}

Parameter parameter_of(const ValueType& type, const std::string& text) {
    if (type.parameter.empty() || text.empty()) return {};
    if (const auto number = parse_integer(text)) return *number;
    return std::string_view(text);
}

/// Without a parameter, all values of a source that takes one: a line "PARAMETER VALUE" each.
Result<std::string> value_text(const Part& part, const Output& output, const std::string& parameter) {
    const auto& type = output.output_type();
    if (type.parameter.empty() && !parameter.empty())
        return fail(Errc::invalid_value, part.path().text() + " takes no parameter",
                    "leave out the brackets");
    if (type.parameter.empty() || !parameter.empty())
        return sample_text(output.read(parameter_of(type, parameter)), part);
    std::string lines;
    output.list([&](const Parameter& p, const Sample& sample) {
        lines += fmt::format("{}{} {}", lines.empty() ? "" : "\n", text_of(p), text_of(sample.value));
    });
    return lines;
}

} // namespace

Tree::Tree(const Environment& environment, const Registry& registry)
    : environment_(environment), registry_(registry), root_(std::make_unique<Folder>("")) {
    root_->adopt(std::make_unique<Folder>("probes"));
    root_->adopt(std::make_unique<Folder>("schedulers"));
    root_->adopt(std::make_unique<Folder>("nodes"));
}

Tree::~Tree() = default;

Result<Part*> Tree::find(const Path& path) const {
    Part* part = root_.get();
    for (const auto& name : path.names()) {
        Part* next = part->child(name);
        if (!next) return nothing_at(*part, path);
        part = next;
    }
    return part;
}

Result<Tree::Place> Tree::locate(std::string_view text) const {
    const auto whole_text = text;
    Place place{nullptr, {}, take_parameter(text)};
    const auto path = Path::parse(text);
    if (!path) return std::unexpected(path.error());
    const auto whole = find(*path);
    if (whole) {
        place.part = *whole;
        return place;
    }
    // as in chains, "cpu/node_load" is in the folder of probes
    if (!root_->child(path->names().front()))
        if (auto below = locate(fmt::format("probes/{}", whole_text))) return below;
    const auto slash = text.rfind('/');
    const auto dot = text.rfind('.');
    if (dot == std::string_view::npos || (slash != std::string_view::npos && dot < slash))
        return std::unexpected(whole.error());
    const auto front = Path::parse(text.substr(0, dot));
    const auto part = front ? find(*front) : Result<Part*>(std::unexpected(front.error()));
    if (!part) return std::unexpected(part.error());
    place.part = *part;
    place.attribute = text.substr(dot + 1);
    return place;
}

Status Tree::apply(const Recipe& written, bool dry_run, NodeSets sets) {
    const bool has_alias = std::ranges::any_of(written, is_alias);
    const Recipe plain = has_alias ? without_aliases(written) : Recipe();
    const Recipe& recipe = has_alias ? plain : written;
    if (recipe.size() > limits::kRecipeVerbs)
        return fail(Errc::limit_exceeded, fmt::format("the recipe has {} verbs", recipe.size()),
                    fmt::format("limit verbs = {}", limits::kRecipeVerbs));
    Change change(*this);
    std::size_t number = 0;
    for (const Verb& verb : recipe) {
        ++number;
        auto done = change.carry_out(verb);
        if (done) continue;
        auto error = done.error();
        if (recipe.size() > 1)
            error.what =
                fmt::format("step {} of {} ({}): {}", number, recipe.size(), text_of(verb), error.what);
        return std::unexpected(std::move(error));
    }
    if (sets == NodeSets::checked)
        if (auto fits = change.check_node_sets(); !fits) return fits;
    for (const auto& scheduler : schedulers().children())
        if (const auto* policy = static_cast<const Scheduler&>(*scheduler).policy())
            if (auto fits = policy->fits(*this); !fits) return fits;
    if (!dry_run) change.commit();
    return {};
}

Recipe Tree::without_aliases(const Recipe& recipe) const {
    Recipe plain = recipe;
    std::map<Path, std::string> sets; // as written earlier in the recipe
    for (Verb& verb : plain) {
        if (verb.what == Verb::Do::write && verb.word == "node_set") sets[verb.path] = text_of(verb.value);
        if (!is_alias(verb)) continue;
        const auto wanted = check_attribute(Scheduler::table()[Scheduler::kNodeSetMaxFit], verb.value);
        if (!wanted) continue; // the error is told when it is carried out
        const auto part = find(verb.path);
        const auto* scheduler = part ? static_cast<const Scheduler*>(*part) : nullptr;
        const auto before = sets.find(verb.path);
        std::string set = before != sets.end() ? before->second
                          : scheduler          ? scheduler->node_set().text()
                                               : "all";
        if (std::get<bool>(*wanted)) {
            set = "all";
        } else if (set == "all") {
            NodesView nodes = scheduler ? scheduler->nodes() : NodesView();
            const bool is_new = !scheduler || !scheduler->has_share();
            if (is_new && environment_.remote) nodes = environment_.remote->nodes();
            set = NodeSet::of(nodes).text();
            if (set.empty()) continue; // there is nothing that could be kept
        }
        sets[verb.path] = set;
        verb.word = "node_set";
        verb.value = std::move(set);
    }
    return plain;
}

Result<std::string> Tree::read(const Place& place) const {
    const Part& part = *place.part;
    const Output* output = output_of(part);
    const Input* input = input_of(part);
    std::string_view name = place.attribute;
    if (name.empty()) name = output ? "value" : input ? "collected_value" : "";
    if (part.attribute_spec(name)) return text_of(*part.read_attribute(name));
    ask_source_of(part);
    if (output && name == "value") return value_text(part, *output, place.parameter);
    if (input && name == "collected_value") {
        if (!input->source())
            return fail(Errc::no_such_object, part.path().text() + " has no source", "link one first");
        if (part.kind() == Kind::port && input->input_type().parameter.empty())
            return sample_text(static_cast<const Port&>(part).collected(), part);
        return value_text(part, *input->source(), place.parameter);
    }
    const ValueType* type = output ? &output->output_type() : input ? &input->input_type() : nullptr;
    if (type && name == "type") return std::string(type->name);
    if (type && name == "unit") return std::string(type->unit);
    if (type && name == "parameter") return std::string(type->parameter);
    if (input && name == "source")
        return input->source() ? input->source()->part().path().text() : std::string();
    if (!type && name == "type") return std::string(part.type() ? part.type()->name : name_of(part.kind()));
    if (name.empty())
        return fail(Errc::invalid_value,
                    fmt::format("{} is a {}, it has no value of its own", part.path().text(),
                                name_of(part.kind())),
                    "name an attribute after a dot");
    return std::unexpected(part.read_attribute(name).error());
}

void Tree::touched(Part& part, std::string_view attribute) {
    for (auto* listener : listeners_) listener->part_changed(part, attribute);
}

Input* input_of(Part& part) {
    if (part.kind() == Kind::port) return static_cast<Port*>(&part);
    if (part.kind() == Kind::filter) return static_cast<Filter*>(&part);
    return nullptr;
}

Output* output_of(Part& part) {
    if (part.kind() == Kind::source) return static_cast<Source*>(&part);
    if (part.kind() == Kind::filter) return static_cast<Filter*>(&part);
    return nullptr;
}

const Input* input_of(const Part& part) { return input_of(const_cast<Part&>(part)); }
const Output* output_of(const Part& part) { return output_of(const_cast<Part&>(part)); }

const Source* origin_of(const Input& input) {
    const Output* output = input.source();
    while (output && output->part().kind() == Kind::filter)
        output = static_cast<const Filter&>(output->part()).source();
    return output ? static_cast<const Source*>(&output->part()) : nullptr;
}

} // namespace schedd::model
