// PowerTable: what a person wants under each power profile, read from one line of text.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "components/model/setting.h"
#include "components/model/subject.h"
#include "policies/core_order.h"

namespace schedd::policies {

/// What a class of members gets. `cores` of the machine, or percent of them; none = as many as `kind` has.
struct ClassRule {
    std::optional<KindOrder> kind = {};
    std::optional<int> cores = {};
    bool is_percent = false;
    std::optional<std::uint64_t> weight = {};
    FrequencyHint hint = {}; // of the class's CPUs; its own `cpus` stay empty

    /// Whether it says anything about members, who are left alone otherwise.
    [[nodiscard]] bool places() const { return kind || cores || weight; }
    [[nodiscard]] bool hints() const { return hint != FrequencyHint{}; }
    bool operator==(const ClassRule&) const = default;
};

constexpr std::size_t kWorkClasses = 3;

/// One profile. `settings` may name the scheduler "*": all whose policy is of the type that follows.
struct PowerRow {
    std::string profile;
    std::array<ClassRule, kWorkClasses> classes = {}; // by WorkClass
    FrequencyHint all = {};                           // of the CPUs that no class has a hint for
    std::vector<Setting> settings = {};               // ordered
    bool operator==(const PowerRow&) const = default;
};

/// "power-saver: batch.kind=efficient batch.cores=25% DESK/nest.headroom=0; performance: PACK.active=false":
/// rows in any order, each the name of a profile, a colon and words LEFT=VALUE without blanks:
///   CLASS.kind=any|efficient|performance   CLASS.cores=4 or 25%   CLASS.weight=1..10000
///   CLASS.epp=, CLASS.min_mhz=, CLASS.max_mhz=    the same of the class's CPUs; of all others with "cpus."
///   SCHEDULER.ATTRIBUTE=, SCHEDULER/POLICY.ATTRIBUTE=, */POLICYTYPE.ATTRIBUTE=
/// where CLASS is latency, normal or batch; "schedulers/" may stand in front. The error names the row, what
/// is wrong with it and what would be accepted.
Result<std::vector<PowerRow>> parse_power_table(std::string_view text);

/// The row for a profile: its own, or that of the profile which it is another name for: the firmware says
/// low-power, quiet or cool where the desktop says power-saver, and balanced-performance for balanced. Null
/// if there is none.
const PowerRow* row_for(const std::vector<PowerRow>& table, std::string_view profile);

} // namespace schedd::policies
