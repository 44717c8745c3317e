// FakeCluster: the nodes of a cluster and what they have told, set by the test; without nodes there is none.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "components/model/cluster.h"

namespace schedd::test {

class FakeCluster final : public model::RemoteValues {
public:
    std::vector<model::NodeRow> rows;

    /// Nodes 0 to count - 1, called "alpha", "beta", ...; `self` is this one.
    void fill(int count, int self = 0) {
        static const char* const kNames[] = {"alpha", "beta", "gamma", "delta", "epsilon", "zeta"};
        rows.clear();
        for (int i = 0; i < count; ++i)
            rows.push_back({.number = i, .name = kNames[i % 6], .takes_work = true, .is_self = i == self});
    }
    void tell(model::NodeId node, const std::string& path, std::int64_t value, model::Time heard,
              model::Duration period = std::chrono::seconds(1)) {
        values_[node][path] = {.value = value, .time = heard, .fresh_for = 3 * period, .origin = node};
    }

    [[nodiscard]] model::NodesView nodes() const override { return rows; }
    [[nodiscard]] std::optional<model::Sample> read(model::NodeId node,
                                                    std::string_view source_path) const override {
        const auto told = values_.find(node);
        if (told == values_.end()) return std::nullopt;
        const auto at = told->second.find(source_path);
        return at == told->second.end() ? std::nullopt : std::optional(at->second);
    }

private:
    std::map<model::NodeId, std::map<std::string, model::Sample, std::less<>>> values_;
};

} // namespace schedd::test
