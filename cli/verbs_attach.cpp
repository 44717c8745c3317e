// The verbs that say whose work is whose: attach and detach.
#include <chrono>
#include <thread>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/verbs.h"

namespace schedd::cli {

namespace {

constexpr int kStackLooks = 20; // of 50 ms each, for a second scheduler of a member to decide

/// The path of a member, its name with %XX for what means something in paths or recipes.
std::string member_path(const std::string& scheduler, const std::string& member) {
    std::string path = "schedulers/" + scheduler + "/process_set/";
    for (const char c : member) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte <= ' ' || byte >= 0x7f || c == '/' || c == '%' || c == '"' || c == '\'')
            path += fmt::format("%{:02X}", byte);
        else path += c;
    }
    return path;
}

/// "schedulers/CPU_LB" and "CPU_LB" both name the scheduler.
std::string scheduler_name(const std::string& word) {
    constexpr std::string_view kFolder = "schedulers/";
    return word.starts_with(kFolder) ? word.substr(kFolder.size()) : word;
}

/// What the options say of the members, as NAME and VALUE.
std::vector<std::pair<std::string, std::string>> attributes_of(const Options& options) {
    std::vector<std::pair<std::string, std::string>> attributes;
    if (options.weight != 0) attributes.emplace_back("weight", fmt::to_string(options.weight));
    if (!options.member_class.empty()) attributes.emplace_back("class", options.member_class);
    if (options.cpus != 0) attributes.emplace_back("cpus", fmt::to_string(options.cpus));
    if (options.exclusive) attributes.emplace_back("exclusive", "true");
    if (!options.memory.empty()) attributes.emplace_back("memory", options.memory);
    if (options.quota != 0) attributes.emplace_back("quota", fmt::to_string(options.quota));
    return attributes;
}

CallOptions attach_options(const Session& session) {
    auto options = change_options(session);
    for (auto& [name, value] : attributes_of(session.options)) options.entries.emplace_back(name, value);
    if (session.options.persistent) options.entries.emplace_back("persistent", true);
    return options;
}

/// Attaches if it is not a member yet and waits until it is placed. Meant for ExecStartPre=: it never starts
/// the daemon, and ends when its time is over.
Answer<Exit> attach_and_wait(const Session& session, const std::string& scheduler,
                             const std::string& member) {
    using Clock = std::chrono::steady_clock;
    const auto end = Clock::now() + std::chrono::seconds(session.options.timeout_s);
    auto bus = session.connect();
    if (!bus) return std::unexpected(bus.error());
    bus->never_start();
    const auto place = member_path(scheduler, member);
    std::string state;
    const auto is_late = [&] {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now()).count();
        bus->set_timeout_ms(static_cast<std::uint64_t>(std::max<decltype(left)>(left, 1)));
        return left <= 0;
    };
    const auto late = [&] {
        return give_up(Exit::error, fmt::format("{} is not placed by {}: schedd did not answer within {} s",
                                                shown(member), shown(scheduler), session.options.timeout_s));
    };
    while (!is_late()) {
        const auto now = bus->call("Read", {place + ".state"});
        if (!now && state.empty()) {
            if (is_late()) return late();
            const auto options = attach_options(session);
            if (const auto made = bus->call("Attach", {scheduler, member}, &options); !made) {
                if (is_late()) return late();
                return std::unexpected(made.error());
            }
            state = "pending";
            continue;
        }
        if (!now && is_late()) return late();
        if (!now) return std::unexpected(now.error());
        state = *now;
        if (state == "applied") return Exit::ok;
        if (state != "pending" && state != "free") break;
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    bus->set_timeout_ms(200);
    const auto why = bus->call("Read", {place + ".detail"});
    const auto detail = why && !why->empty() ? ": " + shown(*why) : std::string();
    return give_up(Exit::error,
                   fmt::format("{} is a member of {} but not placed ({}){}", shown(member), shown(scheduler),
                               state.empty() ? "no answer" : shown(state), detail));
}

