// Figures of membership for the README, each beside its goal: with SCHEDD_FIGURES=1 only, since they take
// minutes; SCHEDD_NODES=100 leaves out what is larger.
#include <algorithm>
#include <cstdlib>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/sim/peers_net.h"

namespace schedd::test {
namespace {

/// When each of the others noticed what happened to the one or the many that it happened to.
struct Noticed final : Observer {
    explicit Noticed(PeersNet& of) : net(of) { net.observer = this; }
    void begin(std::vector<NodeUid> of) {
        concerned = std::move(of);
        begun_ms = net.now_ms();
    }
    void changed(Machine& /*at*/, const PeerFacts& peer, Standing /*before*/) override {
        if (std::ranges::find(concerned, peer.uid) == concerned.end()) {
            const auto* machine = net.of(peer.uid);
            const bool is_back = machine->is_up() && net.now_ms() > machine->disturbed_ms + 10'000;
            if (peer.standing == Standing::dead && is_back) ++false_deaths;
            return;
        }
        const auto passed = static_cast<double>(net.now_ms() - begun_ms) / 1e3;
        if (peer.standing == Standing::suspect) suspected.push_back(passed);
        if (peer.standing == Standing::dead) dead.push_back(passed);
        if (peer.standing == Standing::left) left.push_back(passed);
    }
    PeersNet& net;
    std::vector<NodeUid> concerned;
    std::uint64_t begun_ms = 0;
    std::vector<double> suspected, dead, left;
    std::uint64_t false_deaths = 0;
};

double part(std::vector<double>& of, double share) {
    if (of.empty()) return 0;
    std::ranges::sort(of);
    return of[std::min(of.size() - 1, static_cast<std::size_t>(share * static_cast<double>(of.size())))];
}

double seconds_since(const PeersNet& net, std::uint64_t ms) {
    return static_cast<double>(net.now_ms() - ms) / 1e3;
}

/// All there, and settled.
void boot(PeersNet& net) {
    for (auto& machine : net.machines()) net.start(*machine);
    net.run(15'000);
}

class Figures : public testing::Test {
protected:
    void SetUp() override {
        if (!std::getenv("SCHEDD_FIGURES")) GTEST_SKIP() << "only with SCHEDD_FIGURES=1";
    }
    /// Of these, those that are wanted.
    static std::vector<std::size_t> sizes(std::initializer_list<std::size_t> all) {
        const auto* most = std::getenv("SCHEDD_NODES");
        std::vector<std::size_t> wanted = all;
        if (most) std::erase_if(wanted, [&](auto one) { return one > std::strtoull(most, nullptr, 10); });
        return wanted;
    }
};

/// With a number each, since they do not all hear what the others take.
void watch_by(PeersNet& net, std::size_t observers) {
    net.observers = observers;
    net.settle = [&net](NodeSettings& settings) {
        settings.number = static_cast<NodeId>(net.of(settings.uid)->index);
    };
}

TEST_F(Figures, OfDetection) {
    for (const auto nodes : sizes({10, 100, 1000}))
        for (const double loss : {0.0, 0.01, 0.1}) {
            PeersNet net(1, nodes);
            Noticed noticed(net);
            net.weather.loss = loss;
            const auto observers = std::min<std::size_t>(nodes, 50);
            if (nodes == 1000) watch_by(net, observers);
            boot(net);
            const std::size_t crashes = std::max<std::size_t>(4000 / nodes, 20);
            for (std::size_t i = 0; i < crashes; ++i) {
                auto& machine = net.at(nodes - 1 - i % (nodes - 1));
                noticed.begin({machine.uid});
                net.crash(machine, true);
                net.run(36'000); // until those know, too, whose verdict is held
                noticed.begin({});
                net.start(machine);
                net.run(4000 + net.rng().below(1000));
            }
            fmt::print("N={:<5} loss {:>2.0f}%: suspect p50 {:.2f} max {:.2f} s; dead p50 {:.2f} p99 {:.2f} "
                       "max {:.2f} s; {} verdicts, {} of them false\n",
                       nodes, loss * 100, part(noticed.suspected, 0.5), part(noticed.suspected, 1),
                       part(noticed.dead, 0.5), part(noticed.dead, 0.99), part(noticed.dead, 1),
                       noticed.dead.size(), noticed.false_deaths);
            EXPECT_EQ(noticed.dead.size(), crashes * (nodes == 1000 ? observers : nodes - 1));
            EXPECT_EQ(noticed.false_deaths, 0U);
            EXPECT_LE(part(noticed.suspected, 1), 3.51) << "the delay of the last datagram counts";
            EXPECT_LE(part(noticed.dead, 0.99), 5.51);
        }
}

/// Of the isolation rule: who is silent together may be cut off together.
TEST_F(Figures, OfAThirdThatDiesAtOnce) {
    PeersNet net(1, 99);
    Noticed noticed(net);
    net.weather.loss = 0.01;
    boot(net);
    std::vector<NodeUid> dying;
    for (std::size_t i = 0; i < 33; ++i) dying.push_back(net.at(i).uid);
    noticed.begin(dying);
    for (std::size_t i = 0; i < 33; ++i) net.crash(net.at(i), true);
    net.run(40'000);
    fmt::print("33 of 99 die at once: suspect max {:.2f} s; dead p50 {:.2f} max {:.2f} s\n",
               part(noticed.suspected, 1), part(noticed.dead, 0.5), part(noticed.dead, 1));
    EXPECT_EQ(noticed.dead.size(), 33U * 66);
    EXPECT_LE(part(noticed.suspected, 1), 3.51);
    EXPECT_LE(part(noticed.dead, 1), 30.1);
}

TEST_F(Figures, OfAGoodbye) {
    for (const auto nodes : sizes({10, 100, 1000})) {
        PeersNet net(1, nodes);
        Noticed noticed(net);
        net.weather.loss = 0.01;
        if (nodes == 1000) watch_by(net, 50);
        boot(net);
        constexpr std::size_t goodbyes = 20;
        for (std::size_t i = 0; i < goodbyes; ++i) {
            auto& machine = net.at(nodes - 1 - i % (nodes - 1));
            noticed.begin({machine.uid});
            net.node(machine.index).leave();
            net.run(3000);
            net.start(machine);
            net.run(4000);
        }
        fmt::print("N={:<5} loss  1%: left p50 {:.3f} p99 {:.3f} max {:.3f} s\n", nodes,
                   part(noticed.left, 0.5), part(noticed.left, 0.99), part(noticed.left, 1));
        EXPECT_EQ(noticed.left.size(), goodbyes * std::min(nodes - 1, net.observers));
        EXPECT_LE(part(noticed.left, 0.99), 0.3);
    }
}

/// In peace, with five sources published by each node. Bytes as they are on Ethernet: the datagram and 46 of
/// UDP, IPv4, frame and checksum.
TEST_F(Figures, OfTraffic) {
    constexpr double kFrame = 46;
    for (const auto nodes : sizes({10, 100, 1000})) {
        PeersNet net(1, nodes);
        net.published = 5;
        net.weather.loss = 0.01;
        if (nodes == 1000) watch_by(net, 20);
        boot(net);
        net.run(10'000);
        std::vector<Node::Counts> before;
        const auto observers = std::min<std::size_t>(nodes, net.observers);
        for (std::size_t i = 0; i < observers; ++i) before.push_back(net.node(i).counts());
        const auto from = net.now_ms();
        net.run(300'000);
        const auto seconds = seconds_since(net, from);
        double received = 0, most = 0, sent = 0, datagrams = 0;
        for (std::size_t i = 0; i < observers; ++i) {
            const auto after = net.node(i).counts();
            const auto in = static_cast<double>(after.received - before[i].received);
            const auto out = static_cast<double>(after.sent - before[i].sent);
            const auto bytes =
                static_cast<double>(after.received_bytes - before[i].received_bytes) + in * kFrame;
            received += bytes / seconds;
            most = std::max(most, bytes / seconds);
            sent += (static_cast<double>(after.sent_bytes - before[i].sent_bytes) + out * kFrame) / seconds;
            datagrams += out / seconds;
        }
        const auto count = static_cast<double>(observers);
        fmt::print("N={:<5} loss  1%: received {:.2f} kB/s a node (most {:.2f}), sent {:.0f} B/s in {:.2f} "
                   "datagrams/s\n",
                   nodes, received / count / 1e3, most / 1e3, sent / count, datagrams / count);
        EXPECT_LE(most / 1e3, 0.25 * static_cast<double>(nodes));
        EXPECT_LE(sent / count, 500);
    }
}

/// Two halves, parted until each calls the other dead.
TEST_F(Figures, OfHealing) {
    for (const auto nodes : sizes({10, 100, 1000})) {
        PeersNet net(1, nodes);
        net.weather.loss = 0.01;
        boot(net);
        for (std::size_t i = 0; i < nodes; ++i) net.at(i).side = static_cast<int>(i % 2);
        net.run(40'000);
        ASSERT_EQ(net.node(0).peer(net.at(1).uid)->standing, Standing::dead);
        for (auto& machine : net.machines()) machine->side = 0;
        const auto from = net.now_ms();
        const auto is_whole = [&] {
            for (std::size_t i = 0; i < nodes; ++i)
                for (std::size_t j = 0; j < nodes; ++j)
                    if (i != j && !takes_work(net.node(i).peer(net.at(j).uid)->standing)) return false;
            return true;
        };
        while (!is_whole() && net.now_ms() < from + 60'000) net.run(50);
        fmt::print("N={:<5} loss  1%: healed after {:.2f} s\n", nodes, seconds_since(net, from));
        EXPECT_LE(net.now_ms() - from, 3000U);
    }
}

TEST_F(Figures, OfAThousandThatBootTogether) {
    PeersNet net(1, 1000);
    for (auto& machine : net.machines()) net.start(*machine);
    const auto from = net.now_ms();
    const auto are_all_alive = [&] {
        return std::ranges::all_of(net.machines(), [&](const auto& machine) {
            const auto& node = net.node(machine->index);
            return node.state() == Announced::alive && node.number();
        });
    };
    while (!are_all_alive() && net.now_ms() < from + 60'000) net.run(100);
    fmt::print("1000 nodes that boot together are all alive, with numbers, after {:.1f} s\n",
               seconds_since(net, from));
    EXPECT_LE(net.now_ms() - from, 15'000U);
}

} // namespace
} // namespace schedd::test
