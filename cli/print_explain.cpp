// Layout of explain: why a process or group is where it is, in plain sentences.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/print.h"

namespace schedd::cli {

namespace {

/// "" from the daemon means that there is no set of that sort.
std::string cpus_text(const Json& subject, std::string_view key, const Look& look) {
    const auto cpus = text_at(subject, key);
    return cpus.empty() ? "none" : shown(cpus, look);
}

/// What a state means, in words a person can act on.
std::string meaning_of(std::string_view state) {
    if (state == "applied") return "the machine does what was decided";
    if (state == "pending") return "decided, not written yet";
    if (state == "foreign") return "written, and changed by somebody else since";
    if (state == "overridden") return "written, but the machine says something else";
    if (state == "invalid") return "it cannot be done";
    if (state == "conflict") return "two schedulers cannot both have their way";
    if (state == "gone") return "it has ended";
    if (state == "free") return "schedd wants nothing of it";
    return "a state this program does not know";
}

std::string effect_of(std::string_view result) {
    if (result == "decides") return "decides";
    if (result == "narrows") return "narrows it to";
    if (result == "conflict") return "is overruled; it wanted";
    if (result == "excludes") return "keeps it off";
    if (result == "disputes") return "would keep it off";
    return shown(result);
}

/// Ways not taken and what would free more, a sentence each.
std::string considered_lines(const Json& from, const Look& look) {
    const Json& lines = field(from, "considered");
    if (!lines.is_array() || lines.empty()) return {};
    std::string out = "     considered:\n";
    for (const auto& line : lines)
        if (line.is_string()) out += "       - " + shown(line.get<std::string>(), look) + "\n";
    return out;
}

std::string decision_lines(const Json& decision, std::size_t number, const Look& look) {
    const auto result = text_at(decision, "result");
    const auto since = field(decision, "since_ms");
    auto out =
        fmt::format("  {}. {} {} CPUs {}{}\n", number,
                    paint(look, Hue::scheduler, shown(text_at(decision, "scheduler"), look)),
                    paint(look, result == "conflict" || result == "disputes" ? Hue::warn : Hue::plain,
                          effect_of(result)),
                    paint(look, Hue::strong, cpus_text(decision, "cpus", look)),
                    since.is_number() ? ", for " + duration_text(number_at(decision, "since_ms")) : "");
    if (const auto reason = text_at(decision, "reason"); !reason.empty())
        out += "     because " + shown(reason, look) + "\n";
    return out + considered_lines(decision, look);
}

/// What schedulers say that it is in, and that decided nothing for it.
std::string undecided_lines(const Json& subject, const Look& look) {
    std::string out;
    for (const auto& member : field(subject, "members"))
        if (const auto lines = considered_lines(member, look); !lines.empty())
            out += fmt::format("  {} leaves it alone.\n{}",
                               paint(look, Hue::scheduler, shown(text_at(member, "scheduler"), look)), lines);
    return out;
}

std::string heading(const Json& subject, const Look& look) {
    auto out = paint(look, Hue::strong, shown(text_at(subject, "target"), look));
    if (const auto comm = text_at(subject, "comm"); !comm.empty()) out += " (" + shown(comm, look) + ")";
    const Json& members = field(subject, "members");
    if (members.empty()) return out + " is in no scheduler.\n";
    std::string list;
    for (const auto& member : members) {
        const auto how = text_at(member, "member");
        list += fmt::format("{}{} {}", list.empty() ? "" : ", ",
                            paint(look, Hue::scheduler, shown(text_at(member, "scheduler"), look)),
                            how == "handle_all" ? "(which handles all)" : "as " + shown(how, look));
    }
    return out + " is in " + list + ".\n";
}

std::string subject_text(const Json& subject, const Look& look) {
    auto out = heading(subject, look);
    std::size_t number = 0;
    const Json& decisions = field(subject, "decisions");
    for (const auto& decision : decisions) out += decision_lines(decision, ++number, look);
    if (number == 0 && !field(subject, "members").empty())
        out += "  No scheduler has decided anything for it.\n";
    out += undecided_lines(subject, look);
    const auto state = text_at(subject, "state");
    if (state.empty()) return out;
    // an actuator that only pretends must not be heard as a machine that obeys
    const bool is_on_paper = text_at(subject, "detail").ends_with("dry run: nothing was written");
    const auto written = cpus_text(subject, "written", look);
    out += fmt::format("  wanted {}, ", cpus_text(subject, "wanted", look));
    if (is_on_paper) out += fmt::format("would be written {}\n", written);
    else
        out += fmt::format("written {}, effective {}\n", written,
                           paint(look, Hue::strong, cpus_text(subject, "effective", look)));
    if (const auto settings = text_at(subject, "settings"); !settings.empty())
        out += "  beside its CPUs: " + shown(settings, look) + "\n";
    out += fmt::format("  {}: {}", paint(look, hue_of_state(state), shown(state, look)),
                       is_on_paper && state == "applied" ? "so it would be" : meaning_of(state));
    if (const auto detail = text_at(subject, "detail"); !detail.empty())
        out += " (" + shown(detail, look) + ")";
    out += "\n";
    if (const auto before = text_at(subject, "before"); !before.empty())
        out += "  before schedd: " + shown(before, look) + "\n";
    return out;
}

} // namespace

std::string print_explain(const Json& explained, const Look& look) {
    std::string out;
    for (const auto& subject : field(explained, "subjects"))
        out += (out.empty() ? "" : "\n") + subject_text(subject, look);
    return out.empty() ? "Nothing runs here: no process belongs to it now.\n" : out;
}

} // namespace schedd::cli
