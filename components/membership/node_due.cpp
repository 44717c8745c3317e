// What is due at a turn of the loop: joining, heartbeats, goodbyes, the node's own state and number.
#include <algorithm>

#include <fmt/format.h>

#include "components/membership/node_impl.h"
#include "components/membership/numbers.h"

namespace schedd::membership {

namespace {
constexpr Duration kLongLag = std::chrono::seconds(2);
constexpr Duration kJoiningTurn = std::chrono::milliseconds(100);
} // namespace

Duration Node::Impl::period() const { return detector::stretched(settings_.period, there_ + 1); }

/// Within the next second, so that a thousand nodes that start together do not all speak at once.
void Node::Impl::join_soon() {
    const auto at = now();
    join_.begin(at + std::chrono::milliseconds(world_.rng.below(1000)));
    beat_at_ = join_.next + period();
    alone_at_ = join_.next + 3 * period();
    number_at_ = settings_.number ? join_.next : join_.next + 2 * period();
    ping_dead_at_ = at + detector::kDeadPingEvery;
    heard_any_ = at;
    full_beats_ = 6; // the three of joining, and three more
    due_ = promised_ = at;
}

Time Node::Impl::tick() {
    const auto at = now();
    if (is_gone()) return due_ = kNever;
    const auto lag = lag_.notice(at, promised_, world_.clocks.suspended(), period());
    if (lag > Duration{}) forgive(lag, at);
    if (goodbye_.left > 0) {
        if (at >= goodbye_.next) say_goodbye();
        return due_ = is_gone() ? kNever : goodbye_.next;
    }
    if (at >= join_.next) {
        beat(Type::join);
        join_.said(at);
    }
    if (at >= spread_.next) send_spread();
    scan(at);
    turn_state(at);
    if (at >= number_at_) take_number(at);
    if (at >= ping_dead_at_) ping_a_dead_one(at);
    if (at >= ping_expected_at_) ping_the_expected(at);
    if (at >= beat_at_) {
        const auto pace = period();
        const auto spread = static_cast<std::uint64_t>(pace.count() / 5);
        beat(Type::heartbeat);
        // kept to its rhythm, unless that is lost already
        beat_at_ = std::max(beat_at_, at - pace / 2) + pace * 9 / 10 +
                   Duration(static_cast<Duration::rep>(world_.rng.below(spread + 1)));
    }
    if (at >= extra_at_) {
        extra_at_ = kNever;
        extra_sent_ = at;
        if (join_.left < 3) beat(Type::heartbeat);
    }
    if (deaf_.is_due(at, heard_any_, period())) {
        ++counts_.rejoins;
        world_.transport.rejoin();
    }
    plan(at);
    return due_;
}

void Node::Impl::plan(Time now) {
    due_ = std::min({join_.next, spread_.next, beat_at_, extra_at_, scan_at_, number_at_, ping_dead_at_,
                     ping_expected_at_, deaf_.next(heard_any_, period())});
    if (!is_complete_) due_ = std::min(due_, now + kJoiningTurn);
    promised_ = due_;
}

/// This node slept, not the others: what they have not said meanwhile was not heard, that is all.
void Node::Impl::forgive(Duration lag, Time now) {
    counts_.worst_lag = std::max(counts_.worst_lag, lag);
    const auto later = [&](Time& at) {
        if (at != Time{}) at = std::min(at + lag, now);
    };
    for (auto& peer : peers_) {
        if (!is_there(peer.level) && peer.level != Level::skewed) continue;
        later(peer.heard);
        later(peer.beat);
        later(peer.vouched);
    }
    later(heard_any_);
    scan_at_ = now;
    if (lag < kLongLag) return;
    say(Severity::notice, settings_.name,
        fmt::format("this node stood still for {} ms; the silence of others meanwhile does not count",
                    milliseconds_of(lag)));
    beat_soon();
}

/// What this node calls itself.
void Node::Impl::turn_state(Time now) {
    auto& configuration = world_.configuration;
    if (!is_complete_ && now >= alone_at_ && !hears_members_) {
        configuration.alone(now);
        alone_at_ = now + period();
    }
    is_complete_ = is_complete_ || configuration.is_complete();
    const auto state = has_left_               ? Announced::leaving
                       : !is_complete_         ? Announced::joining
                       : is_isolated_          ? Announced::isolated
                       : settings_.is_draining ? Announced::draining
                                               : Announced::alive;
    if (state == state_) return;
    const auto before = std::exchange(state_, state);
    if (state != Announced::leaving) beat_soon();
    if (listener_) listener_->self_changed(state, before);
}

/// The number it wants, had, or finds free.
void Node::Impl::take_number(Time now) {
    number_at_ = kNever;
    if (!settings_.number) is_settled_ = true;
    if (number_) return;
    const auto wanted = settings_.number;
    const auto* holder = wanted ? numbers::holder(peers_, *wanted) : nullptr;
    if (holder && !numbers::keeps({settings_.uid, true}, {holder->uid, holder->is_number_wanted})) {
        is_settled_ = true;
        number_trouble_ =
            fmt::format("number {} is {}'s", *wanted,
                        holder->name().empty() ? text_of(holder->uid) : std::string(holder->name()));
        number_at_ = now + period();
        return;
    }
    const auto number = wanted ? *wanted : numbers::choose(peers_, settings_.uid, settings_.last_number);
    if (number < 0) {
        number_trouble_ = "every number from 0 to 65535 is taken";
        number_at_ = now + 10 * period();
        return;
    }
    number_ = number;
    number_trouble_.clear();
    if (!wanted) beat_soon();
}

/// Numbers of sources are for this life: a path keeps its own.
void Node::Impl::publish(std::vector<Published> sources) {
    if (sources.size() > limits::kSources) sources.resize(limits::kSources);
    const auto is_same = std::ranges::equal(sources, named_, {}, &Published::path, &Named::path);
    if (!is_same) {
        std::vector<Named> named;
        for (const auto& source : sources) {
            const auto known = std::ranges::find(named_, source.path, &Named::path);
            named.push_back({known == named_.end() ? next_id_++ : known->id, source.path});
        }
        named_ = std::move(named);
        next_name_ = 0;
        full_beats_ = std::max(full_beats_, 1);
    }
    published_ = std::move(sources);
}

} // namespace schedd::membership
