// Profiles held by HoldProfile, never set: a hold ends with the connection, whatever becomes of this process.
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <systemd/sd-bus.h>

#include "service/desktop/bus_power_calls.h"

namespace schedd::desktop {

namespace {

constexpr const char* kApplication = "org.schedd1";

struct Address {
    const char* name;
    const char* path;
};
constexpr Address kHolders[] = {
    {"org.freedesktop.UPower.PowerProfiles", "/org/freedesktop/UPower/PowerProfiles"},
    {"net.hadess.PowerProfiles", "/net/hadess/PowerProfiles"},
};

} // namespace

int BusPower::Calls::hold_answered(sd_bus_message* message, void* hold, sd_bus_error* /*error*/) {
    auto& asked = *static_cast<Hold*>(hold);
    asked.self->hold_answered(asked, message);
    return 0;
}

int BusPower::Calls::profile_released(sd_bus_message* message, void* self, sd_bus_error* /*error*/) {
    std::uint32_t cookie = 0;
    const char* sender = sd_bus_message_get_sender(message);
    if (sender && sd_bus_message_read(message, "u", &cookie) >= 0)
        static_cast<BusPower*>(self)->released(sender, cookie);
    return 0;
}

std::string BusPower::holder() const {
    for (const auto what : {kProfiles, kLegacyProfiles})
        if (!services_[what].owner.empty()) return kHolders[what].name;
    return {};
}

void BusPower::want(const std::map<std::string, ProfileWish>& wishes) {
    for (auto at = holds_.begin(); at != holds_.end();) {
        const auto wish = wishes.find(at->first);
        if (wish != wishes.end() && wish->second == at->second->wish) {
            ++at;
            continue;
        }
        release(std::move(at->second));
        at = holds_.erase(at);
    }
    for (const auto& [cause, wish] : wishes) {
        auto& hold = holds_[cause];
        if (hold) continue;
        hold = std::make_unique<Hold>();
        hold->self = this;
        hold->wish = wish;
    }
    hold_some();
}

void BusPower::hold_some() {
    std::erase_if(leaving_, [](const auto& hold) { return hold->state != Hold::State::leaves; });
    const auto what = services_[kProfiles].owner.empty() ? kLegacyProfiles : kProfiles;
    const auto& owner = services_[what].owner;
    if (owner.empty()) return;
    for (auto& [cause, hold] : holds_) {
        if (hold->state != Hold::State::waits) continue;
        sd_bus_message* message = nullptr;
        int r = sd_bus_message_new_method_call(bus_, &message, owner.c_str(), kHolders[what].path,
                                               kHolders[what].name, "HoldProfile");
        if (r >= 0) r = sd_bus_message_set_auto_start(message, 0);
        if (r >= 0)
            r = sd_bus_message_append(message, "sss", hold->wish.profile.c_str(), hold->wish.reason.c_str(),
                                      kApplication);
        sd_bus_slot* slot = nullptr;
        if (r >= 0) r = sd_bus_call_async(bus_, &slot, message, &Calls::hold_answered, hold.get(), 0);
        sd_bus_message_unref(message);
        hold->call.reset(slot);
        hold->owner = owner;
        hold->what = what;
        hold->state = r >= 0 ? Hold::State::asked : Hold::State::refused;
        if (r < 0) hold->why = "it could not be asked for";
    }
}

void BusPower::hold_answered(Hold& hold, sd_bus_message* reply) {
    if (hold.state == Hold::State::leaves) {
        if (!sd_bus_message_get_error(reply) && sd_bus_message_read(reply, "u", &hold.cookie) >= 0)
            send_release(hold);
        hold.state = Hold::State::released; // taken out by process(): this is called for it
        return;
    }
    if (const auto* error = sd_bus_message_get_error(reply)) {
        hold.state = Hold::State::refused;
        hold.why = std::string_view(error->message ? error->message : error->name).substr(0, 256);
        return;
    }
    if (sd_bus_message_read(reply, "u", &hold.cookie) < 0) {
        hold.state = Hold::State::refused;
        hold.why = "its answer cannot be read";
        return;
    }
    hold.state = Hold::State::held;
    hold.held_at = now_;
    hold.was_in_force = state_.profile == hold.wish.profile;
}

/// Others may hold power-saver, which wins, or the daemon may not do as it says. It tells of its own change
/// after the answer, so it has some time for that.
bool BusPower::is_apart(const Hold& hold) const {
    return hold.state == Hold::State::held && state_.profile && *state_.profile != hold.wish.profile &&
           (hold.was_in_force || now_ >= hold.held_at + kSettles);
}

/// Who ended took its holds along: they are asked of whoever comes next.
void BusPower::forget_holds_of(const std::string& owner) {
    for (auto& hold : leaving_)
        if (hold->owner == owner) hold->state = Hold::State::released;
    for (auto& [cause, hold] : holds_) {
        if (hold->owner != owner) continue;
        hold->call.reset();
        hold->owner.clear();
        hold->cookie = 0;
        hold->state = Hold::State::waits;
        hold->why.clear();
    }
}

/// One that is asked for and not answered yet has no number by which it could be released: that is done when
/// the answer comes.
void BusPower::release(std::unique_ptr<Hold> hold) {
    if (hold->state == Hold::State::held) send_release(*hold);
    if (hold->state != Hold::State::asked) return;
    hold->state = Hold::State::leaves;
    leaving_.push_back(std::move(hold));
}

void BusPower::send_release(const Hold& hold) {
    sd_bus_message* message = nullptr;
    int r = sd_bus_message_new_method_call(bus_, &message, hold.owner.c_str(), kHolders[hold.what].path,
                                           kHolders[hold.what].name, "ReleaseProfile");
    if (r >= 0) r = sd_bus_message_append(message, "u", hold.cookie);
    if (r >= 0) r = sd_bus_message_set_expect_reply(message, 0);
    if (r >= 0) r = sd_bus_message_set_auto_start(message, 0);
    if (r >= 0) sd_bus_send(bus_, message, nullptr);
    sd_bus_message_unref(message);
}

void BusPower::released(std::string_view owner, std::uint32_t cookie) {
    for (auto& [cause, hold] : holds_)
        if (hold->state == Hold::State::held && hold->owner == owner && hold->cookie == cookie) {
            hold->state = Hold::State::released;
            hold->why = "a profile was chosen by hand";
        }
}

std::vector<ProfileHold> BusPower::holds() const {
    std::vector<ProfileHold> all;
    for (const auto& [cause, hold] : holds_) {
        std::string state;
        switch (hold->state) {
        case Hold::State::waits: state = "waits: " + state_.profile_trouble; break;
        case Hold::State::asked: state = "asked"; break;
        case Hold::State::held: state = "held"; break;
        case Hold::State::refused: state = "refused: " + hold->why; break;
        case Hold::State::leaves:
        case Hold::State::released: state = "released: " + hold->why; break;
        }
        if (is_apart(*hold)) state += fmt::format(", but the profile is {}", *state_.profile);
        all.push_back({cause, hold->wish.profile, std::move(state)});
    }
    return all;
}

} // namespace schedd::desktop
