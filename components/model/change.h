// Change: one transaction on the tree, with an undo for each step; used by Tree only.
#pragma once

#include <functional>
#include <vector>

#include "components/model/tree.h"

namespace schedd::model {

class Change {
public:
    explicit Change(Tree& tree) : tree_(tree) {}
    Change(const Change&) = delete;
    Change& operator=(const Change&) = delete;
    /// Puts everything back unless it was committed.
    ~Change();

    /// One verb. On failure the tree is as before this call.
    Status carry_out(const Verb& verb);
    /// Whether the node sets that were written can be had, now that all has been carried out.
    [[nodiscard]] Status check_node_sets() const;
    /// Keeps the changes and tells listeners and completed chains.
    void commit();

private:
    Status create(const Path& path, std::string_view type);
    Status remove(const Path& path, bool recursive);
    Status write(const Path& path, std::string_view attribute, const AttributeValue& value);
    Status link(const Path& source, const Path& sink);
    Status unlink(const Path& sink);

    Result<std::unique_ptr<Part>> make(Part& parent, const std::string& name, std::string_view type);
    Result<std::unique_ptr<Part>> make_filter(Part& parent, const std::string& name, std::string_view type);
    Status may_remove(Part& part, bool recursive) const;
    void connect(Input& sink, Output& source);
    void disconnect(Input& sink);

    struct Event {
        enum class What { added, removed, changed, linked } what;
        Part* part;
        Path path;
        std::string attribute;
    };

    Tree& tree_;
    std::vector<std::function<void()>> undo_;
    std::vector<Event> events_;
    std::vector<std::shared_ptr<Part>> removed_; // alive until the listeners have been told
};

} // namespace schedd::model
