// Hours in which nobody dies, and nobody may be called dead: with SCHEDD_HOURS=24, for as much CPU time as
// SCHEDD_CPU_MINUTES allows. SCHEDD_NODES=1000, SCHEDD_LOSS=1 and SCHEDD_BURSTS=5 (percent), SCHEDD_PAUSES=2
// (of ten seconds, a minute), SCHEDD_OBSERVERS=10 (PeersNet::observers).
#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/sim/peers_net.h"

namespace schedd::test {
namespace {

struct Wrongly final : Observer {
    void changed(Machine& at, const PeerFacts& peer, Standing /*before*/) override {
        if (peer.standing == Standing::suspect) ++suspicions;
        if (peer.standing != Standing::dead) return;
        // who stands still answers nobody; but it may not blame others for that afterwards
        if (std::ranges::find(paused, peer.uid) != paused.end()) return;
        ++deaths;
        fmt::print("{} calls {} dead after {} s\n", at.index, text_of(peer.uid), net->now_ms() / 1000 - 3600);
    }
    const PeersNet* net = nullptr;
    std::vector<NodeUid> paused;
    std::uint64_t deaths = 0;
    std::uint64_t suspicions = 0;
};

double setting(const char* variable, double otherwise) {
    const auto* text = std::getenv(variable);
    return text ? std::strtod(text, nullptr) : otherwise;
}

double cpu_minutes() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC / 60; }

TEST(Hours, PassWithoutAFalseDeath) {
    const auto wanted = setting("SCHEDD_HOURS", 0);
    if (wanted <= 0) GTEST_SKIP() << "only with SCHEDD_HOURS=24 or so";
    const auto most_cpu = setting("SCHEDD_CPU_MINUTES", 1e9);
    const auto nodes = static_cast<std::size_t>(setting("SCHEDD_NODES", 100));
    const auto pauses = static_cast<std::size_t>(setting("SCHEDD_PAUSES", 0));
    PeersNet net(static_cast<std::uint64_t>(setting("SCHEDD_SEED", 1)), nodes);
    Wrongly wrongly;
    wrongly.net = &net;
    net.observer = &wrongly;
    net.weather.loss = setting("SCHEDD_LOSS", 0) / 100;
    net.weather.burst_loss = setting("SCHEDD_BURSTS", 0) / 100;
    net.observers = static_cast<std::size_t>(setting("SCHEDD_OBSERVERS", static_cast<double>(nodes)));
    if (net.observers < nodes)
        net.settle = [&net](NodeSettings& settings) {
            settings.number = static_cast<NodeId>(net.of(settings.uid)->index);
        };
    for (auto& machine : net.machines()) net.start(*machine);
    net.run(15'000);
    double hours = 0;
    for (; hours < wanted && cpu_minutes() < most_cpu && net.fault.empty(); hours += 1.0 / 60) {
        wrongly.paused.clear();
        for (std::size_t i = 0; i < pauses; ++i) {
            auto& machine = net.at(net.rng().below(nodes));
            wrongly.paused.push_back(machine.uid);
            net.pause(machine, 10'000);
        }
        net.run(60'000);
    }
    const auto observers = static_cast<double>(std::min(nodes, net.observers));
    fmt::print("N={} watched by {} {:.2f} h, loss {}%, bursts {}%, {} pauses a minute: {} false deaths; "
               "{:.1f} false "
               "suspicions a node and hour; {:.1f} min of CPU\n",
               nodes, observers, hours, net.weather.loss * 100, net.weather.burst_loss * 100, pauses,
               wrongly.deaths, static_cast<double>(wrongly.suspicions) / hours / observers, cpu_minutes());
    EXPECT_EQ(net.fault, "");
    EXPECT_EQ(wrongly.deaths, 0U);
}

} // namespace
} // namespace schedd::test
