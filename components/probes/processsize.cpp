// processsize_probe - how large each process is (Kerrighed processsize_probe.c).
//   proc/70/statm "2500 300 ..." -> total_vm[70] 2500, in pages of the machine
//   proc/70/status "VmRSS: 1200 kB" -> task_rss[70] 1200
// Read when asked for, so it is never old; a kernel thread has 0. Usage: create probes/processsize_probe;
// read probes/processsize_probe/total_vm[70]
#include <array>

#include <fmt/format.h>

#include "components/model/machine_types.h"
#include "components/model/proc_text.h"
#include "components/model/process_table.h"
#include "components/probes/probes.h"

namespace schedd::probes {

namespace {

constexpr AttributeSpec kAttributes[] = {probe_period(), publish()};

enum SourceIndex : std::size_t { kTotalVm, kTaskRss };
constexpr SourceSpec kSourceSpecs[] = {
    {.name = "total_vm", .type = types::kPagesByPid, .doc = "Virtual memory of a process."},
    {.name = "task_rss", .type = types::kMemoryByPid, .doc = "Memory of the machine that a process has."},
};

/// "VmRSS:    1200 kB"; a kernel thread has no such line.
std::optional<std::uint64_t> parse_rss(std::string_view text) {
    while (!text.empty()) {
        auto line = take_line(text);
        if (take_word(line) == "VmRSS:") return take_number(line);
    }
    return std::nullopt;
}

class ProcessSizeProbe final : public Probe {
public:
    ProcessSizeProbe(const Descriptor& type, std::string name, const Environment& environment)
        : Probe(type, std::move(name), environment) {
        adopt(by_process(kTotalVm, "statm", take_number));
        adopt(by_process(kTaskRss, "status", [](std::string_view& text) { return parse_rss(text); }));
    }

    void measure(Time /*now*/) override {} // there is nothing to know before somebody asks

private:
    using Parse = std::optional<std::uint64_t> (*)(std::string_view& text);

    std::unique_ptr<LookupSource> by_process(SourceIndex index, std::string_view file, Parse parse) {
        return std::make_unique<LookupSource>(
            kSourceSpecs[index],
            [this, file, parse](const Parameter& parameter) { return size_of(parameter, file, parse); },
            [this, file, parse](const Output::Visit& visit) {
                environment().processes.for_each([&](const ProcessInfo& process) {
                    const Parameter pid(static_cast<std::int64_t>(process.pid));
                    if (const auto sample = size_of(pid, file, parse)) visit(pid, *sample);
                });
            });
    }

    [[nodiscard]] std::optional<Sample> size_of(const Parameter& parameter, std::string_view file,
                                                Parse parse) const {
        const auto* pid = std::get_if<std::int64_t>(&parameter);
        if (!pid || *pid <= 0 || *pid > INT32_MAX) return std::nullopt;
        std::array<char, 4096> buffer;
        auto text = environment().host.read(fmt::format("proc/{}/{}", *pid, file), buffer);
        const auto size = text ? parse(*text) : std::nullopt;
        if (!size || *size > INT64_MAX) return std::nullopt;
        return Sample{.value = static_cast<std::int64_t>(*size),
                      .time = environment().clock.now(),
                      .fresh_for = fresh_for()};
    }
};

} // namespace

const Descriptor kProcessSize{
    .name = "processsize_probe",
    .kind = Kind::probe,
    .doc = "How large each process is.",
    .make = make_part<ProcessSizeProbe>,
    .attributes = kAttributes,
    .sources = kSourceSpecs,
    .alias = "processsize",
};

} // namespace schedd::probes
