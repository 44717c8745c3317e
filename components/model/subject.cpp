// Targets, classes and tunings as text.
#include "components/model/subject.h"

#include <fmt/format.h>

namespace schedd::model {

std::string Target::text() const {
    switch (sort) {
    case Sort::process: return fmt::format("process:{}", pid);
    case Sort::cgroup: return "cgroup:" + name;
    case Sort::unit: return "unit:" + name;
    }
    return {};
}

std::string_view name_of(WorkClass work_class) {
    switch (work_class) {
    case WorkClass::latency: return "latency";
    case WorkClass::normal: return "normal";
    case WorkClass::batch: return "batch";
    }
    return {};
}

std::string_view name_of(Partition partition) { return partition == Partition::root ? "root" : "isolated"; }

void Tuning::add(const Tuning& other) {
    if (!cpu_weight) cpu_weight = other.cpu_weight;
    if (!cpu_quota_us) cpu_quota_us = other.cpu_quota_us;
    if (!memory_nodes) memory_nodes = other.memory_nodes;
    if (!partition) partition = other.partition;
}

std::string Tuning::text() const {
    std::string out;
    if (cpu_weight) out += fmt::format("CPUWeight={} ", *cpu_weight);
    if (cpu_quota_us) out += fmt::format("CPUQuota={:g}% ", static_cast<double>(*cpu_quota_us) / 10'000);
    if (memory_nodes) out += fmt::format("AllowedMemoryNodes={} ", memory_nodes->text());
    if (partition) out += fmt::format("cpuset.cpus.partition={} ", name_of(*partition));
    if (!out.empty()) out.pop_back();
    return out;
}

} // namespace schedd::model
