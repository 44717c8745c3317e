// Wiring. The turn of the loop is in daemon_turn.cpp, what the bus asks for in daemon_bus.cpp.
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
    : options_(std::move(options)), log_(kDefaultLogLevel), started_(clock_.now()), rng_(seed()),
      has_status_(std::getenv("NOTIFY_SOCKET") != nullptr) {}

Daemon::~Daemon() {
    // the bus objects refer to the parts, the engine listens to the tree
    bus_.reset();
    power_.close();
    attachments_.reset();
    engine_.reset();
    tree_.reset();
}

Result<std::unique_ptr<Daemon>> Daemon::start(Options options) {
    std::unique_ptr<Daemon> daemon(new Daemon(std::move(options)));
    for (const auto step : {&Daemon::open_machine, &Daemon::open_state, &Daemon::open_loop})
        if (auto done = (daemon.get()->*step)(); !done) return std::unexpected(done.error());
    daemon->load_first_config();
    if (daemon->attachments_) daemon->attachments_->refresh();
    const auto left = daemon->engine_->held();
    daemon->engine_->settle(daemon->clock_.now());
    if (left > 0)
        daemon->log_.tell(message_id::kRecovered, Severity::notice, "ledger",
                          fmt::format("an earlier run left {} placed: {} put back, {} go on", left,
                                      left - daemon->engine_->held(), daemon->engine_->held()));
    daemon->open_peers();
    daemon->begin_moves();
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
    allowed_ = topology_.allowed;
    if (const auto& left_out = topology_reader_->left_out(); !left_out.empty())
        log_.write(Severity::warning, "topology", left_out);
    return {};
}

Status Daemon::open_state() {
    if (auto desired = load_config(options_.config_dirs); desired) settings_ = desired->daemon;
    set_log_level();
    if (options_.actuator == "auto" && settings_.actuator) options_.actuator = *settings_.actuator;
    // what is read elsewhere must not be written here
    if (options_.root != "/" && options_.actuator == "auto") options_.actuator = "dry-run";
    if (auto opened = open_units(); !opened) return opened;
    auto actuator = actuators::make_actuator(options_.actuator, *host_, units_.get(), this);
    if (!actuator) return std::unexpected(actuator.error());
    actuator_ = std::move(*actuator);
    if (const auto online = actuator_->online(); online && !topology_.online.subset_of(*online))
        log_.write(Severity::warning, "topology",
                   fmt::format("CPUs {} of {} are not online here: nothing can be placed on them; "
                               "--actuator=dry-run tries another machine",
                               (topology_.online - *online).text(), options_.topology));
    auto store = host::FileStore::open(options_.state_dir);
    if (!store) return std::unexpected(store.error());
    auto text = (*store)->read_all();
    if (!text) return std::unexpected(text.error());
    if (!(*store)->is_writable())
        log_.write(Severity::error, "ledger",
                   fmt::format("{} is full or read-only: nothing is placed until it can be written",
                               options_.state_dir));
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
    if (auto opened = open_moves(); !opened) return opened;
    tree_ = std::make_unique<Tree>(Environment{clock_, rng_, *host_, log_, *processes_, &peers_.values(),
                                               &moves_->mover(), &power_.state()},
                                   *registry_);
    engine_ = std::make_unique<placement::Engine>(*tree_, topology_, *actuator_, *ledger_);
    topology_.allowed |= engine_->partitioned() & topology_.online; // of the run before
    engine_->set_listener(this);
    take_settings();
    if (settings_.reserved_cpus) reserve_cpus();
    templates_.emplace(*tree_, [this](const Recipe& recipe) { return apply_here(recipe, false); });
    if (units_)
        attachments_ = std::make_unique<systemd::Attachments>(*tree_, *units_,
                                                              [this](const Recipe& recipe, bool dry_run) {
                                                                  return apply_here(recipe, dry_run);
                                                              });
    return open_holds();
}

Status Daemon::open_units() {
    const bool is_wanted = options_.actuator == "auto" || options_.actuator == "systemd";
    if (!is_wanted || options_.root != "/" || access("/run/systemd/system", F_OK) != 0) return {};
    auto units = systemd::BusUnitManager::open("system", clock_);
    if (!units && options_.actuator == "systemd") return std::unexpected(units.error());
    if (units) {
        units_ = std::move(*units);
        auto files = host::FileWatches::open();
        if (files) files_ = std::move(*files);
        else log_.write(Severity::warning, "cpusets", "other writers are seen late: " + files.error().text());
    } else {
        units_trouble_ = units.error().text();
        log_.write(Severity::notice, "systemd", "units are not placed: " + units_trouble_);
    }
    return {};
}

