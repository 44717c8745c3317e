// Layout of status, verify and lists of changes.
#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/cpus_text.h"
#include "cli/print.h"

namespace schedd::cli {

namespace {

std::string machine_line(const Json& topology, const Look& look) {
    return fmt::format("{} ({} online), {}, {}, {}, generation {}",
                       counted(number_at(topology, "cpus"), "CPU"), shown(text_at(topology, "online"), look),
                       counted(number_at(topology, "cores"), "core"),
                       counted(number_at(topology, "numa"), "NUMA node"),
                       counted(number_at(topology, "packages"), "package"),
                       number_at(topology, "generation"));
}

std::string count_cell(const Json& object, std::string_view key, Hue when_any, const Look& look) {
    const auto count = number_at(object, key);
    return count == 0 ? "0" : paint(look, when_any, fmt::to_string(count));
}

std::vector<std::string> scheduler_row(const Json& scheduler, const Look& look) {
    const auto policy = text_at(scheduler, "policy");
    return {paint(look, Hue::scheduler, shown(text_at(scheduler, "name"), look)),
            policy.empty() ? paint(look, Hue::dim, "none") : paint(look, Hue::policy, shown(policy, look)),
            flag_at(scheduler, "handle_all") ? "all" : fmt::to_string(number_at(scheduler, "members")),
            fmt::to_string(number_at(scheduler, "subjects")),
            count_cell(scheduler, "placed", Hue::good, look),
            count_cell(scheduler, "conflicts", Hue::warn, look),
            fmt::to_string(number_at(scheduler, "moves"))};
}

/// What unit files ask for and did not get, and what has opted out.
std::string unit_file_lines(const Json& rows, const Look& look) {
    std::string out;
    for (const auto& row : rows) {
        const auto state = text_at(row, "state");
        if (state == "attached") continue;
        const auto unit = paint(look, Hue::strong, shown(text_at(row, "unit"), look));
        const auto where = shown(text_at(row, "where"), look);
        if (state == "opted-out") out += fmt::format("{} has opted out ({})\n", unit, where);
        else
            out += fmt::format("{} is {} for {}: {} ({})\n", unit, paint(look, Hue::warn, shown(state, look)),
                               shown(text_at(row, "scheduler"), look), shown(text_at(row, "detail"), look),
                               where);
    }
    return out;
}

/// Who is here as a guest, and what moves or has moved; the last few.
std::string move_lines(const Json& migration, const Look& look) {
    constexpr std::size_t kShown = 8;
    std::string out;
    if (flag_at(migration, "blocked")) out += "No guests are taken: schedd-cli unblock\n";
    for (const auto& guest : field(migration, "guests"))
        out += fmt::format("{} is a guest; its home is {}\n",
                           paint(look, Hue::strong, shown(text_at(guest, "unit"), look)),
                           shown(text_at(guest, "home"), look));
    const Json& moves = field(migration, "moves");
    for (std::size_t i = moves.size() > kShown ? moves.size() - kShown : 0; i < moves.size(); ++i) {
        const auto phase = text_at(moves[i], "phase");
        const auto detail = text_at(moves[i], "detail");
        const bool is_bad = phase == "stayed" || phase == "failed";
        out += fmt::format("{} {} {}{}{}\n", paint(look, Hue::strong, shown(text_at(moves[i], "unit"), look)),
                           paint(look, is_bad ? Hue::warn : Hue::good, shown(phase, look)),
                           shown(text_at(moves[i], "node"), look), detail.empty() ? "" : ": ",
                           shown(detail, look));
    }
    return out;
}

std::string_view first_word(std::string_view line) { return line.substr(0, line.find(' ')); }

} // namespace

std::string print_holds(const Json& holds, const Look& look) {
    if (holds.empty()) return "No holds.\n";
    std::vector<std::vector<std::string>> rows{{"HOLD", "WHAT", "WHO", "UID", "PID", "AGE", "WHY"}};
    for (const auto& hold : holds)
        rows.push_back({fmt::to_string(number_at(hold, "id")),
                        paint(look, Hue::scheduler, shown(text_at(hold, "what"), look)),
                        shown(text_at(hold, "who"), look), fmt::to_string(number_at(hold, "uid")),
                        fmt::to_string(number_at(hold, "pid")), duration_text(number_at(hold, "age_ms")),
                        shown(text_at(hold, "why"), look)});
    using enum Align;
    return table(rows, {right, left, left, right, right, right, left}, look);
}

std::string power_sentence(const Json& power, const Look& look) {
    const auto profile = shown(text_at(power, "profile"), look);
    const Json& on_battery = field(power, "on_battery");
    std::string supply;
    if (on_battery.is_boolean()) supply = on_battery.get<bool>() ? "on battery" : "on mains";
    if (const Json& percent = field(power, "battery_percent"); percent.is_number() && !supply.empty())
        supply += fmt::format(" {} %", number_at(power, "battery_percent"));
    std::string out =
        !profile.empty() && !supply.empty() ? fmt::format("{} ({})", profile, supply) : profile + supply;
    std::string then;
    const auto add = [&](const std::string& text) { then += (then.empty() ? "" : ", ") + text; };
    if (const auto why = text_at(power, "degraded"); !why.empty()) add("degraded by " + shown(why, look));
    for (const auto& packed : field(power, "packed")) add(shown(scalar(packed), look));
    if (field(power, "cores_asleep").is_number())
        add(counted(number_at(power, "cores_asleep"), "core") + " asleep");
    if (!then.empty() && !out.empty()) out += ": " + then;
    return out;
}

std::string print_status(const Json& status, const Look& look) {
    const auto label = [&](std::string_view text) { return pad(paint(look, Hue::dim, text), 9); };
    std::string out =
        fmt::format("{} {}, up {}\n", paint(look, Hue::strong, "schedd"),
                    shown(text_at(status, "version"), look), duration_text(number_at(status, "uptime_ms")));
    out += label("actuator") + fmt::format("{}, on stop: {}\n", shown(text_at(status, "actuator"), look),
                                           shown(text_at(status, "on_stop"), look));
    out += label("machine") + machine_line(field(status, "topology"), look) + "\n";
    out += label("tree") + fmt::format("{}, {} seen, {}\n", counted(number_at(status, "parts"), "part"),
                                       counted(number_at(status, "processes"), "process", "processes"),
                                       counted(number_at(status, "ticks"), "tick"));
    const Json& power = field(status, "power");
    if (const auto sentence = power_sentence(power, look); !sentence.empty())
        out += label("power") + sentence + "\n";
    for (const auto* key : {"held", "hints"})
        for (const auto& row : field(power, key)) out += label("") + shown(scalar(row), look) + "\n";
    if (const auto trouble = text_at(power, "trouble"); !trouble.empty())
        out += label("") + paint(look, Hue::warn, shown(trouble, look)) + "\n";
    out += label("held") + counted(number_at(status, "held"), "target") + "\n\n";

    const Json& schedulers = field(status, "schedulers");
    const auto units =
        unit_file_lines(field(status, "unit_files"), look) + move_lines(field(status, "migration"), look);
    if (schedulers.empty())
        return out + "No scheduler yet. Create one: schedd-cli create schedulers/NAME\n" + units;
    std::vector<std::vector<std::string>> rows{
        {"SCHEDULER", "POLICY", "MEMBERS", "SUBJECTS", "PLACED", "CONFLICTS", "MOVES"}};
    std::string ejected;
    for (const auto& scheduler : schedulers) {
        rows.push_back(scheduler_row(scheduler, look));
        if (const auto why = text_at(scheduler, "ejected"); !why.empty())
            ejected +=
                fmt::format("{} is out of action: {}\n",
                            paint(look, Hue::bad, shown(text_at(scheduler, "name"), look)), shown(why, look));
    }
    using enum Align;
    out += table(rows, {left, left, right, right, right, right, right}, look) + ejected + units;
    const Json& holds = field(status, "holds");
    return holds.empty() ? out : out + "\n" + print_holds(holds, look);
}

namespace {

std::string finding_table(const Json& findings, const Look& look) {
    std::vector<std::vector<std::string>> rows{
        {"TARGET", "SCHEDULER", "STATE", "WANTED", "EFFECTIVE", "DETAIL"}};
    const auto cell = [&](const Json& finding, std::string_view key) {
        return shown(text_at(finding, key), look);
    };
    for (const auto& finding : findings)
        rows.push_back({cell(finding, "target"), cell(finding, "scheduler"),
                        paint(look, hue_of_state(text_at(finding, "state")), cell(finding, "state")),
                        cell(finding, "wanted"), cell(finding, "effective"), cell(finding, "detail")});
    return table(rows, std::vector<Align>(6, Align::left), look);
}

/// How many of them the machine is to blame for, how many the schedulers, and how many other nodes' changes.
std::string found_text(const Json& findings, const Look& look) {
    long long conflicts = 0;
    long long lost = 0;
    for (const auto& finding : findings) {
        const auto state = text_at(finding, "state");
        const bool is_of_nodes = text_at(finding, "scheduler").empty();
        if (is_of_nodes && (state == "conflict" || state == "orphan" || state == "quarantined")) ++lost;
        else if (state == "conflict") ++conflicts;
    }
    const auto others = static_cast<long long>(findings.size()) - conflicts - lost;
    std::vector<std::string> parts;
    const auto add = [&](long long count, std::string_view what, std::string_view of) {
        if (count > 0) parts.push_back(paint(look, Hue::bad, counted(count, what)) + std::string(of));
    };
    add(others, "difference", " between what is wanted and what the machine says");
    add(conflicts, "conflict", " between schedulers");
    add(lost, "change", " of the configuration without effect");
    return fmt::format("{}", fmt::join(parts, ", and "));
}

} // namespace

std::string print_verify(const Json& verified, const Look& look) {
    const Json& findings = field(verified, "findings");
    const Json& waiting = field(verified, "waiting");
    const bool holds = findings.empty() && flag_at(verified, "ok");
    std::string out;
    const bool is_on_paper = flag_at(verified, "dry_run");
    if (holds && waiting.empty() && is_on_paper)
        return "No conflict: all that was decided could hold. Nothing is written, schedd runs as a dry "
               "run.\n";
    if (holds && waiting.empty())
        return paint(look, Hue::good, "Everything holds") + ": what is wanted is what the machine says.\n";
    if (holds) out += paint(look, Hue::good, "What could be done holds") + ".\n";
    else out += found_text(findings, look) + ":\n\n" + finding_table(findings, look);
    if (waiting.empty()) return out;
    return out + "\n" + fmt::format("{} cannot hold now:\n\n", waiting.size()) + finding_table(waiting, look);
}

std::string print_plan(const Json& applied, const Look& look) {
    if (const auto why = text_at(applied, "no_plan"); !why.empty())
        return "What it would place is not known: " + shown(why, look) + "\n";
    if (!applied.contains("plan")) return {};
    const Json& plan = field(applied, "plan");
    if (plan.empty()) return "Nobody would be placed otherwise now.\n";
    std::string out = "It would place:\n";
    for (const auto& row : plan) {
        const auto comm = text_at(row, "comm");
        const auto before = text_at(row, "before");
        const auto after = text_at(row, "after");
        const auto settings = text_at(row, "settings");
        out += fmt::format("  {}{}: {} -> {}{}{}\n",
                           paint(look, Hue::strong, shown(text_at(row, "target"), look)),
                           comm.empty() ? "" : " (" + shown(comm, look) + ")",
                           before.empty() ? "not held" : shown(before, look),
                           after.empty() ? "put back as it was" : cpus_text(shown(after, look)),
                           settings.empty() ? "" : ", " + shown(settings, look),
                           after.empty() ? ""
                                         : fmt::format(" by {}: {}", shown(text_at(row, "scheduler"), look),
                                                       shown(text_at(row, "reason"), look)));
        if (const auto conflict = text_at(row, "conflict"); !conflict.empty())
            out += fmt::format("    {}: {}\n", paint(look, Hue::bad, "conflict"), shown(conflict, look));
    }
    return out;
}

std::string print_changes(const Json& applied, const Look& look) {
    std::string out;
    for (const auto& change : field(applied, "changes")) {
        const auto line = shown(scalar(change), look);
        const auto verb = first_word(line);
        if (verb == "create" || verb == "link") out += paint(look, Hue::good, "+ " + line) + "\n";
        else if (verb == "remove" || verb == "unlink") out += paint(look, Hue::bad, "- " + line) + "\n";
        else out += paint(look, Hue::filter, "~ " + line) + "\n";
    }
    return out;
}

} // namespace schedd::cli
