// The command line: which verbs there are, what each takes, and the words of one invocation taken apart.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/failure.h"
#include "cli/json.h"
#include "cli/print.h"

namespace schedd::cli {

enum class ColorMode { automatic, always, never };

/// Everything an invocation can say. Which fields a verb looks at follows from its traits.
struct Options {
    std::string bus;
    std::string host;
    JsonForm json = JsonForm::off;
    ColorMode color = ColorMode::automatic;
    bool help = false;
    bool dry_run = false;
    bool local = false;
    bool no_ask_password = false;
    bool recursive = false;
    bool verbs = false; // recipe lines instead of TOML
    bool prune = false;
    bool watch = false;
    bool once = false;
    // of the members that are attached; 0 and "" = the daemon's default
    std::uint64_t weight = 0;
    std::uint64_t cpus = 0;
    std::string member_class;
    std::string memory;
    std::uint64_t quota = 0;
    bool exclusive = false;
    bool persistent = false; // in the unit's files too
    bool wait = false;       // until it is placed
    std::uint64_t timeout_s = 5;
    std::uint64_t interval_ms = 1000;
    std::string format = "text";
    std::string output;
    bool machine = false; // the machine instead of chains
    // of the keys of a cluster; 0 = none
    bool key_added = false;
    std::uint64_t key_activated = 0;
    std::uint64_t key_removed = 0;
    std::string what;    // of a hold; "" = not given
    std::string profile; // the power profile to be held; "" = none
    std::string who;
    std::string why;
    // of work that is started
    std::string scheduler;
    std::string node;
    std::string unit;
    std::vector<std::string> properties;
    std::string ssh_config;
    bool no_wait = false;
    bool has_terminal = false;
    bool is_migratable = false;
    bool quiet = false;
    bool verbose = false;
    // of a simulation, handed on as they are; "" = not given
    std::string topology;
    std::string load;
    std::string config;
    std::string seed;
    std::string duration;
    std::string picture;
    Listing listing = Listing::none;
    std::vector<std::string> words;
};

/// What a verb accepts beyond the options that all accept; bits.
namespace trait {
constexpr unsigned kReads = 1U << 0U;   // --json
constexpr unsigned kChanges = 1U << 1U; // --dry-run, --no-ask-password
constexpr unsigned kRecursive = 1U << 2U;
constexpr unsigned kRecipe = 1U << 3U;
constexpr unsigned kPrune = 1U << 4U;
constexpr unsigned kWatch = 1U << 5U;
constexpr unsigned kInterval = 1U << 6U;
constexpr unsigned kMember = 1U << 7U; // --weight, --class, --cpus, --exclusive, --memory, --quota, --wait
constexpr unsigned kFormat = 1U << 8U;
constexpr unsigned kListing = 1U << 9U;
constexpr unsigned kOnce = 1U << 10U;
constexpr unsigned kAsks = 1U << 11U; // --no-ask-password without --dry-run
constexpr unsigned kPersistent = 1U << 12U;
constexpr unsigned kHold = 1U << 13U;
constexpr unsigned kSimulation = 1U << 14U;
constexpr unsigned kMove = 1U << 22U;  // --wait
constexpr unsigned kNodes = 1U << 15U; // --add, --activate, --remove, --dry-run
constexpr unsigned kRun = 1U << 20U;   // --scheduler, --node, --unit, ...; --dry-run
} // namespace trait

struct VerbSpec {
    std::string_view name;
    std::string_view words;    // as in the usage line, "PATH [TYPE] [ATTRIBUTE=VALUE...]"
    std::string_view sentence; // what it does
    std::string_view more;     // further lines of help
    std::string_view example;
    unsigned traits = 0;
    int fewest = 0;
    int most = 0; // -1 = no limit
};

std::span<const VerbSpec> verb_specs();
const VerbSpec* find_verb(std::string_view name);
/// The verb that was probably meant, or "".
std::string_view nearest_verb(std::string_view name);

/// What is printed for --help without a verb, and for VERB --help.
std::string general_help();
std::string verb_help(const VerbSpec& verb);

/// The verb among the arguments (program name not included) and the rest of them; options may stand before
/// it. `verb` is null for plain --help and --version, then `rest` says which.
struct Invocation {
    const VerbSpec* verb = nullptr;
    std::vector<std::string> rest;
};
/// Fails with Exit::usage.
Answer<Invocation> find_invocation(const std::vector<std::string>& arguments);
/// Fails with Exit::usage. `default_bus` is used without --bus.
Answer<Options> parse_options(const Invocation& invocation, std::string_view default_bus);

} // namespace schedd::cli
