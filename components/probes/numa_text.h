// What the kernel says of memory by NUMA node: memory.numa_stat of a control group, meminfo of a node.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace schedd::probes {

/// KiB that the pages of a group's programs and files take on each node, into `kib` by node number (-1: there
/// is no such node):
///   "anon N0=4096 N1=0\nfile N0=1024 N1=2048\n..." -> {5, 2}
/// False, and `kib` empty, if the text has no such line, one that the kernel would not write, or a node from
/// limits::kMaxNodes on. A last line without its end is cut and does not count. Allocates only while it
/// learns how many nodes there are.
bool parse_numa_stat(std::string_view text, std::vector<std::int64_t>& kib);

/// KiB that sys/devices/system/node/nodeN/meminfo shows as free or held by files not used for a while: what
/// can be had without swapping. None without MemFree, or if it is no number of kB.
std::optional<std::int64_t> parse_node_available(std::string_view text);

} // namespace schedd::probes
