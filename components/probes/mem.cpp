// mem_probe - how much memory the machine has and how much of it is free, from proc/meminfo.
//   "MemTotal: 24655780 kB" -> ram_total 24655780; "MemFree: 1000 kB" -> ram_free 1000
// ram_free is MemFree, as in the original: memory used for nothing at all, caches not counted (Kerrighed
// mem_probe.c). A source tells its sinks only if its value changed since the last period. Usage: create
// probes/mem_probe; read probes/mem_probe/ram_free
#include <array>

#include "components/model/proc_text.h"
#include "components/probes/kept_file.h"
#include "components/probes/probes.h"

namespace schedd::probes {

namespace {

constexpr AttributeSpec kAttributes[] = {probe_period(), publish("ram_free")};

enum SourceIndex : std::size_t { kFree, kTotal, kSources };
constexpr SourceSpec kSourceSpecs[] = {
    {.name = "ram_free",
     .type = types::kMemory,
     .doc = "Memory used for nothing, not even caches (MemFree)."},
    {.name = "ram_total", .type = types::kMemory, .doc = "Memory of the machine (MemTotal)."},
};
constexpr std::array<std::string_view, kSources> kLabels{"MemFree:", "MemTotal:"};

using Sizes = std::array<std::optional<std::int64_t>, kSources>;

Sizes parse_meminfo(std::string_view text) {
    Sizes sizes;
    while (!text.empty()) {
        auto line = take_line(text);
        const auto label = take_word(line);
        for (std::size_t i = 0; i < kSources; ++i) {
            if (label != kLabels[i]) continue;
            const auto number = take_number(line);
            if (number && *number <= INT64_MAX && take_word(line) == "kB")
                sizes[i] = static_cast<std::int64_t>(*number);
        }
    }
    return sizes;
}

class MemProbe final : public Probe {
public:
    MemProbe(const Descriptor& type, std::string name, const Environment& environment)
        : Probe(type, std::move(name), environment), file_(environment.host, "proc/meminfo") {
        for (const auto& spec : kSourceSpecs) adopt(std::make_unique<PlainSource>(spec));
    }

    void measure(Time now) override {
        std::array<char, 8192> buffer;
        const auto text = file_.read(buffer);
        const auto sizes = text ? parse_meminfo(*text) : Sizes{};
        for (std::size_t i = 0; i < kSources; ++i)
            put(static_cast<PlainSource&>(*children()[i]), sizes[i], now);
        if (!text) note_trouble(text.error().text());
        else if (!sizes[kFree] || !sizes[kTotal])
            note_trouble("proc/meminfo has no MemFree or no MemTotal in kB");
        else note_trouble({});
    }

private:
    void put(PlainSource& source, std::optional<std::int64_t> size, Time now) const {
        if (!size) return source.clear();
        const auto before = source.read({});
        const Sample sample{.value = *size, .time = now, .fresh_for = fresh_for()};
        if (before && before->value == sample.value) source.refresh(sample);
        else source.set(sample);
    }

    KeptFile file_;
};

} // namespace

const Descriptor kMem{
    .name = "mem_probe",
    .kind = Kind::probe,
    .doc = "Free and total memory of the machine.",
    .make = make_part<MemProbe>,
    .attributes = kAttributes,
    .sources = kSourceSpecs,
    .alias = "mem",
};

} // namespace schedd::probes
