// GroupUsage: the CPU time that control groups use, also of processes that come and go between two looks.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "components/kit/clock.h"
#include "components/model/value.h"
#include "components/probes/kept_file.h"

namespace schedd::probes {

using namespace schedd::model;

/// usage_usec of cpu.stat (cgroup version 2), which also counts what has ended; none if it is not there.
std::optional<std::uint64_t> parse_cpu_stat(std::string_view text);

/// A group is followed from when it is first asked for until it is gone or nobody asks any more; so the first
/// value comes with the second look. At most limits::kPressureGroups are.
class GroupUsage {
public:
    explicit GroupUsage(Host& host) : host_(host) {}

    /// Thousandths of a CPU, over the time between two looks.
    struct Usage {
        std::int64_t used;
        Time time;
    };
    std::optional<Usage> look(std::string_view group, Time now);
    void visit(const std::function<void(const std::string&, const Usage&)>& visit) const;
    /// Reads all that are followed; forgets who was last asked for longer than `patience` ago.
    void measure(Time now, Duration patience);

private:
    struct Followed {
        std::optional<KeptFile> file;
        std::optional<std::uint64_t> total_us;
        std::optional<Usage> usage;
        Time asked_at{};
        Time read_at{};
    };
    bool read(const std::string& group, Followed& row, Time now);

    Host& host_;
    std::map<std::string, Followed, std::less<>> groups_;
};

} // namespace schedd::probes
