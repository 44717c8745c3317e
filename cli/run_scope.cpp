// StartTransientUnit of a scope, and its job awaited.
#include "cli/run_scope.h"

#include <chrono>
#include <cstring>
#include <memory>

#include <fmt/format.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

namespace schedd::cli {

namespace {

constexpr std::uint64_t kPatienceUs = 3'000'000;
constexpr const char* kName = "org.freedesktop.systemd1";
constexpr const char* kPath = "/org/freedesktop/systemd1";
constexpr const char* kManager = "org.freedesktop.systemd1.Manager";

struct Job {
    std::string path;   // "" until it is known
    std::string result; // "" until it has ended: "done" if all is well
};

int on_removed(sd_bus_message* message, void* self, sd_bus_error*) {
    auto& job = *static_cast<Job*>(self);
    std::uint32_t id = 0;
    const char *path = nullptr, *unit = nullptr, *result = nullptr;
    if (sd_bus_message_read(message, "uoss", &id, &path, &unit, &result) < 0) return 0;
    if (job.path == path) job.result = result;
    return 0;
}

struct CloseBus {
    void operator()(sd_bus* bus) const { sd_bus_flush_close_unref(bus); }
};
struct CloseMessage {
    void operator()(sd_bus_message* message) const { sd_bus_message_unref(message); }
};

std::unexpected<Failure> no_scope(int code, const sd_bus_error* error = nullptr) {
    const char* why = error && error->message ? error->message : std::strerror(-code);
    return give_up(Exit::error, fmt::format("systemd makes no scope: {}", why));
}

int append_scope(sd_bus_message* message, const std::string& unit, const std::string& description) {
    int r = sd_bus_message_append(message, "ss", unit.c_str(), "fail");
    if (r >= 0)
        r = sd_bus_message_append(message, "a(sv)", 3, "Description", "s", description.c_str(), "PIDs", "au",
                                  1, static_cast<std::uint32_t>(::getpid()), "CollectMode", "s",
                                  "inactive-or-failed");
    if (r >= 0) r = sd_bus_message_append(message, "a(sa(sv))", 0);
    return r;
}

} // namespace

bool has_systemd() { return ::access("/run/systemd/system", F_OK) == 0; }

Answer<void> enter_scope(const std::string& unit, const std::string& description) {
    sd_bus* raw = nullptr;
    int r = ::geteuid() == 0 ? sd_bus_open_system(&raw) : sd_bus_open_user(&raw);
    const std::unique_ptr<sd_bus, CloseBus> bus(raw);
    if (r < 0) return no_scope(r);
    sd_bus_set_method_call_timeout(raw, kPatienceUs);
    Job job; // who starts a job is told of its end without a subscription
    r = sd_bus_match_signal(raw, nullptr, kName, kPath, kManager, "JobRemoved", on_removed, &job);
    sd_bus_message* call = nullptr;
    if (r >= 0) r = sd_bus_message_new_method_call(raw, &call, kName, kPath, kManager, "StartTransientUnit");
    const std::unique_ptr<sd_bus_message, CloseMessage> request(call);
    if (r >= 0) r = append_scope(call, unit, description);
    if (r < 0) return no_scope(r);
    sd_bus_error error = SD_BUS_ERROR_NULL;
    sd_bus_message* answer = nullptr;
    r = sd_bus_call(raw, call, kPatienceUs, &error, &answer);
    const std::unique_ptr<sd_bus_message, CloseMessage> reply(answer);
    if (r < 0) {
        const auto failure = no_scope(r, &error);
        sd_bus_error_free(&error);
        return failure;
    }
    const char* path = nullptr;
    if (r = sd_bus_message_read(answer, "o", &path); r < 0) return no_scope(r);
    job.path = path; // signals are taken from the queue only now, so that none was missed
    const auto until = std::chrono::steady_clock::now() + std::chrono::microseconds(kPatienceUs);
    while (job.result.empty() && std::chrono::steady_clock::now() < until) {
        r = sd_bus_process(raw, nullptr);
        if (r == 0) r = sd_bus_wait(raw, kPatienceUs / 10);
        if (r < 0) return no_scope(r);
    }
    if (job.result == "done") return {};
    return give_up(Exit::error, fmt::format("systemd makes no scope: its job {}",
                                            job.result.empty() ? "does not end" : "is " + job.result));
}

} // namespace schedd::cli
