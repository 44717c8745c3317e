// PoolSpec: what a person writes about pools of CPUs, read from one line of text and checked for
// contradictions.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "components/model/subject.h"

namespace schedd::policies {

using namespace schedd::model;

/// The domain that a pool never leaves; `core` is a pool of one core.
enum class PoolLevel { core, l3, numa, machine };
std::string_view name_of(PoolLevel level);

/// Whether others may use those of a pool's cores that it does not need: nobody, or the default pool and
/// other pools that share in the same way.
enum class PoolShare { none, idle };
std::string_view name_of(PoolShare share);

/// One pool as it was written. `least` and `most` count whole cores. A member belongs if one of the patterns
/// stands for its name and its class is among the classes; with no patterns any name does.
struct PoolSpec {
    std::string name;
    int least = 1;
    int most = limits::kMaxCpus;
    PoolLevel level = PoolLevel::machine;
    PoolShare share = PoolShare::none;
    std::vector<std::string> patterns = {};
    std::vector<WorkClass> classes = {}; // empty = all
    bool operator==(const PoolSpec&) const = default;

    /// By what a member belongs, as it was written: "match=unit:web*"; "" if it does not. It goes by the name
    /// of the member and by its own, which differ for instances of a template and processes of a rule.
    [[nodiscard]] std::string rule_for(std::string_view member, std::string_view own,
                                       WorkClass work_class) const;
};

/// "web: min=2 max=8 level=l3 share=none match=unit:web*; batch: share=idle class=batch": pools in the order
/// in which members are tried, each a name, a colon and words KEY=VALUE; "" is no pool. The error names the
/// pool, what is wrong with it and what would be accepted. Refused are also pools that contradict themselves
/// or those before them: a least above the most, more than one core in one core, a rule that leaves nobody.
Result<std::vector<PoolSpec>> parse_pools(std::string_view text);

} // namespace schedd::policies
