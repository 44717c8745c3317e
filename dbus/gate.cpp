// Asking polkit: CheckAuthorization with the caller's bus name as subject, never waited for.
#include "dbus/gate.h"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>
#include <systemd/sd-bus.h>

#include "dbus/limits.h"
#include "dbus/text.h"

namespace schedd::dbus {

namespace {

constexpr const char* kName = "org.freedesktop.PolicyKit1";
constexpr const char* kPath = "/org/freedesktop/PolicyKit1/Authority";
constexpr const char* kInterface = "org.freedesktop.PolicyKit1.Authority";
constexpr std::uint32_t kAllowUserInteraction = 1;
constexpr std::size_t kDetailLength = 512; // of a text shown to a person

int append_detail(sd_bus_message* message, const char* key, const std::string& value) {
    if (value.empty()) return 0;
    return sd_bus_message_append(message, "{ss}", key, fit_text(value.substr(0, kDetailLength)).c_str());
}

} // namespace

struct Gate::Check {
    Gate& gate;
    Request request;
    Answered answered;
    std::string number;
    sd_bus_slot* slot = nullptr;
    Connection::Watch owner{nullptr, [](void*) {}};
    bool is_over = false;

    Check(Gate& gate_in, Request request_in, Answered answered_in, std::uint64_t number_in)
        : gate(gate_in), request(std::move(request_in)), answered(std::move(answered_in)),
          number(fmt::format("schedd-{}", number_in)) {}
    Check(const Check&) = delete;
    Check& operator=(const Check&) = delete;
    ~Check() { sd_bus_slot_unref(slot); }
};

Gate::Gate(Connection& connection, std::uint32_t own_uid, Patience patience)
    : connection_(connection), authority_(own_uid), patience_(patience) {}

Gate::~Gate() = default;

Result<std::uint32_t> Gate::uid_of(const std::string& sender) {
    return authority_.uid_of(sender, [&] { return connection_.uid_of(sender); });
}

void Gate::ask(Request request, Answered answered) {
    if (is_trusted(request.uid)) return answered({});
    if (request.action == Action::root)
        return answered(fail(Errc::denied, fmt::format("uid {} may not change this", request.uid),
                             authority_.accepted()));
    if (auto room = room_for(request); !room) return answered(room);
    auto check = std::make_unique<Check>(*this, std::move(request), std::move(answered), ++last_);
    // neither handle may be dropped within its own call, so a check is only marked
    check->owner = connection_.watch_owner(check->request.sender, [c = check.get()] {
        if (c->is_over) return;
        c->is_over = true;
        c->gate.call_off(*c);
    });
    if (const int sent = send(*check); sent < 0)
        return check->answered(std::unexpected(
            denied(check->request, fmt::format("polkit cannot be asked: {}", std::strerror(-sent)))));
    checks_.push_back(std::move(check));
}

Status Gate::room_for(const Request& request) const {
    const auto waits = [](const auto& check) { return !check->is_over; };
    const auto all = static_cast<std::size_t>(std::ranges::count_if(checks_, waits));
    const auto own = static_cast<std::size_t>(std::ranges::count_if(checks_, [&](const auto& check) {
        return waits(check) && check->request.uid == request.uid;
    }));
    if (own >= limits::kBusChecksPerUser)
        return fail(Errc::limit_exceeded,
                    fmt::format("uid {} has too many changes that wait for polkit", request.uid),
                    fmt::format("limit changes = {}", limits::kBusChecksPerUser));
    if (all >= limits::kBusChecks)
        return fail(Errc::limit_exceeded, "too many changes wait for polkit",
                    fmt::format("limit changes = {}", limits::kBusChecks));
    return {};
}

int Gate::send(Check& check) {
    const auto& request = check.request;
    sd_bus_message* message = nullptr;
    int r = sd_bus_message_new_method_call(connection_.raw(), &message, kName, kPath, kInterface,
                                           "CheckAuthorization");
    if (r >= 0)
        r = sd_bus_message_append(message, "(sa{sv})s", "system-bus-name", 1, "name", "s",
                                  request.sender.c_str(), std::string(action_id(request.action)).c_str());
    if (r >= 0) r = sd_bus_message_open_container(message, 'a', "{ss}");
    if (r >= 0) r = append_detail(message, "scheduler", request.scheduler);
    if (r >= 0) r = append_detail(message, "unit", request.unit);
    if (r >= 0) r = sd_bus_message_close_container(message);
    if (r >= 0)
        r = sd_bus_message_append(message, "us", request.interactive ? kAllowUserInteraction : 0U,
                                  check.number.c_str());
    const auto patience = request.interactive ? patience_.person : patience_.machine;
    const auto patience_us = std::chrono::ceil<std::chrono::microseconds>(patience).count();
    const auto on_reply = [](sd_bus_message* reply, void* data, sd_bus_error*) {
        return heard(reply, data, nullptr);
    };
    if (r >= 0)
        r = sd_bus_call_async(connection_.raw(), &check.slot, message, on_reply, &check,
                              static_cast<std::uint64_t>(patience_us));
    sd_bus_message_unref(message);
    return r;
}

int Gate::heard(sd_bus_message* reply, void* data, void*) {
    auto& check = *static_cast<Check*>(data);
    if (check.is_over) return 0;
    auto& gate = check.gate;
    const bool is_late = sd_bus_message_is_method_error(reply, SD_BUS_ERROR_NO_REPLY) > 0;
    if (is_late) gate.call_off(check);
    auto verdict = gate.verdict(check.request, reply);
    // polkit may have taken minutes: whoever has left meanwhile no longer wants anything
    if (verdict) {
        const auto uid = gate.connection_.uid_of(check.request.sender);
        if (!uid || *uid != check.request.uid) {
            check.is_over = true;
            return 0;
        }
    }
    gate.conclude(check, std::move(verdict));
    return 0;
}

void Gate::conclude(Check& check, Status verdict) {
    check.is_over = true;
    std::exchange(check.answered, {})(std::move(verdict));
}

/// So that no dialog stays open that nobody waits for.
void Gate::call_off(const Check& check) {
    sd_bus_call_method_async(connection_.raw(), nullptr, kName, kPath, kInterface, "CancelCheckAuthorization",
                             nullptr, nullptr, "s", check.number.c_str());
}

Error Gate::denied(const Request& request, std::string why) const {
    return Error{Errc::denied, fmt::format("{} is denied to uid {}", action_id(request.action), request.uid),
                 std::move(why)};
}

Status Gate::verdict(const Request& request, sd_bus_message* reply) const {
    if (const auto* error = sd_bus_message_get_error(reply); error && error->name)
        return std::unexpected(failure(request, error->name, error->message ? error->message : ""));
    int is_authorized = 0;
    int is_challenge = 0;
    int r = sd_bus_message_enter_container(reply, 'r', "bba{ss}");
    if (r > 0) r = sd_bus_message_read(reply, "bb", &is_authorized, &is_challenge);
    if (r <= 0) return std::unexpected(denied(request, "polkit's answer cannot be read"));
    if (is_authorized != 0) return {};
    if (is_challenge != 0 && !request.interactive)
        return std::unexpected(
            denied(request, "it takes a password, and the call does not let anybody be asked for one "
                            "(option interactive)"));
    return std::unexpected(
        denied(request, is_challenge != 0 ? "nobody could be asked for a password" : "polkit says no"));
}

Error Gate::failure(const Request& request, std::string_view name, std::string text) const {
    constexpr std::string_view kStandard = "org.freedesktop.DBus.Error.";
    const auto error = name.starts_with(kStandard) ? name.substr(kStandard.size()) : name;
    if (error == "ServiceUnknown" || error == "NameHasNoOwner")
        return Error{Errc::denied, fmt::format("uid {} may not change anything", request.uid),
                     authority_.accepted() + ", as there is no polkit on this bus to ask"};
    if (error == "NoReply" || error == "Timeout" || error == "TimedOut" || error == "Disconnected")
        return denied(request, fmt::format("polkit did not answer ({})", text));
    return denied(request, fmt::format("polkit cannot be asked: {}", text.empty() ? name : text));
}

void Gate::sweep() {
    std::erase_if(checks_, [](const auto& check) { return check->is_over; });
}

} // namespace schedd::dbus
