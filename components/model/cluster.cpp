// Nodes in words.
#include "components/model/cluster.h"

#include <fmt/format.h>

namespace schedd::model {

std::string text_of(const NodeRow& node) {
    if (node.number < 0) return node.name;
    return node.name.empty() ? fmt::format("{}", node.number)
                             : fmt::format("{} ({})", node.number, node.name);
}

} // namespace schedd::model
