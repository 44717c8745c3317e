// BusyProfiles: which schedulers have busy members, and so want the power profile held that they name.
#pragma once

#include <map>
#include <string>
#include <unordered_map>

#include "components/kit/host.h"
#include "components/model/tree.h"

namespace schedd::service {

using namespace schedd::model;

/// Busy is who used 5 % of a CPU, all members together, between two looks; it stays so for some seconds
/// afterwards, so that a pause does not switch the machine to and fro.
class BusyProfiles {
public:
    static constexpr Duration kLook = std::chrono::seconds(1);
    static constexpr Duration kStays = std::chrono::seconds(5);
    /// In thousandths of a CPU.
    static constexpr std::uint64_t kBusy = 50;

    /// Both outlive it.
    BusyProfiles(const Tree& tree, Host& host) : tree_(tree), host_(host) {}

    /// Looks if it is time. `whole` is how members are told apart elsewhere (ProcessSet::subjects). True if
    /// who is busy has changed.
    bool look(Time now, ProcessSet::Whole whole);
    /// kNever while no scheduler names a profile.
    [[nodiscard]] Time next_due() const { return next_; }
    /// The profile to be held, by scheduler.
    [[nodiscard]] const std::map<std::string, std::string>& wanted() const { return wanted_; }

private:
    struct Seen {
        std::unordered_map<Pid, std::uint64_t> used_ns;
        Time at{};
        Time busy_until{};
    };
    [[nodiscard]] bool is_busy(const Scheduler& scheduler, Seen& seen, Time now, ProcessSet::Whole whole);

    const Tree& tree_;
    Host& host_;
    std::map<std::string, Seen> seen_;
    std::map<std::string, std::string> wanted_;
    Time next_{};
};

} // namespace schedd::service
