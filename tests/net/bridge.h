// Bridge: many machines on one machine - a network namespace for each node, all on bridges in another; no
// namespace has a name, so that everything goes when the processes do.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

namespace schedd::net::test {

/// One schedd-node in a namespace of its own: interface eth0 with 10.7.X.Y/16 and fd07::N/64.
class Machine {
public:
    struct Settings {
        int number = 0;            // 1 to 60000: its uid and its addresses follow
        std::string keys = "keys"; // file in the test's directory
        std::string more{};        // further words of the command line
        std::string interface{"eth0"};
    };
    Machine(const Settings& settings, const std::string& directory, int bridge);
    ~Machine();
    Machine(const Machine&) = delete;
    Machine& operator=(const Machine&) = delete;

    /// Starts the program, again if need be; the namespace stays.
    void start(const std::string& more = {});
    void tell(const std::string& line);
    /// Asks for a word and waits for the line that begins with it; "" after ten seconds.
    std::string ask(const std::string& word);
    /// Everything it has said so far.
    const std::string& said();
    [[nodiscard]] int number() const { return settings_.number; }
    /// As other nodes name it: 16 digits.
    [[nodiscard]] std::string uid() const;
    [[nodiscard]] std::string address() const;
    [[nodiscard]] pid_t pid() const { return pid_; }       // of the program; -1: none runs
    [[nodiscard]] pid_t holder() const { return holder_; } // of a process in its namespace, always there

    void kill();
    void pause(bool is_paused) const;
    /// Runs a command in its namespace; false if it failed.
    bool run(const std::string& command) const;
    /// Its end of the wire on the bridge's side.
    [[nodiscard]] std::string port() const;
    /// Puts the wire's end on that bridge.
    void plug(int bridge) const;
    /// A wire, its ends up, and the addresses; also in the place of one that was removed.
    void wire(int bridge, int mtu = 1500) const;

private:
    void read_some();
    void end(int signal);

    Settings settings_;
    std::string directory_;
    pid_t holder_ = -1; // a process that does nothing but keep the namespace
    pid_t pid_ = -1;
    int in_ = -1, out_ = -1;
    std::string said_;
};

/// The bridges' namespace is the test's own (own_network()). Empty, or why there can be none.
std::string make_bridges();
/// Settings of a bridge: "mcast_snooping 0".
bool set_bridge(int bridge, const std::string& settings);

/// Asks again and again, until it holds or the time is over; generous, and never a measure of anything.
bool within(std::chrono::seconds most, const std::function<bool()>& holds);

} // namespace schedd::net::test
