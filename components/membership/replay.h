// What is new from a peer and what has been seen: a window over the numbers of its datagrams, and its lives.
#pragma once

#include <cstdint>

#include "components/membership/ids.h"

namespace schedd::membership {

/// The numbers of one life: the highest so far and which of the 64 up to it have come (as in RFC
/// 4303, 3.4.3).
class ReplayWindow {
public:
    ReplayWindow() = default;
    /// Of an earlier life of this node's memory: all up to `mark` counts as seen.
    explicit ReplayWindow(std::uint64_t mark) : mark_(mark), seen_(~std::uint64_t{0}) {}

    /// Later than mark - 64, and not seen. 0 never is: numbers begin at 1.
    [[nodiscard]] bool is_new(std::uint64_t seq) const;
    /// REQUIRES: is_new(seq).
    void take(std::uint64_t seq);
    [[nodiscard]] std::uint64_t mark() const { return mark_; }

private:
    static constexpr std::uint64_t kWidth = 64;
    std::uint64_t mark_ = 0;
    std::uint64_t seen_ = 0; // bit i: mark_ - i
};

/// A peer's current life and its window. Judging changes nothing: who believes the datagram takes it.
class Life {
public:
    Life() = default;
    Life(const Boot& boot, std::uint64_t mark) : boot_(boot), window_(mark) {}

    enum class Verdict : std::uint8_t {
        fresh,    // of this life, and new
        reborn,   // of a later life
        replayed, // of this life, and seen or too old
        earlier,  // of a lower counter: a replay, or its state directory was lost; ask it for a nonce
        other,    // same counter, other random bits: a clone, or its counter could not be kept; likewise
    };
    [[nodiscard]] Verdict judge(const Boot& boot, std::uint64_t seq) const;
    /// REQUIRES: fresh or reborn, or it has answered the nonce.
    void take(const Boot& boot, std::uint64_t seq);
    [[nodiscard]] const Boot& boot() const { return boot_; }
    [[nodiscard]] std::uint64_t mark() const { return window_.mark(); }

private:
    Boot boot_;
    ReplayWindow window_;
};

} // namespace schedd::membership
