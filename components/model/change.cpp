// The five changing verbs and how each is undone.
#include "components/model/change.h"

#include <algorithm>
#include <ranges>

#include <fmt/format.h>

#include "components/model/node_claims.h"
#include "components/model/sink_type.h"

namespace schedd::model {

namespace {

std::size_t count_parts(Part& part) {
    std::size_t count = 0;
    for_each_part(part, [&](Part&) { ++count; });
    return count;
}

bool is_within(const Part* part, const Part& top) {
    for (; part; part = part->parent())
        if (part == &top) return true;
    return false;
}

std::size_t filters_above(const Part& part) {
    std::size_t count = 0;
    for (const Part* p = &part; p && p->kind() == Kind::filter; p = p->parent()) ++count;
    return count;
}

} // namespace

Change::~Change() {
    for (const auto& step : std::views::reverse(undo_)) step();
}

Status Change::carry_out(const Verb& verb) {
    switch (verb.what) {
    case Verb::Do::create: return create(verb.path, verb.word);
    case Verb::Do::remove: return remove(verb.path, verb.recursive);
    case Verb::Do::write: return write(verb.path, verb.word, verb.value);
    case Verb::Do::link: return link(verb.source, verb.path);
    case Verb::Do::unlink: return unlink(verb.path);
    case Verb::Do::read: {
        const auto part = tree_.find(verb.path);
        if (!part) return std::unexpected(part.error());
        if (auto text = tree_.read({*part, verb.word, {}}); !text) return std::unexpected(text.error());
        return {};
    }
    }
    return {};
}

Status Change::create(const Path& path, std::string_view type) {
    if (path.is_root()) return fail(Errc::exists, "the root is always there", "name a part to create");
    auto found = tree_.find(path.parent());
    if (!found) return std::unexpected(found.error());
    Part& parent = **found;
    const std::string& name = path.leaf();
    if (parent.child(name))
        return fail(Errc::exists, path.text() + " exists", "choose another name or remove it first");
    if (tree_.size_ >= limits::kParts)
        return fail(Errc::limit_exceeded, fmt::format("the tree holds {} parts", tree_.size_),
                    fmt::format("limit parts = {}", limits::kParts));
    auto made = make(parent, name, type.empty() ? std::string_view(name) : type);
    if (!made) {
        auto error = made.error();
        error.what = path.text() + ": " + error.what;
        return std::unexpected(std::move(error));
    }
    Part& part = parent.adopt(std::move(*made));
    const auto count = count_parts(part);
    tree_.size_ += count;
    if (part.kind() == Kind::member) static_cast<Member&>(part).set_order(tree_.next_order_++);
    undo_.emplace_back([this, &part, count] {
        tree_.size_ -= count;
        part.parent()->release(part);
    });
    events_.push_back({Event::What::added, &part, path, {}});
    auto* output = part.kind() == Kind::filter ? output_of(part) : nullptr;
    if (output) connect(*input_of(parent), *output);
    return {};
}

Result<std::unique_ptr<Part>> Change::make(Part& parent, const std::string& name, std::string_view type) {
    const auto& registry = tree_.registry_;
    if (parent.kind() == Kind::process_set) return static_cast<ProcessSet&>(parent).make_member(name);
    if (auto named = check_name(name); !named) return std::unexpected(named.error());
    Kind kind{};
    switch (parent.kind()) {
    case Kind::folder:
        if (&parent == &tree_.schedulers()) {
            if (type != name && type != "scheduler")
                return fail(Errc::no_such_object, fmt::format("there is no scheduler type '{}'", type),
                            "a scheduler takes no type; its policy is created inside it");
            return std::make_unique<Scheduler>(name, tree_.environment_);
        }
        if (&parent == &tree_.nodes())
            return fail(Errc::not_supported, "nodes cannot be created",
                        "one comes by itself when it has this cluster's name and key");
        if (&parent != &tree_.probes())
            return fail(Errc::not_supported, "nothing can be created at the root",
                        "use probes/NAME or schedulers/NAME");
        if (parent.children().size() >= limits::kProbes)
            return fail(Errc::limit_exceeded, fmt::format("there are {} probes", limits::kProbes),
                        fmt::format("limit probes = {}", limits::kProbes));
        kind = Kind::probe;
        break;
    case Kind::scheduler:
        if (const auto* policy = parent.child_of(Kind::policy))
            return fail(Errc::busy, parent.path().text() + " already has the policy " + policy->name(),
                        "remove it first: a scheduler has one policy");
        kind = Kind::policy;
        break;
    case Kind::port:
    case Kind::filter: return make_filter(parent, name, type);
    default:
        return fail(Errc::not_supported,
                    fmt::format("nothing can be created in a {}", name_of(parent.kind())),
                    "filters go into ports and filters, policies into schedulers, members into process sets");
    }
    const auto found = registry.find(kind, type);
    if (!found) return std::unexpected(found.error());
    return (*found)->make(**found, name, tree_.environment_);
}

Result<std::unique_ptr<Part>> Change::make_filter(Part& parent, const std::string& name,
                                                  std::string_view type) {
    Input& sink = *input_of(parent);
    if (sink.source())
        return fail(Errc::busy,
                    fmt::format("{} already has the source {}", parent.path().text(),
                                sink.source()->part().path().text()),
                    "unlink or remove that first: a sink has one source");
    if (filters_above(parent) >= limits::kChainLength)
        return fail(Errc::limit_exceeded, "the chain is too long",
                    fmt::format("limit filters = {}", limits::kChainLength));
    const auto found = tree_.registry_.find(Kind::filter, type);
    if (!found) return std::unexpected(found.error());
    auto part = (*found)->make(**found, name, tree_.environment_);
    static_cast<Filter&>(*part).take_type(type_of_sink(parent, sink));
    return part;
}

Status Change::may_remove(Part& part, bool recursive) const {
    const auto where = part.path().text();
    if (part.kind() == Kind::folder) return fail(Errc::not_supported, where + " is always there", {});
    if (part.kind() == Kind::node)
        return fail(Errc::not_supported, where + " cannot be removed",
                    "a node goes when its schedd ends; one that is to get no work is drained");
    if (part.is_default())
        return fail(Errc::not_supported, where + " belongs to " + part.parent()->path().text(),
                    "remove that instead");
    Status status;
    for_each_part(part, [&](Part& inner) {
        if (!status) return;
        if (const auto* output = output_of(inner))
            for (const Input* sink : output->sinks())
                if (!is_within(&sink->part(), part) && &sink->part() != part.parent())
                    status = fail(Errc::busy,
                                  fmt::format("{} is linked to by {}", inner.path().text(),
                                              sink->part().path().text()),
                                  "unlink that first");
        if (recursive || !status) return;
        if (&inner != &part && !inner.is_default())
            status = fail(Errc::busy, where + " is not empty: " + inner.path().text(),
                          "remove that first, or all with recursive");
        else if (const auto* input = input_of(inner);
                 input && input->source() && input->source()->part().parent() != &inner)
            status = fail(Errc::busy,
                          fmt::format("{} has the source {}", inner.path().text(),
                                      input->source()->part().path().text()),
                          "unlink it first, or remove all with recursive");
    });
    return status;
}

Status Change::remove(const Path& path, bool recursive) {
    if (path.is_root()) return fail(Errc::not_supported, "the root is always there", "name a part to remove");
    auto found = tree_.find(path);
    if (!found) return std::unexpected(found.error());
    Part& part = **found;
    if (auto allowed = may_remove(part, recursive); !allowed) return allowed;
    std::vector<Input*> inputs;
    for_each_part(part, [&](Part& inner) {
        auto* input = input_of(inner);
        if (input && input->source() && !is_within(&input->source()->part(), part)) inputs.push_back(input);
    });
    for (Input* input : inputs) disconnect(*input);
    if (part.kind() == Kind::filter) disconnect(*input_of(*part.parent()));
    Part* parent = part.parent();
    const auto count = count_parts(part);
    auto [owned, place] = parent->release(part);
    tree_.size_ -= count;
    // Shared by the undo step and the events, whichever is done with it last.
    auto kept = std::make_shared<std::unique_ptr<Part>>(std::move(owned));
    removed_.push_back(std::shared_ptr<Part>(kept, kept->get()));
    undo_.emplace_back([this, kept, parent, index = place, count] {
        parent->adopt(std::move(*kept), index);
        tree_.size_ += count;
    });
    events_.push_back({Event::What::removed, &part, path, {}});
    return {};
}

Status Change::write(const Path& path, std::string_view attribute, const AttributeValue& value) {
    auto found = tree_.find(path);
    if (!found) return std::unexpected(found.error());
    Part& part = **found;
    const auto before = part.read_attribute(attribute);
    if (!before) return std::unexpected(before.error());
    if (auto written = part.write_attribute(attribute, value); !written) return written;
    undo_.emplace_back([&part, name = std::string(attribute), before = *before] {
        (void)part.write_attribute(name, before);
    });
    if (part.kind() == Kind::process_set) {
        auto& set = static_cast<ProcessSet&>(part);
        // only handling all processes makes it the latest; writing 0 has no place in the order
        if (set.handle_all()) {
            undo_.emplace_back([&set, order = set.handle_all_order()] { set.set_handle_all_order(order); });
            set.set_handle_all_order(tree_.next_order_++);
        }
    }
    events_.push_back({Event::What::changed, &part, path, std::string(attribute)});
    return {};
}

Status Change::link(const Path& source_path, const Path& sink_path) {
    auto sink_part = tree_.find(sink_path);
    if (!sink_part) return std::unexpected(sink_part.error());
    auto source_part = tree_.find(source_path);
    if (!source_part) return std::unexpected(source_part.error());
    Input* sink = input_of(**sink_part);
    const auto sink_text = sink_path.text();
    const auto source_text = source_path.text();
    if (!sink) return fail(Errc::type_mismatch, sink_text + " is not a sink", "link to a port or a filter");
    if (sink->source())
        return fail(Errc::busy,
                    fmt::format("{} already has the source {}", sink_text,
                                sink->source()->part().path().text()),
                    "unlink that first: a sink has one source");
    if (is_within(*source_part, **sink_part) || is_within(*sink_part, **source_part))
        return fail(Errc::cycle, fmt::format("{} would feed itself through {}", sink_text, source_text),
                    "link a probe's source");
    if ((*source_part)->kind() != Kind::source)
        return fail(Errc::type_mismatch,
                    fmt::format("{} is a {}", source_text, name_of((*source_part)->kind())),
                    "only a probe's source can be linked, such as probes/cpu/node_load");
    Output& source = *output_of(**source_part);
    if (const auto& taken = type_of_sink(**sink_part, *sink); source.output_type() != taken)
        return fail(Errc::type_mismatch,
                    fmt::format("{} gives {}, {} takes {}", source_text, describe(source.output_type()),
                                sink_text, describe(taken)),
                    "name, unit and parameter must agree");
    connect(*sink, source);
    events_.push_back({Event::What::linked, *sink_part, sink_path, "source"});
    return {};
}

Status Change::unlink(const Path& sink_path) {
    auto part = tree_.find(sink_path);
    if (!part) return std::unexpected(part.error());
    Input* sink = input_of(**part);
    if (!sink)
        return fail(Errc::type_mismatch, sink_path.text() + " is not a sink", "unlink a port or a filter");
    if (!sink->source()) return fail(Errc::no_such_object, sink_path.text() + " has no source", {});
    if (sink->source()->part().kind() == Kind::filter)
        return fail(Errc::busy,
                    fmt::format("the source of {} is the filter {}", sink_path.text(),
                                sink->source()->part().path().text()),
                    "remove the filter, or unlink at its lower end");
    disconnect(*sink);
    events_.push_back({Event::What::changed, *part, sink_path, "source"});
    return {};
}

void Change::connect(Input& sink, Output& source) {
    sink.connect(source);
    undo_.emplace_back([&sink] { sink.disconnect(); });
}

void Change::disconnect(Input& sink) {
    Output& source = *sink.source();
    const auto place = sink.disconnect();
    undo_.emplace_back([&sink, &source, place] { sink.connect(source, place); });
}

Status Change::check_node_sets() const {
    std::vector<NodeClaim> claims;
    for (const Event& event : events_) {
        if (event.what != Event::What::changed || event.part->kind() != Kind::scheduler) continue;
        const bool names_nodes = event.attribute == "node_set";
        if (!names_nodes && event.attribute != "node_set_exclusive") continue;
        const bool is_gone =
            std::ranges::any_of(removed_, [&](const auto& top) { return top.get() == event.part; });
        if (!is_gone) claims.push_back({static_cast<const Scheduler*>(event.part), names_nodes});
    }
    return check_claims(tree_, claims);
}

void Change::commit() {
    undo_.clear();
    for (const Event& event : events_) {
        // what was added or changed and then removed in one transaction is only reported as removed
        const bool is_gone =
            std::ranges::any_of(removed_, [&](const auto& top) { return is_within(event.part, *top); });
        if (is_gone && event.what != Event::What::removed) continue;
        if (event.what == Event::What::linked) input_of(*event.part)->completed();
        for (auto* listener : tree_.listeners_) {
            switch (event.what) {
            case Event::What::added:
                for_each_part(*event.part, [&](Part& part) { listener->part_added(part); });
                break;
            case Event::What::removed: listener->part_removed(event.path, *event.part); break;
            case Event::What::changed:
            case Event::What::linked: listener->part_changed(*event.part, event.attribute); break;
            }
        }
    }
}

} // namespace schedd::model
