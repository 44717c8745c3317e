// The graph of a tree: what flows from where to where, as boxes and arrows that can be drawn as text or dot.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/json.h"
#include "cli/text.h"

namespace schedd::cli {

/// One part of a chain. `value` is what it puts out now ("" = none, then `why_none` says why).
struct Box {
    std::string path;
    std::string kind;
    std::string title;
    std::string value;
    std::string unit;
    std::string why_none;
    std::vector<std::string> lines; // attributes, "threshold = 100"
};

/// From a source through its filters to the sink that collects: boxes in the direction of the flow. The first
/// is the sink itself when it has no source. `to_policy` is false for the extra port of a filter.
struct Chain {
    std::vector<Box> boxes;
    bool to_policy = true;
};

struct SchedulerGraph {
    std::string name;
    Box policy; // empty path = no policy
    Box process_set;
    std::vector<Chain> chains;
};

/// All schedulers of the tree, or the one named `only`. Fails with Exit::error naming those there are.
Answer<std::vector<SchedulerGraph>> graph_of(const Json& tree, std::string_view only);

/// Boxes and arrows from left to right; if look.width is set and too small, one line of text per chain
/// instead.
std::string graph_text(const std::vector<SchedulerGraph>& graphs, const Look& look);
/// A graphviz program.
std::string graph_dot(const std::vector<SchedulerGraph>& graphs);

} // namespace schedd::cli
