// NodePart: a machine of the cluster in the tree, at nodes/<number>; it only reports.
#pragma once

#include <string>
#include <vector>

#include "components/model/part.h"

namespace schedd::model {

/// What is known of a node, in the words that people see. `uid` is its 16 hexadecimal digits.
struct NodeState {
    std::string uid = {};
    std::int64_t number = -1; // none
    std::string name = {};
    std::string state = {};   // "alive", "suspect", ...
    std::string address = {}; // "10.0.0.2:7420", "" if none is known
    bool is_self = false;
    bool is_unicast = false;                // the group does not reach us from there
    std::string configuration = {};         // digest of what it has, 8 digits; "" as long as it has said none
    std::string applied_configuration = {}; // digest of what it has carried out
    std::uint64_t applied = 0;
    std::uint64_t failed = 0;
    std::uint64_t unsupported = 0;
    std::string trouble = {}; // why something of the configuration is not so there, or why it has no number
    bool operator==(const NodeState&) const = default;
};

class NodePart final : public Part {
public:
    enum Attribute : std::size_t {
        kUid,
        kName,
        kNumber,
        kState,
        kAddress,
        kSelf,
        kUnicast,
        kConfiguration,
        kAppliedConfiguration,
        kApplied,
        kFailed,
        kUnsupported,
        kTrouble,
    };
    static AttributeTable table();

    explicit NodePart(std::string name);
    [[nodiscard]] const std::string& uid() const { return text_at(kUid); }
    /// Reports what differs, and says which attributes that were.
    std::vector<std::string_view> take(const NodeState& state);
};

} // namespace schedd::model
