// sd-bus without tables: each call is looked at, counted and answered here.
#include "tests/bench/played_manager.h"

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string_view>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

namespace schedd::bench {

namespace {

constexpr const char* kName = "org.freedesktop.systemd1";
constexpr const char* kPath = "/org/freedesktop/systemd1";
constexpr const char* kManager = "org.freedesktop.systemd1.Manager";
constexpr const char* kUnits = "/org/freedesktop/systemd1/unit";
constexpr useconds_t kReloadTakesUs = 100'000;

/// Where systemd 252 looks for unit files.
constexpr std::array kSearchPath{
    "/etc/systemd/system.control",   "/run/systemd/system.control",  "/run/systemd/transient",
    "/run/systemd/generator.early",  "/etc/systemd/system",          "/etc/systemd/system.attached",
    "/run/systemd/system",           "/run/systemd/system.attached", "/run/systemd/generator",
    "/usr/local/lib/systemd/system", "/lib/systemd/system",          "/usr/lib/systemd/system",
    "/run/systemd/generator.late",
};

std::string unit_of(const char* path) {
    char* name = nullptr;
    if (path == nullptr || sd_bus_path_decode(path, kUnits, &name) <= 0) return {};
    const std::unique_ptr<char, void (*)(void*)> owner(name, std::free);
    return name;
}

model::CpuSet cpus_of(const void* bytes, std::size_t size) {
    model::CpuSet cpus;
    for (std::size_t i = 0; i < size * 8; ++i)
        if ((static_cast<const unsigned char*>(bytes)[i / 8] >> (i % 8) & 1U) != 0)
            cpus.add(static_cast<int>(i));
    return cpus;
}

std::vector<unsigned char> bytes_of(const model::CpuSet& cpus) {
    std::vector<unsigned char> bytes;
    for (int cpu = cpus.first(); cpu >= 0; cpu = cpus.next(cpu)) {
        bytes.resize(static_cast<std::size_t>(cpu) / 8 + 1);
        bytes.back() = static_cast<unsigned char>(bytes.back() | 1U << (cpu % 8));
    }
    return bytes;
}

/// Never empty in between: the kernel's files change at once.
Status overwrite(const std::string& path, const std::string& text) {
    const int fd = open(path.c_str(), O_WRONLY | O_CLOEXEC);
    const auto size = static_cast<ssize_t>(text.size());
    const bool done = fd >= 0 && write(fd, text.data(), text.size()) == size && ftruncate(fd, size) == 0;
    const int why = errno;
    if (fd >= 0) close(fd);
    if (!done) return fail(Errc::io, "cannot write " + path, std::strerror(why));
    return {};
}

/// The answer to a Get of an array.
int reply_bytes(sd_bus_message* reply, const std::vector<unsigned char>& bytes) {
    int r = sd_bus_message_open_container(reply, 'v', "ay");
    if (r >= 0) r = sd_bus_message_append_array(reply, 'y', bytes.data(), bytes.size());
    return r >= 0 ? sd_bus_message_close_container(reply) : r;
}

int reply_texts(sd_bus_message* reply, const std::vector<std::string>& texts) {
    int r = sd_bus_message_open_container(reply, 'v', "as");
    if (r >= 0) r = sd_bus_message_open_container(reply, 'a', "s");
    for (const auto& text : texts)
        if (r >= 0) r = sd_bus_message_append(reply, "s", text.c_str());
    if (r >= 0) r = sd_bus_message_close_container(reply);
    return r >= 0 ? sd_bus_message_close_container(reply) : r;
}

} // namespace

struct PlayedManager::Entry {
    static int take(sd_bus_message* message, void* self, sd_bus_error* /*error*/) {
        std::uint8_t type = 0;
        if (sd_bus_message_get_type(message, &type) < 0 || type != SD_BUS_MESSAGE_METHOD_CALL) return 0;
        const int r = static_cast<PlayedManager*>(self)->answer(message);
        if (r < 0) sd_bus_reply_method_errnof(message, -r, "not played: %s", std::strerror(-r));
        return 1; // dealt with
    }
};

void PlayedManager::Close::operator()(sd_bus* bus) const { sd_bus_flush_close_unref(bus); }

PlayedManager::PlayedManager(const UnitTree& tree)
    : tree_(tree), wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    for (const auto& unit : tree.units()) units_[unit.name].files = &unit;
}

