// NodeSet: nodes by number or name, as people write them: "0-2,5", "alpha,beta", "all".
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "components/kit/result.h"
#include "components/model/cluster.h"

namespace schedd::model {

using namespace schedd::kit;

class NodeSet {
public:
    /// All nodes, whoever they are.
    NodeSet() = default;

    /// "all", or numbers, ranges and names with commas between; one at the end is tolerated, as in the
    /// original (Kerrighed lib/bitmap.c). A name has a letter in it. Fails with invalid_value, and with
    /// limit_exceeded for a number beyond kNodeNumberMax.
    static Result<NodeSet> parse(std::string_view text);
    /// Exactly these, by number where they have one, else by name.
    static NodeSet of(NodesView nodes);

    [[nodiscard]] bool is_all() const { return is_all_; }
    [[nodiscard]] bool contains(const NodeRow& node) const;
    /// What it names that is not among `nodes`, in the same notation; empty if all are there.
    [[nodiscard]] std::string missing(NodesView nodes) const;
    /// In order, each node once: "5,1,0" -> "0-1,5".
    [[nodiscard]] std::string text() const;
    bool operator==(const NodeSet&) const = default;

private:
    struct Range {
        NodeId first;
        NodeId last;
        bool operator==(const Range&) const = default;
    };
    Status take(std::string_view word, std::string_view whole);
    void settle();

    bool is_all_ = true;
    std::vector<Range> ranges_; // apart and in order
    std::vector<std::string> names_;
};

} // namespace schedd::model
