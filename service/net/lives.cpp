// Lines of text in two files of the state directory.
#include "service/net/lives.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "components/kit/number.h"
#include "components/membership/limits.h"
#include "service/net/addresses.h"
#include "service/net/state_files.h"

namespace schedd::net {

namespace {

constexpr std::size_t kLivesBytes = 4096;
constexpr std::size_t kPeerLine = 512; // numbers, at most four addresses, a name
constexpr std::size_t kPeersBytes = membership::limits::kPeers * kPeerLine;
constexpr std::string_view kNone = "-";

std::string lives_path(const std::string& directory) { return directory + "/cluster.boot"; }
std::string peers_path(const std::string& directory) { return directory + "/cluster.peers"; }

/// What stands before the next `end`, which is taken too.
std::string_view take_until(std::string_view& rest, char end) {
    const auto at = rest.find(end);
    const auto taken = rest.substr(0, at);
    rest.remove_prefix(at == std::string_view::npos ? rest.size() : at + 1);
    return taken;
}

template <class T> bool number_of(std::string_view text, T& out) {
    const auto number = parse_unsigned(text);
    if (!number || *number > static_cast<std::uint64_t>(std::numeric_limits<T>::max())) return false;
    out = static_cast<T>(*number);
    return true;
}

std::optional<NodeUid> uid_of(std::string_view text) {
    std::uint64_t uid = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), uid, 16);
    if (error != std::errc{} || end != text.data() + text.size() || text.size() != 16 || uid == 0) return {};
    return NodeUid{uid};
}

bool addresses_of(std::string_view text, std::vector<membership::Address>& out) {
    if (text == kNone) return true;
    while (!text.empty()) {
        // a link-local address of an earlier life may be of an interface that is no more
        const auto one = take_until(text, ',');
        if (out.size() >= membership::limits::kAddresses) return false;
        if (auto address = parse_address(one, kPort)) out.push_back(*address);
    }
    return true;
}

std::optional<Remembered> parse_peer(std::string_view line) {
    Remembered peer;
    const auto uid = uid_of(take_until(line, ' '));
    if (!uid) return {};
    peer.uid = *uid;
    if (!number_of(take_until(line, ' '), peer.boot.counter)) return {};
    if (!number_of(take_until(line, ' '), peer.boot.random)) return {};
    if (!number_of(take_until(line, ' '), peer.seq)) return {};
    const auto number = take_until(line, ' ');
    if (number != kNone && !number_of(number, peer.number)) return {};
    if (!number_of(take_until(line, ' '), peer.heard_wall_ms)) return {};
    if (!addresses_of(take_until(line, ' '), peer.addresses)) return {};
    if (line.size() > membership::limits::kPeerName) return {};
    peer.name = line;
    return peer;
}

std::string clean(std::string_view name) {
    std::string cleaned(name.substr(0, membership::limits::kPeerName));
    std::ranges::replace_if(cleaned, [](unsigned char c) { return c < 0x20 || c == 0x7f; }, '?');
    return cleaned;
}

} // namespace

std::string text_of(const Lives& lives) {
    auto text = fmt::format("counter {}\nstamp {}\n", lives.counter, lives.stamp);
    if (lives.number) text += fmt::format("number {}\n", *lives.number);
    if (lives.is_draining) text += "draining\n";
    return text;
}

Result<Lives> parse_lives(std::string_view text) {
    Lives lives;
    bool has_counter = false;
    if (!text.ends_with('\n')) return fail(Errc::invalid_value, "it is cut off");
    while (!text.empty()) {
        auto rest = take_until(text, '\n');
        const auto line = rest;
        const auto word = take_until(rest, ' ');
        bool is_good = false;
        if (word == "counter") is_good = has_counter = number_of(rest, lives.counter);
        if (word == "stamp") is_good = number_of(rest, lives.stamp);
        if (word == "number") {
            NodeId number = 0;
            is_good = number_of(rest, number) && number <= UINT16_MAX;
            lives.number = number;
        }
        if (word == "draining") is_good = lives.is_draining = rest.empty();
        if (!is_good)
            return fail(Errc::invalid_value, fmt::format("'{}'", line.substr(0, 80)),
                        "lines 'counter N', 'stamp N', 'number N' or 'draining'");
    }
    if (!has_counter) return fail(Errc::invalid_value, "it has no line 'counter N'");
    return lives;
}

Lives begin_life(const std::string& directory, std::vector<Error>& troubles) {
    Lives lives;
    if (directory.empty()) return lives;
    const auto path = lives_path(directory);
    const auto text = read_state(path, kLivesBytes);
    if (!text) {
        troubles.push_back(text.error());
        return lives;
    }
    if (*text) {
        auto parsed = parse_lives(**text);
        if (parsed) {
            lives = *parsed;
        } else {
            auto kept = set_aside(path);
            troubles.push_back({Errc::invalid_value, path + " cannot be read",
                                parsed.error().text() + (kept ? "; it is kept as " + *kept : std::string())});
        }
    }
    // lives are told apart by chance too: after the last number the first may come again
    ++lives.counter;
    if (auto wrote = write_lives(directory, lives); !wrote) troubles.push_back(wrote.error());
    return lives;
}

Status write_lives(const std::string& directory, const Lives& lives) {
    if (directory.empty()) return {};
    return replace_state(lives_path(directory), text_of(lives));
}

std::string text_of(std::span<const Remembered> peers) {
    std::string text;
    for (const auto& peer : peers) {
        std::string addresses;
        for (const auto& address : peer.addresses)
            if (addresses.size() < 200)
                addresses += (addresses.empty() ? "" : ",") + membership::text_of(address);
        text += fmt::format("{} {} {} {} {} {} {} {}\n", membership::text_of(peer.uid), peer.boot.counter,
                            peer.boot.random, peer.seq,
                            peer.number < 0 ? std::string(kNone) : fmt::to_string(peer.number),
                            peer.heard_wall_ms, addresses.empty() ? std::string(kNone) : addresses,
                            clean(peer.name));
    }
    return text;
}

std::vector<Remembered> parse_peers(std::string_view text, std::size_t& unreadable) {
    std::vector<Remembered> peers;
    while (!text.empty() && peers.size() < membership::limits::kPeers) {
        auto peer = parse_peer(take_until(text, '\n'));
        if (peer) peers.push_back(std::move(*peer));
        else ++unreadable;
    }
    return peers;
}

std::vector<Remembered> read_peers(const std::string& directory, std::vector<Error>& troubles) {
    if (directory.empty()) return {};
    const auto text = read_state(peers_path(directory), kPeersBytes);
    if (!text) {
        troubles.push_back(text.error());
        return {};
    }
    if (!*text) return {};
    std::size_t unreadable = 0;
    auto peers = parse_peers(**text, unreadable);
    if (unreadable > 0)
        troubles.push_back({Errc::invalid_value,
                            fmt::format("{}: {} lines cannot be read", peers_path(directory), unreadable),
                            "those peers are met anew"});
    return peers;
}

Status write_peers(const std::string& directory, std::span<const Remembered> peers) {
    if (directory.empty()) return {};
    return replace_state(peers_path(directory), text_of(peers));
}

} // namespace schedd::net
