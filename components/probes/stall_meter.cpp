// Reading PSI totals and turning them into shares of time.
#include "components/probes/stall_meter.h"

#include <algorithm>

#include "components/model/proc_text.h"

namespace schedd::probes {

using namespace schedd::model;

std::optional<StallTotals> parse_pressure(std::string_view text) {
    // "some avg10=0.00 avg60=0.00 avg300=0.00 total=5762857"
    StallTotals totals;
    while (!text.empty()) {
        auto line = take_line(text);
        const auto label = take_word(line);
        if (label != "some" && label != "full") continue;
        const auto at = line.find("total=");
        if (at == std::string_view::npos) continue;
        line.remove_prefix(at + 6);
        if (const auto number = take_number(line)) totals[label == "some" ? kSome : kFull] = number;
    }
    if (!totals[kSome] && !totals[kFull]) return std::nullopt;
    return totals;
}

Status StallMeter::measure(Time now) {
    std::array<char, 512> buffer;
    const auto text = file_.read(buffer);
    const auto totals = text ? parse_pressure(*text) : std::nullopt;
    const auto passed_us = std::chrono::duration_cast<std::chrono::microseconds>(now - time_).count();
    for (std::size_t i = 0; i < kStalls; ++i) {
        shares_[i].reset();
        // a total that went back belongs to another group of the same name
        if (!totals || !(*totals)[i] || !totals_[i] || *(*totals)[i] < *totals_[i] || passed_us <= 0)
            continue;
        const auto stalled_us = std::min(*(*totals)[i] - *totals_[i], static_cast<std::uint64_t>(passed_us));
        shares_[i] = static_cast<std::int64_t>(stalled_us * 1000 / static_cast<std::uint64_t>(passed_us));
    }
    if (totals != totals_) quiet_since_ = now;
    totals_ = totals.value_or(StallTotals{});
    time_ = now;
    if (!text) return std::unexpected(text.error());
    if (!totals)
        return fail(Errc::io, file_.path() + " cannot be understood", "expected PSI lines with total=");
    return {};
}

} // namespace schedd::probes
