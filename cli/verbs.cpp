// Which function carries out which verb, and what they share.
#include "cli/verbs.h"

#include <algorithm>
#include <array>

#include <nlohmann/json.hpp>

namespace schedd::cli {

Run run_of(std::string_view verb) {
    constexpr auto kRuns = std::to_array<std::pair<std::string_view, Run>>({
        {"status", run_status},   {"tree", run_tree},     {"types", run_types},       {"get", run_get},
        {"set", run_set},         {"create", run_create}, {"remove", run_remove},     {"link", run_link},
        {"unlink", run_unlink},   {"attach", run_attach}, {"detach", run_detach},     {"apply", run_apply},
        {"diff", run_diff},       {"export", run_export}, {"explain", run_explain},   {"verify", run_verify},
        {"monitor", run_monitor}, {"top", run_top},       {"graph", run_graph},       {"reload", run_reload},
        {"version", run_version}, {"hold", run_hold},     {"simulate", run_simulate}, {"doctor", run_doctor},
        {"nodes", run_nodes},     {"run", run_run},
        {"migrate", run_migrate}, {"expel", run_expel},   {"bring", run_bring},       {"block", run_block},
        {"unblock", run_unblock}, {"restore", run_restore},
        {"checkpoint", run_checkpoint},
    });
    const auto found = std::ranges::find(kRuns, verb, [](const auto& entry) { return entry.first; });
    return found == kRuns.end() ? nullptr : found->second;
}

Answer<std::string> ask(const Session& session, const char* method, const std::vector<Argument>& arguments) {
    auto bus = session.connect();
    if (!bus) return std::unexpected(bus.error());
    return bus->call(method, arguments);
}

Answer<Json> ask_json(const Session& session, const char* method, const std::vector<Argument>& arguments) {
    const auto reply = ask(session, method, arguments);
    if (!reply) return std::unexpected(reply.error());
    return parse_json(*reply, method);
}

std::string plain_path(const std::vector<std::string>& words) {
    std::string path = words.empty() ? std::string() : words.front();
    while (path.ends_with('/')) path.pop_back();
    return path;
}

Answer<Exit> show(const Session& session, const Answer<std::string>& reply, std::string_view method,
                  std::string (*layout)(const Json&, const Look&)) {
    if (!reply) return std::unexpected(reply.error());
    const auto json = parse_json(*reply, method);
    if (!json) return std::unexpected(json.error());
    const auto form = session.options.json;
    const auto written = print(form == JsonForm::off ? layout(*json, session.look) : dump_json(*json, form));
    if (!written) return std::unexpected(written.error());
    return Exit::ok;
}

bool may_ask(const Session& session) { return !session.options.no_ask_password && is_interactive(); }

CallOptions change_options(const Session& session) {
    CallOptions options;
    if (session.options.dry_run) options.entries.emplace_back("dry_run", true);
    if (session.options.local) options.entries.emplace_back("local", true);
    options.interactive = may_ask(session);
    return options;
}

} // namespace schedd::cli
