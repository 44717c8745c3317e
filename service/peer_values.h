// PeerValues: the cluster as the tree's parts see it, out of what membership knows.
#pragma once

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "components/membership/node.h"
#include "components/model/cluster.h"

namespace schedd::service {

/// Made before the tree (Environment::remote) and without nodes until membership is on.
class PeerValues final : public model::RemoteValues {
public:
    /// Takes over who is there. True if that is news: Engine::nodes_changed() is to be called then. Cheap
    /// enough for each time that a peer or this node itself has changed. `node` outlives this, or clear()
    /// comes first.
    bool refresh(const membership::Node& node, const std::string& own_name);
    /// The same of facts: `self` is this node's own row.
    bool take(model::NodeRow self, std::span<const membership::PeerFacts> peers,
              const membership::Values& values);
    /// Membership is off. True if it was not.
    bool clear();

    [[nodiscard]] model::NodesView nodes() const override { return rows_; }
    [[nodiscard]] std::optional<model::Sample> read(model::NodeId node,
                                                    std::string_view source_path) const override;

private:
    std::vector<model::NodeRow> rows_;
    std::vector<std::pair<model::NodeId, membership::NodeUid>> uids_; // of those with a number, in order
    const membership::Values* values_ = nullptr;
};

} // namespace schedd::service
