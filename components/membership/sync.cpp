// The frames of a synchronisation, out and in; what comes is bounded in bytes, in entries and in order.
#include "components/membership/sync.h"

#include <algorithm>

#include <fmt/format.h>

#include "components/membership/entries.h"

namespace schedd::membership {

namespace {

constexpr std::uint8_t kMajor = 1;
constexpr std::uint8_t kMinor = 0;
constexpr std::uint8_t kComplete = 1; // flags of the greeting
constexpr std::uint8_t kEmpty = 2;    // it has nothing, and needs no list
constexpr std::size_t kRow = 24;
constexpr std::size_t kRows = limits::kMerged * limits::kEntries + limits::kQuarantine;
constexpr std::size_t kPayload = limits::kFrame - 1;
constexpr std::uint8_t kOptional = 128; // frames of later versions, which may be skipped

Status refuse(std::string what) {
    return fail(Errc::invalid_value, "a synchronisation cannot go on", std::move(what));
}

Octets frame_of(std::uint8_t type) {
    Octets out;
    put(out, type);
    return out;
}

} // namespace

SyncSession::SyncSession(const Store& store, NodeUid self, bool is_complete,
                         std::function<Status(Brought&)> finish)
    : store_(store), self_(self), is_complete_(is_complete), finish_(std::move(finish)) {}

bool SyncSession::is_done() const { return stage_ == Stage::ended && is_stored_; }

// ---- out --------------------------------------------------------------------------------------------------

Octets SyncSession::hello() {
    own_digest_ = store_.digest();
    own_ = store_.summary();
    auto out = frame_of(static_cast<std::uint8_t>(Frame::hello));
    put(out, kMajor);
    put(out, kMinor);
    is_empty_ = own_.empty();
    put(out, static_cast<std::uint8_t>((is_complete_ ? kComplete : 0) | (is_empty_ ? kEmpty : 0)));
    if (is_peer_empty_) own_ = {};
    put(out, static_cast<std::uint64_t>(self_));
    put_bytes(out, std::as_bytes(std::span(own_digest_.bytes)));
    put(out, is_complete_ ? store_.marks().floor.bits : 0);
    stage_ = last_ ? Stage::list : Stage::waiting_hello;
    if (last_ && own_digest_ == brought_.their_digest) stage_ = Stage::entries;
    return out;
}

Octets SyncSession::list() {
    if (listed_ == own_.size()) {
        own_ = {};
        listed_ = 0;
        stage_ = Stage::waiting_list;
        if (last_ >= Frame::list_end) compare();
        return frame_of(static_cast<std::uint8_t>(Frame::list_end));
    }
    auto out = frame_of(static_cast<std::uint8_t>(Frame::list));
    for (; listed_ < own_.size() && out.size() + kRow <= limits::kFrame; ++listed_) {
        put(out, own_[listed_].key);
        put(out, own_[listed_].stamp.bits);
        put(out, own_[listed_].check);
    }
    return out;
}

Octets SyncSession::entries() {
    if (handed_ == lacking_.size() && rest_.empty()) {
        stage_ = Stage::ended;
        lacking_.clear();
        return frame_of(static_cast<std::uint8_t>(Frame::end));
    }
    auto out = frame_of(static_cast<std::uint8_t>(Frame::entries));
    while (out.size() < limits::kFrame && (handed_ < lacking_.size() || !rest_.empty())) {
        if (rest_.empty()) entries::encode(*lacking_[handed_++], rest_);
        const auto size = std::min(rest_.size(), limits::kFrame - out.size());
        put_bytes(out, Bytes(rest_).first(size));
        rest_.erase(rest_.begin(), rest_.begin() + static_cast<std::ptrdiff_t>(size));
    }
    return out;
}

std::vector<std::byte> SyncSession::next() {
    switch (stage_) {
    case Stage::hello: return hello();
    case Stage::list: return list();
    case Stage::entries: return entries();
    case Stage::waiting_hello:
    case Stage::waiting_list:
    case Stage::ended: break;
    }
    return {};
}

/// Both lists are known: what does the peer lack?
void SyncSession::compare() {
    std::ranges::sort(theirs_, {}, &Summary::key);
    auto difference = store_.difference(theirs_, brought_.their_floor);
    theirs_ = {};
    lacking_ = std::move(difference.lacking);
    // whoever said that it was empty got no list, and has nothing to give up
    if (!is_empty_) brought_.gone = std::move(difference.gone);
    brought_.sent = lacking_.size();
    stage_ = Stage::entries;
}

// ---- in ---------------------------------------------------------------------------------------------------

Status SyncSession::take_hello(Bytes payload) {
    OctetReader in(payload);
    const auto major = in.number<std::uint8_t>();
    (void)in.number<std::uint8_t>();
    const auto flags = in.number<std::uint8_t>();
    brought_.peer = NodeUid{in.number<std::uint64_t>()};
    const auto digest = in.take(brought_.their_digest.bytes.size());
    brought_.their_floor.bits = in.number<std::uint64_t>();
    if (in.has_failed()) return refuse("the greeting is too short");
    if (major != kMajor)
        return refuse(fmt::format("the peer speaks version {}, this node {}", major, kMajor));
    std::ranges::transform(digest, brought_.their_digest.bytes.begin(),
                           [](std::byte b) { return std::to_integer<std::uint8_t>(b); });
    brought_.is_peer_complete = (flags & kComplete) != 0;
    if (!brought_.is_peer_complete) brought_.their_floor = {};
    is_peer_empty_ = (flags & kEmpty) != 0;
    if (is_peer_empty_) own_ = {};
    if (stage_ == Stage::waiting_hello)
        stage_ = own_digest_ == brought_.their_digest ? Stage::entries : Stage::list;
    return {};
}

Status SyncSession::take_list(Bytes payload) {
    if (payload.size() % kRow != 0) return refuse("a list ends within a row");
    if (theirs_.size() + payload.size() / kRow > kRows)
        return fail(Errc::limit_exceeded, "a peer says that it has too many entries",
                    fmt::format("at most {}", kRows));
    OctetReader in(payload);
    while (in.left() > 0) {
        Summary row;
        row.key = in.number<std::uint64_t>();
        row.stamp.bits = in.number<std::uint64_t>();
        row.check = in.number<std::uint64_t>();
        theirs_.push_back(row);
    }
    return {};
}

Status SyncSession::take_entries(Bytes payload) {
    put_bytes(partial_, payload);
    Bytes bytes(partial_);
    while (true) {
        std::size_t used = 0;
        auto entry = entries::decode_one(bytes, used);
        if (!entry) return std::unexpected(entry.error());
        if (used == 0) break;
        if (brought_.entries.size() >= kRows)
            return fail(Errc::limit_exceeded, "a peer sends too many entries",
                        fmt::format("at most {}", kRows));
        brought_.entries.push_back(std::move(*entry));
        bytes = bytes.subspan(used);
    }
    partial_.erase(partial_.begin(), partial_.end() - static_cast<std::ptrdiff_t>(bytes.size()));
    return {};
}

Status SyncSession::take(Bytes frame) {
    if (frame.empty() || frame.size() > limits::kFrame) return refuse("a frame is empty or too large");
    received_ += frame.size();
    if (received_ > limits::kSyncBytes)
        return fail(Errc::limit_exceeded, "a synchronisation has become too large",
                    fmt::format("at most {} bytes", limits::kSyncBytes));
    const auto number = std::to_integer<std::uint8_t>(frame[0]);
    const auto payload = frame.subspan(1);
    if (number >= kOptional) return last_ ? Status{} : refuse("it does not start with a greeting");
    if (number < 1 || number > static_cast<std::uint8_t>(Frame::end))
        return refuse(fmt::format("frame {} is not known", number));
    const auto type = static_cast<Frame>(number);
    const bool repeats = last_ == type && (type == Frame::list || type == Frame::entries);
    if (!last_ ? type != Frame::hello : last_ > type || (last_ == type && !repeats))
        return refuse(fmt::format("frame {} is out of order", number));
    // entries come only after a list has ended, or if both have said that they are equal
    const bool skips_list = last_ == Frame::hello && type >= Frame::entries;
    if (last_ == Frame::list && type >= Frame::entries) return refuse("the list has no end");
    if (skips_list && stage_ != Stage::entries && stage_ != Stage::ended)
        return refuse("the peer has not said what it has");
    last_ = type;
    if (type == Frame::hello) return take_hello(payload);
    if (type == Frame::list) return take_list(payload);
    if (type == Frame::entries) return take_entries(payload);
    if (!payload.empty()) return refuse("there is something after the end");
    if (type == Frame::list_end) {
        if (stage_ == Stage::waiting_list) compare();
        return {};
    }
    if (!partial_.empty()) return refuse("the last entry is cut off");
    if (auto stored = finish_(brought_); !stored) return stored;
    is_stored_ = true;
    return {};
}

} // namespace schedd::membership
