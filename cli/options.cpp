// Help texts, and the words of an invocation taken apart with CLI11.
#include "cli/options.h"

#include <algorithm>
#include <array>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "cli/text.h"

namespace schedd::cli {

namespace {

using namespace trait;
using Bind = CLI::Option* (*)(CLI::App&, const std::string& names, Options&);

struct OptionSpec {
    unsigned traits; // of any of which it is part; ~0U = of every verb
    std::string_view names;
    std::string_view argument; // "" for a flag
    std::string_view doc;
    Bind bind;
};

/// An option whose value is one of some words, each standing for a value of an enum.
template <class T, std::size_t N>
CLI::Option* add_choice(CLI::App& app, const std::string& names, T& into,
                        const std::array<std::pair<std::string_view, T>, N>& choices) {
    return app.add_option_function<std::string>(names, [&into, choices, names](const std::string& word) {
        std::string accepted;
        for (const auto& [name, value] : choices) {
            accepted += (accepted.empty() ? "" : ", ") + std::string(name);
            if (name != word) continue;
            into = value;
            return;
        }
        throw CLI::ValidationError(names.substr(names.find("--")),
                                   fmt::format("'{}' is none of {}", shown(word), accepted));
    });
}

template <auto Member> CLI::Option* flag(CLI::App& app, const std::string& names, Options& options) {
    return app.add_flag(names, options.*Member);
}

template <auto Member> CLI::Option* text(CLI::App& app, const std::string& names, Options& options) {
    return app.add_option(names, options.*Member);
}

template <auto Member, std::uint64_t Least, std::uint64_t Most>
CLI::Option* number(CLI::App& app, const std::string& names, Options& options) {
    return app.add_option(names, options.*Member)->check(CLI::Range(Least, Most));
}

CLI::Option* json(CLI::App& app, const std::string& names, Options& options) {
    constexpr std::array<std::pair<std::string_view, JsonForm>, 3> kForms{
        {{"short", JsonForm::compact}, {"pretty", JsonForm::pretty}, {"off", JsonForm::off}}};
    return add_choice(app, names, options.json, kForms);
}

CLI::Option* color(CLI::App& app, const std::string& names, Options& options) {
    constexpr std::array<std::pair<std::string_view, ColorMode>, 3> kModes{
        {{"auto", ColorMode::automatic}, {"always", ColorMode::always}, {"never", ColorMode::never}}};
    return add_choice(app, names, options.color, kModes);
}

CLI::Option* format(CLI::App& app, const std::string& names, Options& options) {
    constexpr std::array<std::pair<std::string_view, std::string_view>, 3> kFormats{
        {{"text", "text"}, {"dot", "dot"}, {"svg", "svg"}}};
    return app.add_option_function<std::string>(names, [&options, kFormats](const std::string& word) {
        if (std::ranges::none_of(kFormats, [&](const auto& known) { return known.first == word; }))
            throw CLI::ValidationError("--format",
                                       fmt::format("'{}' is none of text, dot, svg", shown(word)));
        options.format = word;
    });
}

CLI::Option* listing(CLI::App& app, const std::string& names, Options& options) {
    constexpr std::array<std::pair<std::string_view, Listing>, 8> kListings{
        {{"parts", Listing::parts},
         {"attributes", Listing::attributes},
         {"writable", Listing::writable},
         {"sources", Listing::sources},
         {"sinks", Listing::sinks},
         {"schedulers", Listing::schedulers},
         {"members", Listing::members},
         {"nodes", Listing::nodes}}};
    return add_choice(app, names, options.listing, kListings);
}

constexpr auto kOptions = std::to_array<OptionSpec>({
    {kReads, "--json", "short|pretty|off", "print JSON, on one line or indented", json},
    {kChanges | kNodes | kRun, "-n,--dry-run", "", "check everything, change nothing",
     flag<&Options::dry_run>},
    {kChanges, "--local", "", "change this node only; peers are not told", flag<&Options::local>},
    {kRecursive, "-r,--recursive", "", "with everything below", flag<&Options::recursive>},
    {kMember, "--weight", "N", "the members' share of the CPU, 1 to 10000 (100)",
     number<&Options::weight, 1, 10000>},
    {kMember, "--class", "CLASS", "latency, normal, batch or auto (normal)", text<&Options::member_class>},
    {kMember, "--cpus", "N", "how many CPUs they want, 1 to 8192; 0 = not said",
     number<&Options::cpus, 0, 8192>},
    {kMember, "--exclusive", "", "they want these CPUs for themselves", flag<&Options::exclusive>},
    {kMember, "--memory", "any|local", "whether their memory should be near these CPUs (any)",
     text<&Options::memory>},
    {kMember, "--quota", "N", "CPU time they may use, in percent of one CPU, 1 to 819200",
     number<&Options::quota, 1, 819200>},
    {kPersistent, "--persistent", "", "in the unit's drop-in too, for all its starts to come",
     flag<&Options::persistent>},
    {kMember, "--wait", "", "until it is placed, or --timeout; for ExecStartPre=", flag<&Options::wait>},
    {kMove, "--wait", "", "until it runs over there, or goes on here", flag<&Options::wait>},
    {kMember, "--timeout", "S", "how long --wait waits, 1 to 3600 s (5)",
     number<&Options::timeout_s, 1, 3600>},
    {kRecipe, "--verbs", "", "recipe lines (create, write, link, ...) instead of TOML",
     flag<&Options::verbs>},
    {kPrune, "--prune", "", "also remove what the files do not name", flag<&Options::prune>},
    {kWatch, "-w,--watch", "", "print each value again when it changes, until interrupted",
     flag<&Options::watch>},
    {kInterval, "--interval", "MS", "how often to look, 100 to 3600000 ms (1000)",
     number<&Options::interval_ms, 100, 3'600'000>},
    {kListing, "--list", "WHAT",
     "only names: parts, attributes, writable, sources, sinks, schedulers, members or nodes", listing},
    {kFormat, "--format", "text|dot|svg",
     "boxes for people, a graphviz program, or a picture (of chains: needs graphviz)", format},
    {kFormat, "--topology", "", "the machine with the members on its CPUs, instead of chains",
     flag<&Options::machine>},
    {kFormat, "-o,--output", "FILE", "write to FILE instead of the standard output", text<&Options::output>},
    {kOnce, "--once", "", "print one snapshot and end", flag<&Options::once>},
    {kNodes, "--add", "", "keygen: put another key into the file, not yet active", flag<&Options::key_added>},
    {kNodes, "--activate", "ID", "keygen: send with this key from now on",
     number<&Options::key_activated, 1, 255>},
    {kNodes, "--remove", "ID", "keygen: take this key out of the file",
     number<&Options::key_removed, 1, 255>},
    {kHold, "--what", "WHAT", "scheduler:NAME, or scheduler:* for all (the default)", text<&Options::what>},
    {kHold, "--profile", "PROFILE", "instead: the desktop's power profile, performance or power-saver",
     text<&Options::profile>},
    {kHold, "--who", "WHO", "who holds it (the command)", text<&Options::who>},
    {kHold, "--why", "WHY", "what for", text<&Options::why>},
    {kRun, "--scheduler", "NAME", "ask this scheduler alone, and make the work its member",
     text<&Options::scheduler>},
    {kRun, "--node", "NODE", "there or not at all: a number, a name or a uid", text<&Options::node>},
    {kRun, "--wait", "", "until it has ended (the default)", flag<&Options::wait>},
    {kRun, "--no-wait", "", "only until it has started; prints the unit's name", flag<&Options::no_wait>},
    {kRun, "--pty", "", "on another node with a terminal", flag<&Options::has_terminal>},
    {kRun, "--migratable", "", "so that it can move to other nodes: pids of its own, no input; --no-wait",
     flag<&Options::is_migratable>},
    {kRun, "--unit", "NAME", "the unit's name (schedd-run-...)", text<&Options::unit>},
    {kRun, "-p,--property", "NAME=VALUE", "of the unit, as for systemd-run; may be given several times",
     [](CLI::App& app, const std::string& names, Options& options) {
         return app.add_option(names, options.properties)->type_size(1)->allow_extra_args(false);
     }},
    {kRun, "--ssh-config", "FILE", "for ssh, instead of its own configuration", text<&Options::ssh_config>},
    {kRun, "-q,--quiet", "", "do not say where it runs, nor who did not take it", flag<&Options::quiet>},
    {kRun, "-v,--verbose", "", "say where it runs; without, only on a terminal", flag<&Options::verbose>},
    {kSimulation, "--topology", "SOURCE", "the machine: xml:FILE, synthetic:DESCRIPTION, or auto (this one)",
     text<&Options::topology>},
    {kSimulation, "--load", "FILE", "the jobs, see LOADS in schedd-cli(1)", text<&Options::load>},
    {kSimulation, "--config", "PATH", "a file, or a directory like /etc/schedd; without, baselines alone",
     text<&Options::config>},
    {kSimulation, "--seed", "N", "of chance, instead of the load's", text<&Options::seed>},
    {kSimulation, "--duration", "S", "time in which jobs come, instead of the load's",
     text<&Options::duration>},
    {kSimulation, "--picture", "FILE", "write a timeline of all CPUs as SVG", text<&Options::picture>},
    {kChanges | kAsks, "--no-ask-password", "", "fail instead of asking for a password",
     flag<&Options::no_ask_password>},
    {~0U, "--bus", "BUS", "system, session or a D-Bus address ($SCHEDD_BUS_ADDRESS, else system)",
     text<&Options::bus>},
    {~0U, "-H,--host", "[USER@]HOST", "the system bus of another machine, through ssh", text<&Options::host>},
    {~0U, "--color", "auto|always|never", "colours; auto = only on a terminal", color},
    {~0U, "-h,--help", "", "show this", flag<&Options::help>},
    // Accepted so that scripts written for systemd's tools work; there is no pager.
    {~0U, "--no-pager", "", "",
     [](CLI::App& app, const std::string& names, Options&) { return app.add_flag(names); }},
});

std::string option_lines(unsigned traits, bool general) {
    std::string out;
    for (const auto& option : kOptions) {
        if (option.doc.empty() || (option.traits == ~0U) != general || (option.traits & traits) == 0)
            continue;
        std::string names(option.names);
        if (const auto comma = names.find(','); comma != std::string::npos) names.insert(comma + 1, " ");
        else names.insert(0, "    ");
        if (!option.argument.empty()) names += "=" + std::string(option.argument);
        // Long names have the doc on a line of its own.
        out += columns(names) > 28 ? fmt::format("  {}\n{:32}{}\n", names, "", option.doc)
                                   : fmt::format("  {:<29} {}\n", names, option.doc);
    }
    return out;
}

/// "-5" as a value is not an option; it is hidden from CLI11 behind a mark.
constexpr char kMark = '\x1f';

bool is_negative_number(std::string_view word) {
    return word.size() > 1 && word[0] == '-' && word[1] >= '0' && word[1] <= '9';
}

std::vector<std::string> for_cli11(std::vector<std::string> words) {
    for (auto& word : words) {
        if (word == "--") break;
        if (is_negative_number(word)) word.insert(0, 1, kMark);
    }
    std::ranges::reverse(words); // CLI11 takes its vector from the back
    return words;
}

void take_marks(std::vector<std::string>& words) {
    for (auto& word : words)
        if (word.starts_with(kMark) && is_negative_number(std::string_view(word).substr(1))) word.erase(0, 1);
}

} // namespace

std::string general_help() {
    std::string out = "Usage: schedd-cli [OPTION...] VERB [WORD...]\n\n"
                      "Build, read and change the schedulers of this machine while it runs.\n\nVerbs:\n";
    for (const auto& verb : verb_specs()) {
        const auto usage = fmt::format("{} {}", verb.name, verb.words);
        out += columns(usage) > 28 ? fmt::format("  {}\n{:32}{}\n", usage, "", verb.sentence)
                                   : fmt::format("  {:<29} {}\n", usage, verb.sentence);
    }
    return out + "\nOptions of every verb:\n" + option_lines(~0U, true) +
           "      --version                 print the version of this program\n" +
           "\nschedd-cli VERB --help says more. Exit codes: 0 ok, 1 error, 2 usage, 3 drift or conflict "
           "found,\n"
           "or something essential lacks (doctor), 4 denied, 5 not running.\n";
}

std::string verb_help(const VerbSpec& verb) {
    auto out = fmt::format("Usage: schedd-cli {}{}{} [OPTION...]\n\n{}\n", verb.name,
                           verb.words.empty() ? "" : " ", verb.words, verb.sentence);
    if (!verb.more.empty()) out += fmt::format("{}\n", verb.more);
    if (const auto lines = option_lines(verb.traits, false); !lines.empty()) out += "\nOptions:\n" + lines;
    return out + "\nOptions of every verb:\n" + option_lines(~0U, true) +
           fmt::format("\nExample:\n  {}\n", verb.example);
}

Answer<Invocation> find_invocation(const std::vector<std::string>& arguments) {
    Invocation invocation;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        const auto& word = arguments[i];
        if (word == "--version" || word == "--help" || word == "-h") {
            invocation.rest.push_back(word);
            return invocation;
        }
        const bool takes_value =
            word == "--bus" || word == "--host" || word == "-H" || word == "--color" || word == "--json";
        if (word.starts_with('-')) {
            invocation.rest.push_back(word);
            if (takes_value && i + 1 < arguments.size()) invocation.rest.push_back(arguments[++i]);
            continue;
        }
        invocation.verb =
            word == "help" && i + 1 < arguments.size() ? find_verb(arguments[i + 1]) : find_verb(word);
        if (word == "help") {
            invocation.rest.assign(1, "--help");
            return invocation;
        }
        if (!invocation.verb) {
            const auto meant = nearest_verb(word);
            return give_up(Exit::usage,
                           fmt::format("unknown verb '{}'{}; schedd-cli --help lists the verbs", shown(word),
                                       meant.empty() ? "" : fmt::format(", did you mean '{}'?", meant)));
        }
        invocation.rest.insert(invocation.rest.end(), arguments.begin() + static_cast<std::ptrdiff_t>(i) + 1,
                               arguments.end());
        return invocation;
    }
    return give_up(Exit::usage, "no verb given; schedd-cli --help lists the verbs");
}

