// Reader and Pen: numbers in network order out of received bytes and into a fixed space; neither goes beyond.
#pragma once

#include <algorithm>
#include <cstring>
#include <string_view>

#include "components/membership/cipher.h"

namespace schedd::membership {

/// What is not there reads as 0 or empty, and from then on is_short().
class Reader {
public:
    explicit Reader(Bytes bytes) : rest_(bytes) {}
    template <class Number> [[nodiscard]] Number number() {
        std::uint64_t value = 0;
        for (const auto byte : take(sizeof(Number)))
            value = (value << 8U) | std::to_integer<std::uint8_t>(byte);
        return static_cast<Number>(value);
    }
    [[nodiscard]] Bytes take(std::size_t count) {
        if (count > rest_.size()) {
            is_short_ = true;
            rest_ = {};
            return {};
        }
        const auto taken = rest_.first(count);
        rest_ = rest_.subspan(count);
        return taken;
    }
    [[nodiscard]] std::size_t left() const { return rest_.size(); }
    [[nodiscard]] bool is_short() const { return is_short_; }

private:
    Bytes rest_;
    bool is_short_ = false;
};

/// REQUIRES: room for what is written; the caller asks left() before.
class Pen {
public:
    explicit Pen(Space out) : out_(out) {}
    template <class Number> void number(Number value) {
        const auto bits = static_cast<std::uint64_t>(value);
        for (std::size_t i = sizeof(Number); i-- > 0;)
            out_[used_++] = static_cast<std::byte>(bits >> (8U * i));
    }
    void bytes(Bytes from) {
        std::ranges::copy(from, out_.subspan(used_).begin());
        used_ += from.size();
    }
    void text(std::string_view from) { bytes(std::as_bytes(std::span(from))); }
    /// Writes a number over what was written at `at`.
    template <class Number> void patch(std::size_t at, Number value) { Pen(out_.subspan(at)).number(value); }
    [[nodiscard]] std::size_t used() const { return used_; }
    [[nodiscard]] std::size_t left() const { return out_.size() - used_; }

private:
    Space out_;
    std::size_t used_ = 0;
};

} // namespace schedd::membership
