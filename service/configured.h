// Configured: which parts of the tree came from the files, so that a reload can remove what no file names any
// more.
#pragma once

#include <vector>

#include "components/model/tree.h"
#include "service/config.h"

namespace schedd::service {

/// Probes, schedulers and members. What somebody made over the bus is not among them and stays, also if a
/// file names it later.
class Configured {
public:
    /// A recipe that came from the files was applied. What has left the tree meanwhile is forgotten.
    void note(const model::Recipe& done, const model::Tree& tree);
    /// Removes what is still there and not desired any more: schedulers before probes, because what is linked
    /// to cannot be removed.
    [[nodiscard]] model::Recipe removals(const Desired& desired, const model::Tree& tree) const;

private:
    std::vector<model::Path> paths_;
};

} // namespace schedd::service
