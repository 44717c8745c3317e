// The connection to the daemon.
#include "cli/bus.h"

#include <cerrno>
#include <cstring>
#include <optional>

#include <fcntl.h>
#include <unistd.h>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <systemd/sd-bus.h>

#include "cli/bus_errors.h"
#include "cli/bus_message.h"
#include "cli/bus_probe.h"
#include "cli/event.h"
#include "cli/password_agent.h"
#include "cli/text.h"

namespace schedd::cli {

namespace {

constexpr const char* kName = "org.schedd1";
constexpr const char* kRoot = "/org/schedd1";
constexpr const char* kManager = "org.schedd1.Manager";
constexpr std::uint64_t kPersonUs = 150'000'000;  // longer than the daemon lets a person think
constexpr std::size_t kLargestDump = 256U << 20U; // of a file descriptor that never ends

struct MessageDelete {
    void operator()(sd_bus_message* message) const { sd_bus_message_unref(message); }
};
using Message = std::unique_ptr<sd_bus_message, MessageDelete>;

struct CallError {
    sd_bus_error error{};
    CallError() = default;
    CallError(const CallError&) = delete;
    CallError& operator=(const CallError&) = delete;
    ~CallError() { sd_bus_error_free(&error); }
};

int append_option(sd_bus_message* message, const std::string& key, const OptionValue& value) {
    int r = sd_bus_message_open_container(message, 'e', "sv");
    if (r >= 0) r = sd_bus_message_append(message, "s", key.c_str());
    if (r < 0) return r;
    if (const auto* flag = std::get_if<bool>(&value))
        r = sd_bus_message_append(message, "v", "b", int{*flag});
    if (const auto* number = std::get_if<std::uint64_t>(&value))
        r = sd_bus_message_append(message, "v", "t", *number);
    if (const auto* text = std::get_if<std::string>(&value))
        r = sd_bus_message_append(message, "v", "s", text->c_str());
    if (const auto* pairs = std::get_if<std::vector<std::pair<std::string, std::string>>>(&value)) {
        r = sd_bus_message_open_container(message, 'v', "a{sv}");
        if (r >= 0) r = sd_bus_message_open_container(message, 'a', "{sv}");
        for (const auto& [name, word] : *pairs)
            if (r >= 0) r = sd_bus_message_append(message, "{sv}", name.c_str(), "s", word.c_str());
        if (r >= 0) r = sd_bus_message_close_container(message);
        if (r >= 0) r = sd_bus_message_close_container(message);
    }
    return r < 0 ? r : sd_bus_message_close_container(message);
}

int append_options(sd_bus_message* message, const CallOptions& options) {
    int r = sd_bus_message_open_container(message, 'a', "{sv}");
    for (const auto& [key, value] : options.entries)
        if (r >= 0) r = append_option(message, key, value);
    if (r >= 0 && options.interactive) {
        r = append_option(message, "interactive", true);
        if (r >= 0) r = sd_bus_message_set_allow_interactive_authorization(message, 1);
    }
    return r < 0 ? r : sd_bus_message_close_container(message);
}

Answer<std::string> read_to_end(int fd) {
    // A memory file arrives with the writer's offset; a pipe refuses to seek, which is as good.
    static_cast<void>(::lseek(fd, 0, SEEK_SET));
    std::string text;
    char buffer[65536];
    while (text.size() <= kLargestDump) {
        const ssize_t got = ::read(fd, buffer, sizeof buffer);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0)
            return give_up(Exit::error, fmt::format("reading the dump failed: {}", std::strerror(errno)));
        if (got == 0) return text;
        text.append(buffer, static_cast<std::size_t>(got));
    }
    return give_up(Exit::error, fmt::format("the dump is larger than {} MiB", kLargestDump >> 20U));
}

int open_address(sd_bus** bus, const std::string& address) {
    int r = sd_bus_new(bus);
    if (r >= 0) r = sd_bus_set_address(*bus, address.c_str());
    if (r >= 0) r = sd_bus_set_bus_client(*bus, 1);
    return r < 0 ? r : sd_bus_start(*bus);
}

} // namespace

Argument Argument::variant(std::string_view text) {
    Argument argument(text);
    argument.in_variant = true;
    return argument;
}

Argument Argument::flag(bool value) {
    Argument argument(value ? "1" : "");
    argument.is_flag = true;
    return argument;
}

struct Bus::State {
    BusPlace place;
    sd_bus* bus = nullptr;
    bool daemon_left = false;
    bool may_start = true;
    const std::function<void(const Event&)>* handle = nullptr;

    State() = default;
    State(const State&) = delete;
    State& operator=(const State&) = delete;
    ~State() { sd_bus_close_unref(bus); }

