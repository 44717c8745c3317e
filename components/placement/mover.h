// Mover: carries work to other nodes. The outside implements it; tests do too.
#pragma once

#include "components/model/movement.h"

namespace schedd::placement {

using namespace schedd::model;

class Mover : public Movement {
public:
    /// Begins to move; what becomes of it is told to whoever made the mover. The scheduler is the one whose
    /// policy wants it. Fails, and nothing has happened, with not_supported (it cannot be moved: the reason
    /// in words), busy (another move is under way, or one began less than two seconds ago), not_applied (it
    /// is not worth what it costs), no_such_object (the target or the node is gone).
    virtual Status move(const std::string& scheduler, const Move& move) = 0;
};

} // namespace schedd::placement