Answer<Options> parse_options(const Invocation& invocation, std::string_view default_bus) {
    const VerbSpec& verb = *invocation.verb;
    Options options;
    options.bus = default_bus;
    CLI::App app;
    app.set_help_flag();
    for (const auto& option : kOptions)
        if ((option.traits & (verb.traits | 1U << 31U)) != 0)
            option.bind(app, std::string(option.names), options);
    app.add_option("WORDS", options.words)->expected(0, 65536);
    try {
        app.parse(for_cli11(invocation.rest));
    } catch (const CLI::ParseError& error) {
        return give_up(Exit::usage, fmt::format("{}: {}; try schedd-cli {} --help", verb.name,
                                                shown(error.what()), verb.name));
    }
    take_marks(options.words);
    if (options.help) return options;
    const auto count = static_cast<int>(options.words.size());
    if (count < verb.fewest || (verb.most >= 0 && count > verb.most))
        return give_up(Exit::usage,
                       fmt::format("{}: {} given; use schedd-cli {}{}{}", verb.name, counted(count, "word"),
                                   verb.name, verb.words.empty() ? "" : " ", verb.words));
    if (options.bus != "system" && options.bus != "session" && options.bus.find(':') == std::string::npos)
        return give_up(Exit::usage, fmt::format("--bus={}: use system, session or an address such as "
                                                "unix:path=/run/user/0/bus",
                                                shown(options.bus)));
    return options;
}

} // namespace schedd::cli
