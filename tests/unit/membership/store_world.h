// Stores for tests: a hash, a wall clock set by hand, and short words for writes.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "components/membership/store.h"

namespace schedd::membership {

/// 128 bits, well mixed, and no cryptography.
class MixingHash final : public Hash {
public:
    [[nodiscard]] Digest of(Bytes bytes) const override {
        std::uint64_t a = 0x9e3779b97f4a7c15ULL + bytes.size();
        std::uint64_t b = 0xc2b2ae3d27d4eb4fULL;
        for (const auto byte : bytes) {
            a = (a ^ std::to_integer<std::uint64_t>(byte)) * 0x100000001b3ULL;
            b = (b + std::to_integer<std::uint64_t>(byte)) * 0xbf58476d1ce4e5b9ULL;
            b ^= b >> 29U;
        }
        Digest out;
        a = mixed(a + b);
        b = mixed(b);
        for (std::size_t i = 0; i < 8; ++i) {
            out.bytes[i] = static_cast<std::uint8_t>(a >> (8 * i));
            out.bytes[8 + i] = static_cast<std::uint8_t>(b >> (8 * i));
        }
        return out;
    }

private:
    static std::uint64_t mixed(std::uint64_t z) {
        z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9ULL;
        z = (z ^ (z >> 27U)) * 0x94d049bb133111ebULL;
        return z ^ (z >> 31U);
    }
};

class ManualWall final : public MachineClocks {
public:
    [[nodiscard]] std::uint64_t wall_ms() const override { return now; }
    [[nodiscard]] kit::Duration suspended() const override { return {}; }
    std::uint64_t now = 1'800'000'000'000;
};

inline Write set(std::string path, std::string value) { return {std::move(path), std::move(value), 0}; }
inline Write gone(std::string path) { return {std::move(path), std::nullopt, 0}; }

/// A node's store and its clock.
struct Site {
    explicit Site(std::uint64_t number) : uid{NodeUid{number}}, store(uid, wall, hash) {}

    /// Writes, and returns what others are to be told. Time goes on by a millisecond before.
    std::vector<Entry> write(std::vector<Write> changes) {
        ++wall.now;
        auto entries = store.write(changes);
        if (!entries) trouble = entries.error();
        return entries.value_or(std::vector<Entry>());
    }
    void take(const std::vector<Entry>& entries) {
        if (const auto merge = store.take_all(entries); !merge) trouble = merge.error();
    }
    /// All that it has, as a synchronisation would bring it.
    [[nodiscard]] std::vector<Entry> all() const {
        std::vector<Entry> out;
        store.each([&](const auto& entry) { out.push_back(*entry); });
        return out;
    }
    /// "path=value" of what is to be carried out.
    [[nodiscard]] std::set<std::string> effective() const {
        std::set<std::string> out;
        for (const auto* entry : store.effective()) out.insert(entry->path + "=" + entry->value);
        return out;
    }

    ManualWall wall;
    MixingHash hash;
    NodeUid uid;
    Store store;
    std::optional<kit::Error> trouble;
};

/// Both have what either had.
inline void exchange(Site& a, Site& b) {
    const auto from_a = a.all();
    a.take(b.all());
    b.take(from_a);
}

} // namespace schedd::membership
