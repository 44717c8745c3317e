// Wiring and the turn of the loop. What the bus asks for is in daemon_bus.cpp.
#include "service/daemon.h"

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <poll.h>
#include <unistd.h>

#include <fmt/format.h>
#include <sys/random.h>
#include <systemd/sd-daemon.h>

#include "service/actuators/router.h"
#include "service/builtin.h"
#include "service/host/dir_host.h"
#include "service/host/live_kernel.h"
#include "service/host/state_file.h"

namespace schedd::service {

namespace {

/// How long process events are gathered before they are dealt with: a fork storm then costs ten wake-ups a
/// second.
constexpr std::uint64_t kGatherMs = 100;
/// Between two scans where there are no events, and between two looks at who changed group or session.
constexpr std::uint64_t kScanMs = 1000;
/// The rest of a flood of events waits for the next turn, so that the bus is served between.
constexpr int kDrainsPerTurn = 8;
/// What `systemctl status` shows is at most this old, when the loop turns at all.
constexpr Duration kStatusPeriod = std::chrono::seconds(5);
constexpr std::string_view kDefaultLogLevel = "info";

std::uint64_t seed() {
    std::uint64_t value = 0;
    if (getrandom(&value, sizeof value, 0) != static_cast<ssize_t>(sizeof value))
        value = static_cast<std::uint64_t>(getpid());
    return value;
}

std::string boot_id(Host& host) {
    std::array<char, 64> buffer{};
    const auto text = host.read("proc/sys/kernel/random/boot_id", buffer);
    return text ? std::string(text->substr(0, text->find('\n'))) : "unknown";
}

} // namespace

Daemon::Daemon(Options options)
    : options_(std::move(options)), log_(kDefaultLogLevel), started_(clock_.now()), rng_(seed()) {}

Daemon::~Daemon() {
    // the bus objects refer to the parts, the engine listens to the tree
    bus_.reset();
    engine_.reset();
    tree_.reset();
}

Result<std::unique_ptr<Daemon>> Daemon::start(Options options) {
    std::unique_ptr<Daemon> daemon(new Daemon(std::move(options)));
    for (const auto step : {&Daemon::open_machine, &Daemon::open_state, &Daemon::open_loop})
        if (auto done = (daemon.get()->*step)(); !done) return std::unexpected(done.error());
    daemon->load_first_config();
    const auto left = daemon->engine_->held();
    daemon->engine_->settle(daemon->clock_.now());
    if (left > 0)
        daemon->log_.write(Severity::notice, "ledger",
                           fmt::format("an earlier run left {} placed: {} put back, {} go on", left,
                                       left - daemon->engine_->held(), daemon->engine_->held()));
    if (auto served = daemon->open_bus(); !served) return std::unexpected(served.error());
    return daemon;
}

Status Daemon::open_machine() {
    if (auto limit = host::raise_file_limit(); !limit)
        log_.write(Severity::warning, "files", limit.error().text());
    auto files = host::DirHost::open_root(options_.root);
    if (!files) return std::unexpected(files.error());
    host_ = std::move(*files);
    const bool is_live = options_.root == "/";
    if (is_live) kernel_ = std::make_unique<host::LiveKernel>();
    processes_ = std::make_unique<ProcessTable>(*host_, kernel_.get(), getpid());
    auto source = host::TopologySource::parse(options_.topology);
    if (!source) return std::unexpected(source.error());
    topology_reader_.emplace(std::move(*source), options_.root);
    auto topology = topology_reader_->load();
    if (!topology) return std::unexpected(topology.error());
    topology_ = std::move(*topology);
    return {};
}

Status Daemon::open_state() {
    if (auto desired = load_config(options_.config_dirs); desired) settings_ = desired->daemon;
    set_configured_log_level();
    if (options_.actuator == "auto" && settings_.actuator) options_.actuator = *settings_.actuator;
    // what is read elsewhere must not be written here
    if (options_.root != "/" && options_.actuator == "auto") options_.actuator = "dry-run";
    if (auto opened = open_units(); !opened) return opened;
    auto actuator = actuators::make_actuator(options_.actuator, *host_, units_.get());
    if (!actuator) return std::unexpected(actuator.error());
    actuator_ = std::move(*actuator);
    auto store = host::FileStore::open(options_.state_dir);
    if (!store) return std::unexpected(store.error());
    auto text = (*store)->read_all();
    if (!text) return std::unexpected(text.error());
    store_ = std::move(*store);
    std::vector<std::string> complaints;
    ledger_.emplace(*store_, boot_id(*host_), *text, complaints);
    for (const auto& complaint : complaints) log_.write(Severity::warning, "ledger", complaint);
    if (!complaints.empty()) {
        const auto kept = static_cast<host::FileStore&>(*store_).set_aside(*text);
        log_.write(Severity::warning, "ledger",
                   kept ? "the ledger as it was found is kept in " + *kept : kept.error().text());
    }
    registry_.emplace(builtin_types());
    tree_ = std::make_unique<Tree>(Environment{clock_, rng_, *host_, log_, *processes_}, *registry_);
    engine_ = std::make_unique<placement::Engine>(*tree_, topology_, *actuator_, *ledger_);
    engine_->set_listener(this);
    return open_holds();
}

Status Daemon::open_units() {
    const bool is_wanted = options_.actuator == "auto" || options_.actuator == "systemd";
    if (!is_wanted || options_.root != "/" || access("/run/systemd/system", F_OK) != 0) return {};
    auto units = systemd::BusUnitManager::open("system", clock_);
    if (!units && options_.actuator == "systemd") return std::unexpected(units.error());
    if (units) units_ = std::move(*units);
    else log_.write(Severity::notice, "systemd", "units are not placed: " + units.error().text());
    return {};
}

void Daemon::set_configured_log_level() {
    log_.set_level(!options_.log_level.empty() ? options_.log_level
                                               : settings_.log_level.value_or(std::string(kDefaultLogLevel)));
}

Status Daemon::open_loop() {
    auto loop = Loop::open();
    if (!loop) return std::unexpected(loop.error());
    loop_ = std::move(*loop);
    for (const int number : {SIGTERM, SIGINT})
        if (auto caught = loop_->on_signal(number, [this] { stop(0); }); !caught) return caught;
    if (auto caught = loop_->on_signal(SIGHUP,
                                       [this] {
                                           if (auto done = reload(false); !done)
                                               log_.write(Severity::error, "reload", done.error().text());
                                       });
        !caught)
        return caught;
    std::signal(SIGPIPE, SIG_IGN);
    if (options_.root == "/") {
        auto events = host::ProcessEvents::open();
        if (events) {
            process_events_ = std::move(*events);
            auto watch = loop_->watch(process_events_->fd(), POLLIN, [this] { take_process_events(); });
            if (!watch) return std::unexpected(watch.error());
            process_watch_ = *watch;
        } else {
            log_.write(Severity::notice, "processes", "found by scans alone: " + events.error().text());
        }
        if (auto cpus = host::CpuEvents::open()) {
            cpu_events_ = std::move(*cpus);
            auto watch = loop_->watch(cpu_events_->fd(), POLLIN, [this] { take_cpu_events(); });
            if (!watch) return std::unexpected(watch.error());
        }
    }
    if (auto watch = loop_->watch(holds_->fd(), POLLIN, [] {}); !watch) return std::unexpected(watch.error());
    if (units_) {
        units_->listen({[this] { is_reloaded_ = true; },
                        [this](const std::string& unit) { units_changed_.insert(unit); }});
        auto watch = loop_->watch(units_->fd(), POLLIN, [] {});
        if (!watch) return std::unexpected(watch.error());
        units_watch_ = *watch;
    }
    return processes_->scan();
}

void Daemon::load_first_config() {
    const auto desired = load_config(options_.config_dirs);
    const auto recipe = desired ? recipe_for(*desired) : Result<Recipe>(std::unexpected(desired.error()));
    auto done = recipe ? tree_->apply(*recipe) : Status(std::unexpected(recipe.error()));
    if (!done) log_.write(Severity::error, "configuration", "starting with none: " + done.error().text());
    else note_configured(*recipe);
}

Status Daemon::open_bus() {
    auto served = dbus::Service::open(*this, log_, {options_.bus, [this] {
                                                        log_.write(Severity::error, "bus", "the bus is gone");
                                                        stop(1);
                                                    }});
    if (!served) return std::unexpected(served.error());
    bus_ = std::move(*served);
    auto watch = loop_->watch(bus_->poll().fd, POLLIN, [] {});
    if (!watch) return std::unexpected(watch.error());
    bus_watch_ = *watch;
    return {};
}

int Daemon::run() {
    log_.write(Severity::info, "schedd",
               fmt::format("version {} serves {} with the actuator {}, {} CPUs", SCHEDD_VERSION, options_.bus,
                           actuator_->name(), topology_.usable().count()));
    has_status_ = std::getenv("NOTIFY_SOCKET") != nullptr;
    sd_notify(0, "READY=1");
    const int code = loop_->run([this] { return turn(); });
    sd_notify(0, "STOPPING=1");
    const auto on_stop = facts().on_stop;
    if (on_stop == "restore") {
        take_process_events();
        engine_->release_all();
        take_process_events(); // forked while the others were put back
        engine_->settle(clock_.now());
    }
    log_.write(Severity::info, "schedd",
               on_stop == "restore" ? "stopped; what was placed is as it was before"
                                    : "stopped; what was placed stays");
    return code;
}

void Daemon::stop(int code) {
    if (loop_) loop_->stop(code);
}

/// One turn: the bus first (somebody waits for it), then what the processes did, then the tick if it is due.
Time Daemon::turn() {
    bus_->process();
    hear_units();
    hear_holds();
    const Time now = clock_.now();
    if (process_watch_ && now >= events_again_) process_watch_->resume();
    find_processes(now);
    const bool is_due = engine_->next_due() <= now || processes_->generation() != seen_generation_;
    if (is_due) {
        take_process_events();
        seen_generation_ = processes_->generation();
        engine_->tick(now);
        bus_->sampled(now);
    }
    bus_->flush_signals();
    const auto poll = bus_->poll();
    bus_watch_->set_events(poll.events);
    Time next = std::min(engine_->next_due(), next_find_);
    if (process_watch_ && now < events_again_) next = std::min(next, events_again_);
    tell_status(now);
    if (poll.timeout_us != UINT64_MAX)
        next = std::min<Time>(next, std::chrono::microseconds(poll.timeout_us));
    return next;
}

void Daemon::hear_units() {
    if (!units_watch_) return;
    const bool is_there = units_->process();
    for (const auto& unit : std::exchange(units_changed_, {}))
        engine_->reconcile(placement::Target::unit(unit));
    if (std::exchange(is_reloaded_, false)) engine_->reconcile();
    if (is_there) return;
    log_.write(Severity::error, "systemd", "the bus to it is gone: units are not followed any more");
    units_watch_->pause();
    units_watch_ = nullptr;
}

/// What `systemctl status` shows; the watchdog is fed by the loop itself.
void Daemon::tell_status(Time now) {
    if (!has_status_ || now < next_status_) return;
    next_status_ = now + kStatusPeriod;
    auto status = status_line();
    if (status == told_status_) return;
    told_status_ = std::move(status);
    sd_notify(0, ("STATUS=" + told_status_).c_str());
}

std::string Daemon::status_line() const {
    std::size_t subjects = 0;
    std::size_t placed = 0;
    std::size_t conflicts = 0;
    std::size_t schedulers = 0;
    for (const auto& row : engine_->facts()) {
        ++schedulers;
        subjects += row.subjects;
        placed += row.placed;
        conflicts += row.conflicts;
    }
    return fmt::format("{} scheduler{}, {} of {} placed on {} CPUs{}", schedulers, schedulers == 1 ? "" : "s",
                       placed, subjects, topology_.usable().count(),
                       conflicts == 0 ? "" : fmt::format(", {} in conflict", conflicts));
}

void Daemon::take_process_events() {
    if (!process_events_) return;
    bool has_more = true;
    for (int i = 0; has_more && i < kDrainsPerTurn; ++i) {
        const auto drained =
            process_events_->drain([this](const ProcessEvent& event) { processes_->apply(event); });
        has_more = drained && drained->more;
        if (drained && !drained->lost) continue;
        log_.write(Severity::warning, "processes",
                   drained ? "events were lost; scanning" : drained.error().text());
        if (auto scanned = processes_->scan(); !scanned)
            log_.write(Severity::error, "processes", scanned.error().text());
    }
    const auto gather = std::chrono::milliseconds(settings_.tick_period_ms.value_or(kGatherMs));
    events_again_ = has_more ? clock_.now() : clock_.now() + gather;
    process_watch_->pause();
}

void Daemon::catch_up_with_processes() {
    if (process_events_) {
        take_process_events();
        return;
    }
    if (auto scanned = processes_->scan(); !scanned)
        log_.write(Severity::error, "processes", scanned.error().text());
}

void Daemon::take_cpu_events() {
    const auto changed = cpu_events_->drain();
    if (changed && !*changed) return;
    auto topology = topology_reader_->load();
    if (!topology) {
        log_.write(Severity::error, "topology", topology.error().text());
        return;
    }
    if (topology->generation == topology_.generation) return;
    log_.write(Severity::notice, "topology",
               fmt::format("CPUs online: {} (before: {})", topology->online.text(), topology_.online.text()));
    topology_ = std::move(*topology);
    engine_->topology_changed();
    bus_->topology_changed();
}

bool Daemon::wants_ids() const {
    for (const auto& scheduler : tree_->schedulers().children())
        for (const auto& child : static_cast<const Scheduler&>(*scheduler).process_set().children()) {
            using Sort = MemberName::Sort;
            const auto sort = static_cast<const Member&>(*child).parsed().sort;
            if (sort != Sort::process && sort != Sort::process_children && sort != Sort::exec) return true;
        }
    return false;
}

void Daemon::find_processes(Time now) {
    const bool scans = !process_events_;
    if (!scans && !wants_ids()) {
        next_find_ = kNever;
        return;
    }
    if (next_find_ == kNever) next_find_ = now;
    if (now < next_find_) return;
    next_find_ = now + std::chrono::milliseconds(settings_.scan_period_ms.value_or(kScanMs));
    if (scans) catch_up_with_processes();
    if (wants_ids()) processes_->refresh_ids();
}

void Daemon::decided(const std::string& scheduler, const placement::Target& target,
                     const placement::Decision& decision) {
    log_.write(Severity::debug, scheduler,
               fmt::format("{} to CPUs {}: {}", target.text(), decision.cpus.text(), decision.reason));
    if (bus_) bus_->decided(scheduler, target.text(), decision.cpus.text(), decision.reason);
}

void Daemon::conflicted(const std::string& scheduler, const placement::Target& target,
                        const std::string& detail) {
    log_.write(Severity::warning, scheduler, fmt::format("conflict over {}: {}", target.text(), detail));
    if (bus_) bus_->conflict(scheduler, target.text(), detail);
}

void Daemon::ejected(const std::string& scheduler, const std::string& why) {
    if (bus_) bus_->ejected(scheduler, why);
}

} // namespace schedd::service
