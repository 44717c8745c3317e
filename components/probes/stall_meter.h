// StallMeter: one PSI file (kernel Documentation/accounting/psi.rst), read as shares of the time between two
// reads.
#pragma once

#include <array>
#include <optional>

#include "components/kit/clock.h"
#include "components/probes/kept_file.h"

namespace schedd::probes {

/// The two lines of a PSI file: some task stalled, all tasks stalled.
enum Stall : std::size_t { kSome, kFull, kStalls };

/// Total stall time per line in us; a line that is missing has none ("full" of cpu before Linux 5.13).
using StallTotals = std::array<std::optional<std::uint64_t>, kStalls>;
/// None if the text is no PSI file at all.
std::optional<StallTotals> parse_pressure(std::string_view text);

class StallMeter {
public:
    StallMeter(Host& host, std::string path) : file_(host, std::move(path)) {}

    /// Reads the file. Fails as Host does, or with io if it holds something else; then there is no share, and
    /// the next read is a first one.
    Status measure(Time now);
    /// Thousandths (0 to 1000) of the time between the last two reads; none before the second.
    [[nodiscard]] std::optional<std::int64_t> share(Stall line) const { return shares_[line]; }
    [[nodiscard]] Time measured_at() const { return time_; }
    /// Since when nothing stalled, as far as the reads tell; the first read if there was nothing ever since.
    [[nodiscard]] Time quiet_since() const { return quiet_since_; }

private:
    KeptFile file_;
    StallTotals totals_{};
    Time time_{};
    Time quiet_since_{};
    std::array<std::optional<std::int64_t>, kStalls> shares_{};
};

} // namespace schedd::probes
