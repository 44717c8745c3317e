// Values: what peers have published, each with the time it was heard; a value that is too old, or of somebody
// who has gone, is no value.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "components/membership/limits.h"
#include "components/membership/message.h"

namespace schedd::membership {

class Values {
public:
    /// A heartbeat's loads and names. Names may come later than values: those are kept by id until then.
    void take(NodeUid from, const Message& message, Time now);
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

private:
    struct Source {
        std::uint16_t id = 0;
        std::string path;
        std::optional<Value> value;
    };
    struct Node {
        Boot boot;
        std::vector<Source> sources; // by id, at most limits::kSources
    };
    std::map<NodeUid, Node> nodes_;
};

} // namespace schedd::membership
