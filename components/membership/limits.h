// Every maximum of what comes from peers, each with its reason.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "components/kit/clock.h"

namespace schedd::membership::limits {

using namespace std::chrono_literals;

constexpr std::size_t kPeers = 2048;     // remembered at once; only the dead make room, the oldest first
constexpr std::size_t kPeerName = 64;    // bytes of a host name
constexpr std::size_t kSources = 64;     // published by one node; 6 bytes each in every heartbeat
constexpr std::size_t kSourcePath = 128; // bytes
constexpr std::size_t kAddresses = 4;    // kept of one peer
constexpr std::size_t kSuspicions = 8;   // in one heartbeat
constexpr std::size_t kTrouble = 128;    // bytes of a sentence about a failure to apply
constexpr std::size_t kLeases = 64;      // peers that get copies of heartbeats to themselves
constexpr std::size_t kMesh = 128;       // nodes without a group: each tells each
constexpr std::uint64_t kFreshnessMs = 30'000; // a datagram's clock against ours
constexpr std::size_t kGroupBudget = 1000; // heartbeats a second in the whole group; beyond, periods stretch
constexpr kit::Duration kRemembered = 24h * 7; // marks and addresses of the dead; tombstones of entries

constexpr std::size_t kPath = 255;                // bytes of an entry's path
constexpr std::size_t kValue = 64U << 10U;        // bytes of an entry's value
constexpr std::size_t kSeen = 8;                  // writers that an entry names as seen
constexpr std::size_t kExtension = 1024;          // bytes of an entry that only later versions know
constexpr std::size_t kEntries = 65'536;          // with tombstones
constexpr std::size_t kEntryBytes = 16U << 20U;   // of all entries
constexpr std::size_t kDelta = 1024;              // bytes of entries told to the group at once
constexpr std::size_t kConflicts = 1024;          // lost values kept for people to see; the oldest go first
constexpr std::size_t kConflictBytes = 1U << 20U; // of lost values, and of those in quarantine
constexpr std::uint64_t kAheadMs = 60'000;        // an entry stamped later than this is put into quarantine
constexpr std::uint64_t kSkewMs = 30'000;         // own clock off the peers' median: writes are refused
constexpr std::size_t kFrame = 64U << 10U;        // of a synchronisation
constexpr std::size_t kQuarantine = 1024;         // entries kept apart; further ones are dropped
constexpr std::size_t kMerged = 2;                // times kEntries, kEntryBytes: of two halves that were full
constexpr std::size_t kSyncBytes = 36U << 20U;    // received in one synchronisation
constexpr std::size_t kSyncsIn = 8;               // at once

} // namespace schedd::membership::limits