Result<std::unique_ptr<PlayedManager>> PlayedManager::start(const std::string& address,
                                                            const UnitTree& tree) {
    std::unique_ptr<PlayedManager> made(new PlayedManager(tree));
    sd_bus* bus = nullptr;
    int r = sd_bus_new(&bus);
    made->bus_.reset(bus);
    if (r >= 0) r = sd_bus_set_address(bus, address.c_str());
    if (r >= 0) r = sd_bus_set_bus_client(bus, 1);
    if (r >= 0) r = sd_bus_start(bus);
    if (r >= 0) r = sd_bus_add_filter(bus, nullptr, &Entry::take, made.get());
    if (r >= 0) r = sd_bus_request_name(bus, kName, 0);
    if (r < 0 || made->wake_ < 0)
        return fail(Errc::io, "systemd cannot be played on " + address, std::strerror(r < 0 ? -r : errno));
    made->thread_ = std::thread([played = made.get()] { played->serve(); });
    return made;
}

PlayedManager::~PlayedManager() {
    is_over_ = true;
    eventfd_write(wake_, 1);
    if (thread_.joinable()) thread_.join();
    if (wake_ >= 0) close(wake_);
}

void PlayedManager::serve() {
    while (!is_over_) {
        int r = 0;
        while ((r = sd_bus_process(bus_.get(), nullptr)) > 0) {}
        if (r < 0) return; // the bus is gone: the daemon under test will say so
        if (is_reload_wanted_.exchange(false)) carry_out_reload();
        sd_bus_flush(bus_.get());
        pollfd fds[] = {{sd_bus_get_fd(bus_.get()), POLLIN, 0}, {wake_, POLLIN, 0}};
        poll(fds, 2, -1);
        eventfd_t woken = 0;
        eventfd_read(wake_, &woken);
    }
}

void PlayedManager::reload() {
    is_reload_wanted_ = true;
    eventfd_write(wake_, 1);
}

void PlayedManager::carry_out_reload() {
    sd_bus_emit_signal(bus_.get(), kPath, kManager, "Reloading", "b", 1);
    sd_bus_flush(bus_.get());
    usleep(kReloadTakesUs);
    for (const auto& [name, unit] : units_)
        if (!unit.allowed.empty()) static_cast<void>(confine(unit));
    sd_bus_emit_signal(bus_.get(), kPath, kManager, "Reloading", "b", 0);
}

PlayedManager::Calls PlayedManager::calls() const {
    const std::lock_guard lock(counting_);
    return calls_;
}

void PlayedManager::count(const std::string& call) {
    const std::lock_guard lock(counting_);
    ++calls_[call];
}

int PlayedManager::answer(sd_bus_message* message) {
    const char* member = sd_bus_message_get_member(message);
    if (sd_bus_message_is_method_call(message, "org.freedesktop.DBus.Properties", "Get") > 0)
        return answer_get(message);
    count(member ? member : "");
    if (sd_bus_message_is_method_call(message, kManager, "SetUnitProperties") > 0)
        return set_properties(message);
    if (sd_bus_message_is_method_call(message, kManager, "ListUnits") > 0) return answer_list(message);
    if (sd_bus_message_is_method_call(message, kManager, "Subscribe") > 0)
        return sd_bus_reply_method_return(message, "");
    return -EOPNOTSUPP;
}

