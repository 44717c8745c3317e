// Values: what peers have published, each with the time it was heard; a value that is too old, or of somebody
// who has gone, is no value.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "components/membership/limits.h"
#include "components/membership/message.h"

namespace schedd::membership {

/// A peer with 64 sources costs some 600 bytes: nodes publish much the same, so paths are kept once for all.
class Values {
public:
    /// A heartbeat's loads and names. Names may come later than values: those are kept by id until then.
    /// What is not in `message.loads` has no value any more. `period` is the sender's.
    void take(NodeUid from, const Message& message, Duration period, Time now);
    /// Gone, or another life: nothing is known of it any more.
    void forget(NodeUid from);

    struct Value {
        std::int32_t value = 0;
        Time heard{};
        Duration period{}; // the sender's, so that a reader can tell what is old
    };
    /// None if it never told it, or told it without a name so far. The age is for the caller to judge.
    [[nodiscard]] std::optional<Value> read(NodeUid from, std::string_view path) const;
    /// All that a node has told, by path.
    void list(NodeUid from, const std::function<void(std::string_view path, const Value&)>& visit) const;

    /// How many nodes have told something; bytes held, by sizes of the types.
    [[nodiscard]] std::size_t nodes() const { return nodes_.size(); }
    [[nodiscard]] std::size_t bytes() const;

private:
    static constexpr std::uint16_t kNoPath = 0;
    struct Source {
        std::int32_t value = 0;
        std::uint16_t id = 0;
        std::uint16_t path = kNoPath;
    };
    struct Node {
        Time heard{};
        Duration period{};
        std::uint64_t told = 0;      // bit i: sources[i] was in the last loads
        std::vector<Source> sources; // at most limits::kSources
    };
    static_assert(limits::kSources <= 64, "a bit for each source");
    struct Path {
        std::string text;
        std::uint32_t uses = 0;
    };

    Source* source_of(Node& node, std::uint16_t id);
    void rename(Source& source, std::string_view path);
    std::uint16_t intern(std::string_view path);
    void release(std::uint16_t path);
    [[nodiscard]] static bool is_told(const Node& node, std::size_t index) {
        return (node.told >> index & 1U) != 0;
    }

    std::unordered_map<NodeUid, Node> nodes_;
    std::map<std::string, std::uint16_t, std::less<>> path_ids_;
    std::vector<Path> paths_{1}; // by number; 0 is none
    std::vector<std::uint16_t> free_paths_;
};

} // namespace schedd::membership
