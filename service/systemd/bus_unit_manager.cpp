// org.freedesktop.systemd1 on sd-bus. A method call blocks for some seconds at most.
#include "service/systemd/bus_unit_manager.h"

#include <array>
#include <cstdlib>
#include <utility>

#include <fmt/format.h>
#include <systemd/sd-bus.h>

#include "components/kit/errno_error.h"

namespace schedd::systemd {

namespace {

constexpr const char* kName = "org.freedesktop.systemd1";
constexpr const char* kPath = "/org/freedesktop/systemd1";
constexpr const char* kManager = "org.freedesktop.systemd1.Manager";
constexpr const char* kUnit = "org.freedesktop.systemd1.Unit";
constexpr std::uint64_t kTimeoutUs = 5'000'000;
constexpr Duration kSilence = std::chrono::seconds(30);

struct BusError {
    BusError() = default;
    BusError(const BusError&) = delete;
    BusError& operator=(const BusError&) = delete;
    ~BusError() { sd_bus_error_free(&error); }
    sd_bus_error error{};
};

/// "org.freedesktop.systemd1.Service" for "foo.service".
std::string interface_of(const std::string& unit) {
    auto type = unit.substr(unit.rfind('.') + 1);
    if (!type.empty()) type[0] = static_cast<char>(type[0] - 'a' + 'A');
    return "org.freedesktop.systemd1." + type;
}

bool is_active(std::string_view state) { return state != "inactive" && state != "failed"; }
bool exists(std::string_view load_state) { return load_state != "not-found" && load_state != "masked"; }

Error error_of(std::string_view name, std::string_view message, const std::string& what) {
    Errc kind = Errc::io;
    if (name.ends_with(".NoSuchUnit") || name.ends_with(".UnknownObject")) kind = Errc::no_such_object;
    if (name.ends_with(".AccessDenied") || name.ends_with(".InteractiveAuthorizationRequired"))
        kind = Errc::denied;
    if (name.ends_with(".InvalidArgs") || name.ends_with(".PropertyReadOnly")) kind = Errc::invalid_value;
    return {kind, what, fmt::format("systemd says: {}", message.empty() ? name : message)};
}

} // namespace

class BusUnitManager::Reply {
public:
    explicit Reply(sd_bus_message* raw) : message(raw) {}
    Reply(Reply&& other) noexcept : message(std::exchange(other.message, nullptr)) {}
    Reply& operator=(Reply&&) = delete;
    ~Reply() { sd_bus_message_unref(message); }
    sd_bus_message* message;
};

struct BusUnitManager::Calls {
    /// Takes over the message.
    static Result<Reply> call(BusUnitManager& self, sd_bus_message* message, const std::string& what);
    static int take_signal(sd_bus_message* message, void* self, sd_bus_error* error);
};

std::vector<unsigned char> bytes_of(const model::CpuSet& cpus) {
    std::vector<unsigned char> bytes;
    for (int cpu = cpus.first(); cpu >= 0; cpu = cpus.next(cpu)) {
        const auto at = static_cast<std::size_t>(cpu) / 8;
        if (bytes.size() <= at) bytes.resize(at + 1);
        bytes[at] = static_cast<unsigned char>(bytes[at] | 1U << (cpu % 8));
    }
    return bytes;
}

Result<model::CpuSet> cpus_of(const unsigned char* bytes, std::size_t count) {
    model::CpuSet cpus;
    for (std::size_t i = 0; i < count * 8; ++i) {
        if ((bytes[i / 8] >> (i % 8) & 1U) == 0) continue;
        if (i >= static_cast<std::size_t>(limits::kMaxCpus))
            return fail(Errc::limit_exceeded, fmt::format("PID 1 gave CPU {}", i),
                        fmt::format("CPUs below {} (limit kMaxCpus)", limits::kMaxCpus));
        cpus.add(static_cast<int>(i));
    }
    return cpus;
}

Result<std::unique_ptr<BusUnitManager>> BusUnitManager::open(const std::string& address, const Clock& clock) {
    sd_bus* bus = nullptr;
    int r = 0;
    if (address == "system") {
        r = sd_bus_open_system(&bus);
    } else {
        r = sd_bus_new(&bus);
        if (r >= 0) r = sd_bus_set_address(bus, address.c_str());
        if (r >= 0) r = sd_bus_set_bus_client(bus, 1);
        if (r >= 0) r = sd_bus_start(bus);
    }
    if (r < 0) {
        sd_bus_unref(bus);
        return std::unexpected(errno_error(-r, fmt::format("connecting to the bus {}", address)));
    }
    std::unique_ptr<BusUnitManager> manager(new BusUnitManager(bus, clock));
    sd_bus_set_method_call_timeout(bus, kTimeoutUs);
    if (auto subscribed = manager->subscribe(); !subscribed) return std::unexpected(subscribed.error());
    return manager;
}

BusUnitManager::~BusUnitManager() { sd_bus_flush_close_unref(bus_); }

Status BusUnitManager::subscribe() {
    // No UnitNew and UnitRemoved: asking about a unit that does not run makes systemd load it, and unload it
    // again, which would make us ask again, for ever.
    for (const auto* member : {"Reloading", "JobRemoved"})
        if (const int r =
                sd_bus_match_signal(bus_, nullptr, kName, kPath, kManager, member, &Calls::take_signal, this);
            r < 0)
            return std::unexpected(errno_error(-r, "listening to systemd"));
    if (const int r = sd_bus_match_signal(bus_, nullptr, "org.freedesktop.login1", "/org/freedesktop/login1",
                                          "org.freedesktop.login1.Manager", "PrepareForSleep",
                                          &Calls::take_signal, this);
        r < 0)
        return std::unexpected(errno_error(-r, "listening to logind"));
    sd_bus_message* message = nullptr;
    if (const int r = sd_bus_message_new_method_call(bus_, &message, kName, kPath, kManager, "Subscribe");
        r < 0)
        return std::unexpected(errno_error(-r, "listening to systemd"));
    sd_bus_message_set_auto_start(message, 0);
    if (auto done = Calls::call(*this, message, "listening to systemd"); !done)
        return std::unexpected(done.error());
    return {};
}

int BusUnitManager::fd() const { return sd_bus_get_fd(bus_); }

bool BusUnitManager::process() {
    int r = 0;
    while ((r = sd_bus_process(bus_, nullptr)) > 0) {}
    return r == 0;
}

int BusUnitManager::Calls::take_signal(sd_bus_message* message, void* self, sd_bus_error* /*error*/) {
    const auto& listener = static_cast<BusUnitManager*>(self)->listener_;
    if (sd_bus_message_is_signal(message, nullptr, "Reloading") > 0) {
        int is_begin = 0;
        if (sd_bus_message_read(message, "b", &is_begin) >= 0 && listener.reloading)
            listener.reloading(is_begin != 0);
        return 0;
    }
    if (sd_bus_message_is_signal(message, nullptr, "PrepareForSleep") > 0) {
        int goes_to_sleep = 0;
        if (sd_bus_message_read(message, "b", &goes_to_sleep) >= 0 && goes_to_sleep == 0 && listener.resumed)
            listener.resumed();
        return 0;
    }
    const char* unit = nullptr;
    if (sd_bus_message_skip(message, "uo") >= 0 && sd_bus_message_read(message, "s", &unit) >= 0 &&
        listener.unit_changed)
        listener.unit_changed(unit);
    return 0;
}

Result<BusUnitManager::Reply> BusUnitManager::Calls::call(BusUnitManager& self, sd_bus_message* message,
                                                          const std::string& what) {
    const Reply owner(message);
    if (self.clock_.now() < self.silent_until_)
        return fail(Errc::io, what, "systemd did not answer a short while ago; it is asked again soon");
    BusError error;
    sd_bus_message* reply = nullptr;
    const int r = sd_bus_call(self.bus_, message, 0, &error.error, &reply);
    if (r >= 0) return Reply(reply);
    if (r == -ETIMEDOUT || sd_bus_error_has_name(&error.error, SD_BUS_ERROR_NO_REPLY)) {
        self.silent_until_ = self.clock_.now() + kSilence;
        return fail(Errc::io, what, "systemd did not answer in time");
    }
    if (!sd_bus_error_is_set(&error.error)) return std::unexpected(errno_error(-r, what));
    return std::unexpected(error_of(error.error.name, error.error.message ? error.error.message : "", what));
}

/// The message is positioned in the variant, which holds `type`.
Result<BusUnitManager::Reply> BusUnitManager::get(const std::string& unit, const char* interface,
                                                  const char* property, const char* type) {
    const auto what = fmt::format("asking for {} of {}", property, unit.empty() ? "systemd" : unit);
    char* path = nullptr;
    int r = unit.empty() ? 0 : sd_bus_path_encode("/org/freedesktop/systemd1/unit", unit.c_str(), &path);
    const std::unique_ptr<char, void (*)(void*)> owner(path, std::free);
    sd_bus_message* message = nullptr;
    if (r >= 0)
        r = sd_bus_message_new_method_call(bus_, &message, kName, unit.empty() ? kPath : path,
                                           "org.freedesktop.DBus.Properties", "Get");
    if (r >= 0) r = sd_bus_message_append(message, "ss", interface, property);
    if (r < 0) {
        sd_bus_message_unref(message);
        return std::unexpected(errno_error(-r, what));
    }
    auto reply = Calls::call(*this, message, what);
    if (!reply) return reply;
    r = sd_bus_message_enter_container(reply->message, 'v', type);
    if (r < 0) return std::unexpected(errno_error(-r, what));
    return reply;
}

Result<std::string> BusUnitManager::get_text(const std::string& unit, const char* interface,
                                             const char* property) {
    auto reply = get(unit, interface, property, "s");
    if (!reply) return std::unexpected(reply.error());
    const char* text = nullptr;
    if (const int r = sd_bus_message_read(reply->message, "s", &text); r < 0)
        return std::unexpected(errno_error(-r, fmt::format("reading {} of {}", property, unit)));
    return std::string(text);
}

Result<bool> BusUnitManager::has_owner(const std::string& name) {
    const auto what = "asking the bus who has " + name;
    sd_bus_message* message = nullptr;
    int r = sd_bus_message_new_method_call(bus_, &message, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                                           "org.freedesktop.DBus", "NameHasOwner");
    if (r >= 0) r = sd_bus_message_append(message, "s", name.c_str());
    if (r < 0) {
        sd_bus_message_unref(message);
        return std::unexpected(errno_error(-r, what));
    }
    const auto reply = Calls::call(*this, message, what);
    if (!reply) return std::unexpected(reply.error());
    int is_owned = 0;
    r = sd_bus_message_read(reply->message, "b", &is_owned);
    if (r < 0) return std::unexpected(errno_error(-r, what));
    return is_owned != 0;
}

Result<model::CpuSet> BusUnitManager::get_cpus(const std::string& unit, const char* interface,
                                               const char* property) {
    auto reply = get(unit, interface, property, "ay");
    if (!reply) return std::unexpected(reply.error());
    const void* bytes = nullptr;
    std::size_t size = 0;
    if (const int r = sd_bus_message_read_array(reply->message, 'y', &bytes, &size); r < 0)
        return std::unexpected(errno_error(-r, fmt::format("reading {} of {}", property, unit)));
    return cpus_of(static_cast<const unsigned char*>(bytes), size);
}

Result<actuators::UnitState> BusUnitManager::look(const std::string& unit) {
    const auto interface = interface_of(unit);
    actuators::UnitState state;
    auto group = get_text(unit, interface.c_str(), "ControlGroup");
    if (!group) return std::unexpected(group.error());
    state.control_group = std::move(*group);
    if (state.control_group.empty()) { // perhaps there is no such unit: systemd makes one up to talk about
        const auto load = get_text(unit, kUnit, "LoadState");
        if (!load) return std::unexpected(load.error());
        if (!exists(*load))
            return fail(Errc::no_such_object, fmt::format("the unit {} is {}", unit, *load),
                        "start it, or make its unit file");
    }
    auto mask = allowed(unit);
    if (!mask) return std::unexpected(mask.error());
    state.allowed = *mask;
    return state;
}

Result<std::optional<model::CpuSet>> BusUnitManager::allowed(const std::string& unit) {
    return get_mask(unit, "AllowedCPUs");
}

Result<std::optional<model::CpuSet>> BusUnitManager::get_mask(const std::string& unit, const char* property) {
    const auto mask = get_cpus(unit, interface_of(unit).c_str(), property);
    if (!mask) return std::unexpected(mask.error());
    return mask->empty() ? std::nullopt : std::optional(*mask);
}

/// systemd's "infinity" and "not set" are the same number.
Result<std::optional<std::uint64_t>> BusUnitManager::get_number(const std::string& unit,
                                                                const char* property) {
    auto reply = get(unit, interface_of(unit).c_str(), property, "t");
    if (!reply) return std::unexpected(reply.error());
    std::uint64_t number = 0;
    if (const int r = sd_bus_message_read(reply->message, "t", &number); r < 0)
        return std::unexpected(errno_error(-r, fmt::format("reading {} of {}", property, unit)));
    return number == UINT64_MAX ? std::nullopt : std::optional(number);
}

Result<model::Tuning> BusUnitManager::tuning(const std::string& unit) {
    const auto weight = get_number(unit, "CPUWeight");
    if (!weight) return std::unexpected(weight.error());
    const auto quota = get_number(unit, "CPUQuotaPerSecUSec");
    if (!quota) return std::unexpected(quota.error());
    auto nodes = get_mask(unit, "AllowedMemoryNodes");
    if (!nodes) return std::unexpected(nodes.error());
    return model::Tuning{*weight, *quota, std::move(*nodes)};
}

Status BusUnitManager::set(const std::string& unit, actuators::Setting setting, const model::Tuning& values) {
    switch (setting) {
    case actuators::Setting::cpu_weight: return set_property(unit, "CPUWeight", values.cpu_weight);
    case actuators::Setting::cpu_quota: return set_property(unit, "CPUQuotaPerSecUSec", values.cpu_quota_us);
    case actuators::Setting::memory_nodes:
        return set_property(unit, "AllowedMemoryNodes", values.memory_nodes);
    }
    return {};
}

Result<std::vector<std::string>> BusUnitManager::get_texts(const std::string& unit, const char* interface,
                                                           const char* property) {
    auto reply = get(unit, interface, property, "as");
    if (!reply) return std::unexpected(reply.error());
    std::vector<std::string> texts;
    int r = sd_bus_message_enter_container(reply->message, 'a', "s");
    const char* text = nullptr;
    while (r >= 0 && (r = sd_bus_message_read(reply->message, "s", &text)) > 0) texts.emplace_back(text);
    if (r < 0) return std::unexpected(errno_error(-r, fmt::format("reading {} of {}", property, unit)));
    return texts;
}

Result<model::CpuSet> BusUnitManager::affinity(const std::string& unit) {
    if (!unit.ends_with(".service")) return model::CpuSet(); // slices and scopes start nothing
    return get_cpus(unit, "org.freedesktop.systemd1.Service", "CPUAffinity");
}

Result<std::vector<std::string>> BusUnitManager::drop_ins(const std::string& unit) {
    return get_texts(unit, kUnit, "DropInPaths");
}

Result<std::vector<std::string>> BusUnitManager::search_path() { return get_texts("", kManager, "UnitPath"); }

Result<std::vector<LoadedUnit>> BusUnitManager::loaded_units() {
    const std::string what = "asking systemd for its units";
    sd_bus_message* message = nullptr;
    if (const int r = sd_bus_message_new_method_call(bus_, &message, kName, kPath, kManager, "ListUnits");
        r < 0)
        return std::unexpected(errno_error(-r, what));
    auto reply = Calls::call(*this, message, what);
    if (!reply) return std::unexpected(reply.error());
    auto* rows = reply->message;
    std::vector<LoadedUnit> units;
    int r = sd_bus_message_enter_container(rows, 'a', "(ssssssouso)");
    while (r >= 0 && (r = sd_bus_message_enter_container(rows, 'r', "ssssssouso")) > 0) {
        const char* name = nullptr;
        const char* load = nullptr;
        const char* active = nullptr;
        r = sd_bus_message_read(rows, "ssss", &name, nullptr, &load, &active);
        if (r >= 0) units.push_back({name, is_active(active), exists(load), {}});
        if (r >= 0) r = sd_bus_message_skip(rows, "ssouso");
        if (r >= 0) r = sd_bus_message_exit_container(rows);
    }
    if (r < 0) return std::unexpected(errno_error(-r, what));
    return units;
}

Result<std::vector<std::string>> BusUnitManager::files_of(const std::string& unit) {
    auto fragment = get_text(unit, kUnit, "FragmentPath");
    if (!fragment) return std::unexpected(fragment.error());
    auto files = get_texts(unit, kUnit, "DropInPaths");
    if (files && !fragment->empty()) files->insert(files->begin(), std::move(*fragment));
    return files;
}

Result<LoadedUnit> BusUnitManager::find(const std::string& unit) {
    auto files = files_of(unit);
    if (!files) return std::unexpected(files.error());
    auto id = get_text(unit, kUnit, "Id");
    const auto active = get_text(unit, kUnit, "ActiveState");
    const auto load = get_text(unit, kUnit, "LoadState");
    for (const auto* text : {&std::as_const(id), &active, &load})
        if (!*text) return std::unexpected(text->error());
    return LoadedUnit{std::move(*id), is_active(*active), exists(*load), std::move(*files)};
}

Status BusUnitManager::ask_reload() {
    sd_bus_message* message = nullptr;
    int r = sd_bus_message_new_method_call(bus_, &message, kName, kPath, kManager, "Reload");
    if (r >= 0) r = sd_bus_message_set_expect_reply(message, 0);
    if (r >= 0) r = sd_bus_send(bus_, message, nullptr);
    if (r >= 0) r = sd_bus_flush(bus_);
    sd_bus_message_unref(message);
    if (r < 0) return std::unexpected(errno_error(-r, "asking systemd to read its files anew"));
    return {};
}

Status BusUnitManager::allow_cpus(const std::string& unit, const std::optional<model::CpuSet>& cpus) {
    return set_property(unit, "AllowedCPUs", cpus);
}

Status BusUnitManager::set_property(const std::string& unit, const char* property,
                                    const std::optional<model::CpuSet>& mask) {
    const auto bytes = mask ? bytes_of(*mask) : std::vector<unsigned char>();
    sd_bus_message* message = nullptr;
    int r = sd_bus_message_new_method_call(bus_, &message, kName, kPath, kManager, "SetUnitProperties");
    if (r >= 0) r = sd_bus_message_append(message, "sb", unit.c_str(), 1);
    if (r >= 0) r = sd_bus_message_open_container(message, 'a', "(sv)");
    if (r >= 0) r = sd_bus_message_open_container(message, 'r', "sv");
    if (r >= 0) r = sd_bus_message_append(message, "s", property);
    if (r >= 0) r = sd_bus_message_open_container(message, 'v', "ay");
    if (r >= 0) r = sd_bus_message_append_array(message, 'y', bytes.data(), bytes.size());
    for (int depth = 0; depth < 3 && r >= 0; ++depth) r = sd_bus_message_close_container(message);
    return send_property(message, r,
                         fmt::format("setting {} of {} to {}", property, unit,
                                     mask ? mask->text() : "nothing"));
}

Status BusUnitManager::set_property(const std::string& unit, const char* property,
                                    std::optional<std::uint64_t> number) {
    sd_bus_message* message = nullptr;
    int r = sd_bus_message_new_method_call(bus_, &message, kName, kPath, kManager, "SetUnitProperties");
    if (r >= 0)
        r = sd_bus_message_append(message, "sba(sv)", unit.c_str(), 1, 1, property, "t",
                                  number.value_or(UINT64_MAX));
    return send_property(message, r,
                         fmt::format("setting {} of {} to {}", property, unit,
                                     number ? std::to_string(*number) : "nothing"));
}

Status BusUnitManager::send_property(sd_bus_message* message, int r, const std::string& what) {
    if (r < 0) {
        sd_bus_message_unref(message);
        return std::unexpected(errno_error(-r, what));
    }
    if (auto done = Calls::call(*this, message, what); !done) return std::unexpected(done.error());
    return {};
}

} // namespace schedd::systemd
