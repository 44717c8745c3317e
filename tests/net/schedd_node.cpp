// schedd-node: a Cluster without a daemon. Says on stdout what happens to its peers, and does what it is told
// on stdin, a line each; tests/net/README.md has the words.
#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <map>
#include <sstream>
#include <string>

#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "service/net/cluster.h"

using namespace schedd;
using namespace schedd::net;

namespace {

class SteadyClock final : public kit::Clock {
public:
    [[nodiscard]] Time now() const override {
        timespec now{};
        clock_gettime(CLOCK_MONOTONIC, &now);
        return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
    }
};

void say(const std::string& line) {
    const auto whole = line + "\n";
    if (::write(STDOUT_FILENO, whole.data(), whole.size()) < 0) std::exit(1);
}

class Lines final : public Log {
public:
    void write(Severity severity, std::string_view about, std::string_view message) override {
        if (severity >= Severity::notice) say(fmt::format("log {}: {}", about, message));
    }
};

class Listener final : public membership::NodeListener {
public:
    explicit Listener(const SteadyClock& clock) : clock_(clock) {}
    void peer_changed(const membership::PeerFacts& peer, membership::Standing before) override {
        say(fmt::format("peer {} {} {} after {} at {}", membership::text_of(peer.uid), name_of(peer.standing),
                        peer.name, name_of(before), milliseconds_of(clock_.now())));
    }
    void self_changed(membership::Announced now, membership::Announced) override {
        say(fmt::format("self {} at {}", name_of(now), milliseconds_of(clock_.now())));
    }
    void displaced(const Address& by) override { say("displaced by " + membership::text_of(by)); }

private:
    const SteadyClock& clock_;
};

/// "--name value" pairs.
std::map<std::string, std::string> options_of(int count, char** words) {
    std::map<std::string, std::string> options;
    for (int i = 1; i + 1 < count; i += 2) options[std::string(words[i]).substr(2)] = words[i + 1];
    return options;
}

ClusterPlace place_of(std::map<std::string, std::string>& options) {
    ClusterPlace place;
    auto& settings = place.settings;
    if (!options["cluster"].empty()) settings.name = options["cluster"];
    if (!options["port"].empty()) settings.port = static_cast<std::uint16_t>(std::stoul(options["port"]));
    if (!options["number"].empty()) settings.number = std::stoi(options["number"]);
    settings.multicast = options["multicast"] != "no";
    if (!options["period"].empty())
        settings.period = std::chrono::milliseconds(std::stoul(options["period"]));
    std::istringstream peers(options["peers"]);
    for (std::string peer; std::getline(peers, peer, ',');)
        if (auto address = parse_address(peer, settings.port)) settings.peers.push_back(*address);
    std::istringstream interfaces(options["interfaces"]);
    for (std::string one; std::getline(interfaces, one, ',');) settings.interfaces.push_back(one);
    settings.node_name = options["name"];
    place.key_file = options["keys"];
    place.state_directory = options["state"];
    place.host_name = "host";
    place.uid = membership::NodeUid{std::stoull(options["uid"])};
    return place;
}

/// "peers alive=3 dead=1": by standing, without those that there are none of.
std::string summary(const Cluster& cluster) {
    std::map<std::string_view, int> counts;
    for (const auto& peer : cluster.node().peers()) ++counts[name_of(peer.standing)];
    std::string line = "peers";
    for (const auto& [standing, count] : counts) line += fmt::format(" {}={}", standing, count);
    return line;
}

std::string usage_of_memory() {
    rusage used{};
    ::getrusage(RUSAGE_SELF, &used);
    return fmt::format("cost cpu_ms={} rss_kib={}",
                       used.ru_utime.tv_sec * 1000 + used.ru_utime.tv_usec / 1000 +
                           used.ru_stime.tv_sec * 1000 + used.ru_stime.tv_usec / 1000,
                       used.ru_maxrss);
}

std::string groups_of(const Cluster& cluster) {
    std::string line = "groups";
    for (const auto& group : cluster.groups())
        line += fmt::format(" {}/{}{}", group.link.name, name_of(group.family),
                            group.is_joined ? std::string() : "!" + group.trouble);
    return line;
}

std::string drops_of(const Cluster& cluster) {
    const auto counts = cluster.node().counts();
    std::string line = "drops";
    for (std::size_t i = 0; i < counts.dropped.size(); ++i)
        line += fmt::format(" {}={}", name_of(static_cast<membership::wire::Drop>(i)), counts.dropped[i]);
    return line;
}

void answer(Cluster& cluster, const std::string& text) {
    std::istringstream words(text);
    std::string word;
    std::string path;
    std::string value;
    words >> word >> path;
    std::getline(words >> std::ws, value);
    if (word == "peers") say(summary(cluster));
    if (word == "cost") say(usage_of_memory());
    if (word == "groups") say(groups_of(cluster));
    if (word == "drops") say(drops_of(cluster));
    if (word == "self")
        say(fmt::format("self {} number={}", name_of(cluster.node().state()),
                        cluster.node().number().value_or(-1)));
    if (word == "traffic") {
        const auto counts = cluster.socket_counts();
        say(fmt::format("traffic received={} received_bytes={} sent={} sent_bytes={} overflows={}",
                        counts.received, counts.received_bytes, counts.sent, counts.sent_bytes,
                        counts.overflows));
    }
    if (word == "set") {
        const auto wrote = cluster.write(std::vector{membership::Write{path, value, 0}});
        say(wrote ? "set" : "set " + wrote.error().text());
    }
    if (word == "get") {
        const auto* entry = cluster.store().find(path);
        say("get " + (entry && !entry->is_tombstone ? entry->value : std::string("nothing")));
    }
    if (word == "digest") say("digest " + short_text(cluster.store().digest()));
    if (word == "keys") {
        const auto loaded = cluster.reload_keys();
        say(loaded ? "keys" : "keys " + loaded.error().text());
    }
    if (word == "leave") cluster.stop();
}

int run(Cluster& cluster, const SteadyClock& clock) {
    std::string waiting;
    while (!cluster.is_stopped()) {
        const auto next = cluster.turn();
        const auto left = milliseconds_of(next == kNever ? std::chrono::seconds(10) : next - clock.now()) + 1;
        std::array<pollfd, 2> ready{pollfd{cluster.fd(), POLLIN, 0}, pollfd{STDIN_FILENO, POLLIN, 0}};
        ::poll(ready.data(), ready.size(), static_cast<int>(std::clamp(left, 0LL, 10'000LL)));
        if ((ready[1].revents & (POLLIN | POLLHUP)) == 0) continue;
        std::array<char, 4096> bytes{};
        const auto got = ::read(STDIN_FILENO, bytes.data(), bytes.size());
        if (got <= 0) return 0; // nobody is there who tests
        waiting.append(bytes.data(), static_cast<std::size_t>(got));
        for (auto end = waiting.find('\n'); end != std::string::npos; end = waiting.find('\n')) {
            answer(cluster, waiting.substr(0, end));
            waiting.erase(0, end + 1);
        }
    }
    say("gone");
    return 0;
}

} // namespace

int main(int count, char** words) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::signal(SIGPIPE, SIG_IGN);
    auto options = options_of(count, words);
    const SteadyClock clock;
    Lines log;
    Rng rng(std::stoull(options["uid"]) * 7919 + static_cast<std::uint64_t>(clock.now().count()));
    Listener listener(clock);
    auto cluster = Cluster::open(place_of(options), {clock, log, rng, &listener, [] { say("changed"); }});
    if (!cluster) {
        say("error " + cluster.error().text());
        return 1;
    }
    say("up");
    return run(**cluster, clock);
}
