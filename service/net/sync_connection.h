// SyncConnection: one TCP connection of a synchronisation, from the first byte to the last; never blocks.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "components/kit/clock.h"
#include "components/membership/replica.h"
#include "service/net/datagram_socket.h"
#include "service/net/secret_stream.h"

namespace schedd::net {

using membership::Sync;

constexpr Duration kSyncHello = std::chrono::seconds(3);  // to say who one is, and prove it
constexpr Duration kSyncIdle = std::chrono::seconds(10);  // without a byte either way
constexpr Duration kSyncWhole = std::chrono::seconds(60); // even if every byte takes its time

class SyncConnection {
public:
    struct Settings {
        SecretStream::End end = SecretStream::End::caller;
        std::uint64_t cluster = 0;
        NodeUid self{};
        Address address;                             // of the other end
        std::function<std::unique_ptr<Sync>()> sync; // asked for once the other has proved to be a member
    };
    /// `fd` is nonblocking, connected or connecting.
    SyncConnection(Descriptor fd, Settings settings, const KeySource& keys, Time now);

    [[nodiscard]] int fd() const { return fd_.get(); }
    /// What to poll for (EPOLLIN, EPOLLOUT).
    [[nodiscard]] std::uint32_t events() const;
    /// Reads and writes what can be, a bounded part of it. To be called when the descriptor is ready, or a
    /// deadline is over.
    void step(Time now);
    [[nodiscard]] Time deadline() const;

    enum class State : std::uint8_t { going, complete, failed };
    [[nodiscard]] State state() const { return state_; }
    [[nodiscard]] const Error& error() const { return error_; }
    [[nodiscard]] bool is_member() const { return is_member_; }
    [[nodiscard]] Time since() const { return since_; }
    [[nodiscard]] const Address& address() const { return settings_.address; }
    [[nodiscard]] std::uint64_t bytes() const { return in_bytes_ + out_bytes_; }

private:
    enum class Stage : std::uint8_t { hello, begin, frames };
    void read(Time now);
    Status take();
    Status take_hello();
    Status take_begin();
    Status take_frames();
    Status take_frame(Bytes sealed);
    void fill();
    Status flush(Time now);
    void give_up(Error error);
    void start_sending();

    Descriptor fd_;
    Settings settings_;
    SecretStream stream_;
    std::unique_ptr<Sync> sync_;
    std::vector<std::byte> in_;  // not taken yet; at most one frame and a read
    std::vector<std::byte> out_; // not written yet; at most a frame and what begins a stream
    std::size_t written_ = 0;    // of out_
    Stage stage_ = Stage::hello;
    State state_ = State::going;
    Error error_{};
    Time since_, moved_;
    std::uint64_t in_bytes_ = 0, out_bytes_ = 0;
    bool is_member_ = false;  // the other has sealed something with the key
    bool is_sending_ = false; // hello and begin are in out_
    bool has_said_last_ = false;
    bool has_heard_last_ = false;
    bool is_at_end_ = false; // the other has closed
};

} // namespace schedd::net
