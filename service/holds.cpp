// Pipes, records and systemd's store of descriptors.
#include "service/holds.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fstream>
#include <map>
#include <sstream>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "components/model/path.h"
#include "dbus/limits.h"
#include "service/hold_records.h"

namespace schedd::service {

namespace {

constexpr std::string_view kStored = "hold-"; // FDNAME, followed by the id
/// What can be held: one line for each kind, with what its names are. Others go here.
constexpr std::string_view kScheduler = "scheduler:";
constexpr std::string_view kProfile = "profile:";
constexpr std::string_view kAccepted =
    "scheduler:NAME, scheduler:* for all schedulers, profile:performance or profile:power-saver";

std::string stored_name(std::uint64_t id) { return fmt::format("{}{}", kStored, id); }

/// systemd keeps a copy of the descriptor for the next run; without systemd nothing happens.
void store(std::uint64_t id, int fd) {
    sd_pid_notify_with_fds(0, 0, fmt::format("FDSTORE=1\nFDNAME={}", stored_name(id)).c_str(), &fd, 1);
}

void unstore(const std::string& name) {
    sd_notify(0, fmt::format("FDSTOREREMOVE=1\nFDNAME={}", name).c_str());
}

bool is_pipe(int fd) {
    struct stat info{};
    return ::fstat(fd, &info) == 0 && S_ISFIFO(info.st_mode);
}

std::uint64_t now_us() {
    timespec now{};
    ::clock_gettime(CLOCK_REALTIME, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000 +
           static_cast<std::uint64_t>(now.tv_nsec) / 1000;
}

Status check_text(std::string_view name, const std::string& text) {
    if (text.size() > limits::kHoldText)
        return fail(Errc::limit_exceeded, fmt::format("'{}' is too long", name),
                    fmt::format("limit bytes = {}", limits::kHoldText));
    if (std::ranges::any_of(text, [](unsigned char c) { return c < ' ' || c == 0x7f; }))
        return fail(Errc::invalid_value, fmt::format("'{}' holds control characters", name),
                    "use one line of plain text");
    return {};
}

/// The descriptors that systemd kept, by name. Whatever is not ours is closed.
std::map<std::uint64_t, int> passed_on(Log& log) {
    std::map<std::uint64_t, int> fds;
    char** names = nullptr;
    const int count = sd_listen_fds_with_names(1, &names);
    for (int i = 0; i < count; ++i) {
        const int fd = SD_LISTEN_FDS_START + i;
        const std::string name = names && names[i] ? names[i] : "";
        std::uint64_t id = 0;
        const auto* digits = name.data() + std::min(kStored.size(), name.size());
        const auto read = std::from_chars(digits, name.data() + name.size(), id);
        const bool is_hold = name.starts_with(kStored) && read.ec == std::errc() &&
                             read.ptr == name.data() + name.size() && id != 0 && is_pipe(fd);
        if (is_hold && fds.emplace(id, fd).second) continue;
        log.write(Severity::warning, "holds", fmt::format("systemd kept '{}', which is no hold", name));
        ::close(fd);
        unstore(name);
    }
    for (int i = 0; i < count; ++i) std::free(names[i]);
    std::free(names);
    return fds;
}

} // namespace

Status check_held_thing(const std::string& what) {
    const auto profile = what.starts_with(kProfile) ? what.substr(kProfile.size()) : std::string();
    if (profile == "performance" || profile == "power-saver") return {};
    if (what.starts_with(kProfile))
        return fail(Errc::invalid_value,
                    fmt::format("the profile '{}' cannot be held", profile.substr(0, 64)),
                    "it may be performance or power-saver");
    if (!what.starts_with(kScheduler))
        return fail(Errc::invalid_value, fmt::format("'{}' cannot be held", what.substr(0, 64)),
                    fmt::format("it may be {}", kAccepted));
    const auto name = what.substr(kScheduler.size());
    if (name == "*") return {};
    if (auto named = model::check_name(name); !named)
        return fail(Errc::invalid_value, fmt::format("'{}' names no scheduler", what.substr(0, 80)),
                    fmt::format("it may be {}", kAccepted));
    return {};
}

Result<std::unique_ptr<Holds>> Holds::open(const std::string& state_dir, Log& log) {
    std::unique_ptr<Holds> holds(new Holds(state_dir, log));
    holds->epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
    if (holds->epoll_ < 0) return fail(Errc::io, "holds cannot be followed", std::strerror(errno));
    holds->take_up();
    return holds;
}

Holds::~Holds() {
    for (const auto& entry : entries_) ::close(entry.fd);
    if (epoll_ >= 0) ::close(epoll_);
}

void Holds::take_up() {
    std::ostringstream text;
    text << std::ifstream(state_dir_ + "/holds").rdbuf();
    auto read = read_hold_records(text.str());
    if (read.unreadable > 0)
        log_.write(Severity::warning, "holds", fmt::format("{} records cannot be read", read.unreadable));
    auto fds = passed_on(log_);
    for (auto& facts : read.holds) {
        last_ = std::max(last_, facts.id);
        const auto at = fds.find(facts.id);
        // released while nobody was here, or written by somebody else
        if (at == fds.end() || !check_held_thing(facts.request.what)) continue;
        Entry entry{std::move(facts), at->second};
        fds.erase(at);
        if (follow(entry)) entries_.push_back(std::move(entry));
    }
    for (const auto& [id, fd] : fds) {
        log_.write(Severity::warning, "holds", fmt::format("hold {} has no record and is dropped", id));
        ::close(fd);
        unstore(stored_name(id));
    }
    if (!entries_.empty())
        log_.write(Severity::notice, "holds", fmt::format("{} taken up again", entries_.size()));
    if (!read.holds.empty()) keep_records();
}

/// No events are asked for: that the far end is closed is always told.
Status Holds::follow(const Entry& entry) const {
    epoll_event event{.events = 0, .data = {.u64 = entry.facts.id}};
    if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, entry.fd, &event) == 0) return {};
    return fail(Errc::io, "the hold cannot be followed", std::strerror(errno));
}