/// What may change at a reload.
void Daemon::take_settings() {
    set_log_level();
    using OnForeign = placement::Engine::OnForeign;
    engine_->set_on_foreign(settings_.on_foreign == "reassert" ? OnForeign::reassert : OnForeign::yield);
}

/// Takes the CPUs that are kept for the host from what policies see.
void Daemon::reserve_cpus() {
    const auto wanted = CpuSet::parse(settings_.reserved_cpus.value_or("")).value_or(CpuSet());
    topology_.allowed = allowed_ - wanted;
    if (const auto missing = wanted - (allowed_ & topology_.online); !missing.empty())
        log_.write(Severity::warning, "reserved_cpus",
                   fmt::format("{} of {} are not there now", missing.text(), wanted.text()));
    if (topology_.usable().empty()) {
        log_.write(Severity::warning, "reserved_cpus",
                   fmt::format("{} has no effect: that is all there is", wanted.text()));
        topology_.allowed = allowed_;
    }
    engine_->topology_changed();
    if (bus_) bus_->topology_changed();
}

void Daemon::set_log_level() {
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
                                               log_.tell(message_id::kConfigurationRefused, Severity::error,
                                                         "reload", done.error().text());
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
    if (auto watch = loop_->watch(holds_->fd(), POLLIN, [this] { hear_holds(); }); !watch)
        return std::unexpected(watch.error());
    if (units_) {
        units_->listen({[this](bool begins) {
                            is_reloading_ = begins;
                            is_reloaded_ = is_reloaded_ || !begins;
                        },
                        [this](const std::string& unit) { units_changed_.insert(unit); },
                        [this] { is_resumed_ = true; }});
        auto watch = loop_->watch(units_->fd(), POLLIN, [] {});
        if (!watch) return std::unexpected(watch.error());
        units_watch_ = *watch;
    }
    if (files_) {
        auto watch = loop_->watch(files_->fd(), POLLIN, [this] { take_file_events(); });
        if (!watch) return std::unexpected(watch.error());
    }
    open_power();
    return processes_->scan();
}

/// Daemons of power are on the bus that is served: the system's, but for tests.
void Daemon::open_power() {
    power_.open({*tree_, *host_, *loop_, options_.bus, options_.state_dir, boot_id(*host_),
                 actuator_->name() != "dry-run", [this](const Recipe& recipe) {
                     return tree_->apply(recipe, false, Tree::NodeSets::taken);
                 }});
    power_.allow_frequency(settings_.frequency == "on");
}

void Daemon::open_peers() {
    const auto apply = [this](const Recipe& recipe, bool dry_run, Tree::NodeSets sets) {
        return apply_here(dry_run ? recipe : power_.overlay().kept_out(recipe), dry_run, sets);
    };
    auto opened =
        peers_.open(settings_.cluster.value_or(membership::ClusterSettings()), options_.state_dir, *tree_,
                    {apply, [this] { engine_->nodes_changed(); }, [this] { nodes_changed(); }});
    if (opened && peers_.off().empty()) {
        const auto watched = loop_->watch(peers_.fd(), POLLIN, [] {});
        if (!watched) opened = std::unexpected(watched.error());
    }
    if (!opened) log_.write(Severity::error, "cluster", "this node is alone: " + opened.error().text());
}

void Daemon::load_first_config() {
    const auto desired = load_config(options_.config_dirs);
    const auto recipe = desired ? recipe_for(*desired) : Result<Recipe>(std::unexpected(desired.error()));
    auto done = recipe ? tree_->apply(*recipe, false, Tree::NodeSets::taken)
                       : Status(std::unexpected(recipe.error()));
    if (!done && recipe) done = std::unexpected(with_place(done.error(), *desired));
    if (!done)
        log_.tell(message_id::kConfigurationRefused, Severity::error, "configuration",
                  "starting with none: " + done.error().text());
    else configured_.note(*recipe, *tree_);
    if (done) templates_->set(desired->templates);
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
    sd_notify(0, "READY=1");
    const int code = loop_->run([this] { return turn(); });
    sd_notify(0, "STOPPING=1");
    peers_.leave();
    const auto on_stop = facts().on_stop;
    if (on_stop == "restore") {
        take_process_events();
        engine_->release_all();
        take_process_events(); // forked while the others were put back
        engine_->settle(clock_.now());
        power_.release_frequency();
    }
    log_.write(Severity::info, "schedd",
               on_stop == "restore" ? "stopped; what was placed is as it was before"
                                    : "stopped; what was placed stays");
    return code;
}

void Daemon::stop(int code) {
    if (loop_) loop_->stop(code);
}

} // namespace schedd::service
