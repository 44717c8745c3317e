// org.schedd1.Hold: a hold on the bus.
#include "dbus/holds.h"

#include <algorithm>

#include <fmt/format.h>

#include "dbus/object.h"
#include "dbus/paths.h"

namespace schedd::dbus {

namespace {

Property constant(std::string name, std::string_view signature, std::function<void(Writer&)> put) {
    return {std::move(name), signature, Emits::constant, [put = std::move(put)](Writer& out) -> Status {
                put(out);
                return {};
            }};
}

Interface interface_of(const HoldFacts& hold) {
    Interface interface{.name = "org.schedd1.Hold"};
    const auto text = [&](std::string name, const std::string& value) {
        interface.properties.push_back(constant(std::move(name), "s", [value](Writer& w) { w.text(value); }));
    };
    const auto number = [&](std::string name, std::uint32_t value) {
        interface.properties.push_back(
            constant(std::move(name), "u", [value](Writer& w) { w.number32(value); }));
    };
    text("What", hold.request.what);
    text("Who", hold.request.who);
    text("Why", hold.request.why);
    number("Uid", hold.request.uid);
    number("Pid", hold.request.pid);
    interface.properties.push_back(
        constant("Since", "t", [since = hold.since_us](Writer& w) { w.number(since); }));
    return interface;
}

} // namespace

std::string hold_path(std::uint64_t id) { return fmt::format("{}/holds/{}", kRootPath, id); }

BusHolds::BusHolds(Objects& objects, const HoldKeeper& keeper) : objects_(objects), keeper_(keeper) {
    refresh(false);
}

BusHolds::~BusHolds() = default;

void BusHolds::refresh() { refresh(true); }

void BusHolds::refresh(bool is_announced) {
    const auto holds = keeper_.holds();
    std::erase_if(by_id_, [&](const auto& entry) {
        if (std::ranges::binary_search(holds, entry.first, {}, &HoldFacts::id)) return false;
        entry.second->retract();
        return true;
    });
    for (const auto& hold : holds) {
        auto& object = by_id_[hold.id];
        if (object) continue;
        object = std::make_unique<Object>(objects_, hold_path(hold.id), interface_of(hold));
        if (is_announced) object->announce();
    }
}

} // namespace schedd::dbus
