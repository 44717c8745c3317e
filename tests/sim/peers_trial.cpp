// Troubles by seed, and the promises that are checked while they happen.
#include "tests/sim/peers_trial.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

namespace schedd::test {

namespace {
constexpr std::uint64_t kSettled = 40'000; // ms after which nothing of a trouble is left
constexpr std::uint64_t kPeace = 60'000;
} // namespace

PeersTrial::PeersTrial(std::uint64_t seed, std::size_t nodes) : net(seed, nodes), nodes_(nodes) {
    net.observer = this;
    auto& rng = net.rng();
    auto& weather = net.weather;
    switch (rng.below(6)) {
    case 0: break;
    case 1: weather.loss = 0.01; break;
    case 2: weather.loss = 0.05; break;
    case 3: weather.loss = 0.10; break;
    case 4: weather.burst_loss = 0.05; break;
    default: weather.loss = 0.01; weather.burst_loss = 0.02;
    }
    weather.delay_min_ms = rng.below(5);
    weather.delay_more_ms = 1 + rng.below(40);
    weather.duplicated = rng.below(2) ? 0.02 : 0;
    weather.delayed = rng.below(2) ? 0.01 : 0;
    weather.replayed = rng.below(2) ? 0.02 : 0;
}

std::string PeersTrial::weather_text() const {
    const auto& w = net.weather;
    return fmt::format("loss {} bursts {} delay {}+{} ms duplicated {} delayed {} replayed {}", w.loss,
                       w.burst_loss, w.delay_min_ms, w.delay_more_ms, w.duplicated, w.delayed, w.replayed);
}

void PeersTrial::live(std::uint64_t for_ms) {
    for (std::size_t i = 0; i < nodes_; ++i) {
        auto& machine = net.at(i);
        machine.is_newer = troubles.upgrades && i % 2 == 0;
        later(net.rng().below(3000), [&] { net.start(machine); });
    }
    topology_ms_ = net.now_ms() + 3000;
    run(20'000);
    if (net.weather.burst_loss == 0 && net.weather.loss <= 0.01) check_whole();
    const auto end = net.now_ms() + for_ms - 20'000 - 2 * kPeace;
    while (net.now_ms() < end && fault().empty()) {
        run(1000 + net.rng().below(15'000));
        happens();
        check_table();
    }
    run(kPeace); // what is under way comes to an end
    if (!fault().empty()) return;
    net.weather.loss = std::min(net.weather.loss, 0.01);
    net.weather.burst_loss = 0;
    std::vector<std::uint64_t> sent;
    for (std::size_t i = 0; i < nodes_; ++i)
        sent.push_back(net.at(i).is_up() ? net.node(i).counts().sent : 0);
    run(kPeace);
    check_whole();
    for (std::size_t i = 0; i < nodes_ && fault().empty(); ++i) {
        const auto rate = static_cast<double>(net.node(i).counts().sent - sent[i]) / 60;
        worst_rate = std::max(worst_rate, rate);
    }
    if (worst_rate > most_in_peace)
        net.blame(fmt::format("{} datagrams a second are sent in peace", worst_rate));
}

void PeersTrial::run(std::uint64_t for_ms) {
    for (const auto end = net.now_ms() + for_ms; net.now_ms() < end && fault().empty();) {
        const auto next = agenda_.empty() ? end : std::min(end, agenda_.begin()->first);
        if (next > net.now_ms()) net.run(next - net.now_ms());
        while (!agenda_.empty() && agenda_.begin()->first <= net.now_ms()) {
            const auto what = std::move(agenda_.begin()->second);
            agenda_.erase(agenda_.begin());
            what();
        }
    }
}

void PeersTrial::happens() {
    auto& machine = any();
    auto& rng = net.rng();
    const auto what = rng.below(9);
    if (net.trace)
        fmt::print("{:.3f} trouble {} of {}\n", static_cast<double>(net.now_ms() - 3'600'000) / 1e3, what,
                   machine.index);
    switch (what) {
    case 0:
    case 1:
        if (troubles.crashes) crash_one();
        break;
    case 2:
        if (troubles.crashes && machine.is_up()) {
            net.node(machine.index).leave();
            machine.disturbed_ms = net.now_ms();
            later(1000 + rng.below(20'000), [&] { revive(machine); });
        }
        break;
    case 3:
        if (troubles.pauses && machine.is_up()) {
            net.pause(machine, 500 + rng.below(12'000));
            if (rng.below(4) == 0) machine.asleep += 30s;
        }
        break;
    case 4:
        if (troubles.partitions && !is_parted_) partition();
        break;
    case 5:
        if (troubles.clocks && machine.is_up()) step_clock();
        break;
    case 6:
        if (troubles.clones) clone_one();
        break;
    case 7:
        if (troubles.keys) rotate_keys();
        break;
    default:
        if (troubles.drains && machine.is_up()) {
            net.node(machine.index).drain(true);
            later(5000, [&] {
                if (machine.is_up()) net.node(machine.index).drain(false);
            });
        }
    }
}

/// One, or many at once.
void PeersTrial::crash_one() {
    auto& rng = net.rng();
    const auto count = rng.below(6) == 0 ? 1 + rng.below(nodes_ / 2) : 1;
    for (std::uint64_t i = 0; i < count; ++i) {
        auto& machine = any();
        if (!machine.is_up() || net.node(machine.index).is_gone()) continue;
        ++crashes;
        expect_end_of(machine);
        net.crash(machine, rng.below(3) != 0);
        later(1000 + rng.below(60'000), [&] { revive(machine); });
    }
}

/// Starts it, when it has come to its end.
void PeersTrial::revive(Machine& machine) {
    if (troubles.upgrades && !machine.is_up()) machine.is_newer = net.rng().below(4) != 0;
    if (!machine.is_up()) net.start(machine);
    else if (net.node(machine.index).state() == Announced::leaving) later(500, [&] { revive(machine); });
}

void PeersTrial::partition() {
    auto& rng = net.rng();
    is_parted_ = true;
    topology_ms_ = net.now_ms();
    const auto sort = rng.below(4);
    if (sort == 0) // into two
        for (std::size_t i = 0; i < nodes_; ++i) net.at(i).side = static_cast<int>(rng.below(2));
    else if (sort == 1) any().side = 1;
    else if (sort == 2) any().is_incoming_cut = true; // one way only
    else any().is_outgoing_cut = true;
    later(2000 + rng.below(60'000), [this] {
        for (auto& machine : net.machines()) {
            machine->side = 0;
            machine->is_incoming_cut = machine->is_outgoing_cut = false;
        }
        is_parted_ = false;
        topology_ms_ = net.now_ms();
    });
}

void PeersTrial::step_clock() {
    auto& machine = any();
    const auto by = static_cast<std::int64_t>(net.rng().below(240'000)) - 120'000;
    machine.wall_ahead_ms += by;
    machine.disturbed_ms = net.now_ms() + 20'000;
    later(20'000, [&machine, by] { machine.wall_ahead_ms -= by; });
}

/// A second machine with a first one's identity: one of them stays away.
void PeersTrial::clone_one() {
    auto& original = any();
    if (!original.is_up() || is_parted_ || original.wall_ahead_ms > 5000 || original.wall_ahead_ms < -5000 ||
        net.now_ms() < original.disturbed_ms + kSettled || cloned_.contains(original.uid) ||
        net.now_ms() < keys_until_ms_)
        return;
    auto& copy = net.clone(original);
    cloned_[original.uid] = UINT64_MAX;
    net.start(copy);
    later(20'000, [this, &original, &copy] {
        const bool is_clear = original.is_up() && copy.is_up() && !is_parted_ &&
                              net.now_ms() > topology_ms_ + 20'000 &&
                              net.now_ms() > original.disturbed_ms + 20'000;
        if (is_clear && net.node(original.index).is_gone() == net.node(copy.index).is_gone())
            net.blame(fmt::format("two machines with one identity: {}",
                                  net.node(copy.index).is_gone() ? "both have gone away" : "none gives way"));
        net.crash(copy, false);
        original.boots += 2;
        if (original.is_up() && net.node(original.index).is_gone()) {
            net.crash(original, true);
            net.start(original);
        }
        original.disturbed_ms = net.now_ms();
        cloned_[original.uid] = net.now_ms() + kSettled;
    });
}

/// Add everywhere, use everywhere, take the old one away.
void PeersTrial::rotate_keys() {
    const std::uint8_t old = key_;
    if (old >= 9 || net.now_ms() < keys_until_ms_) return;
    keys_until_ms_ = net.now_ms() + 9000;
    key_ = static_cast<std::uint8_t>(old + 1);
    const auto each = [this](auto change) {
        for (auto& machine : net.machines()) change(machine->cipher);
    };
    const auto fresh = key_;
    each([=](NullCipher& cipher) { cipher.add(fresh); });
    for (auto& machine : net.machines()) // not all at once
        later(net.rng().below(5000), [&machine = *machine, fresh] {
            if (machine.cipher.active() < fresh) machine.cipher.activate(fresh);
        });
    later(8000, [=] { each([=](NullCipher& cipher) { cipher.remove(old); }); });
}

bool PeersTrial::is_calm(const Machine& a, const Machine& b, std::uint64_t since_ms) const {
    const auto now = net.now_ms();
    const auto is_quiet = [&](const Machine& one) {
        return one.is_up() && !one.is_clone && now >= one.paused_until_ms && one.disturbed_ms < since_ms &&
               !cloned_.contains(one.uid);
    };
    return is_quiet(a) && is_quiet(b) && topology_ms_ < since_ms && !is_parted_;
}

void PeersTrial::changed(Machine& at, const PeerFacts& peer, Standing /*before*/) {
    if (peer.standing != Standing::dead) return;
    const auto* subject = net.of(peer.uid);
    if (!subject || !is_calm(at, *subject, net.now_ms() - kSettled)) return;
    ++false_deaths;
    if (forbids_false_deaths)
        net.blame(fmt::format("{} says that {} is dead, which is there and can be reached", at.index,
                              subject->index));
}

/// Whoever knows that it was there has to notice in time.
void PeersTrial::expect_end_of(Machine& subject) {
    const auto late =
        net.weather.delay_min_ms + net.weather.delay_more_ms + (net.weather.delayed > 0 ? 1000U : 0U) + 50U;
    for (std::size_t i = 0; i < nodes_; ++i) {
        if (i == subject.index || !is_calm(net.at(i), subject, net.now_ms() - kSettled)) continue;
        Check one{net.now_ms(), i, subject.index, 0};
        later(3500 + late, [this, one] { check(one); });
        one.stage = 1;
        later(6000 + late, [this, one] { check(one); });
        one.stage = 2;
        later(31'000 + late, [this, one] { check(one); });
    }
}

void PeersTrial::check(const Check& one) {
    const auto& observer = net.at(one.observer);
    const auto& subject = net.at(one.subject);
    const bool is_void = subject.is_up() || subject.disturbed_ms > one.crashed_ms || !observer.is_up() ||
                         net.now_ms() < observer.paused_until_ms ||
                         observer.disturbed_ms + kSettled > one.crashed_ms || topology_ms_ > one.crashed_ms ||
                         is_parted_ || cloned_.contains(observer.uid);
    if (is_void) return;
    const auto facts = net.node(one.observer).peer(subject.uid);
    if (!facts) return;
    const bool is_dead = facts->standing == Standing::dead;
    const bool is_suspect = facts->standing == Standing::suspect;
    const bool is_held = net.node(one.observer).counts().isolated > Duration{};
    if (one.stage == 0 ? is_dead || is_suspect : is_dead || (one.stage == 1 && is_held)) return;
    net.blame(fmt::format("{} has crashed {} ms ago and {} calls it {}", one.subject,
                          net.now_ms() - one.crashed_ms, one.observer, name_of(facts->standing)));
}

void PeersTrial::check_table() {
    for (std::size_t i = 0; i < nodes_; ++i)
        if (net.at(i).is_up() && net.node(i).peers().size() >= nodes_ + 4)
            net.blame(fmt::format("{} knows of {} peers, of {} that there are", i, net.node(i).peers().size(),
                                  nodes_));
}

/// After a minute of peace everybody knows everybody, each with a number of its own.
void PeersTrial::check_whole() {
    std::set<NodeId> numbers;
    for (std::size_t i = 0; i < nodes_ && fault().empty(); ++i) {
        if (!net.at(i).is_up()) return net.blame(fmt::format("{} is not up", i));
        auto& node = net.node(i);
        if (node.state() != Announced::alive)
            return net.blame(fmt::format("{} calls itself {}", i, name_of(node.state())));
        const auto number = node.number();
        if (!number || !numbers.insert(*number).second)
            return net.blame(fmt::format("{} has {}", i,
                                         number ? fmt::format("the number {}, like another", *number)
                                                : std::string("no number")));
        for (std::size_t j = 0; j < nodes_; ++j) {
            if (i == j) continue;
            const auto facts = node.peer(net.at(j).uid);
            if (!facts || !takes_work(facts->standing))
                return net.blame(
                    fmt::format("{} calls {} {}", i, j, facts ? name_of(facts->standing) : "unknown"));
            if (facts->boot.counter != net.at(j).life)
                return net.blame(fmt::format("{} knows an old life of {}", i, j));
            const auto value = node.values().read(net.at(j).uid, "probes/p1/value");
            if (!value || value->value != static_cast<std::int32_t>(j))
                return net.blame(fmt::format("{} has not got the value of {}", i, j));
        }
    }
}

} // namespace schedd::test
