// Replication: the tree's changes as entries for the other nodes, and the cluster's entries as changes of the
// tree; the skin over the six verbs that peers see.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "components/membership/store.h"
#include "components/model/tree.h"

namespace schedd::service {

using namespace schedd::model;

/// An entry's path is a part's ("probes/cpu", its value the type), an attribute's ("probes/cpu#probe_period")
/// or a sink's link ("schedulers/A/p/node_load#source", its value the source's path). '#' cannot stand in the
/// text of a part's path.
class Replication {
public:
    /// Applies to the tree with all that belongs around it; must not write entries itself.
    using Apply = std::function<Status(const Recipe&)>;
    Replication(Tree& tree, Apply apply) : tree_(tree), apply_(std::move(apply)) {}

    /// What other nodes are to be told of a change of this one's tree, before it is made. Processes, groups
    /// and sessions by number are of this node alone, and so is the removal of what no entry speaks of.
    [[nodiscard]] std::vector<membership::Write> writes_for(const Recipe& recipe) const;

    struct Outcome {
        std::uint32_t applied = 0;
        std::uint32_t failed = 0;      // the tree refused them
        std::uint32_t unsupported = 0; // of a type that this version does not have
        std::string trouble;           // the first reason
        bool operator==(const Outcome&) const = default;
    };
    /// Makes the tree what the entries say, as one transaction, or object by object where that is refused:
    /// what one node cannot have keeps no other part from it. Parts of this node's own files stay, unless an
    /// entry gives their attributes another value. `effective` is Store::effective().
    Outcome carry_out(std::span<const membership::Entry* const> effective);

private:
    struct Wanted;
    struct Plan;
    [[nodiscard]] std::vector<std::string> told_below(const Path& top) const;
    Wanted read(std::span<const membership::Entry* const> effective, Outcome& outcome) const;
    Plan plan(const Wanted& wanted) const;
    void remove_parts(const Wanted& wanted, Plan& plan) const;
    void make_parts(const Wanted& wanted, Plan& plan) const;
    void set_attributes(const Wanted& wanted, Plan& plan) const;
    void link_sinks(const Wanted& wanted, Plan& plan) const;
    void note(const Wanted& wanted);

    Tree& tree_;
    Apply apply_;
    // what entries have said and the tree has since: once they do not say it any more it is undone
    std::set<Path> parts_;
    std::set<std::pair<Path, std::string>> attributes_;
    std::set<Path> links_;
};

} // namespace schedd::service
