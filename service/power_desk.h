// PowerDesk: power as the daemon has it - what is said of it, which profiles are held for whom, and what
// policies want of other parts because of it.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "components/placement/engine.h"
#include "dbus/backend.h"
#include "service/actuators/frequency.h"
#include "service/busy_profiles.h"
#include "service/desktop/bus_power.h"
#include "service/loop.h"
#include "service/overlay.h"

namespace schedd::service {

class PowerDesk {
public:
    /// As long as it lives the tree is as configured, without what policies want of others for now.
    class Configured {
    public:
        explicit Configured(const PowerDesk& desk) : overlay_(*desk.overlay_) { overlay_.lift(); }
        ~Configured() { overlay_.lay(); }
        Configured(const Configured&) = delete;
        Configured& operator=(const Configured&) = delete;

    private:
        Overlay& overlay_;
    };

    explicit PowerDesk(Log& log) : log_(log) {}

    /// For the environment of the tree; stays where it is.
    [[nodiscard]] const PowerState& state() const { return state_; }

    /// All outlive it, or what close() leaves of it. `bus` is the address of the bus where the daemons of
    /// power are; `state_dir` keeps what CPUs were set to before. One that cannot be reached is tried again.
    struct World {
        Tree& tree;
        Host& host;
        Loop& loop;
        std::string bus;
        std::string state_dir;
        std::string boot_id;
        bool is_live = true; // the machine itself, not files of another
        Overlay::Apply apply;
    };
    void open(World world);
    void close();

    /// What has come over the bus, and who is busy. Returns when it wants its next turn.
    Time turn(Time now, const std::vector<dbus::HoldFacts>& holds, ProcessSet::Whole whole);
    /// What policies want of others now, after they have decided.
    void follow(Time now);
    /// Whether CPUs may be told how to trade speed for energy; if not, what was told is taken back.
    void allow_frequency(bool allowed);
    /// The same at the end.
    void release_frequency();

    [[nodiscard]] Overlay& overlay() { return *overlay_; }
    /// Who could hold a profile; "" if nobody can.
    [[nodiscard]] std::string holder() const { return bus_ ? bus_->holder() : std::string(); }
    [[nodiscard]] const PowerState& said() const { return state_; }
    /// Fills in what became of those that hold profiles.
    void tell(std::vector<dbus::HoldFacts>& holds) const;
    /// For verify: which settings of others and of CPUs are not as policies want them.
    [[nodiscard]] std::vector<dbus::Finding> findings() const;
    [[nodiscard]] dbus::PowerFacts facts(const placement::Engine& engine, const Topology& topology) const;

private:
    static constexpr std::string_view kProfileHold = "profile:";
    [[nodiscard]] static std::string cause_of(const dbus::HoldFacts& hold);
    void open_bus(Time now);
    void want(const std::vector<dbus::HoldFacts>& holds);
    [[nodiscard]] const Probe* probe_of(std::string_view type) const;
    void tell_said(dbus::PowerFacts& facts) const;
    [[nodiscard]] std::optional<std::uint64_t> cores_asleep(const Topology& topology) const;

    Log& log_;
    PowerState state_;
    std::optional<World> world_;
    std::unique_ptr<desktop::BusPower> bus_;
    Loop::Watch* watch_ = nullptr;
    Time open_at_{};
    std::unique_ptr<Overlay> overlay_;
    std::optional<BusyProfiles> busy_;
    std::unique_ptr<actuators::SettingFiles> files_;
    std::unique_ptr<actuators::FrequencyLedger> ledger_;
    std::unique_ptr<actuators::Frequency> frequency_;
    std::map<std::string, desktop::ProfileWish> wishes_;
    std::map<std::string, std::string> told_; // what became of wishes, as last written to the journal
};

} // namespace schedd::service
