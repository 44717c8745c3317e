// Transport: how datagrams leave a node; sockets in service/net, a simulated network in tests/sim.
#pragma once

#include "components/membership/cipher.h"
#include "components/membership/ids.h"

namespace schedd::membership {

/// Neither blocks nor fails: what cannot be sent is lost, as it may be on any network, and counted there.
class Transport {
public:
    virtual ~Transport() = default;
    /// To the cluster's groups on every interface that is in use.
    virtual void to_group(Bytes datagram) = 0;
    virtual void to(const Address& address, Bytes datagram) = 0;
    /// Leaves and joins every group anew: nobody was heard for long.
    virtual void rejoin() = 0;
};

/// How a datagram came.
struct Arrival {
    Address from;
    bool is_group = false; // it was sent to the group
};

} // namespace schedd::membership
