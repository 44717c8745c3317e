// The verbs that read: status, tree, types, explain, verify, doctor, version.
#include <ranges>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/verbs.h"

namespace schedd::cli {

namespace {

Answer<Exit> finish(const Answer<void>& written, Exit exit = Exit::ok) {
    if (!written) return std::unexpected(written.error());
    return exit;
}

} // namespace

Answer<Exit> run_status(const Session& session) {
    return show(session, ask(session, "Status"), "Status", print_status);
}

Answer<Exit> run_tree(const Session& session) {
    const auto reply = ask(session, "Describe", {plain_path(session.options.words)});
    if (session.options.listing == Listing::none) return show(session, reply, "Describe", print_tree);
    if (!reply) return std::unexpected(reply.error());
    const auto part = parse_json(*reply, "Describe");
    if (!part) return std::unexpected(part.error());
    const auto lines = print_listing(*part, session.options.listing);
    if (session.options.json == JsonForm::off) return finish(print(lines));
    Json names = Json::array();
    for (const auto line : std::views::split(lines, '\n'))
        if (!line.empty()) names.push_back(std::string(line.begin(), line.end()));
    return finish(print(dump_json(names, session.options.json)));
}

Answer<Exit> run_types(const Session& session) {
    auto types = ask_json(session, "Types");
    if (!types) return std::unexpected(types.error());
    const std::string name = session.options.words.empty() ? "" : session.options.words.front();
    const auto text = print_types(*types, name, session.look);
    if (text.empty())
        return give_up(Exit::error,
                       fmt::format("no type '{}'; there are: {}", shown(name), type_names(*types)));
    if (session.options.json == JsonForm::off) return finish(print(text));
    if (name.empty()) return finish(print(dump_json(*types, session.options.json)));
    for (const auto& type : *types)
        if (text_at(type, "name") == name || text_at(type, "alias") == name)
            return finish(print(dump_json(type, session.options.json)));
    return Exit::ok;
}

Answer<Exit> run_explain(const Session& session) {
    return show(session, ask(session, "Explain", {session.options.words.front()}), "Explain", print_explain);
}

Answer<Exit> run_verify(const Session& session) {
    const auto verified = ask_json(session, "Verify");
    if (!verified) return std::unexpected(verified.error());
    const bool holds = flag_at(*verified, "ok");
    const auto form = session.options.json;
    const auto text =
        form == JsonForm::off ? print_verify(*verified, session.look) : dump_json(*verified, form);
    return finish(print(text), holds ? Exit::ok : Exit::drift);
}

Answer<Exit> run_doctor(const Session& session) {
    const auto report = ask_json(session, "Doctor");
    if (!report) return std::unexpected(report.error());
    const auto form = session.options.json;
    const auto text = form == JsonForm::off ? print_doctor(*report, session.look) : dump_json(*report, form);
    return finish(print(text), flag_at(*report, "ok") ? Exit::ok : Exit::drift);
}

Answer<Exit> run_version(const Session& session) {
    const auto status = ask_json(session, "Status");
    const std::string daemon = status ? text_at(*status, "version") : std::string();
    if (session.options.json != JsonForm::off)
        return finish(print(
            dump_json({{"schedd-cli", SCHEDD_VERSION}, {"schedd", daemon.empty() ? Json() : Json(daemon)}},
                      session.options.json)));
    return finish(print(fmt::format("schedd-cli {}\nschedd {}\n", SCHEDD_VERSION,
                                    daemon.empty() ? "is not reachable" : shown(daemon))));
}

} // namespace schedd::cli
