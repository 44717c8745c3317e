// Verbs about work that moves between nodes: migrate, expel, bring, block, unblock, checkpoint, restore.
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <thread>

#include <unistd.h>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/verbs.h"

namespace schedd::cli {

namespace {

constexpr auto kLook = std::chrono::milliseconds(200);

/// What begins is told of by Status under the number that the call returned.
Json row_of(const Json& status, std::int64_t id) {
    for (const auto& row : field(field(status, "migration"), "moves"))
        if (number_at(row, "id") == id) return row;
    return Json::object();
}

bool is_over(std::string_view phase) {
    constexpr std::string_view kEnds[] = {"moved", "stayed", "saved", "revived", "failed"};
    return std::ranges::find(kEnds, phase) != std::end(kEnds);
}

Answer<Exit> say(const Session& session, const Json& row) {
    if (session.options.json != JsonForm::off) {
        if (const auto written = print(dump_json(row, session.options.json)); !written)
            return std::unexpected(written.error());
        return Exit::ok;
    }
    const auto phase = text_at(row, "phase");
    const auto unit = shown(text_at(row, "unit"), session.look);
    const auto node = shown(text_at(row, "node"), session.look);
    std::string line;
    if (phase == "moved")
        line = fmt::format("{} runs on {}; it stood still for {} ms.\n", unit, node,
                           number_at(row, "frozen_ms"));
    else if (phase == "saved") line = fmt::format("{} is saved in {} and goes on.\n", unit, node);
    else if (phase == "revived") line = fmt::format("{} runs, as {} has it.\n", unit, node);
    if (line.empty())
        return give_up(Exit::error, phase == "stayed"
                                        ? fmt::format("{} goes on here: {}", unit, text_at(row, "detail"))
                                        : fmt::format("{}: {}", unit, text_at(row, "detail")));
    if (const auto written = print(line); !written) return std::unexpected(written.error());
    return Exit::ok;
}

/// Until it has ended, however; each phase is shown once on a terminal.
Answer<Exit> follow(const Session& session, Bus& bus, std::int64_t id) {
    const bool is_told = is_terminal() && session.options.json == JsonForm::off;
    std::string last;
    while (true) {
        const auto reply = bus.call("Status", {});
        if (!reply) return std::unexpected(reply.error());
        const auto status = parse_json(*reply, "Status");
        if (!status) return std::unexpected(status.error());
        const auto row = row_of(*status, id);
        const auto phase = text_at(row, "phase");
        if (phase.empty())
            return give_up(Exit::error, "schedd knows nothing of it any more: see its journal");
        if (is_over(phase)) return say(session, row);
        if (is_told && phase != last)
            if (const auto written = print(fmt::format("{} ...\n", phase)); !written)
                return std::unexpected(written.error());
        last = phase;
        std::this_thread::sleep_for(kLook);
    }
}

/// Calls what begins something; waits for its end if that is wanted.
Answer<Exit> begin(const Session& session, const char* method, const std::vector<Argument>& arguments,
                   bool waits) {
    auto bus = session.connect();
    if (!bus) return std::unexpected(bus.error());
    const auto options = change_options(session);
    const auto id = bus->count(method, arguments, options);
    if (!id) return std::unexpected(id.error());
    if (session.options.dry_run) {
        if (const auto written = print("Possible; nothing was changed.\n"); !written)
            return std::unexpected(written.error());
        return Exit::ok;
    }
    return waits ? follow(session, *bus, static_cast<std::int64_t>(*id)) : Answer<Exit>(Exit::ok);
}

/// Calls what is done for several at once; says how many.
Answer<Exit> count(const Session& session, const char* method, std::string_view what) {
    auto bus = session.connect();
    if (!bus) return std::unexpected(bus.error());
    const auto counted_now = bus->count(method, {}, change_options(session));
    if (!counted_now) return std::unexpected(counted_now.error());
    const auto line = session.options.json != JsonForm::off
                          ? dump_json(Json{{"count", *counted_now}}, session.options.json)
                          : fmt::format("{}{}\n", counted(static_cast<std::int64_t>(*counted_now), what),
                                        session.options.dry_run ? "; nothing was changed" : "");
    if (const auto written = print(line); !written) return std::unexpected(written.error());
    return Exit::ok;
}

Answer<Exit> block(const Session& session, bool is_blocked) {
    auto bus = session.connect();
    if (!bus) return std::unexpected(bus.error());
    const auto options = change_options(session);
    const auto done = bus->call("BlockGuests", {Argument::flag(is_blocked)}, &options);
    if (!done) return std::unexpected(done.error());
    return Exit::ok;
}

/// As the daemon has to have it: it does not know where the caller is.
std::string absolute(const std::string& path) {
    if (path.starts_with('/')) return path;
    const std::unique_ptr<char, decltype(&std::free)> here(::getcwd(nullptr, 0), &std::free);
    return here ? std::string(here.get()) + "/" + path : path;
}

} // namespace

Answer<Exit> run_migrate(const Session& session) {
    const auto& words = session.options.words;
    return begin(session, "Migrate", {words[0], words[1]}, session.options.wait);
}

Answer<Exit> run_expel(const Session& session) { return count(session, "Expel", "guest"); }

Answer<Exit> run_bring(const Session& session) { return count(session, "Bring", "node"); }

Answer<Exit> run_block(const Session& session) { return block(session, true); }

Answer<Exit> run_unblock(const Session& session) { return block(session, false); }

Answer<Exit> run_checkpoint(const Session& session) {
    const auto& words = session.options.words;
    return begin(session, "Checkpoint", {words[0], absolute(words[1])}, true);
}

Answer<Exit> run_restore(const Session& session) {
    return begin(session, "Restore", {absolute(session.options.words[0])}, true);
}

} // namespace schedd::cli
