// ConfigWorld: a World with a filter that has a port of its own and a source for it, and the config functions
// applied.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "service/config.h"
#include "tests/kit/world.h"

namespace schedd::test {

using namespace schedd::service;

/// port_filter (alias `ported`): passes everything, has the port `extra` (memory) and a text attribute.
inline constexpr AttributeSpec kPortedAttributes[] = {
    {.name = "words", .kind = AttributeKind::text, .initial = "", .doc = "Any text."},
    {.name = "bound", .unit = "x", .maximum = 1000, .doc = "Any number."},
};
inline constexpr PortSpec kPortedPorts[] = {
    {.name = "extra", .type = types::kMemory, .doc = "A second input."}};
inline const Descriptor kPortFilter{.name = "port_filter",
                                    .kind = Kind::filter,
                                    .doc = "Has a port.",
                                    .make = make_part<Filter>,
                                    .attributes = kPortedAttributes,
                                    .ports = kPortedPorts,
                                    .alias = "ported"};

/// other_probe: the sources of test_probe but for `process_load`.
inline constexpr SourceSpec kOtherSources[] = {
    {.name = "load", .type = types::kLoad, .doc = "A load."},
    {.name = "process_load", .type = types::kLoad, .doc = "Of another type than test_probe's."},
};
class OtherProbe final : public Probe {
public:
    static constexpr AttributeSpec kAttributes[] = {probe_period("250")};
    OtherProbe(const Descriptor& type, std::string name, const Environment& env)
        : Probe(type, std::move(name), env) {
        for (const auto& spec : kOtherSources) adopt(std::make_unique<PlainSource>(spec));
    }
    void measure(Time /*now*/) override {}
};
inline const Descriptor kOtherProbe{.name = "other_probe",
                                    .kind = Kind::probe,
                                    .doc = "Another one.",
                                    .make = make_part<OtherProbe>,
                                    .attributes = OtherProbe::kAttributes,
                                    .sources = kOtherSources};

struct ConfigWorld : World {
    ConfigWorld() : World(all_types()) {
        for (const Pid pid : {10, 11, 12}) start({.pid = pid});
    }
    static std::vector<const Descriptor*> all_types() {
        auto types = default_types();
        types.insert(types.end(), {&kPortFilter, &kOtherProbe});
        return types;
    }

    /// The verbs from here to a configuration, or the error's text.
    std::vector<std::string> verbs_to(std::string_view toml, bool prune = false) const {
        const auto desired = parse_config("t.toml", toml);
        if (!desired) return {"error: " + desired.error().text()};
        const auto recipe = recipe_to(*desired, tree, prune);
        if (!recipe) return {"error: " + recipe.error().text()};
        std::vector<std::string> lines;
        for (const auto& verb : *recipe) lines.push_back(text_of(verb));
        return lines;
    }
    /// Applies a configuration; "" or the error's text. A second look must find nothing left to do.
    std::string take(std::string_view toml, bool prune = false) {
        const auto desired = parse_config("t.toml", toml);
        if (!desired) return desired.error().text();
        const auto recipe = recipe_to(*desired, tree, prune);
        if (!recipe) return recipe.error().text();
        if (const auto applied = tree.apply(*recipe); !applied) return applied.error().text();
        const auto again = recipe_to(*desired, tree, prune);
        if (!again) return "again: " + again.error().text();
        return again->empty() ? "" : "not idempotent: " + text_of(again->front());
    }
};

/// The error's text, "" if there is none.
template <class T> std::string error_of(const Result<T>& result) {
    return result ? "" : result.error().text();
}

inline constexpr std::string_view kSlides = R"(
[probe.cpu]
probe_period = 500
[scheduler.CPU_LB]
policy = "load_balancing"
process_set = ["process:10", { member = "process:11", weight = 200 }]
[scheduler.CPU_LB.attributes]
level = "core"
[scheduler.CPU_LB.ports]
node_load = "cpu/load | threshold(threshold=100) | pass"
process_load = "cpu/process_load"
)";

} // namespace schedd::test
