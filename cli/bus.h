// Bus: one connection to the daemon, by sd-bus. Calls are synchronous; failures come back as exit code and
// text.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "cli/failure.h"

struct sd_bus;
struct sd_bus_message;

namespace schedd::cli {

/// Where the daemon is: "system", "session" or a D-Bus address; a host (user@name) goes through ssh.
struct BusPlace {
    std::string bus;
    std::string host;
};

/// An entry of the a{sv} that ends every changing method. Pairs become a{sv} of text.
using OptionValue =
    std::variant<bool, std::uint64_t, std::string, std::vector<std::pair<std::string, std::string>>>;
struct CallOptions {
    std::vector<std::pair<std::string, OptionValue>> entries;
    bool interactive = false; // polkit may ask; also sets the message flag
};

/// An argument of a method: text, text inside a variant (the value of Write), or a flag.
struct Argument {
    Argument(std::string_view plain) : text(plain) {}
    Argument(const std::string& plain) : text(plain) {}
    Argument(const char* plain) : text(plain) {}
    static Argument variant(std::string_view text);
    static Argument flag(bool value);
    std::string text; // of a flag: "1" or ""
    bool in_variant = false;
    bool is_flag = false;
};

struct Event;

class Bus {
public:
    /// Connects, without yet talking to the daemon. Fails with not_running when there is no such bus.
    static Answer<Bus> open(const BusPlace& place);
    Bus(Bus&&) noexcept;
    Bus& operator=(Bus&&) noexcept;
    ~Bus();

    /// Calls a method of org.schedd1.Manager and returns its text, object path or "" if it returns nothing.
    Answer<std::string> call(const char* method, const std::vector<Argument>& arguments,
                             const CallOptions* options = nullptr);
    /// Calls a method that returns a number (t).
    Answer<std::uint64_t> count(const char* method, const std::vector<Argument>& arguments,
                                const CallOptions& options);
    /// Calls a method that returns a file descriptor first; it is the caller's, and closed on exec.
    Answer<int> take_descriptor(const char* method, const std::vector<Argument>& arguments,
                                const CallOptions& options);
    /// Calls a method that returns a file descriptor, and reads all of it.
    Answer<std::string> read_stream(const char* method);
    /// The time a call may take; sd-bus's default is 25 s.
    void set_timeout_ms(std::uint64_t milliseconds);
    /// Calls find the daemon running or fail with not_running; the bus does not start it for them.
    void never_start();

    /// Asks for all signals below /org/schedd1 and for the daemon's going away.
    Answer<void> subscribe();
    /// Asks for the coming and going of objects, and of the daemon.
    Answer<void> subscribe_objects();
    /// Waits for the next signal and hands it to `handle`; fails with not_running when the daemon or the bus
    /// goes. Returns without calling it after `timeout_ms` (forever if negative).
    Answer<void> next_event(int timeout_ms, const std::function<void(const Event&)>& handle);
    /// Hands all signals that have arrived to `handle`, without waiting; fails as next_event() does.
    Answer<void> take_events(const std::function<void(const Event&)>& handle);
    /// Readable when something has arrived; for poll(2).
    [[nodiscard]] int descriptor() const;

private:
    struct State;
    Answer<void> match(const char* signals);
    explicit Bus(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

} // namespace schedd::cli
