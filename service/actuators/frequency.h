// Frequency: energy preference and frequency limits of CPUs, written because policies want it, read back, and
// put back as they were.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "components/kit/clock.h"
#include "components/kit/host.h"
#include "components/kit/log.h"
#include "components/model/setting.h"
#include "service/actuators/setting_files.h"

namespace schedd::actuators {

/// Keeps the ledger of what the files held before, one line each; in memory for tests.
class FrequencyLedger {
public:
    virtual ~FrequencyLedger() = default;
    [[nodiscard]] virtual std::string read() = 0;
    /// All of it, wholly or not at all.
    virtual Status replace(const std::string& text) = 0;
};

/// sys/devices/system/cpu/cpuN/cpufreq. Off until allow(true). CPUs that share a clock (affected_cpus) are
/// set together, by what is wanted of the first of them that is named.
class Frequency {
public:
    /// All outlive it. What an earlier run of this boot has set is in the ledger, and is put back or taken
    /// over by the first want().
    Frequency(kit::Host& host, SettingFiles& files, FrequencyLedger& ledger, std::string boot_id,
              kit::Log& log);

    void allow(bool allowed);
    /// Makes the machine what the hints say, all of it or nothing: when one write fails, those before it are
    /// taken back, and it is not tried again until something else is wanted. `other` is the daemon of power
    /// profiles that runs, "" for none: energy preferences are its own to write then, and are left to it.
    /// Looks every ten seconds whether somebody else has written a file, who then keeps it.
    void want(const std::vector<model::FrequencyHint>& hints, const std::string& other, kit::Time now);
    /// Puts everything back that is still as it was written.
    void release();

    /// What holds, a line for each value: "CPUs 16-31: energy preference power".
    [[nodiscard]] std::vector<std::string> rows() const;
    /// Why what is wanted does not hold; "" if all does.
    [[nodiscard]] const std::string& trouble() const { return trouble_; }
    /// Why energy preferences alone do not; "" if they do, or all the rest does not either.
    [[nodiscard]] const std::string& preference_trouble() const { return preference_trouble_; }

private:
    struct Held {
        std::string before;
        std::string written;
    };
    using Values = std::map<std::string, std::string>; // by path

    [[nodiscard]] Result<Values> values_for(const std::vector<model::FrequencyHint>& hints, bool with_epp);
    [[nodiscard]] Status add_values(Values& values, int cpu, const model::FrequencyHint& hint, bool with_epp);
    [[nodiscard]] Status check_preference(int cpu, const std::string& preference);
    [[nodiscard]] Result<std::string> clamp(int cpu, std::uint64_t khz);
    Status change(const Values& values);
    Status put(const std::string& path, const std::string& value);
    void put_back(const Values& keep);
    void look_for_others();
    Status keep();
    [[nodiscard]] Result<std::string> read(const std::string& path) const;

    kit::Host& host_;
    SettingFiles& files_;
    FrequencyLedger& ledger_;
    std::string boot_id_;
    kit::Log& log_;
    bool is_allowed_ = false;
    std::map<std::string, Held> held_;
    std::vector<model::FrequencyHint> wanted_;
    std::string other_;
    bool is_new_ = true;
    bool is_withheld_ = false; // something is wanted and not allowed
    kit::Time look_at_{};
    std::string trouble_;
    std::string preference_trouble_;
};

} // namespace schedd::actuators
