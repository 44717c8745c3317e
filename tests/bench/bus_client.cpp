// sd-bus, blocking.
#include "tests/bench/bus_client.h"

#include <cstring>

#include <fmt/format.h>
#include <systemd/sd-bus.h>

#include "tests/bench/interrupt.h"
#include "tests/bench/sample.h"

namespace schedd::bench {

namespace {

constexpr const char* kName = "org.schedd1";
constexpr const char* kRoot = "/org/schedd1";
constexpr const char* kManager = "org.schedd1.Manager";
constexpr const char* kSystemd = "org.freedesktop.systemd1";

/// The error and the answer of one call, freed together.
struct Call {
    sd_bus_error error = SD_BUS_ERROR_NULL;
    sd_bus_message* reply = nullptr;
    Call() = default;
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;
    ~Call() {
        sd_bus_error_free(&error);
        sd_bus_message_unref(reply);
    }
    [[nodiscard]] Status outcome(std::string_view what, int code) const {
        if (code >= 0) return {};
        return fail(Errc::io, std::string(what), error.message ? error.message : std::strerror(-code));
    }
};

} // namespace

void BusClient::Close::operator()(sd_bus* bus) const { sd_bus_flush_close_unref(bus); }

BusClient::BusClient(sd_bus* bus) : bus_(bus) {}

Result<BusClient> BusClient::open(const std::string& address, std::int64_t patience_ms) {
    const auto give_up = monotonic_ns() + patience_ms * 1'000'000;
    int code = 0;
    do {
        sd_bus* bus = nullptr;
        const char* name = nullptr;
        code = sd_bus_new(&bus);
        if (code >= 0) code = sd_bus_set_address(bus, address.c_str());
        if (code >= 0) code = sd_bus_set_bus_client(bus, 1);
        if (code >= 0) code = sd_bus_start(bus);
        if (code >= 0) code = sd_bus_get_unique_name(bus, &name); // waits until it is known
        if (code >= 0) return BusClient(bus);
        sd_bus_unref(bus);
        if (auto rested = pause_for_ms(50); !rested) return std::unexpected(rested.error());
    } while (monotonic_ns() < give_up);
    return fail(Errc::io, "no bus at " + address, std::strerror(-code));
}

Status BusClient::await_name(const std::string& name, std::int64_t patience_ms) {
    const auto give_up = monotonic_ns() + patience_ms * 1'000'000;
    do {
        Call call;
        int has_owner = 0;
        const int code = sd_bus_call_method(bus_.get(), "org.freedesktop.DBus", "/org/freedesktop/DBus",
                                            "org.freedesktop.DBus", "NameHasOwner", &call.error, &call.reply,
                                            "s", name.c_str());
        if (code < 0) return call.outcome("NameHasOwner", code);
        if (sd_bus_message_read(call.reply, "b", &has_owner) > 0 && has_owner != 0) return {};
        if (auto rested = pause_for_ms(50); !rested) return rested;
    } while (monotonic_ns() < give_up);
    return fail(Errc::io, fmt::format("nobody took the name {} within {} s", name, patience_ms / 1000));
}

Status BusClient::apply(const std::string& recipe) {
    Call call;
    return call.outcome("Apply",
                        sd_bus_call_method(bus_.get(), kName, kRoot, kManager, "Apply", &call.error,
                                           &call.reply, "sa{sv}", recipe.c_str(), 1, "format", "s", "verbs"));
}

Status BusClient::attach(const std::string& scheduler, const std::string& member) {
    Call call;
    return call.outcome("Attach " + member,
                        sd_bus_call_method(bus_.get(), kName, kRoot, kManager, "Attach", &call.error,
                                           &call.reply, "ssa{sv}", scheduler.c_str(), member.c_str(), 0));
}

Result<std::string> BusClient::read(const std::string& place) {
    Call call;
    const int code = sd_bus_call_method(bus_.get(), kName, kRoot, kManager, "Read", &call.error, &call.reply,
                                        "s", place.c_str());
    if (auto done = call.outcome("Read " + place, code); !done) return std::unexpected(done.error());
    const char* text = "";
    sd_bus_message_read(call.reply, "s", &text);
    return std::string(text);
}

Result<std::string> BusClient::verify() {
    Call call;
    const int code =
        sd_bus_call_method(bus_.get(), kName, kRoot, kManager, "Verify", &call.error, &call.reply, "");
    if (auto done = call.outcome("Verify", code); !done) return std::unexpected(done.error());
    const char* text = "";
    sd_bus_message_read(call.reply, "s", &text);
    return std::string(text);
}

Status BusClient::get_probe_period() {
    Call call;
    std::uint64_t period = 0;
    const int code =
        sd_bus_get_property_trivial(bus_.get(), kName, "/org/schedd1/probes/cpu", "org.schedd1.Probe",
                                    "ProbePeriod", &call.error, 't', &period);
    return call.outcome("Get ProbePeriod", code);
}

Status BusClient::manager_status() {
    Call call;
    const int code =
        sd_bus_call_method(bus_.get(), kName, kRoot, kManager, "Status", &call.error, &call.reply, "");
    const char* text = nullptr;
    return call.outcome("Status", code < 0 ? code : sd_bus_message_read(call.reply, "s", &text));
}

Status BusClient::ping() {
    Call call;
    const int code = sd_bus_call_method(bus_.get(), kName, kRoot, "org.freedesktop.DBus.Peer", "Ping",
                                        &call.error, &call.reply, "");
    return call.outcome("Ping", code);
}

Status BusClient::systemd_get_unit() {
    Call call;
    const int code = sd_bus_call_method(bus_.get(), kSystemd, "/org/freedesktop/systemd1",
                                        "org.freedesktop.systemd1.Manager", "GetUnit", &call.error,
                                        &call.reply, "s", "init.scope");
    const char* path = nullptr;
    return call.outcome("GetUnit", code < 0 ? code : sd_bus_message_read(call.reply, "o", &path));
}

namespace {

struct OnTheWay {
    int waiting = 0;
    int failed = 0;
};

int take_answer(sd_bus_message* answer, void* data, sd_bus_error* /*error*/) {
    auto& on_the_way = *static_cast<OnTheWay*>(data);
    --on_the_way.waiting;
    if (sd_bus_message_is_method_error(answer, nullptr) > 0) ++on_the_way.failed;
    return 0;
}

} // namespace

template <class Send> Status BusClient::keep_going(int count, std::string_view what, const Send& send) {
    constexpr int kWindow = 64;
    OnTheWay on_the_way;
    for (int sent = 0; sent < count || on_the_way.waiting > 0;) {
        int code = 0;
        for (; sent < count && on_the_way.waiting < kWindow && code >= 0; ++sent, ++on_the_way.waiting)
            code = send(on_the_way);
        if (code >= 0) code = sd_bus_process(bus_.get(), nullptr);
        if (code == 0) code = sd_bus_wait(bus_.get(), 5'000'000) == 0 ? -ETIMEDOUT : 0;
        if (code < 0 && code != -EINTR) return fail(Errc::io, std::string(what), std::strerror(-code));
        if (auto going = not_interrupted(); !going) return going;
    }
    if (on_the_way.failed > 0)
        return fail(Errc::io, fmt::format("{}: {} of {} failed", what, on_the_way.failed, count));
    return {};
}

Status BusClient::get_probe_period_many(int count) {
    return keep_going(count, "Get ProbePeriod", [this](OnTheWay& on_the_way) {
        return sd_bus_call_method_async(bus_.get(), nullptr, kName, "/org/schedd1/probes/cpu",
                                        "org.freedesktop.DBus.Properties", "Get", take_answer, &on_the_way,
                                        "ss", "org.schedd1.Probe", "ProbePeriod");
    });
}

Status BusClient::systemd_get_unit_many(int count) {
    return keep_going(count, "GetUnit", [this](OnTheWay& on_the_way) {
        return sd_bus_call_method_async(bus_.get(), nullptr, kSystemd, "/org/freedesktop/systemd1",
                                        "org.freedesktop.systemd1.Manager", "GetUnit", take_answer,
                                        &on_the_way, "s", "init.scope");
    });
}

} // namespace schedd::bench
