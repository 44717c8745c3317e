// PlayedPower: a daemon of power profiles and UPower on a private bus, under the names that the test says; it
// may lie, hang and talk too much.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <sdbus-c++/sdbus-c++.h>

namespace schedd::test {

constexpr const char* kNewPower = "org.freedesktop.UPower.PowerProfiles";
constexpr const char* kOldPower = "net.hadess.PowerProfiles";

/// Serves from a thread of its own. A hold ends with its holder's connection, as in the real one.
class PlayedPower {
public:
    struct Hold {
        std::string profile, reason, application, sender;
    };

    PlayedPower(const std::string& address, const std::vector<std::string>& names)
        : connection_(sdbus::createSessionBusConnectionWithAddress(address)),
          bus_(sdbus::createProxy(*connection_, "org.freedesktop.DBus", "/org/freedesktop/DBus")) {
        for (const auto& name : names) add_profiles(name);
        bus_->registerSignalHandler("org.freedesktop.DBus", "NameOwnerChanged",
                                    [this](sdbus::Signal& signal) {
                                        std::string name, before, after;
                                        signal >> name >> before >> after;
                                        const std::scoped_lock lock(mutex_);
                                        if (after.empty())
                                            std::erase_if(holds_, [&](const auto& hold) {
                                                return hold.second.sender == name;
                                            });
                                    });
        bus_->finishRegistration();
        for (const auto& name : names) connection_->requestName(name);
        connection_->enterEventLoopAsync();
    }
    ~PlayedPower() { connection_->leaveEventLoop(); }
    PlayedPower(const PlayedPower&) = delete;
    PlayedPower& operator=(const PlayedPower&) = delete;

    /// What it says from now on; told by a signal unless `silently`.
    void choose(const std::string& profile, bool silently = false) {
        {
            const std::scoped_lock lock(mutex_);
            profile_ = profile;
        }
        if (!silently) announce();
    }
    void announce() {
        for (auto& [name, object] : objects_) object->emitPropertiesChangedSignal(name, {"ActiveProfile"});
    }
    void degrade(const std::string& why) {
        const std::scoped_lock lock(mutex_);
        degraded_ = why;
    }
    /// Takes holds and leaves them unanswered.
    void hang(bool hangs) { hangs_ = hangs; }
    void refuse(bool refuses) { refuses_ = refuses; }
    /// Takes a hold away, as when a person chooses a profile.
    void take_away() {
        std::map<std::uint32_t, Hold> gone;
        {
            const std::scoped_lock lock(mutex_);
            gone.swap(holds_);
        }
        for (const auto& [cookie, hold] : gone)
            for (auto& [name, object] : objects_) {
                auto signal = object->createSignal(name, "ProfileReleased");
                signal << cookie;
                signal.setDestination(hold.sender);
                object->emitSignal(signal);
            }
    }
    std::vector<Hold> holds() {
        const std::scoped_lock lock(mutex_);
        std::vector<Hold> all;
        for (const auto& [cookie, hold] : holds_) all.push_back(hold);
        return all;
    }
    [[nodiscard]] int asked() const { return asked_; }
    [[nodiscard]] int hold_calls() const { return hold_calls_; }
    [[nodiscard]] int set_calls() const { return set_calls_; }

private:
    void add_profiles(const std::string& name) {
        std::string path = "/" + name;
        std::ranges::replace(path, '.', '/');
        auto object = sdbus::createObject(*connection_, path);
        object->registerProperty("ActiveProfile")
            .onInterface(name)
            .withGetter([this] {
                const std::scoped_lock lock(mutex_);
                ++asked_;
                return profile_;
            })
            .withSetter([this](const std::string& /*profile*/) { ++set_calls_; });
        object->registerProperty("PerformanceDegraded").onInterface(name).withGetter([this] {
            const std::scoped_lock lock(mutex_);
            return degraded_;
        });
        object->registerProperty("Profiles").onInterface(name).withGetter([] {
            return std::vector<std::map<std::string, sdbus::Variant>>{
                {{"Profile", sdbus::Variant(std::string("power-saver"))},
                 {"Driver", sdbus::Variant(std::string("placeholder"))}}};
        });
        auto* here = object.get();
        object->registerMethod("HoldProfile")
            .onInterface(name)
            .implementedAs([this, here](sdbus::Result<std::uint32_t>&& result, const std::string& profile,
                                        const std::string& reason, const std::string& application) {
                ++hold_calls_;
                const std::string sender = here->getCurrentlyProcessedMessage()->getSender();
                const std::scoped_lock lock(mutex_);
                if (hangs_) {
                    waiting_.push_back(std::move(result));
                    return;
                }
                if (refuses_) {
                    result.returnError(sdbus::Error("org.freedesktop.DBus.Error.AccessDenied", "not you"));
                    return;
                }
                holds_[++last_] = {profile, reason, application, sender};
                result.returnResults(last_);
            });
        object->registerMethod("ReleaseProfile")
            .onInterface(name)
            .implementedAs([this](std::uint32_t cookie) {
                const std::scoped_lock lock(mutex_);
                if (holds_.erase(cookie) == 0)
                    throw sdbus::Error("org.freedesktop.DBus.Error.InvalidArgs", "no hold with this cookie");
            });
        object->registerSignal("ProfileReleased").onInterface(name).withParameters<std::uint32_t>();
        object->finishRegistration();
        objects_.emplace_back(name, std::move(object));
    }

    std::mutex mutex_;
    std::string profile_ = "balanced";
    std::string degraded_;
    std::map<std::uint32_t, Hold> holds_;
    std::uint32_t last_ = 6;
    std::atomic<int> asked_ = 0;
    std::atomic<int> hold_calls_ = 0;
    std::atomic<int> set_calls_ = 0;
    std::atomic<bool> hangs_ = false;
    std::atomic<bool> refuses_ = false;
    std::unique_ptr<sdbus::IConnection> connection_;
    std::unique_ptr<sdbus::IProxy> bus_;
    std::vector<std::pair<std::string, std::unique_ptr<sdbus::IObject>>> objects_;
    std::vector<sdbus::Result<std::uint32_t>> waiting_; // messages of the connection
};

/// UPower with a display device.
class PlayedUpower {
public:
    PlayedUpower(const std::string& address, bool on_battery, double percent)
        : connection_(sdbus::createSessionBusConnectionWithAddress(address)),
          daemon_(sdbus::createObject(*connection_, "/org/freedesktop/UPower")),
          device_(sdbus::createObject(*connection_, "/org/freedesktop/UPower/devices/DisplayDevice")) {
        const std::string name = "org.freedesktop.UPower";
        daemon_->registerProperty("OnBattery").onInterface(name).withGetter([on_battery] {
            return on_battery;
        });
        daemon_->finishRegistration();
        device_->registerProperty("IsPresent").onInterface(name + ".Device").withGetter([] { return true; });
        device_->registerProperty("Percentage").onInterface(name + ".Device").withGetter([percent] {
            return percent;
        });
        device_->finishRegistration();
        connection_->requestName(name);
        connection_->enterEventLoopAsync();
    }
    ~PlayedUpower() { connection_->leaveEventLoop(); }
    PlayedUpower(const PlayedUpower&) = delete;
    PlayedUpower& operator=(const PlayedUpower&) = delete;

private:
    std::unique_ptr<sdbus::IConnection> connection_;
    std::unique_ptr<sdbus::IObject> daemon_;
    std::unique_ptr<sdbus::IObject> device_;
};

} // namespace schedd::test
