// Mirror: which parts the daemon has, so that walking a path asks nobody. Loaded from one Describe, kept by
// the signals of its ObjectManager; values, attributes and links are not in it, they are read when they are
// asked for.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "cli/event.h"
#include "cli/json.h"
#include "components/model/path.h"

namespace schedd::cli::fs {

enum class Kind { folder, probe, source, filter, port, policy, scheduler, process_set, member, node };

/// One part. Names are as the tree has them, not escaped.
struct Part {
    Kind kind = Kind::folder;
    std::string type; // "" of those that have only one
    std::map<std::string, Part, std::less<>> children = {};
};

/// Whether it has a source of its own: what a link can be made in.
inline bool is_sink(const Part& part) { return part.kind == Kind::port || part.kind == Kind::filter; }

class Mirror {
public:
    /// Takes the answer to Describe(""); what it does not understand is left out.
    void load(const Json& described);
    /// InterfacesAdded or InterfacesRemoved; other signals are ignored. One that tells what is known already
    /// changes nothing, so that signals from before the load do no harm.
    void take(const Event& event);

    [[nodiscard]] const Part& root() const { return root_; }
    /// Null if there is none.
    [[nodiscard]] const Part* find(const model::Path& path) const;

private:
    Part* own(const model::Path& path) { return const_cast<Part*>(find(path)); }

    Part root_;
};

} // namespace schedd::cli::fs
