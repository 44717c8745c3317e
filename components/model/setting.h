// Setting: what a policy wants of other parts than its subjects - an attribute of another scheduler's part,
// or how CPUs trade speed for energy.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "components/model/cpu_set.h"
#include "components/model/path.h"

namespace schedd::model {

/// While a policy wants it, this attribute has this value; afterwards it has again what it had before, unless
/// somebody has written it meanwhile.
struct Setting {
    Path part;
    std::string attribute;
    std::string value; // as text
    auto operator<=>(const Setting&) const = default;
};

/// How the kernel is to run some CPUs; what is not said stays as it is.
struct FrequencyHint {
    CpuSet cpus;
    std::string preference = {};                 // energy_performance_preference, "" = as it is
    std::optional<std::uint64_t> least_khz = {}; // scaling_min_freq
    std::optional<std::uint64_t> most_khz = {};  // scaling_max_freq
    bool operator==(const FrequencyHint&) const = default;
};

/// All that a policy wants so; empty: nothing.
struct Settings {
    std::vector<Setting> settings = {}; // ordered, each attribute once
    std::vector<FrequencyHint> hints = {};
    std::string reason = {}; // fit for people: "power-saver"
    bool operator==(const Settings&) const = default;
};

} // namespace schedd::model
