// Hellos, stream headers, frames: in whatever pieces TCP brings them.
#include "service/net/sync_connection.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include <fmt/format.h>
#include <sys/epoll.h>

#include "components/kit/errno_error.h"

namespace schedd::net {

namespace {
constexpr std::size_t kReadSize = 64U << 10U;
constexpr int kReadsPerStep = 8;
constexpr std::size_t kSealedMost = membership::limits::kFrame + crypto_secretstream_xchacha20poly1305_ABYTES;
/// With what sealing and the beginning add.
constexpr std::uint64_t kBytesMost = membership::limits::kSyncBytes + (membership::limits::kSyncBytes >> 4U);

void append(std::vector<std::byte>& out, Bytes bytes) { out.insert(out.end(), bytes.begin(), bytes.end()); }
} // namespace

SyncConnection::SyncConnection(Descriptor fd, Settings settings, const KeySource& keys, Time now)
    : fd_(std::move(fd)), settings_(std::move(settings)),
      stream_(settings_.end, settings_.cluster, settings_.self, keys), since_(now), moved_(now) {
    if (settings_.end == SecretStream::End::caller) append(out_, stream_.hello());
}

std::uint32_t SyncConnection::events() const {
    return EPOLLIN | (written_ < out_.size() ? std::uint32_t{EPOLLOUT} : 0U);
}

Time SyncConnection::deadline() const {
    if (!is_member_) return since_ + kSyncHello;
    return std::min(moved_ + kSyncIdle, since_ + kSyncWhole);
}

void SyncConnection::give_up(Error error) {
    if (state_ != State::going) return;
    state_ = State::failed;
    error_ = std::move(error);
}

void SyncConnection::step(Time now) {
    if (state_ != State::going) return;
    if (now >= deadline()) {
        const char* what =
            is_member_ ? "the other end is too slow" : "the other end does not prove to be a member";
        return give_up({Errc::io, what, fmt::format("{} bytes in, {} out", in_bytes_, out_bytes_)});
    }
    read(now);
    if (auto taken = take(); !taken) return give_up(taken.error());
    for (;;) {
        fill();
        if (written_ == out_.size()) break;
        if (auto flushed = flush(now); !flushed) return give_up(flushed.error());
        if (written_ < out_.size()) return; // the rest when there is room
    }
    // an end without the last frame is no end: what this node has told may have been refused
    if (has_said_last_ && has_heard_last_) {
        state_ = State::complete;
    } else if (is_at_end_) {
        give_up({Errc::io, "the other end has closed the connection",
                 is_member_ ? "before everything was told" : "it may not have this node's key"});
    }
}

void SyncConnection::read(Time now) {
    std::array<std::byte, kReadSize> bytes;
    for (int i = 0; i < kReadsPerStep && !is_at_end_ && in_.size() < 4 + kSealedMost; ++i) {
        const auto got = ::recv(fd(), bytes.data(), bytes.size(), MSG_DONTWAIT);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != ENOTCONN)
            return give_up(errno_error(errno, "synchronising"));
        if (got < 0) return;
        if (got == 0) {
            is_at_end_ = true;
            return;
        }
        moved_ = now;
        in_bytes_ += static_cast<std::size_t>(got);
        append(in_, Bytes(bytes.data(), static_cast<std::size_t>(got)));
    }
}

Status SyncConnection::take() {
    if (state_ != State::going) return std::unexpected(error_);
    if (in_bytes_ > kBytesMost)
        return fail(Errc::limit_exceeded, "the other end tells too much",
                    fmt::format("at most {} bytes (limit kSyncBytes)", membership::limits::kSyncBytes));
    if (stage_ == Stage::hello)
        if (auto taken = take_hello(); !taken) return taken;
    if (stage_ == Stage::begin)
        if (auto taken = take_begin(); !taken) return taken;
    if (stage_ == Stage::frames) return take_frames();
    return {};
}

Status SyncConnection::take_hello() {
    if (in_.size() < kHello) return {};
    if (auto taken = stream_.take_hello(Bytes(in_).first(kHello)); !taken) return taken;
    in_.erase(in_.begin(), in_.begin() + kHello);
    stage_ = Stage::begin;
    if (settings_.end == SecretStream::End::called) append(out_, stream_.hello());
    // the caller proves first that it has the key: an empty frame
    if (settings_.end == SecretStream::End::caller) start_sending();
    return {};
}

void SyncConnection::start_sending() {
    append(out_, stream_.begin());
    stream_.seal({}, false, out_);
    is_sending_ = true;
}

Status SyncConnection::take_begin() {
    if (in_.size() < kStreamHeader) return {};
    if (auto taken = stream_.take_begin(Bytes(in_).first(kStreamHeader)); !taken) return taken;
    in_.erase(in_.begin(), in_.begin() + kStreamHeader);
    stage_ = Stage::frames;
    return {};
}

Status SyncConnection::take_frames() {
    std::size_t at = 0;
    Status status;
    while (status && in_.size() - at >= 4) {
        std::size_t size = 0;
        for (std::size_t i = 0; i < 4; ++i) size = (size << 8U) | std::to_integer<std::size_t>(in_[at + i]);
        if (size > kSealedMost)
            return fail(Errc::limit_exceeded, fmt::format("a frame of {} bytes", size),
                        fmt::format("at most {} (limit kFrame)", membership::limits::kFrame));
        if (in_.size() - at - 4 < size) break;
        status = take_frame(Bytes(in_).subspan(at + 4, size));
        at += 4 + size;
    }
    in_.erase(in_.begin(), in_.begin() + static_cast<std::ptrdiff_t>(at));
    return status;
}

Status SyncConnection::take_frame(Bytes sealed) {
    if (has_heard_last_) return fail(Errc::invalid_value, "a frame after the last one");
    auto frame = stream_.open(sealed);
    if (!frame) return std::unexpected(frame.error());
    if (!is_member_) {
        is_member_ = true;
        sync_ = settings_.sync();
        if (!is_sending_) start_sending();
        if (!sync_) return fail(Errc::busy, "no further synchronisation can be had now");
    }
    has_heard_last_ = frame->is_last;
    return frame->bytes.empty() ? Status{} : sync_->take(frame->bytes);
}

/// Asks for the next frame only when the last one has been written: memory is bounded by one.
void SyncConnection::fill() {
    if (written_ < out_.size()) return;
    out_.clear();
    written_ = 0;
    if (!is_sending_ || !sync_ || has_said_last_) return;
    const auto frame = sync_->next();
    if (frame.size() > membership::limits::kFrame)
        return give_up({Errc::limit_exceeded, "a frame of this node's own is too long", ""});
    has_said_last_ = frame.empty() && sync_->is_done();
    if (!frame.empty() || has_said_last_) stream_.seal(frame, has_said_last_, out_);
}

Status SyncConnection::flush(Time now) {
    while (written_ < out_.size()) {
        const auto sent =
            ::send(fd(), out_.data() + written_, out_.size() - written_, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) continue;
        if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOTCONN)) return {};
        // it may have said all it had to and gone: what it has not read, it did not need
        if (sent < 0) return std::unexpected(errno_error(errno, "synchronising"));
        moved_ = now;
        written_ += static_cast<std::size_t>(sent);
        out_bytes_ += static_cast<std::size_t>(sent);
    }
    return {};
}

} // namespace schedd::net
