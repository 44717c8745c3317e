// The replay window and the order of lives.
#include "components/membership/replay.h"

namespace schedd::membership {

bool ReplayWindow::is_new(std::uint64_t seq) const {
    if (seq > mark_) return true;
    const auto behind = mark_ - seq;
    return seq > 0 && behind < kWidth && (seen_ >> behind & 1U) == 0;
}

void ReplayWindow::take(std::uint64_t seq) {
    if (seq > mark_) {
        const auto ahead = seq - mark_;
        seen_ = ahead < kWidth ? seen_ << ahead : 0;
        mark_ = seq;
    }
    seen_ |= std::uint64_t{1} << (mark_ - seq);
}

Life::Verdict Life::judge(const Boot& boot, std::uint64_t seq) const {
    if (boot == boot_) return window_.is_new(seq) ? Verdict::fresh : Verdict::replayed;
    if (boot.counter > boot_.counter) return Verdict::reborn;
    return boot.counter < boot_.counter ? Verdict::earlier : Verdict::other;
}

void Life::take(const Boot& boot, std::uint64_t seq) {
    if (boot != boot_) {
        boot_ = boot;
        // What an earlier datagram of the new life would have said is too late as well.
        window_ = ReplayWindow(seq - 1);
    }
    window_.take(seq);
}

} // namespace schedd::membership
