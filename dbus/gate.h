// Gate: what every change has to pass. Root and the daemon's own user pass at once; about everybody else
// polkit is asked, while the loop goes on.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "components/kit/clock.h"
#include "dbus/authority.h"
#include "dbus/connection.h"

struct sd_bus_message;
struct sd_bus_slot;

namespace schedd::dbus {

/// How long polkit may take, by itself and when it asks a person.
struct Patience {
    Duration machine = std::chrono::seconds(25);
    Duration person = std::chrono::seconds(120);
};

/// Who wants what. `scheduler` and `unit` (a member's name) are for the rules of the administrator; "" where
/// the change is not about one.
struct Request {
    Action action = Action::configure;
    std::string sender;
    std::uint32_t uid = 0;
    bool interactive = false;
    std::string scheduler = {};
    std::string unit = {};
};

class Gate {
public:
    /// `connection` outlives it.
    Gate(Connection& connection, std::uint32_t own_uid, Patience patience);
    ~Gate();
    Gate(const Gate&) = delete;
    Gate& operator=(const Gate&) = delete;

    /// The uid of a caller; fails with denied when it has left.
    Result<std::uint32_t> uid_of(const std::string& sender);
    [[nodiscard]] bool is_trusted(std::uint32_t uid) const { return authority_.is_trusted(uid); }

    /// Calls `answered` with the verdict: at once, or from process() when polkit has spoken or its time is
    /// up; never when the caller leaves before. Verdicts are denied (naming the action and why),
    /// limit_exceeded, or that the change may be made now.
    using Answered = std::function<void(Status)>;
    void ask(Request request, Answered answered);
    /// Forgets what has been answered; call it between two messages.
    void sweep();
    [[nodiscard]] std::size_t waiting() const { return checks_.size(); }

private:
    struct Check;
    [[nodiscard]] Status room_for(const Request& request) const;
    int send(Check& check);
    static int heard(sd_bus_message* reply, void* check, void*);
    void conclude(Check& check, Status verdict);
    void call_off(const Check& check);
    [[nodiscard]] Error denied(const Request& request, std::string why) const;
    [[nodiscard]] Status verdict(const Request& request, sd_bus_message* reply) const;
    [[nodiscard]] Error failure(const Request& request, std::string_view name, std::string text) const;

    Connection& connection_;
    Authority authority_;
    Patience patience_;
    std::vector<std::unique_ptr<Check>> checks_;
    std::uint64_t last_ = 0; // numbers the checks, so that each can be called off
};

} // namespace schedd::dbus
