// Two nodes and a network, as a daemon might know them.
#pragma once

#include "dbus/nodes.h"

namespace schedd::test {

inline membership::Address v4(std::uint8_t last, std::uint16_t port = 7420) {
    membership::Address address;
    address.ip = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, last};
    address.port = port;
    return address;
}

inline dbus::NodeFacts a_node(std::uint64_t uid, model::NodeId number, std::string name) {
    dbus::NodeFacts node;
    node.uid = membership::NodeUid{uid};
    node.number = number;
    node.name = std::move(name);
    node.standing = membership::Standing::alive;
    node.state = "alive";
    node.addresses = {v4(static_cast<std::uint8_t>(number))};
    node.silence = std::chrono::milliseconds(400);
    node.period = std::chrono::seconds(1);
    node.since = std::chrono::seconds(75);
    node.digest.bytes = {0xab, 0xcd, 0xef, 0x01};
    node.applied = membership::ApplyStatus{node.digest, 12, 0, 0};
    node.ring = 7;
    return node;
}

/// web1 is this node; web2 has a fresh value and one too old.
inline std::vector<dbus::NodeFacts> some_nodes() {
    auto self = a_node(0x11, 1, "web1");
    self.is_self = true;
    auto other = a_node(0x22, 2, "web2");
    other.values = {{"probes/cpu/node_load", 2500, 700, true}, {"probes/mem/free", 9, 9000, false}};
    return {self, other};
}

} // namespace schedd::test
