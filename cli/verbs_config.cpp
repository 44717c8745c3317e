// The verbs on whole configurations: apply, diff, export, reload.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/recipe_files.h"
#include "cli/verbs.h"

namespace schedd::cli {

namespace {

Answer<Json> apply_files(const Session& session, bool dry_run) {
    const auto files = read_recipe_files(session.options.words);
    if (!files) return std::unexpected(files.error());
    auto bus = session.connect();
    if (!bus) return std::unexpected(bus.error());
    CallOptions options;
    options.interactive = may_ask(session);
    if (dry_run) options.entries.emplace_back("dry_run", true);
    if (session.options.local) options.entries.emplace_back("local", true);
    if (session.options.verbs) options.entries.emplace_back("format", std::string("verbs"));
    if (session.options.prune) options.entries.emplace_back("prune", true);
    auto reply = bus->call("Apply", {files->text}, &options);
    if (!reply && reply.error().exit == Exit::error)
        reply.error().text = in_terms_of_files(*files, reply.error().text);
    if (!reply) return std::unexpected(reply.error());
    return parse_json(*reply, "Apply");
}

/// The changes, and a sentence that says whether they were made.
Answer<Exit> show_changes(const Session& session, const Json& applied, std::string_view verdict,
                          Exit exit = Exit::ok) {
    const auto form = session.options.json;
    auto text = form == JsonForm::off ? print_changes(applied, session.look) : dump_json(applied, form);
    if (form == JsonForm::off && !verdict.empty())
        text += fmt::format("{}\n", verdict) + print_plan(applied, session.look);
    if (const auto written = print(text); !written) return std::unexpected(written.error());
    return exit;
}

std::string verdict_of(const Json& applied, bool dry_run) {
    const auto count = static_cast<long long>(field(applied, "changes").size());
    if (count == 0) return "Nothing to change.";
    return counted(count, "change") + (dry_run ? " possible; nothing was changed." : " made.");
}

} // namespace

Answer<Exit> run_apply(const Session& session) {
    const auto applied = apply_files(session, session.options.dry_run);
    if (!applied) return std::unexpected(applied.error());
    return show_changes(session, *applied, verdict_of(*applied, session.options.dry_run));
}

Answer<Exit> run_diff(const Session& session) {
    const auto applied = apply_files(session, true);
    if (!applied) return std::unexpected(applied.error());
    const bool differs = !field(*applied, "changes").empty();
    return show_changes(session, *applied, "", differs ? Exit::drift : Exit::ok);
}

Answer<Exit> run_export(const Session& session) {
    auto bus = session.connect();
    if (!bus) return std::unexpected(bus.error());
    CallOptions options;
    if (session.options.verbs) options.entries.emplace_back("format", std::string("verbs"));
    const auto text = bus->call("Export", {}, &options);
    if (!text) return std::unexpected(text.error());
    const auto form = session.options.json;
    const auto written =
        print(form == JsonForm::off
                  ? *text
                  : dump_json({{"format", session.options.verbs ? "verbs" : "toml"}, {"text", *text}}, form));
    if (!written) return std::unexpected(written.error());
    return Exit::ok;
}

Answer<Exit> run_reload(const Session& session) {
    auto bus = session.connect();
    if (!bus) return std::unexpected(bus.error());
    const auto options = change_options(session);
    const auto reply = bus->call("Reload", {}, &options);
    if (!reply) return std::unexpected(reply.error());
    const auto applied = parse_json(*reply, "Reload");
    if (!applied) return std::unexpected(applied.error());
    return show_changes(session, *applied, verdict_of(*applied, session.options.dry_run));
}

} // namespace schedd::cli