    /// What an errno of a call means: a bus that lets the user log in and then closes without a word, before
    /// any answer, turns the user away.
    [[nodiscard]] Failure failure(int code) const {
        // the library keeps no bus of its own that it could not open
        const char* address = place.bus == "system" ? "unix:path=/run/dbus/system_bus_socket" : nullptr;
        if (bus) sd_bus_get_address(bus, &address);
        const bool is_closed =
            code == -ECONNRESET || code == -EPIPE || code == -ENOTCONN || code == -ESHUTDOWN;
        if (is_closed && !has_answered && place.host.empty() && address && turns_away(address))
            return turned_away(place);
        return failure_of_errno(code, place);
    }
    bool has_answered = false;

    Answer<Message> exchange(const char* method, const std::vector<Argument>& arguments,
                             const CallOptions* options);
    static int on_event(sd_bus_message* message, void* self, sd_bus_error*);
    static int on_owner(sd_bus_message* message, void* self, sd_bus_error*);
};

Answer<Message> Bus::State::exchange(const char* method, const std::vector<Argument>& arguments,
                                     const CallOptions* options) {
    sd_bus_message* raw = nullptr;
    int r = sd_bus_message_new_method_call(bus, &raw, kName, kRoot, kManager, method);
    Message message(raw);
    for (const auto& argument : arguments) {
        if (r < 0) break;
        r = argument.in_variant ? sd_bus_message_append(raw, "v", "s", argument.text.c_str())
            : argument.is_flag  ? sd_bus_message_append(raw, "b", argument.text.empty() ? 0 : 1)
                                : sd_bus_message_append(raw, "s", argument.text.c_str());
        if (r == -EINVAL)
            return give_up(Exit::usage, fmt::format("'{}' is not valid UTF-8", shown(argument.text)));
    }
    if (r >= 0 && options) r = append_options(raw, *options);
    if (r == -EINVAL) return give_up(Exit::usage, "an option's value is not valid UTF-8");
    if (r >= 0) r = sd_bus_message_set_auto_start(raw, may_start ? 1 : 0);
    if (r < 0) return std::unexpected(failure_of_errno(r, place));
    CallError error;
    sd_bus_message* reply = nullptr;
    const bool may_ask = options && options->interactive;
    std::optional<PasswordAgent> agent;
    if (may_ask && place.bus == "system" && place.host.empty() && ::geteuid() != 0) agent.emplace();
    r = sd_bus_call(bus, raw, may_ask ? kPersonUs : 0, &error.error, &reply);
    has_answered = has_answered || r >= 0 ||
                   !std::string_view(error.error.name ? error.error.name : "System.").starts_with("System.");
    if (r >= 0) return Message(reply);
    // what the library found itself, such as an ssh that could not connect
    if (const std::string_view name = error.error.name ? error.error.name : "";
        name.starts_with("System.Error."))
        return std::unexpected(failure(-sd_bus_error_get_errno(&error.error)));
    if (sd_bus_error_is_set(&error.error) && error.error.name)
        return std::unexpected(
            failure_of(error.error.name, error.error.message ? error.error.message : "", place));
    return std::unexpected(failure(r));
}

int Bus::State::on_event(sd_bus_message* message, void* self, sd_bus_error*) {
    const State& state = *static_cast<State*>(self);
    if (!state.handle || !*state.handle) return 0;
    const auto text = [](const char* word) { return std::string(word ? word : ""); };
    Event event{.path = tree_path(text(sd_bus_message_get_path(message))),
                .interface = text(sd_bus_message_get_interface(message)),
                .member = text(sd_bus_message_get_member(message)),
                .arguments = arguments_of(message)};
    (*state.handle)(event);
    return 0;
}

int Bus::State::on_owner(sd_bus_message* message, void* self, sd_bus_error*) {
    const char *name = nullptr, *before = nullptr, *after = nullptr;
    if (sd_bus_message_read(message, "sss", &name, &before, &after) >= 0 && after && !*after)
        static_cast<State*>(self)->daemon_left = true;
    return 0;
}

Bus::Bus(std::unique_ptr<State> state) : state_(std::move(state)) {}
Bus::Bus(Bus&&) noexcept = default;
Bus& Bus::operator=(Bus&&) noexcept = default;
Bus::~Bus() = default;

Answer<Bus> Bus::open(const BusPlace& place) {
    auto state = std::make_unique<State>();
    state->place = place;
    int r = 0;
    if (!place.host.empty()) r = sd_bus_open_system_remote(&state->bus, place.host.c_str());
    else if (place.bus == "system") r = sd_bus_open_system(&state->bus);
    else if (place.bus == "session") r = sd_bus_open_user(&state->bus);
    else r = open_address(&state->bus, place.bus);
    if (r == -EINVAL)
        return give_up(Exit::usage, fmt::format("'{}' is neither a bus address nor a host",
                                                shown(place.host.empty() ? place.bus : place.host)));
    if (r < 0) return std::unexpected(state->failure(r));
    return Bus(std::move(state));
}

