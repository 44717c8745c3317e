// Figures of the failure detector for the README: with SCHEDD_FIGURES=1; hours of false deaths with
// SCHEDD_HOURS=24 SCHEDD_NODES=1000 SCHEDD_LOSS=1 (percent) or SCHEDD_BURSTS=5.
#include <algorithm>
#include <cstdlib>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/sim/peers_net.h"

namespace schedd::test {
namespace {

/// When each of the others noticed that one has crashed.
struct Noticed final : Observer {
    void changed(Machine& /*at*/, const PeerFacts& peer, Standing /*before*/) override {
        if (peer.standing == Standing::dead && peer.uid != crashed) ++false_deaths;
        if (peer.uid != crashed) return;
        const auto passed = static_cast<double>(net->now_ms() - crashed_ms) / 1e3;
        if (peer.standing == Standing::suspect) suspected.push_back(passed);
        if (peer.standing == Standing::dead) dead.push_back(passed);
    }
    PeersNet* net = nullptr;
    NodeUid crashed{};
    std::uint64_t crashed_ms = 0;
    std::vector<double> suspected, dead;
    std::uint64_t false_deaths = 0;
};

double part(std::vector<double>& of, double share) {
    if (of.empty()) return 0;
    std::ranges::sort(of);
    return of[std::min(of.size() - 1, static_cast<std::size_t>(share * static_cast<double>(of.size())))];
}

double setting(const char* variable, double otherwise) {
    const auto* text = std::getenv(variable);
    return text ? std::strtod(text, nullptr) : otherwise;
}

void boot(PeersNet& net) {
    for (auto& machine : net.machines()) net.start(*machine);
}

TEST(Figures, OfDetection) {
    if (!std::getenv("SCHEDD_FIGURES")) GTEST_SKIP() << "only with SCHEDD_FIGURES=1";
    for (const std::size_t nodes : {10U, 100U, 1000U})
        for (const double loss : {0.0, 0.01, 0.1}) {
            PeersNet net(1, nodes);
            Noticed noticed;
            noticed.net = &net;
            net.observer = &noticed;
            net.weather.loss = loss;
            boot(net);
            net.run(15'000);
            const auto before = net.node(0).counts();
            const auto from = net.now_ms();
            const std::size_t crashes = nodes == 1000 ? 2 : 40;
            for (std::size_t i = 0; i < crashes; ++i) {
                auto& machine = net.at(1 + i % (nodes - 1));
                noticed.crashed = machine.uid;
                noticed.crashed_ms = net.now_ms();
                net.crash(machine, true);
                net.run(8000);
                noticed.crashed = {};
                net.start(machine);
                net.run(5000 + net.rng().below(1000));
            }
            const auto& after = net.node(0).counts();
            const auto seconds = static_cast<double>(net.now_ms() - from) / 1e3;
            fmt::print("N={:<5} loss {:>4}%: suspect p50 {:.2f} max {:.2f}; dead p50 {:.2f} p99 {:.2f} max "
                       "{:.2f} s; "
                       "false deaths {}; received {:.0f} B/s and sent {:.0f} B/s, {:.2f} datagrams/s\n",
                       nodes, loss * 100, part(noticed.suspected, 0.5), part(noticed.suspected, 1),
                       part(noticed.dead, 0.5), part(noticed.dead, 0.99), part(noticed.dead, 1),
                       noticed.false_deaths,
                       static_cast<double>(after.received_bytes - before.received_bytes) / seconds,
                       static_cast<double>(after.sent_bytes - before.sent_bytes) / seconds,
                       static_cast<double>(after.sent - before.sent) / seconds);
            EXPECT_EQ(noticed.false_deaths, 0U);
            EXPECT_LE(part(noticed.suspected, 1), 3.6);
            EXPECT_LE(part(noticed.dead, 0.99), 5.6);
        }
}

TEST(Figures, OfAThousandThatBootTogether) {
    if (!std::getenv("SCHEDD_FIGURES")) GTEST_SKIP() << "only with SCHEDD_FIGURES=1";
    PeersNet net(1, 1000);
    boot(net);
    const auto from = net.now_ms();
    const auto are_all_alive = [&] {
        for (const auto& machine : net.machines())
            if (net.node(machine->index).state() != Announced::alive || !net.node(machine->index).number())
                return false;
        return true;
    };
    while (!are_all_alive() && net.now_ms() < from + 60'000) net.run(100);
    fmt::print("1000 nodes that boot together are all alive, with numbers, after {:.1f} s\n",
               static_cast<double>(net.now_ms() - from) / 1e3);
    EXPECT_LE(net.now_ms() - from, 15'000U);
}

TEST(Figures, OfHoursWithoutAFalseDeath) {
    const auto hours = setting("SCHEDD_HOURS", 0);
    if (hours <= 0) GTEST_SKIP() << "only with SCHEDD_HOURS=24 or so";
    const auto nodes = static_cast<std::size_t>(setting("SCHEDD_NODES", 100));
    PeersNet net(1, nodes);
    Noticed noticed;
    noticed.net = &net;
    net.observer = &noticed;
    net.weather.loss = setting("SCHEDD_LOSS", 0) / 100;
    net.weather.burst_loss = setting("SCHEDD_BURSTS", 0) / 100;
    const bool has_pauses = setting("SCHEDD_PAUSES", 0) > 0;
    boot(net);
    net.run(15'000);
    std::uint64_t blamed = 0;
    for (double passed = 0; passed < hours * 3600; passed += 60) {
        if (has_pauses) {
            auto& machine = net.at(net.rng().below(nodes));
            noticed.crashed = machine.uid; // others may well call it dead meanwhile; it may call nobody dead
            net.pause(machine, 10'000);
        }
        net.run(60'000);
        blamed = noticed.false_deaths;
    }
    fmt::print("N={} {} h, loss {}%, bursts {}%, pauses {}: {} false deaths\n", nodes, hours,
               net.weather.loss * 100, net.weather.burst_loss * 100, has_pauses, blamed);
    EXPECT_EQ(blamed, 0U);
}

} // namespace
} // namespace schedd::test
