// Configuration: what the heartbeat says of the replicated configuration, and what is heard about it from
// others; Replica implements it, tests of the detector fake it.
#pragma once

#include "components/membership/message.h"

namespace schedd::membership {

class Configuration {
public:
    virtual ~Configuration() = default;
    [[nodiscard]] virtual Digest digest() const = 0;
    [[nodiscard]] virtual Hlc latest() const = 0;
    [[nodiscard]] virtual std::optional<ApplyStatus> applied() const = 0;
    [[nodiscard]] virtual std::string_view trouble() const = 0;
    /// Whether this node may call itself alive: it has what the others have, or nobody was there to ask.
    [[nodiscard]] virtual bool is_complete() const = 0;
    /// An authenticated heartbeat; `from` can be asked for entries at `address` (TCP, same port).
    virtual void heard(const Message& message, const Address& address, Time now) = 0;
    /// Entries that have just changed there (Message::delta).
    virtual void delta(const Message& message, Time now) = 0;
    /// Nobody at all has answered to joining: this node is the first.
    virtual void alone(Time now) = 0;
    /// A peer is not to be asked any more.
    virtual void lost(NodeUid peer, Time now) = 0;
};

} // namespace schedd::membership
