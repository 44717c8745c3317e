// Every maximum for what comes from outside, each with its reason. Messages name the limit that was hit.
#pragma once

#include <cstddef>
#include <cstdint>

namespace schedd::kit::limits {

constexpr std::size_t kNameLength = 64;         // a part's name; fits a line and an object path element
constexpr std::size_t kMemberLength = 512;      // a member's name: may hold a path or a command line pattern
constexpr std::size_t kPathDepth = 24;          // scheduler/policy/port + a chain of filters
constexpr std::size_t kProbes = 32;             // probes at once; each measures for itself in every period
constexpr std::size_t kParts = 8192;            // parts in one tree; each is a bus object of a few KiB
constexpr std::size_t kPublished = 64;          // sources other nodes are told of; in every heartbeat
constexpr std::size_t kRecipeVerbs = 16384;     // verbs in one transaction
constexpr std::size_t kChainLength = 8;         // filters between a source and a port
constexpr std::size_t kTextValue = 4096;        // a text attribute: one page, as in the original
constexpr std::size_t kConfigBytes = 1U << 20U; // one configuration file or recipe
constexpr std::size_t kConfigFiles = 256;       // files in schedulers.d, all directories together
constexpr std::size_t kConfigDepth = 16;        // dots outside strings in one line of a configuration file
constexpr std::size_t kTemplateInstances = 64;  // schedulers made from templates at once
constexpr std::size_t kUnitFile = 4U << 20U;    // bytes of a unit file that are looked at
constexpr std::size_t kUnitLine = 1U << 20U;    // bytes of one line in it, as systemd has it
constexpr std::size_t kUnitSchedulers = 16;     // schedulers that one unit names
constexpr std::size_t kUnitComplaints = 16;     // told about the files of one unit
constexpr int kMaxCpus = 8192;                  // CPUs of a machine, as the kernel's largest NR_CPUS
constexpr std::size_t kTasks = 131072;         // tasks a probe follows; beyond it the newest are not measured
constexpr std::size_t kPressureGroups = 1024;  // groups whose pressure is followed, per resource; a file each
constexpr std::size_t kMemoryGroups = 1024;    // groups whose memory by node is followed; a file each
constexpr int kMaxNodes = 1024;                // NUMA nodes of a machine, as the kernel's largest NODES_SHIFT
constexpr std::size_t kNumaStat = 256U << 10U; // bytes of memory.numa_stat looked at: two lines of kMaxNodes
constexpr std::size_t kStepsPerTick = 4096;    // actuator steps in one tick, the rest waits for the next
constexpr std::size_t kConsidered = 64;        // targets of one explanation that policies say more about
constexpr std::size_t kConsideredLines = 16;   // sentences of a policy about one target
constexpr std::size_t kUnitStepsPerTick = 32;  // of them for units: each waits for PID 1 some times
constexpr int kBusMessagesPerTurn = 256;       // bus messages handled before the loop looks at the rest again
constexpr int kBusTurnMs = 20;           // time after which the bus lets the rest of the loop have its turn
constexpr std::size_t kBusWatches = 256; // callers of Source.Watch, all sources together
constexpr std::size_t kBusCallers = 256; // callers whose uid is remembered
constexpr std::size_t kDescribedValues = 64;  // values of a source with a parameter in one description
constexpr std::size_t kReservedFiles = 512;   // descriptors kept back from probes: bus, timers, actuators
constexpr std::size_t kLateAnswers = 16;      // file systems that are waited for at a time
constexpr std::size_t kEventsPerDrain = 8192; // kernel events taken in one turn of the loop
constexpr std::size_t kThreadPasses = 64;     // times a process is looked over for threads born meanwhile
constexpr std::size_t kThreads = 65536;       // threads of one process that are placed
constexpr std::size_t kOwnMasks = 256;        // tasks of one unit whose own affinity is kept for the way back
constexpr std::size_t kAllMasks =
    8192; // tasks of the machine whose own affinity is kept over a call to systemd
constexpr std::size_t kLedgerBytes = 64U << 20U; // the ledger read at start: kTasks entries of half a KiB
constexpr std::size_t kReassertions = 3;         // times that a target is taken back from another writer
constexpr std::size_t kDryRunActions = 1024;     // would-be acts kept for the log
constexpr std::uint64_t kPeriodMsMin = 10;       // a probe faster than this would measure itself
constexpr std::uint64_t kPeriodMsMax = 86'400'000;

} // namespace schedd::kit::limits