Status Holds::room_for(const dbus::HoldRequest& request) const {
    const auto own = static_cast<std::size_t>(std::ranges::count_if(entries_, [&](const Entry& entry) {
        return entry.facts.request.uid == request.uid;
    }));
    if (own >= limits::kHoldsPerUser)
        return fail(Errc::limit_exceeded, fmt::format("uid {} has too many holds", request.uid),
                    fmt::format("limit holds of one user = {}", limits::kHoldsPerUser));
    if (entries_.size() >= limits::kHolds)
        return fail(Errc::limit_exceeded, "there are too many holds",
                    fmt::format("limit holds = {}", limits::kHolds));
    return {};
}

Result<dbus::HoldTicket> Holds::take(const dbus::HoldRequest& request, bool dry_run) {
    if (auto sound = check_held_thing(request.what); !sound) return std::unexpected(sound.error());
    if (request.who.empty()) return fail(Errc::invalid_value, "'who' is empty", "say who holds it");
    for (const auto& [name, text] : {std::pair("who", request.who), std::pair("why", request.why)})
        if (auto sound = check_text(name, text); !sound) return std::unexpected(sound.error());
    if (auto room = room_for(request); !room) return std::unexpected(room.error());
    int ends[2] = {-1, -1};
    if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
        return fail(Errc::io, "no pipe for the hold", std::strerror(errno));
    if (dry_run) {
        ::close(ends[0]);
        return dbus::HoldTicket{0, ends[1]};
    }
    Entry entry{{++last_, request, now_us(), 0}, ends[0]};
    if (auto followed = follow(entry); !followed) {
        ::close(ends[0]);
        ::close(ends[1]);
        return std::unexpected(followed.error());
    }
    store(entry.facts.id, entry.fd);
    log_.write(Severity::info, request.what,
               fmt::format("held by {} (uid {}, pid {}): {}", request.who, request.uid, request.pid,
                           request.why));
    entries_.push_back(std::move(entry));
    keep_records();
    return dbus::HoldTicket{last_, ends[1]};
}

std::vector<dbus::HoldFacts> Holds::facts() const {
    std::vector<dbus::HoldFacts> all;
    const auto now = now_us();
    for (const auto& entry : entries_) {
        all.push_back(entry.facts);
        all.back().age_ms = now > entry.facts.since_us ? (now - entry.facts.since_us) / 1000 : 0;
    }
    return all;
}

HeldSchedulers Holds::schedulers() const {
    HeldSchedulers held;
    for (const auto& entry : entries_) {
        const auto& what = entry.facts.request.what;
        if (!what.starts_with(kScheduler)) continue;
        auto name = what.substr(kScheduler.size());
        if (name == "*") held.all = true;
        else held.names.insert(std::move(name));
    }
    return held;
}

const dbus::HoldFacts* Holds::on_scheduler(const std::string& name) const {
    for (const auto& entry : entries_) {
        std::string_view held = entry.facts.request.what;
        if (!held.starts_with(kScheduler)) continue;
        held.remove_prefix(kScheduler.size());
        if (held == "*" || held == name) return &entry.facts;
    }
    return nullptr;
}

bool Holds::collect() {
    epoll_event events[64];
    bool any = false;
    for (int count = 64; count == 64;) {
        count = ::epoll_wait(epoll_, events, 64, 0);
        for (int i = 0; i < count; ++i) drop(events[i].data.u64);
        any = any || count > 0;
    }
    if (any) keep_records();
    return any;
}

void Holds::drop(std::uint64_t id) {
    const auto at = std::ranges::find(entries_, id, [](const Entry& entry) { return entry.facts.id; });
    if (at == entries_.end()) return;
    // systemd's copy would keep it in the set
    ::epoll_ctl(epoll_, EPOLL_CTL_DEL, at->fd, nullptr);
    ::close(at->fd);
    unstore(stored_name(id));
    log_.write(Severity::info, at->facts.request.what, fmt::format("released by {}", at->facts.request.who));
    entries_.erase(at);
}

/// By a new file, so that there is always a whole one. Holds do not outlive a power cut: nothing is synced.
void Holds::keep_records() const {
    const auto file = state_dir_ + "/holds";
    const auto text = hold_records(facts());
    std::ofstream out(file + ".new", std::ios::trunc);
    out << text << std::flush;
    if (out && std::rename((file + ".new").c_str(), file.c_str()) == 0) return;
    log_.write(Severity::warning, "holds",
               fmt::format("{} cannot be written, they will not outlive a restart: {}", file,
                           std::strerror(errno)));
}

} // namespace schedd::service
