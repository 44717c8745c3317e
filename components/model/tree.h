// Tree: the whole configuration, changed by six verbs in transactions; every skin (bus, files, command line)
// stands on this and holds neither state nor rules of its own.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "components/model/filter.h"
#include "components/model/node_part.h"
#include "components/model/probe.h"
#include "components/model/registry.h"
#include "components/model/scheduler.h"
#include "components/model/verb.h"

namespace schedd::model {

/// Told after a transaction has been committed, in the order things happened.
class TreeListener {
public:
    virtual ~TreeListener() = default;
    virtual void part_added(Part& /*part*/) {}
    /// The part and all below it are still whole, but no longer in the tree: `path` is where it was.
    virtual void part_removed(const Path& /*path*/, Part& /*part*/) {}
    /// An attribute was written, or the source of a sink changed (then `attribute` is "source").
    virtual void part_changed(Part& /*part*/, std::string_view /*attribute*/) {}
};

class Tree {
public:
    Tree(const Environment& environment, const Registry& registry);
    ~Tree();

    [[nodiscard]] Part& root() const { return *root_; }
    [[nodiscard]] Part& probes() const { return *root_->children()[0]; }
    [[nodiscard]] Part& schedulers() const { return *root_->children()[1]; }
    [[nodiscard]] Part& nodes() const { return *root_->children()[2]; }
    [[nodiscard]] std::size_t size() const { return size_; }
    [[nodiscard]] const Registry& registry() const { return registry_; }
    [[nodiscard]] const Environment& environment() const { return environment_; }

    /// Fails with no_such_object; the error names the deepest part found and its children.
    [[nodiscard]] Result<Part*> find(const Path& path) const;

    /// "PATH" or "PATH.ATTRIBUTE" or "PATH[PARAMETER]"; a member's name may hold dots itself.
    struct Place {
        Part* part;
        std::string attribute;
        std::string parameter;
    };
    [[nodiscard]] Result<Place> locate(std::string_view text) const;

    /// Carries out all verbs, or none: on the first failure everything is put back and the error names the
    /// verb. With `dry_run` everything is put back at the end too. REQUIRES: not called from a listener.
    /// `sets`: what a person asks for now must fit the nodes that are there and other schedulers' node sets;
    /// what files or other nodes say is taken, and settled by rule (node_claims.h).
    enum class NodeSets { checked, taken };
    Status apply(const Recipe& recipe, bool dry_run = false, NodeSets sets = NodeSets::checked);
    Status apply(const Verb& verb) { return apply(Recipe{verb}); }

    /// The same recipe without writes of attributes that are aliases: node_set_max_fit of a scheduler becomes
    /// node_set, "all" or the nodes that it has now. For apply(), and for what is to be told to other nodes.
    [[nodiscard]] Recipe without_aliases(const Recipe& recipe) const;

    /// The sixth verb: an attribute's text, or one of value, collected_value, type, unit, parameter, source.
    [[nodiscard]] Result<std::string> read(const Place& place) const;

    /// Makes the folder of nodes agree with what is known of them, and tells the listeners: a node that has
    /// another number, or another machine of that number, is another part. The part's name is the number, or
    /// the uid where it has none or an earlier one of `nodes` has it too. No verb does that.
    void set_nodes(std::span<const NodeState> nodes);

    /// A reported attribute of a part has changed by itself: tells the listeners.
    void touched(Part& part, std::string_view attribute);

    void add_listener(TreeListener& listener) { listeners_.push_back(&listener); }
    void remove_listener(TreeListener& listener) { std::erase(listeners_, &listener); }
    /// Nobody else hears of anything any more; for a copy of the process.
    void keep_only(TreeListener& listener) { listeners_ = {&listener}; }

private:
    friend class Change;
    Environment environment_;
    const Registry& registry_;
    std::unique_ptr<Part> root_;
    std::size_t size_ = 4;
    std::uint64_t next_order_ = 1;
    std::vector<TreeListener*> listeners_;
};

/// The Input or Output side of a part, or null.
Input* input_of(Part& part);
Output* output_of(Part& part);
const Input* input_of(const Part& part);
const Output* output_of(const Part& part);

/// The probe source that a chain ends in below `input`, or null while it is incomplete.
const Source* origin_of(const Input& input);

} // namespace schedd::model
