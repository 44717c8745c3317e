// Wanted: a configuration as the parts and links it asks for, each checked against the types there are.
#pragma once

#include <map>
#include <vector>

#include "service/config.h"

namespace schedd::service {

/// `type` is null for schedulers, process sets and members. `attributes` have been checked by `table`.
struct WantedPart {
    Path path;
    Kind kind;
    const Descriptor* type;
    std::string word; // the type as it was written, "" = the path's last name
    AttributeTable table;
    std::vector<DesiredAttribute> attributes;
    Where where;
};

/// Parts stand in an order in which they can be created. `sinks` holds every port and filter whose source the
/// configuration decides; the value is the source to link, or the root for a filter inside or none.
struct Wanted {
    std::vector<WantedPart> parts;
    std::map<Path, std::size_t> index; // of each part by its path
    std::map<Path, Path> sinks;

    [[nodiscard]] const WantedPart* find(const Path& path) const;
};

/// Fails with no_such_object, invalid_value, denied or type_mismatch, with file, line and column. With
/// `prune` only probes of the configuration itself can be sources, otherwise those of the tree as well.
Result<Wanted> want(const Desired& desired, const Tree& tree, bool prune);

} // namespace schedd::service
