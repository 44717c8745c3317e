// The machine with the members on its CPUs: what `graph --topology` draws, as text or as a picture.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "cli/json.h"
#include "cli/text.h"

namespace schedd::cli {

/// `sets` are indexes into Machine::sets.
struct MachineCpu {
    int id = 0;
    int kind = 0;
    bool usable = true;
    bool isolated = false;
    std::vector<std::size_t> sets;
};

struct MachineCore {
    int number = 0;
    std::vector<MachineCpu> cpus;
};
/// Number -1: the machine does not tell which CPUs share a cache.
struct MachineCache {
    int number = -1;
    std::vector<MachineCore> cores;
};
struct MachineNode {
    int number = 0;
    std::vector<MachineCache> caches;
};
struct MachinePackage {
    int number = 0;
    std::vector<MachineNode> nodes;
};

/// A member with all that it stands for on one set. `comm` is that of a single process; `state` is
/// "applied", or the first that is not.
struct HeldMember {
    std::string name;
    std::string comm;
    std::size_t subjects = 0;
    std::string state;
};

/// CPUs that a scheduler holds members on. `scheduler` is an index into Machine::schedulers, `shade` counts
/// its sets.
struct HeldSet {
    std::string mark; // a, b, ... z, aa, ...
    std::size_t scheduler = 0;
    std::size_t shade = 0;
    std::string cpus;
    std::vector<HeldMember> members;
};

struct Machine {
    std::vector<MachinePackage> packages;
    std::vector<int> offline;
    std::vector<std::string> kinds; // CPU list of each kind of core, the slowest first
    std::string isolated;
    std::size_t cpus = 0;
    std::size_t cores = 0;
    std::size_t nodes = 0;
    bool has_unusable = false;
    std::vector<std::string> schedulers; // that hold something, in stacking order
    std::vector<HeldSet> sets;
};

/// From the JSON of Topology and of Dump; of the scheduler `only`, or of all. Fails with Exit::error naming
/// the schedulers there are.
Answer<Machine> machine_of(const Json& topology, const Json& dump, std::string_view only);

/// Nested boxes, and a table of the sets. No line of the boxes is longer than look.width (without a limit:
/// 100 columns), as long as a core fits.
std::string machine_text(const Machine& machine, const Look& look);
/// A picture of its own, with nothing to be loaded from elsewhere.
std::string machine_svg(const Machine& machine);
/// For --json.
Json machine_json(const Machine& machine, const Json& topology);

/// "8 CPUs, 4 cores, 1 NUMA node".
std::string machine_title(const Machine& machine);
/// "process:12 (spin)", "session:77 (12 subjects)", with the state if that is not as it should be.
std::string member_text(const HeldMember& member);
/// The marks of a CPU: "a", "ab", "a+" for more than fit.
std::string marks_of(const Machine& machine, const MachineCpu& cpu);
/// "0-3,5" of ascending numbers, and back; what is no list gives as much as can be read.
std::string list_text(const std::vector<int>& numbers);
std::vector<int> list_of(std::string_view text);

} // namespace schedd::cli
