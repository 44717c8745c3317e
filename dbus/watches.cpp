// Rate-limited samples for callers.
#include "dbus/watches.h"

#include <algorithm>

#include <fmt/format.h>

#include "components/kit/limits.h"
#include "components/model/demand.h"

namespace schedd::dbus {

Status Watches::watch(const model::Part& part, const std::string& caller, std::uint64_t interval_ms) {
    sweep();
    const auto at = std::ranges::find_if(watches_, [&](const auto& w) {
        return w->part == &part && w->caller == caller;
    });
    if (interval_ms == 0) {
        if (at != watches_.end()) watches_.erase(at);
        return {};
    }
    if (interval_ms < limits::kPeriodMsMin || interval_ms > limits::kPeriodMsMax)
        return fail(Errc::invalid_value, fmt::format("an interval of {} ms cannot be kept", interval_ms),
                    fmt::format("{} to {} ms, 0 to end", limits::kPeriodMsMin, limits::kPeriodMsMax));
    if (!model::output_of(part)->output_type().parameter.empty())
        return fail(Errc::not_supported, part.path().text() + " has many values", "read it by Get or List");
    model::ask_source_of(part);
    const Duration interval = std::chrono::milliseconds(interval_ms);
    if (at != watches_.end()) {
        (*at)->interval = interval;
        return {};
    }
    if (watches_.size() >= limits::kBusWatches)
        return fail(Errc::limit_exceeded, "there are too many watches",
                    fmt::format("limit watches = {}", limits::kBusWatches));
    auto watch = std::make_unique<Watch>(&part, caller, interval);
    // the handle must not be dropped within its own call, so the watch is only marked
    watch->owner = follow_(caller, [w = watch.get()] { w->over = true; });
    if (!watch->owner)
        return fail(Errc::io, "the caller's life cannot be followed", "the bus refused a match");
    watches_.push_back(std::move(watch));
    return {};
}

void Watches::sweep() {
    std::erase_if(watches_, [](const auto& w) { return w->over; });
}

void Watches::forget(const model::Part& part) {
    std::erase_if(watches_, [&](const auto& w) { return w->part == &part; });
}

void Watches::tick(Time now) {
    sweep();
    for (const auto& watch : watches_) {
        if (now < watch->due) continue;
        model::ask_source_of(*watch->part);
        const auto sample = model::output_of(*watch->part)->read({});
        if (!sample || sample->time == watch->last) continue;
        watch->last = sample->time;
        watch->due = now + watch->interval;
        const auto age = std::max<Duration>(now - sample->time, Duration::zero());
        send_(*watch->part, *sample, static_cast<std::uint64_t>(milliseconds_of(age)), watch->caller);
    }
}

} // namespace schedd::dbus
