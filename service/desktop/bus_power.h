// BusPower: the daemon of power profiles and UPower, followed over the bus without waiting for them, and
// power profiles held on behalf of others.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "components/kit/clock.h"
#include "components/kit/result.h"
#include "components/model/power.h"

struct sd_bus;
struct sd_bus_message;
struct sd_bus_slot;

namespace schedd::desktop {

using namespace schedd::kit;

/// Somebody's wish that a profile be held. `cause` tells wishes apart: "scheduler:GAMES", "hold:7".
struct ProfileWish {
    std::string profile;
    std::string reason; // shown by the desktop
    bool operator==(const ProfileWish&) const = default;
};

/// What became of a wish: "asked", "held", "held, but the profile is balanced", or why it is not.
struct ProfileHold {
    std::string cause;
    std::string profile;
    std::string state;
};

/// One connection of its own; nothing blocks, nobody is started, and whoever ends is let go at once. All of
/// the holds end with the connection, so also with this process.
class BusPower {
public:
    /// `address`: "system", "session" or that of a bus. `state` is written as things are said and outlives
    /// this. Fails with io when there is no bus.
    static Result<std::unique_ptr<BusPower>> open(const std::string& address, model::PowerState& state);
    ~BusPower();
    BusPower(const BusPower&) = delete;
    BusPower& operator=(const BusPower&) = delete;

    [[nodiscard]] int fd() const;
    /// As for poll(2), and when process() is to be called at the latest; both change with every call of it.
    [[nodiscard]] short events() const;
    [[nodiscard]] Time next_due(Time now) const;
    /// Handles what has arrived, at most kMessagesPerTurn of it. False when the bus is gone: then the state
    /// says so, and this is of no more use.
    bool process(Time now);

    /// What is to be held from now on, by cause; what is no longer in it is released. One that was released
    /// by the daemon (a person has chosen a profile) is not asked for again before it has been out of it.
    void want(const std::map<std::string, ProfileWish>& wishes);
    [[nodiscard]] std::vector<ProfileHold> holds() const;
    /// The bus name that could hold a profile, "" if nobody has it now.
    [[nodiscard]] std::string holder() const;

    static constexpr int kMessagesPerTurn = 64;
    /// From the answer to HoldProfile until another profile counts as trouble.
    static constexpr Duration kSettles = std::chrono::seconds(2);

private:
    struct Calls; // the functions that name types of sd-bus
    struct SlotEnd {
        void operator()(sd_bus_slot* slot) const;
    };
    using Slot = std::unique_ptr<sd_bus_slot, SlotEnd>;
    enum What : std::size_t { kProfiles, kLegacyProfiles, kUpower, kDisplayDevice, kServices };
    /// An object whose properties are followed. `owner` is the unique name of who has its name now.
    struct Service {
        BusPower* self = nullptr;
        What what{};
        std::string owner = {};
        bool is_asked = false; // its answer is awaited
        bool is_stale = false; // it has changed, or was never asked
        bool has_answered = false;
        Time ask_at{};
        std::string trouble = {};
        Slot call = {};
    };
    struct Hold {
        BusPower* self = nullptr;
        ProfileWish wish = {};
        What what = kProfiles;  // by which name
        std::string owner = {}; // whom it was asked of
        std::uint32_t cookie = 0;
        enum class State { waits, asked, held, refused, released, leaves } state = State::waits;
        std::string why = {};
        Time held_at = {};
        bool was_in_force = false; // the profile was the one that is held
        Slot call = {};
    };
    [[nodiscard]] bool is_apart(const Hold& hold) const;

    BusPower(sd_bus* bus, model::PowerState& state);
    Status listen();
    void owner_is(What what, std::string owner);
    void ask(Service& service, Time now);
    void answered(Service& service, sd_bus_message* reply);
    void changed(std::string_view sender);
    void settle_state();
    [[nodiscard]] const Service* teller() const;
    void hold_some();
    void forget_holds_of(const std::string& owner);
    void release(std::unique_ptr<Hold> hold);
    void send_release(const Hold& hold);
    void hold_answered(Hold& hold, sd_bus_message* reply);
    void released(std::string_view owner, std::uint32_t cookie);

    sd_bus* bus_;
    model::PowerState& state_;
    std::array<Service, kServices> services_;
    std::array<model::PowerState, kServices> said_; // by each of them
    std::map<std::string, std::unique_ptr<Hold>> holds_;
    std::vector<std::unique_ptr<Hold>> leaving_; // not wanted any more, but their cookie is not known yet
    Time now_{};                                 // of the last process()
    bool has_more_ = false;
};

} // namespace schedd::desktop