Answer<std::string> Bus::call(const char* method, const std::vector<Argument>& arguments,
                              const CallOptions* options) {
    const auto reply = state_->exchange(method, arguments, options);
    if (!reply) return std::unexpected(reply.error());
    const char* text = nullptr;
    const char* signature = sd_bus_message_get_signature(reply->get(), 1);
    if (!signature || (*signature != 's' && *signature != 'o')) return std::string();
    if (const int r = sd_bus_message_read_basic(reply->get(), *signature, static_cast<void*>(&text)); r < 0)
        return std::unexpected(failure_of_errno(r, state_->place));
    return std::string(text);
}

Answer<std::uint64_t> Bus::count(const char* method, const std::vector<Argument>& arguments,
                                 const CallOptions& options) {
    const auto reply = state_->exchange(method, arguments, &options);
    if (!reply) return std::unexpected(reply.error());
    std::uint64_t number = 0;
    if (const int r = sd_bus_message_read(reply->get(), "t", &number); r < 0)
        return std::unexpected(failure_of_errno(r, state_->place));
    return number;
}

Answer<int> Bus::take_descriptor(const char* method, const std::vector<Argument>& arguments,
                                 const CallOptions& options) {
    const auto reply = state_->exchange(method, arguments, &options);
    if (!reply) return std::unexpected(reply.error());
    int fd = -1;
    int r = sd_bus_message_read(reply->get(), "h", &fd); // the message's own
    if (r >= 0) r = fd = ::fcntl(fd, F_DUPFD_CLOEXEC, 3);
    if (fd < 0) return std::unexpected(failure_of_errno(r < 0 ? r : -errno, state_->place));
    return fd;
}

Answer<std::string> Bus::read_stream(const char* method) {
    const auto reply = state_->exchange(method, {}, nullptr);
    if (!reply) return std::unexpected(reply.error());
    int fd = -1;
    if (const int r = sd_bus_message_read(reply->get(), "h", &fd); r < 0)
        return std::unexpected(failure_of_errno(r, state_->place));
    return read_to_end(fd);
}

void Bus::set_timeout_ms(std::uint64_t milliseconds) {
    sd_bus_set_method_call_timeout(state_->bus, milliseconds * 1000);
}

void Bus::never_start() { state_->may_start = false; }

Answer<void> Bus::match(const char* signals) {
    // Matched by name, so that a daemon that starts again is followed; its leaving ends the stream all the
    // same.
    int r = sd_bus_add_match(state_->bus, nullptr, signals, State::on_event, state_.get());
    if (r >= 0)
        r = sd_bus_add_match(state_->bus, nullptr,
                             "type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged',arg0='"
                             "org.schedd1'",
                             State::on_owner, state_.get());
    if (r < 0) return std::unexpected(failure_of_errno(r, state_->place));
    return {};
}

Answer<void> Bus::subscribe() {
    return match("type='signal',sender='org.schedd1',path_namespace='/org/schedd1'");
}

Answer<void> Bus::subscribe_objects() {
    return match("type='signal',sender='org.schedd1',path='/org/schedd1',"
                 "interface='org.freedesktop.DBus.ObjectManager'");
}

Answer<void> Bus::next_event(int timeout_ms, const std::function<void(const Event&)>& handle) {
    state_->handle = &handle;
    int r = sd_bus_process(state_->bus, nullptr);
    if (r == 0) {
        const auto wait_us = timeout_ms < 0 ? UINT64_MAX : static_cast<std::uint64_t>(timeout_ms) * 1000;
        r = sd_bus_wait(state_->bus, wait_us);
        if (r > 0) r = sd_bus_process(state_->bus, nullptr);
    }
    state_->handle = nullptr;
    if (state_->daemon_left) return give_up(Exit::not_running, "the daemon went away");
    if (r == -EINTR) return {};
    if (r < 0) return std::unexpected(failure_of_errno(r, state_->place));
    return {};
}

Answer<void> Bus::take_events(const std::function<void(const Event&)>& handle) {
    state_->handle = &handle;
    int r = 0;
    do r = sd_bus_process(state_->bus, nullptr);
    while (r > 0 && !state_->daemon_left);
    state_->handle = nullptr;
    if (state_->daemon_left) return give_up(Exit::not_running, "the daemon went away");
    if (r < 0) return std::unexpected(failure_of_errno(r, state_->place));
    return {};
}

int Bus::descriptor() const { return sd_bus_get_fd(state_->bus); }

} // namespace schedd::cli
