// The table of verbs: names, words, sentences and examples that help, manual page and completions repeat.
#include <algorithm>
#include <array>
#include <numeric>

#include "cli/options.h"

namespace schedd::cli {

namespace {

using namespace trait;

constexpr auto kVerbs = std::to_array<VerbSpec>({
    {"status", "", "Show the daemon, the machine and its schedulers.", "", "schedd-cli status", kReads, 0, 0},
    {"tree", "[PATH]", "Show the live tree with attributes and the value at each stage.", "",
     "schedd-cli tree schedulers/CPU_LB", kReads | kListing, 0, 1},
    {"types", "[NAME]", "List the types of probes, filters and policies, or describe one.", "",
     "schedd-cli types threshold_filter", kReads, 0, 1},
    {"get", "PLACE...", "Read values and attributes.",
     "A PLACE is PATH (its value, or all its attributes), PATH.ATTRIBUTE or PATH[PARAMETER],\n"
     "or NODE:PATH, what another node of the cluster has published there.",
     "schedd-cli get probes/cpu.probe_period 'probes/cpu/process_load[123]'", kReads | kWatch | kInterval, 1,
     -1},
    {"set", "PATH.ATTRIBUTE VALUE", "Write an attribute.", "", "schedd-cli set probes/cpu.probe_period 500",
     kChanges, 1, 2},
    {"create", "PATH [TYPE] [ATTRIBUTE=VALUE...]", "Create a probe, filter, policy, scheduler or member.",
     "Without TYPE the path's last name is the type.", "schedd-cli create probes/fast cpu probe_period=100",
     kChanges, 1, -1},
    {"remove", "PATH...", "Remove parts. What is linked to cannot be removed.", "",
     "schedd-cli remove -r schedulers/CPU_LB", kChanges | kRecursive, 1, -1},
    {"link", "SOURCE|CHAIN SINK",
     "Link a source to a port or filter, with the filters of a chain between them.",
     "A CHAIN is written as a pipe from left to right: 'cpu/node_load | threshold(threshold=100)'.",
     "schedd-cli link 'cpu/node_load | threshold(threshold=100)' schedulers/CPU_LB/load_balancing/node_load",
     kChanges, 2, 2},
    {"unlink", "SINK", "Take the source from a port or filter.", "",
     "schedd-cli unlink schedulers/CPU_LB/load_balancing/node_load", kChanges, 1, 1},
    {"attach", "SCHEDULER MEMBER...", "Make processes or groups members of a scheduler.",
     "A MEMBER is process:PID, process+children:PID, group:PGID, session:SID, user:UID, cgroup:/PATH,\n"
     "unit:NAME or exec:PATTERN.",
     "schedd-cli attach CPU_LB unit:foo.service --class latency --persistent",
     kChanges | kMember | kPersistent, 2, -1},
    {"detach", "SCHEDULER MEMBER...", "Let members go; they are put back as they were before.", "",
     "schedd-cli detach CPU_LB session:4711", kChanges | kPersistent, 2, -1},
    {"apply", "FILE...|-", "Make all that the files say true, or change nothing.",
     "Several files are one change. - is the standard input.", "schedd-cli apply --dry-run cpu_lb.toml",
     kChanges | kReads | kRecipe | kPrune, 1, -1},
    {"diff", "FILE...|-", "Show what apply would change; exit code 3 if that is anything.", "",
     "schedd-cli diff cpu_lb.toml", kReads | kRecipe | kPrune | kAsks, 1, -1},
    {"export", "", "Print the live configuration as a file that apply takes.", "",
     "schedd-cli export > backup.toml", kReads | kRecipe, 0, 0},
    {"doctor", "", "Say what this machine lacks, what follows, and what to do.",
     "Exit code 3 if something lacks without which schedd cannot do its work.",
     "schedd-cli doctor --json=pretty", kReads, 0, 0},
    {"explain", "WHAT", "Say why a process, member or scheduler's members are where they are.",
     "WHAT is a pid, a member such as session:77, or a scheduler.", "schedd-cli explain 4711", kReads, 1, 1},
    {"verify", "", "Compare what is wanted with what the machine says; exit code 3 if they differ.", "",
     "schedd-cli verify --json=short", kReads, 0, 0},
    {"monitor", "[PATH]", "Print changes, decisions and conflicts as they happen, until interrupted.", "",
     "schedd-cli monitor schedulers/CPU_LB --json=short", kReads, 0, 1},
    {"top", "", "Live view of CPUs, schedulers and members.",
     "Keys: q quit, up/down select, s or left/right sort, r reverse, p pause.", "schedd-cli top",
     kReads | kOnce | kInterval, 0, 0},
    {"graph", "[SCHEDULER]", "Draw the chain from sources to process set with the value at each stage.",
     "With --topology: NUMA nodes, caches, cores and CPUs, and which members are held on them.",
     "schedd-cli graph CPU_LB --format=svg -o cpu_lb.svg", kReads | kFormat, 0, 1},
    {"hold", "[-- COMMAND [WORD...]]",
     "Run a command while schedulers keep what they have decided; without one, list the holds.",
     "A scheduler that is held decides nothing new, and cannot be removed. The exit code is the command's.\n"
     "With --profile it is the desktop's power profile that is held while the command runs.",
     "schedd-cli hold --what scheduler:CPU_LB --why benchmark -- make bench", kReads | kAsks | kHold, 0, -1},
    {"nodes", "[drain NODE|undrain NODE|keygen [FILE]]",
     "Show the nodes of the cluster; take one out for maintenance, or back; make their key.",
     "A NODE is a number, a name or a uid. While it drains it gets no new work.\n"
     "keygen makes FILE (/etc/schedd/cluster.keys; - is the standard output), and needs no daemon.",
     "schedd-cli nodes drain web2", kReads | kWatch | kInterval | kAsks | kNodes, 0, 2},
    {"migrate", "MEMBER NODE", "Move running work to another node.",
     "A MEMBER is unit:NAME or process:PID, a NODE is a number or a name. Whatever fails, it goes on here.\n"
     "What cannot be moved is refused with the reason.",
     "schedd-cli migrate unit:render.service web2 --wait", kReads | kChanges | kMove, 2, 2},
    {"expel", "", "Send all guests of this node away: home, or to another node.", "", "schedd-cli expel",
     kReads | kChanges, 0, 0},
    {"bring", "", "Fetch this node's own work back from all others.", "", "schedd-cli bring",
     kReads | kChanges, 0, 0},
    {"block", "", "Take no guests from other nodes any more.", "", "schedd-cli block", kChanges, 0, 0},
    {"unblock", "", "Take guests from other nodes again.", "", "schedd-cli unblock", kChanges, 0, 0},
    {"checkpoint", "MEMBER DIR", "Save running work in a directory while it goes on.", "",
     "schedd-cli checkpoint unit:render.service /srv/saved/render", kReads | kChanges, 2, 2},
    {"restore", "DIR", "Start saved work again, as it was when it was saved.", "",
     "schedd-cli restore /srv/saved/render", kReads | kChanges, 1, 1},
    {"run", "-- COMMAND [WORD...]", "Run a command on the node that the schedulers choose for it.",
     "On another node it runs through ssh and systemd, with this environment, working directory, input,\n"
     "output and exit code; who does not take it within 5 s is passed over, and at last it runs here.\n"
     "Exit code: the command's; 125 if it was not started. For make: CC='schedd-cli run -- gcc'.",
     "schedd-cli run --verbose -- xz -9 disk.img", kReads | kRun | kAsks, 1, -1},
    {"reload", "", "Read the configuration files again; on any error the old configuration stays.", "",
     "schedd-cli reload --dry-run", kChanges | kReads, 0, 0},
    {"simulate", "[FILE]", "Run configured schedulers on another machine, simulated, in virtual time.",
     "FILE is the XML file (as lstopo writes it) or the description, after --topology=xml or synthetic.\n"
     "Prints what becomes of the jobs, beside simple ways to place them. Needs no daemon, changes nothing.",
     "schedd-cli simulate --topology=xml server.xml --load=load.toml --config=/etc/schedd",
     kReads | kSimulation, 0, 1},
    {"version", "", "Print the versions of this program and of the daemon.", "", "schedd-cli version", kReads,
     0, 0},
});

/// Edit distance with transpositions counted as one (optimal string alignment).
std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::vector<std::size_t>> cost(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
    for (std::size_t i = 0; i <= a.size(); ++i) cost[i][0] = i;
    std::iota(cost[0].begin(), cost[0].end(), std::size_t{0});
    for (std::size_t i = 1; i <= a.size(); ++i)
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t differs = a[i - 1] == b[j - 1] ? 0 : 1;
            cost[i][j] = std::min({cost[i - 1][j] + 1, cost[i][j - 1] + 1, cost[i - 1][j - 1] + differs});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
        }
    return cost[a.size()][b.size()];
}

} // namespace

std::span<const VerbSpec> verb_specs() { return kVerbs; }

const VerbSpec* find_verb(std::string_view name) {
    const auto found = std::ranges::find(kVerbs, name, &VerbSpec::name);
    return found == kVerbs.end() ? nullptr : &*found;
}

std::string_view nearest_verb(std::string_view name) {
    constexpr std::size_t kFarthest = 3;
    if (name.empty() || name.size() > 32) return {};
    std::string_view best;
    std::size_t least = kFarthest;
    for (const auto& verb : kVerbs) {
        if (name.size() >= 2 && verb.name.starts_with(name)) return verb.name;
        if (const auto far = distance(name, verb.name); far < least && far < verb.name.size()) {
            least = far;
            best = verb.name;
        }
    }
    return best;
}

} // namespace schedd::cli
