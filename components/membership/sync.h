// Sync: one end of a synchronisation. Both ends say what they have, 24 bytes an entry, then each sends what
// the other lacks; frames are encrypted and carried by others. CONFIGURATION.md has the bytes.
#pragma once

#include <functional>

#include "components/membership/octets.h"
#include "components/membership/store.h"

namespace schedd::membership {

class Sync {
public:
    virtual ~Sync() = default;
    /// The next frame to send, at most limits::kFrame bytes; empty: none now.
    virtual std::vector<std::byte> next() = 0;
    /// Fails with invalid_value (not to be read) or limit_exceeded: the connection is then closed.
    virtual Status take(Bytes frame) = 0;
    /// All has come and been stored, and all has been handed out by next().
    [[nodiscard]] virtual bool is_done() const = 0;
};

/// What a synchronisation has brought.
struct Brought {
    NodeUid peer{};
    bool is_peer_complete = false;
    Digest their_digest; // before
    Hlc their_floor;
    std::vector<Entry> entries;
    std::vector<std::shared_ptr<const Entry>> gone; // ours, to be given up
    std::size_t sent = 0;                           // entries that the peer lacked
};

class SyncSession final : public Sync {
public:
    /// `finish` stores what was brought; its failure is take()'s. An end that is not complete tells no floor.
    SyncSession(const Store& store, NodeUid self, bool is_complete, std::function<Status(Brought&)> finish);
    std::vector<std::byte> next() override;
    Status take(Bytes frame) override;
    [[nodiscard]] bool is_done() const override;

private:
    enum class Frame : std::uint8_t { hello = 1, list = 2, list_end = 3, entries = 4, end = 5 };
    Octets hello();
    Octets list();
    Octets entries();
    Status take_hello(Bytes payload);
    Status take_list(Bytes payload);
    Status take_entries(Bytes payload);
    void compare();

    const Store& store_;
    NodeUid self_;
    bool is_complete_;
    std::function<Status(Brought&)> finish_;

    // out
    enum class Stage { hello, waiting_hello, list, waiting_list, entries, ended };
    Stage stage_ = Stage::hello;
    Digest own_digest_; // as told
    bool is_empty_ = false;
    bool is_peer_empty_ = false;
    std::vector<Summary> own_;
    std::size_t listed_ = 0;
    std::vector<std::shared_ptr<const Entry>> lacking_;
    std::size_t handed_ = 0;
    Octets rest_; // of an entry that did not fit into a frame

    // in
    std::optional<Frame> last_; // that came
    std::vector<Summary> theirs_;
    Octets partial_;
    std::size_t received_ = 0;
    bool is_stored_ = false;
    Brought brought_;
};

} // namespace schedd::membership