int PlayedManager::answer_get(sd_bus_message* message) {
    const char* interface = nullptr;
    const char* property = nullptr;
    if (const int r = sd_bus_message_read(message, "ss", &interface, &property); r < 0) return r;
    count(fmt::format("Get {}", property));
    sd_bus_message* reply = nullptr;
    int r = sd_bus_message_new_method_return(message, &reply);
    const std::unique_ptr<sd_bus_message, sd_bus_message* (*)(sd_bus_message*)> owner(reply,
                                                                                      sd_bus_message_unref);
    if (r < 0) return r;
    const std::string_view asked = property;
    const auto found = units_.find(unit_of(sd_bus_message_get_path(message)));
    const auto text = [&](const std::string& value) {
        return sd_bus_message_append(reply, "v", "s", value.c_str());
    };
    if (asked == "UnitPath") r = reply_texts(reply, {kSearchPath.begin(), kSearchPath.end()});
    else if (found == units_.end()) return -ENOENT;
    else if (const auto& unit = found->second; asked == "ControlGroup") r = text(unit.files->control_group);
    else if (asked == "AllowedCPUs") r = reply_bytes(reply, bytes_of(unit.allowed));
    else if (asked == "CPUAffinity" || asked == "AllowedMemoryNodes") r = reply_bytes(reply, {});
    else if (asked == "CPUWeight" || asked == "CPUQuotaPerSecUSec")
        r = sd_bus_message_append(reply, "v", "t", UINT64_MAX);
    else if (asked == "Id") r = text(unit.files->name);
    else if (asked == "LoadState") r = text("loaded");
    else if (asked == "ActiveState") r = text("active");
    else if (asked == "FragmentPath") r = text("/run/systemd/system/test-many@.service");
    else if (asked == "DropInPaths") r = reply_texts(reply, drop_ins_of(unit));
    else return -ENOENT;
    return r >= 0 ? sd_bus_send(nullptr, reply, nullptr) : r;
}

std::vector<std::string> PlayedManager::drop_ins_of(const Unit& unit) const {
    std::vector<std::string> files;
    if (const auto common = tree_.drop_in()) files.push_back(*common);
    if (!unit.allowed.empty())
        files.push_back(
            fmt::format("/run/systemd/system.control/{}.d/50-AllowedCPUs.conf", unit.files->name));
    return files;
}

int PlayedManager::answer_list(sd_bus_message* message) {
    sd_bus_message* reply = nullptr;
    int r = sd_bus_message_new_method_return(message, &reply);
    const std::unique_ptr<sd_bus_message, sd_bus_message* (*)(sd_bus_message*)> owner(reply,
                                                                                      sd_bus_message_unref);
    if (r >= 0) r = sd_bus_message_open_container(reply, 'a', "(ssssssouso)");
    for (const auto& unit : tree_.units())
        if (r >= 0)
            r = sd_bus_message_append(reply, "(ssssssouso)", unit.name.c_str(), "", "loaded", "active",
                                      "running", "", kPath, 0U, "", "/");
    if (r >= 0) r = sd_bus_message_close_container(reply);
    return r >= 0 ? sd_bus_send(nullptr, reply, nullptr) : r;
}

/// One property at a time, as schedd sends them.
int PlayedManager::set_properties(sd_bus_message* message) {
    const char* name = nullptr;
    const char* property = nullptr;
    const void* bytes = nullptr;
    std::size_t size = 0;
    int is_runtime = 0;
    int r = sd_bus_message_read(message, "sb", &name, &is_runtime);
    if (r >= 0) r = sd_bus_message_enter_container(message, 'a', "(sv)");
    if (r >= 0) r = sd_bus_message_enter_container(message, 'r', "sv");
    if (r >= 0) r = sd_bus_message_read(message, "s", &property);
    if (r < 0) return r;
    const auto found = units_.find(name);
    if (found == units_.end() || std::string_view(property) != "AllowedCPUs") return -ENOENT;
    r = sd_bus_message_enter_container(message, 'v', "ay");
    if (r >= 0) r = sd_bus_message_read_array(message, 'y', &bytes, &size);
    if (r < 0) return r;
    auto& unit = found->second;
    const auto cpus = cpus_of(bytes, size);
    confined_ += static_cast<std::size_t>(!cpus.empty()) - static_cast<std::size_t>(!unit.allowed.empty());
    unit.allowed = cpus;
    std::error_code error;
    std::filesystem::create_directory(std::filesystem::path(unit.files->drop_in).parent_path(), error);
    if (!write_file(unit.files->drop_in, fmt::format("[Service]\nAllowedCPUs={}\n", cpus.text())))
        return -EIO;
    if (!confine(unit)) return -EIO;
    return sd_bus_reply_method_return(message, "");
}

/// What is unset falls back to what the slice has, which is everything.
Status PlayedManager::confine(const Unit& unit) const {
    const auto& place = unit.files->directory;
    const auto cpus = unit.allowed.text();
    if (auto done = overwrite(place + "/cpuset.cpus.effective", (cpus.empty() ? tree_.cpus() : cpus) + "\n");
        !done)
        return done;
    return overwrite(place + "/cpuset.cpus", cpus + "\n");
}

} // namespace schedd::bench