bool has_decided(const Json& subject, const std::string& scheduler) {
    for (const auto& decision : field(subject, "decisions"))
        if (text_at(decision, "scheduler") == scheduler) return true;
    return false;
}

/// The first of the member's targets that its schedulers cannot agree about, else null; waits a moment for
/// the new scheduler to decide, if there is another one at all.
Json conflict_of(Bus& bus, const std::string& scheduler, const std::string& member) {
    for (int i = 0; i < kStackLooks; ++i) {
        const auto explained = bus.call("Explain", {member});
        if (!explained) break;
        const auto answer = parse_json(*explained, "Explain");
        if (!answer) break;
        bool is_decided = true;
        for (const auto& subject : field(*answer, "subjects")) {
            if (text_at(subject, "state") == "conflict") return subject;
            is_decided =
                is_decided && (field(subject, "members").size() < 2 || has_decided(subject, scheduler));
        }
        if (is_decided) break;
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    return nullptr;
}

std::string attach_recipe(const Session& session, const std::string& member) {
    const auto path = member_path(scheduler_name(session.options.words[0]), member);
    auto recipe = "create " + quoted(path) + "\n";
    for (const auto& [name, value] : attributes_of(session.options))
        recipe += fmt::format("write {} {}\n", quoted(path + "." + name), quoted(value));
    return recipe;
}

/// Attaches one member, and tells when it is in another scheduler that wants something else of it.
Answer<Exit> attach_one(const Session& session, const std::string& scheduler, const std::string& member) {
    const auto done = change_once(session, "Attach", {scheduler, member}, attach_options(session),
                                  attach_recipe(session, member));
    if (!done || session.options.dry_run) return done;
    auto bus = session.connect();
    if (!bus) return Exit::ok; // it is attached
    const auto conflict = conflict_of(*bus, scheduler, member);
    if (conflict.is_null()) return Exit::ok;
    return give_up(Exit::drift,
                   fmt::format("{} is attached, but its schedulers cannot all have their way: {}",
                               shown(text_at(conflict, "target")), shown(text_at(conflict, "detail"))));
}

/// "--wait and --persistent take one member": what goes beyond a recipe.
Answer<void> takes_one(const Session& session, std::string_view verb) {
    const auto& options = session.options;
    if (options.words.size() > 2 && (options.wait || options.persistent))
        return give_up(Exit::usage, fmt::format("{}: {} takes one member at a time", verb,
                                                options.wait ? "--wait" : "--persistent"));
    if (options.wait && (options.dry_run || options.persistent))
        return give_up(Exit::usage, fmt::format("{}: --wait does not go with --{}", verb,
                                                options.dry_run ? "dry-run" : "persistent"));
    return {};
}

} // namespace

Answer<Exit> run_attach(const Session& session) {
    const auto& words = session.options.words;
    const auto scheduler = scheduler_name(words[0]);
    if (auto fits = takes_one(session, "attach"); !fits) return std::unexpected(fits.error());
    if (session.options.wait) return attach_and_wait(session, scheduler, words[1]);
    if (words.size() == 2) return attach_one(session, scheduler, words[1]);
    std::string recipe;
    for (std::size_t i = 1; i < words.size(); ++i) recipe += attach_recipe(session, words[i]);
    return change_all(session, recipe);
}

Answer<Exit> run_detach(const Session& session) {
    const auto& words = session.options.words;
    const auto scheduler = scheduler_name(words[0]);
    if (auto fits = takes_one(session, "detach"); !fits) return std::unexpected(fits.error());
    if (words.size() == 2) {
        auto options = change_options(session);
        if (session.options.persistent) options.entries.emplace_back("persistent", true);
        return change_once(session, "Detach", {scheduler, words[1]}, options,
                           "remove " + quoted(member_path(scheduler, words[1])) + "\n");
    }
    std::string recipe;
    for (std::size_t i = 1; i < words.size(); ++i)
        recipe += "remove " + quoted(member_path(scheduler, words[i])) + "\n";
    return change_all(session, recipe);
}

} // namespace schedd::cli
