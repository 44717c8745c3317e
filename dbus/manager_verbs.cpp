// The methods that change something.
#include "dbus/manager_verbs.h"

#include <fmt/format.h>

#include "components/kit/limits.h"
#include "components/model/chain.h"
#include "dbus/describe.h"
#include "dbus/owned_fd.h"
#include "dbus/paths.h"

namespace schedd::dbus::verbs {

namespace {

using namespace schedd::model;

Result<Path> take_path(Reader& in) { return parse_path(in.text()); }

/// A change that carries out `work`, or says what was wrong with the options.
template <class Work> Change change(Result<Options> options, Concern about, Work work) {
    const bool dry_run = options && options->dry_run();
    const bool interactive = options && options->interactive();
    return {dry_run, interactive, std::move(about),
            [options = std::move(options), work = std::move(work)](Writer& out) -> Status {
                if (!options) return std::unexpected(options.error());
                return work(*options, out);
            }};
}

Reach reach_of(const Options& options) { return options.local() ? Reach::node : Reach::cluster; }

Concern about(const Result<Path>& path) { return path ? concern_of(*path) : Concern(); }

/// "schedulers/NAME/process_set/MEMBER"; both are names, not paths.
Path member_path(std::string scheduler, std::string member) {
    return Path({"schedulers", std::move(scheduler), "process_set", std::move(member)});
}

std::vector<std::string> lines_of(const Recipe& recipe) {
    std::vector<std::string> lines;
    lines.reserve(recipe.size());
    for (const auto& verb : recipe) lines.push_back(text_of(verb));
    return lines;
}

/// A recipe in one of the two notations, carried out.
Result<std::vector<std::string>> carry_out(Backend& backend, const std::string& text,
                                           const Options& options) {
    const auto format = options.text("format", "toml");
    if (!format) return std::unexpected(format.error());
    const auto prune = options.flag("prune");
    if (!prune) return std::unexpected(prune.error());
    if (text.size() > limits::kConfigBytes)
        return fail(Errc::limit_exceeded, "the recipe is too large",
                    fmt::format("limit bytes = {}", limits::kConfigBytes));
    if (*format == "toml") return backend.apply_config(text, options.dry_run(), *prune, reach_of(options));
    if (*format != "verbs")
        return fail(Errc::invalid_value, fmt::format("there is no format '{}'", format->substr(0, 64)),
                    "use toml or verbs");
    if (*prune) return fail(Errc::invalid_value, "verbs cannot be pruned", "prune goes with the format toml");
    const auto recipe = parse_recipe(text);
    if (!recipe) return std::unexpected(recipe.error());
    if (auto applied = backend.apply(*recipe, options.dry_run(), reach_of(options)); !applied)
        return std::unexpected(applied.error());
    return lines_of(*recipe);
}

/// Which comments are left out of: a reload tells of settings in them.
Recipe recipe_of(const std::vector<std::string>& lines) {
    std::string text;
    for (const auto& line : lines)
        if (!line.starts_with('#')) text += line + "\n";
    return parse_recipe(text).value_or(Recipe());
}

/// A dry run also tells what the changes would place.
std::string described(Backend& backend, const std::vector<std::string>& changes, bool dry_run) {
    if (!dry_run) return describe_changes(changes, dry_run);
    const auto plan = backend.rehearse(recipe_of(changes));
    return plan ? describe_changes(changes, dry_run, *plan)
                : describe_changes(changes, dry_run, {}, plan.error().text());
}

} // namespace

Change create(Backend& backend, Reader& in) {
    const auto path = take_path(in);
    const auto type = in.text();
    return change(in.options({"attributes"}), about(path),
                  [=, &backend](const Options& options, Writer& out) -> Status {
                      if (!path) return std::unexpected(path.error());
                      const auto attributes = options.attributes("attributes");
                      if (!attributes) return std::unexpected(attributes.error());
                      Recipe recipe{{.what = Verb::Do::create, .path = *path, .word = type}};
                      for (const auto& [name, value] : *attributes) {
                          auto checked = attribute_value(value);
                          if (!checked) return std::unexpected(checked.error());
                          recipe.push_back({.what = Verb::Do::write,
                                            .path = *path,
                                            .word = name,
                                            .value = std::move(*checked)});
                      }
                      if (auto done = backend.apply(recipe, options.dry_run(), reach_of(options)); !done)
                          return done;
                      out.object(object_path(*path));
                      return {};
                  });
}

Change remove(Backend& backend, Reader& in) {
    const auto path = take_path(in);
    return change(in.options({"recursive"}), about(path),
                  [=, &backend](const Options& options, Writer&) -> Status {
                      if (!path) return std::unexpected(path.error());
                      const auto recursive = options.flag("recursive");
                      if (!recursive) return std::unexpected(recursive.error());
                      return backend.apply({{.what = Verb::Do::remove,
                                             .path = *path,
                                             .recursive = *recursive}},
                                           options.dry_run(), reach_of(options));
                  });
}

Change write(Backend& backend, Reader& in) {
    const auto path = take_path(in);
    const auto attribute = in.text();
    const auto value = in.variant();
    return change(in.options(), about(path), [=, &backend](const Options& options, Writer&) -> Status {
        if (!path) return std::unexpected(path.error());
        if (!value) return std::unexpected(value.error());
        auto checked = attribute_value(*value);
        if (!checked) return std::unexpected(checked.error());
        return backend.apply({{.what = Verb::Do::write,
                               .path = *path,
                               .word = attribute,
                               .value = std::move(*checked)}},
                             options.dry_run(), reach_of(options));
    });
}

Change link(Backend& backend, Reader& in) {
    const auto source = in.text();
    const auto sink = take_path(in);
    return change(in.options(), about(sink), [=, &backend](const Options& options, Writer&) -> Status {
        if (!sink) return std::unexpected(sink.error());
        auto chain = source;
        if (source.starts_with(kRootPath)) {
            const auto path = tree_path(source);
            if (!path) return std::unexpected(path.error());
            chain = path->text();
        }
        const auto recipe = parse_chain(chain, *sink);
        if (!recipe) return std::unexpected(recipe.error());
        return backend.apply(*recipe, options.dry_run(), reach_of(options));
    });
}

Change unlink(Backend& backend, Reader& in) {
    const auto sink = take_path(in);
    return change(in.options(), about(sink), [=, &backend](const Options& options, Writer&) -> Status {
        if (!sink) return std::unexpected(sink.error());
        return backend.apply({{.what = Verb::Do::unlink, .path = *sink}}, options.dry_run(),
                             reach_of(options));
    });
}

Change apply(Backend& backend, Reader& in) {
    const auto text = in.text();
    return change(in.options({"format", "prune"}), {},
                  [=, &backend](const Options& options, Writer& out) -> Status {
                      const auto changes = carry_out(backend, text, options);
                      if (!changes) return std::unexpected(changes.error());
                      out.text(described(backend, *changes, options.dry_run()));
                      return {};
                  });
}

namespace {

/// The options of Attach that are attributes of the member, as the verbs write them.
Result<std::map<std::string, model::AttributeValue>> member_attributes(const Options& options) {
    std::map<std::string, model::AttributeValue> attributes;
    for (const auto& spec : model::Member::table()) {
        const auto* given = spec.read_only ? nullptr : options.basic(spec.name);
        if (!given) continue;
        auto checked = attribute_value(*given);
        if (checked) checked = check_attribute(spec, *checked);
        if (!checked) return std::unexpected(checked.error());
        attributes.emplace(spec.name, std::move(*checked));
    }
    return attributes;
}

} // namespace

Change attach(Backend& backend, Reader& in) {
    const auto scheduler = in.text();
    const auto member = in.text();
    return change(in.options({"weight", "class", "cpus", "exclusive", "memory", "quota", "persistent"}),
                  concern_of(member_path(scheduler, member)),
                  [=, &backend](const Options& options, Writer& out) -> Status {
                      const auto attributes = member_attributes(options);
                      if (!attributes) return std::unexpected(attributes.error());
                      const auto is_persistent = options.flag("persistent");
                      if (!is_persistent) return std::unexpected(is_persistent.error());
                      const auto path = member_path(scheduler, member);
                      Recipe recipe{{.what = Verb::Do::create, .path = path}};
                      std::map<std::string, std::string> texts;
                      for (const auto& [name, value] : *attributes) {
                          recipe.push_back(
                              {.what = Verb::Do::write, .path = path, .word = name, .value = value});
                          texts.emplace(name, text_of(value));
                      }
                      auto done =
                          *is_persistent
                              ? backend.attach_persistently(scheduler, member, texts, options.dry_run())
                              : backend.apply(recipe, options.dry_run(), reach_of(options));
                      if (!done) return done;
                      out.object(object_path(path));
                      return {};
                  });
}

Change detach(Backend& backend, Reader& in) {
    const auto scheduler = in.text();
    const auto member = in.text();
    return change(in.options({"persistent"}), concern_of(member_path(scheduler, member)),
                  [=, &backend](const Options& options, Writer&) -> Status {
                      const auto is_persistent = options.flag("persistent");
                      if (!is_persistent) return std::unexpected(is_persistent.error());
                      if (*is_persistent)
                          return backend.detach_persistently(scheduler, member, options.dry_run());
                      return backend.apply({{.what = Verb::Do::remove,
                                             .path = member_path(scheduler, member)}},
                                           options.dry_run(), reach_of(options));
                  });
}

Change hold(Backend& backend, Reader& in) {
    HoldRequest request{in.text(), in.text(), in.text()};
    const auto caller = in.caller();
    request.uid = caller.uid;
    request.pid = caller.pid;
    constexpr std::string_view kScheduler = "scheduler:";
    Concern about;
    if (request.what.starts_with(kScheduler)) about.scheduler = request.what.substr(kScheduler.size());
    return change(in.options(), std::move(about),
                  [=, &backend](const Options& options, Writer& out) -> Status {
                      const auto ticket = backend.hold(request, options.dry_run());
                      if (!ticket) return std::unexpected(ticket.error());
                      const OwnedFd end(ticket->fd); // the reply has a copy
                      out.descriptor(end.number);
                      out.object(options.dry_run() ? "/" : hold_path(ticket->id));
                      return {};
                  });
}

Change reload(Backend& backend, Reader& in) {
    return change(in.options(), {}, [&backend](const Options& options, Writer& out) -> Status {
        const auto changes = backend.reload(options.dry_run());
        if (!changes) return std::unexpected(changes.error());
        out.text(described(backend, *changes, options.dry_run()));
        return {};
    });
}

Change drain_node(Backend& backend, Reader& in) {
    const auto node = in.text();
    const auto is_draining = in.flag();
    return change(in.options(), {}, [=, &backend](const Options& options, Writer&) -> Status {
        return backend.drain(node, is_draining, options.dry_run());
    });
}

namespace {

Status tell_number(const Result<std::uint64_t>& begun, Writer& out) {
    if (!begun) return std::unexpected(begun.error());
    out.number(*begun);
    return {};
}

/// Whom a move is about, for polkit's details.
Concern about_member(const std::string& member) {
    constexpr std::string_view kUnit = "unit:";
    return {.unit = member.starts_with(kUnit) ? member.substr(kUnit.size()) : ""};
}

} // namespace

Change migrate(Backend& backend, Reader& in) {
    const auto member = in.text();
    const auto node = in.text();
    return change(in.options(), about_member(member),
                  [=, &backend](const Options& options, Writer& out) -> Status {
                      return tell_number(backend.migrate(member, node, options.dry_run()), out);
                  });
}

Change expel(Backend& backend, Reader& in) {
    return change(in.options(), {}, [&backend](const Options& options, Writer& out) -> Status {
        return tell_number(backend.expel(options.dry_run()), out);
    });
}

Change bring(Backend& backend, Reader& in) {
    return change(in.options(), {}, [&backend](const Options& options, Writer& out) -> Status {
        return tell_number(backend.bring(options.dry_run()), out);
    });
}

Change block_guests(Backend& backend, Reader& in) {
    const auto is_blocked = in.flag();
    return change(in.options(), {}, [=, &backend](const Options& options, Writer&) -> Status {
        return backend.block_guests(is_blocked, options.dry_run());
    });
}

Change checkpoint(Backend& backend, Reader& in) {
    const auto member = in.text();
    const auto to = in.text();
    return change(in.options(), about_member(member),
                  [=, &backend](const Options& options, Writer& out) -> Status {
                      return tell_number(backend.checkpoint(member, to, options.dry_run()), out);
                  });
}

Change revive(Backend& backend, Reader& in) {
    const auto from = in.text();
    return change(in.options(), {}, [=, &backend](const Options& options, Writer& out) -> Status {
        return tell_number(backend.revive(from, options.dry_run()), out);
    });
}

} // namespace schedd::dbus::verbs
