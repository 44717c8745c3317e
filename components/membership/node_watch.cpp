// Watching the silent: verdicts, probes, the rule of isolation, and who is forgotten.
#include <algorithm>

#include "components/membership/node_impl.h"

namespace schedd::membership {

namespace {
constexpr Duration kOddTerm = std::chrono::seconds(60); // of those with another version or a far clock
constexpr Duration kLeaseRenewal = Leases::kTerm / 2;
constexpr std::size_t kHelpers = 3;
// of those who are dead yet after a partition
constexpr int kExpectedTurns = 3;
constexpr std::size_t kExpectedPings = 32;
} // namespace

/// More peers may be asked at once where there are more.
Duration Node::Impl::probe_pace() const {
    return Duration(std::chrono::seconds(1)) / static_cast<Duration::rep>(20 + peers_.size() / 5);
}

void Node::Impl::scan(Time now) {
    if (now < scan_at_) return;
    scan_at_ = kNever;
    std::vector<NodeUid> forgotten; // seldom anybody
    for (auto& peer : peers_) {
        const auto next = watch(peer, now);
        if (next <= now) forgotten.push_back(peer.uid);
        else scan_at_ = std::min(scan_at_, next);
    }
    for (const auto uid : forgotten) {
        peers_.remove(uid);
        forget(uid);
    }
}

/// When to look at it again; a time that has passed: never, it is to be forgotten.
Time Node::Impl::watch(Peer& peer, Time now) {
    const auto before = peer.standing();
    switch (peer.level) {
    case Level::dead:
    case Level::left: return peer.heard + limits::kRemembered;
    case Level::incompatible: return peer.heard + kOddTerm;
    case Level::skewed:
        if (now < peer.heard + kOddTerm) return peer.heard + kOddTerm;
        set_level(peer, Level::dead, before);
        return peer.heard + limits::kRemembered;
    default: break;
    }
    const detector::Case silent{.silence = now - peer.heard,
                                .vouched = peer.vouched == Time{} ? Duration::max() : now - peer.vouched,
                                .period = peer.pace(),
                                .is_held = is_isolated_ || now < held_until_,
                                .was_asked = peer.asked > 0};
    const auto left = detector::until_next(silent);
    auto next = left == Duration::max() ? kNever : now + left;
    if (peer.level == Level::suspect && now < held_until_) next = std::min(next, held_until_);
    auto level = Level::present;
    switch (detector::judge(silent)) {
    case detector::Silence::none: break;
    case detector::Silence::late: level = Level::late; break;
    case detector::Silence::suspect: level = Level::suspect; break;
    case detector::Silence::dead: level = Level::dead; break;
    }
    // datagrams were lost here: nobody is blamed for it
    if (level > peer.level && now < frozen_until_) next = frozen_until_;
    else set_level(peer, level, before);
    if (peer.level == Level::dead) return peer.heard + limits::kRemembered;
    return std::min(next, probe(peer, now));
}

/// Asks those who are suspected, and those who answer while their heartbeats do not come.
Time Node::Impl::probe(Peer& peer, Time now) {
    const auto pace = peer.pace();
    const auto quiet = now - peer.beat;
    Duration every{};
    if (peer.level == Level::suspect) every = is_isolated_ ? 2 * pace : pace / 2;
    else if (quiet >= detector::suspect_after(pace)) every = pace;
    else if (peer.is_unicast) every = kLeaseRenewal;
    else return std::max(peer.beat + detector::suspect_after(pace), now + pace / 10);
    if (now < peer.probe) return peer.probe;
    peer.probe = now + every;
    if (peer.address_count == 0 || !probing_.take(now, probe_pace(), static_cast<int>(40 + peers_.size())))
        return peer.probe;
    if (peer.nonce == 0) peer.nonce = world_.rng.next() | 1U;
    const bool wants_lease = peer.is_unicast || peer.is_mute(now);
    const std::uint8_t bits = wants_lease && peer.level != Level::suspect ? flags::kLease : 0;
    ping(peer.addresses[0], peer.nonce, bits);
    if (peer.address_count > 1)
        ping(peer.addresses[1 + peer.asked % (peer.address_count - 1U)], peer.nonce, bits);
    if (peer.asked < UINT8_MAX) ++peer.asked;
    if (peer.level == Level::suspect && now - peer.heard >= detector::asks_others_after(pace))
        ask_others(peer);
    return peer.probe;
}

void Node::Impl::ask_others(const Peer& peer) {
    auto out = draft(Type::ping_request);
    out.nonce = peer.nonce;
    out.target = peer.uid;
    std::size_t asked = 0;
    const auto start = world_.rng.below(peers_.size());
    // from a random place on, in steps that are coprime to most sizes
    for (std::size_t i = 0; i < std::min<std::size_t>(peers_.size(), 64) && asked < kHelpers; ++i) {
        const auto& helper = peers_[(start + i * 7919) % peers_.size()];
        if (helper.level != Level::present || helper.announced != Announced::alive) continue;
        ++asked;
        if (asked > 1) out.core.seq = ++seq_;
        to(helper.addresses[0], sealed(out));
    }
}

void Node::Impl::ping_a_dead_one(Time now) {
    ping_dead_at_ = now + detector::kDeadPingEvery;
    const Peer* chosen = nullptr;
    std::uint64_t dead = 0;
    for (const auto& peer : peers_)
        if (peer.level == Level::dead && peer.address_count > 0 && world_.rng.below(++dead) == 0)
            chosen = &peer;
    if (chosen) ping(chosen->addresses[world_.rng.below(chosen->address_count)], world_.rng.next());
}

/// One that was dead is there again: perhaps a partition has healed, and all others' next heartbeats come
/// within a period.
void Node::Impl::expect_the_dead() {
    if (ping_expected_at_ != kNever) {
        ++returned_;
        return;
    }
    returned_ = 1;
    expected_turns_ = kExpectedTurns;
    ping_expected_at_ = now() + period() * 6 / 5;
    hurry(ping_expected_at_);
}

/// Whose heartbeat was lost on the way is asked, so that the next need not be waited for. No more than have
/// come back: a single one that was away for a while costs a ping a turn.
void Node::Impl::ping_the_expected(Time now) {
    const auto start = peers_.size() == 0 ? 0 : world_.rng.below(peers_.size());
    auto left = std::min(returned_, kExpectedPings);
    for (std::size_t i = 0; i < peers_.size() && left > 0; ++i) {
        const auto& peer = peers_[(start + i) % peers_.size()];
        if (peer.level != Level::dead || peer.address_count == 0) continue;
        ping(peer.addresses[0], world_.rng.next());
        --left;
    }
    --expected_turns_;
    ping_expected_at_ = expected_turns_ > 0 ? now + period() / 5 : kNever;
}

/// `before` is how it stood before anything of it was changed.
void Node::Impl::set_level(Peer& peer, Level level, Standing before) {
    const auto was = std::exchange(peer.level, level);
    const auto is_slow = [](Level one) { return one == Level::late || one == Level::suspect; };
    if (is_there(was) != is_there(level)) there_ += is_there(level) ? 1 : std::size_t(-1);
    if (is_slow(was) != is_slow(level)) late_ += is_slow(level) ? 1 : std::size_t(-1);
    const auto after = peer.standing();
    if (was == level && after == before) return;
    const auto at = now();
    peer.since = at;
    if (level == Level::suspect && was != level) {
        ++counts_.suspicions;
        peer.asked = 0;
        peer.nonce = world_.rng.next() | 1U;
        peer.probe = at;
        // a node that hears nobody accuses nobody
        if (!is_isolated_ && accused_.size() < limits::kSuspicions)
            accused_.push_back({peer.uid, peer.life.boot(), peer.incarnation});
    }
    if (is_there(was) && !is_there(level)) {
        if (level == Level::dead) ++counts_.deaths;
        values_.forget(peer.uid);
        leases_.end(peer.uid);
        peer.answered = {}; // an answer of before says nothing of its heartbeats now
        world_.configuration.lost(peer.uid, at);
    }
    if (was == Level::dead && is_there(level)) expect_the_dead();
    if (listener_ && after != before) listener_->peer_changed(facts_of(peer), before);
    weigh_isolation(at);
}

/// Too many late at once: it is this node that hears badly, or half the cluster that is gone.
void Node::Impl::weigh_isolation(Time now) {
    const bool is_isolated = detector::is_isolated(late_, there_);
    if (is_isolated == is_isolated_) return;
    is_isolated_ = is_isolated;
    if (is_isolated) isolated_since_ = now;
    else {
        counts_.isolated += now - isolated_since_;
        // the silence of those not heard again so far counts from now on
        held_until_ = now + detector::dead_after(period());
    }
    scan_at_ = std::min(scan_at_, now);
    hurry(now);
}

void Node::Impl::forget(NodeUid uid) {
    values_.forget(uid);
    leases_.end(uid);
    if (listener_) listener_->peer_forgotten(uid);
}

} // namespace schedd::membership
