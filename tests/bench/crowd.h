// Crowd: what is said to a node under test, by real datagrams - as many peers, or a forger - and the barest
// receiver that hears the same.
#pragma once

#include <string>

#include "tests/bench/player.h"

namespace schedd::bench {

/// Until killed, all three; each in a Player. The interface is eth0, the cluster "schedd", the port 7420.

/// So many peers with a heartbeat a second each, evenly spread, as nodes write and seal them: five sources,
/// everything in each tenth. They have no configuration, and answer nobody. `keys` is a key file.
void speak_as_peers(const std::string& keys, std::size_t peers, Player::Count& sent);

/// So many datagrams a second that look like heartbeats of this cluster, of senders by chance, sealed with
/// nothing; in turn from each of the addresses 10.7.200.1 and on, which the interface must have.
void forge(std::size_t per_second, std::size_t addresses, Player::Count& sent);

/// Joins the group and reads one datagram after the other, and does nothing with them.
void hear_group(Player::Count& heard);

} // namespace schedd::bench
