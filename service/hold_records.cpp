// Records of holds as JSON lines.
#include "service/hold_records.h"

#include <algorithm>
#include <optional>
#include <set>

#include <nlohmann/json.hpp>

#include "dbus/limits.h"

namespace schedd::service {

namespace {

using Json = nlohmann::json;

std::optional<dbus::HoldFacts> read_record(std::string_view line) {
    const auto json = Json::parse(line, nullptr, false);
    if (!json.is_object()) return std::nullopt;
    const auto number = [&](const char* key) -> std::uint64_t {
        const auto at = json.find(key);
        return at != json.end() && at->is_number_unsigned() ? at->get<std::uint64_t>() : 0;
    };
    const auto text = [&](const char* key) {
        const auto at = json.find(key);
        return at != json.end() && at->is_string() ? at->get<std::string>() : std::string();
    };
    dbus::HoldFacts hold{number("id"),
                         {text("what"), text("who"), text("why"), static_cast<std::uint32_t>(number("uid")),
                          static_cast<std::uint32_t>(number("pid"))},
                         number("since_us"),
                         0};
    if (hold.id == 0 || hold.request.what.empty()) return std::nullopt;
    return hold;
}

} // namespace

std::string hold_records(const std::vector<dbus::HoldFacts>& holds) {
    std::string text;
    for (const auto& hold : holds) {
        const auto& request = hold.request;
        const Json record{{"id", hold.id},      {"what", request.what}, {"who", request.who},
                          {"why", request.why}, {"uid", request.uid},   {"pid", request.pid},
                          {"since_us", hold.since_us}};
        text += record.dump(-1, ' ', true, Json::error_handler_t::replace) + "\n";
    }
    return text;
}

ReadHolds read_hold_records(std::string_view text) {
    ReadHolds read;
    std::set<std::uint64_t> seen;
    while (!text.empty() && read.holds.size() < limits::kHolds) {
        const auto line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(line.size() + 1, text.size()));
        auto hold = read_record(line);
        if (hold && seen.insert(hold->id).second) read.holds.push_back(std::move(*hold));
        else ++read.unreadable;
    }
    std::ranges::sort(read.holds, {}, &dbus::HoldFacts::id);
    return read;
}

} // namespace schedd::service
