// SocketTransport: membership's datagrams over every fit interface, in both families, and by unicast; keeps
// the sockets as interfaces come and go.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "components/kit/clock.h"
#include "components/kit/log.h"
#include "components/membership/transport.h"
#include "service/net/sockets.h"

namespace schedd::net {

/// One (interface, family) for people: joined, or why not.
struct GroupFacts {
    LinkFacts link;
    Family family = Family::v4;
    Address group;
    std::string trouble; // why it is not joined, or why the last datagram could not be sent; empty: well
    bool is_joined = false;
    SocketCounts counts;
};

constexpr Duration kRetryGroup = std::chrono::seconds(5);
/// Somebody who is heard by IPv6 and was not by IPv4 for so long cannot be told by IPv4 either.
constexpr Duration kOnlyV6 = std::chrono::milliseconds(3500);
constexpr Duration kTellV6 = std::chrono::seconds(60); // since the last such datagram
constexpr std::size_t kSenders = 4096;                 // remembered for that

class SocketTransport final : public membership::Transport {
public:
    struct Settings {
        GroupPlace place;
        bool uses_group = true;
    };
    using Take = std::function<void(const membership::Arrival&, Bytes)>;

    /// Fails with held_by_other (the port is taken), not_supported (neither IPv4 nor IPv6), io.
    static Result<std::unique_ptr<SocketTransport>> open(const Settings& settings, Log& log);

    /// Readable when a datagram waits, on any socket.
    [[nodiscard]] int fd() const { return poll_.get(); }
    /// Opens sockets on interfaces that are new, closes those of interfaces that are gone or unfit.
    void use(const std::vector<Link>& fit, Time now);
    /// Groups that could not be joined are tried again; returns when next.
    Time tick(Time now);
    /// Hands over what waits; true if datagrams were lost for want of room.
    bool read(const Take& take, Time now);

    void to_group(Bytes datagram) override;
    void to(const Address& address, Bytes datagram) override;
    void rejoin() override;

    [[nodiscard]] std::vector<GroupFacts> groups() const;
    /// Of all sockets, also of those that are closed.
    [[nodiscard]] SocketCounts counts() const;
    [[nodiscard]] std::uint64_t rejoins() const { return rejoins_; }

private:
    struct Group {
        LinkFacts link;
        std::uint64_t life = 0; // Link::life that the socket was opened in
        std::unique_ptr<DatagramSocket> socket;
        std::string trouble;
        Time needed_until{}; // IPv6: where there is IPv4 too
    };
    using Key = std::pair<std::uint32_t, Family>;

    SocketTransport(const Settings& settings, Log& log, Descriptor poll);
    void open_one(const Key& key, Group& group);
    void close_one(Group& group);
    Status watch(int fd) const;
    void note_send(Group& group, bool is_sent);
    void note_heard(const Key& key, Group& group, Bytes datagram);
    [[nodiscard]] bool is_needed(const Key& key, const Group& group) const;

    Settings settings_;
    Log& log_;
    Descriptor poll_;
    std::array<std::unique_ptr<DatagramSocket>, 2> unicast_; // by Family
    std::map<Key, Group> groups_;
    std::unique_ptr<ReadBuffer> buffer_;
    SocketCounts closed_;
    std::uint64_t rejoins_ = 0;
    Time retry_ = kNever;
    bool is_reading_ = false;
    bool wants_rejoin_ = false;
    Time now_{};                                    // of the last call that told it
    std::unordered_map<std::uint64_t, Time> by_v4_; // heard so; of interface and sender, which is a hash
};

} // namespace schedd::net
