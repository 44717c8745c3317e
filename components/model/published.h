// Published: what this node tells the others in every heartbeat.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "components/model/tree.h"

namespace schedd::model {

struct Published {
    std::string path; // "probes/cpu/node_load"
    std::optional<std::int32_t> value;
};

/// All sources that their probes publish, by path, at most limits::kPublished: the first. A value that is
/// beyond 32 bits is told as the largest (smallest) there is; one that is too old, or text, is none.
[[nodiscard]] std::vector<Published> published(const Tree& tree);

} // namespace schedd::model
