// The service as a whole: what it is made of, in the order the pieces depend on each other.
#include "dbus/service.h"

#include <unistd.h>

#include "components/kit/limits.h"
#include "dbus/bus_tree.h"
#include "dbus/log_control.h"
#include "dbus/manager_adaptor.h"
#include "dbus/paths.h"

namespace schedd::dbus {

namespace {

constexpr const char* kName = "org.schedd1";

} // namespace

struct Service::Parts {
    Parts(Backend& backend_in, Log& log_in, Options options_in, std::unique_ptr<Connection> connection_in)
        : backend(backend_in), options(std::move(options_in)), connection(std::move(connection_in)),
          gate(*connection, ::geteuid(), options.patience), objects(*connection, gate),
          manager(objects, std::string(kRootPath), manager_interface(backend)),
          watches([this](const std::string& name,
                         std::function<void()>
                             gone) { return connection->watch_owner(name, std::move(gone)); },
                  [this](const model::Part& part, const model::Sample& sample, std::uint64_t age_ms,
                         const std::string& to) { send_sample(part, sample, age_ms, to); }),
          tree(*connection, objects, {backend, watches}, log_in, [this] { parts_changed = true; }),
          holds(objects, backend), log_control(objects, kLogControlPath, log_control_interface(backend)) {}

    void send_sample(const model::Part& part, const model::Sample& sample, std::uint64_t age_ms,
                     const std::string& to) {
        auto* object = tree.object_of(part);
        if (!object) return;
        object->emit(
            "Sampled",
            [&](Writer& out) {
                out.variant(sample.value);
                out.number(age_ms);
            },
            to);
    }

    Backend& backend;
    Options options;
    std::unique_ptr<Connection> connection;
    Gate gate;
    Objects objects;
    Object manager;
    Watches watches;
    BusTree tree;
    BusHolds holds;
    Object log_control;
    bool parts_changed = false;
    bool machine_changed = false;
    bool is_lost = false;
};

Service::Service(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Service::~Service() = default;

Result<std::unique_ptr<Service>> Service::open(Backend& backend, Log& log, Options options) {
    auto connection = Connection::open(options.bus);
    if (!connection) return std::unexpected(connection.error());
    try {
        auto parts = std::make_unique<Parts>(backend, log, std::move(options), std::move(*connection));
        parts->connection->add_object_manager(std::string(kRootPath));
        if (auto named = parts->connection->request_name(kName); !named)
            return std::unexpected(named.error());
        return std::unique_ptr<Service>(new Service(std::move(parts)));
    } catch (const std::exception& e) {
        return fail(Errc::io, "the objects cannot be put on the bus", e.what());
    }
}

Service::Poll Service::poll() const {
    if (parts_->is_lost) return {};
    const auto poll = parts_->connection->poll();
    return {poll.fd, poll.events, poll.timeout_us};
}

void Service::process() {
    const auto& clock = parts_->backend.tree().environment().clock;
    const Time end = clock.now() + std::chrono::milliseconds(limits::kBusTurnMs);
    parts_->gate.sweep();
    for (int handled = 0; handled < limits::kBusMessagesPerTurn && !parts_->is_lost; ++handled) {
        const auto turn = parts_->connection->process();
        if (turn == Connection::Turn::idle) return;
        if (turn == Connection::Turn::lost) {
            parts_->is_lost = true;
            if (parts_->options.lost) parts_->options.lost();
        }
        // large answers take long: a flood of them must not keep the tick waiting
        if (clock.now() >= end) return;
    }
}

void Service::flush_signals() {
    if (parts_->is_lost) return;
    parts_->tree.flush();
    std::vector<std::string> changed;
    if (std::exchange(parts_->parts_changed, false)) changed.emplace_back("Parts");
    if (std::exchange(parts_->machine_changed, false)) {
        changed.emplace_back("OnlineCpus");
        changed.emplace_back("TopologyGeneration");
    }
    if (!changed.empty()) parts_->manager.emit_changed(changed);
}

Result<bool> Service::offers(const std::string& name) {
    if (parts_->is_lost) return fail(Errc::io, "the bus is gone");
    return parts_->connection->offers(name);
}

void Service::decided(std::string_view scheduler, std::string_view target, std::string_view cpus,
                      std::string_view reason) {
    parts_->manager.emit("Decided", [&](Writer& out) {
        for (const auto text : {scheduler, target, cpus, reason}) out.text(text);
    });
}

void Service::conflict(std::string_view scheduler, std::string_view target, std::string_view detail) {
    parts_->manager.emit("Conflict", [&](Writer& out) {
        for (const auto text : {scheduler, target, detail}) out.text(text);
    });
}

void Service::ejected(std::string_view scheduler, std::string_view why) {
    parts_->manager.emit("Ejected", [&](Writer& out) {
        for (const auto text : {scheduler, why}) out.text(text);
    });
}

void Service::moved(std::string_view unit, std::string_view node, std::string_view phase,
                    std::string_view detail) {
    parts_->manager.emit("Moved", [&](Writer& out) {
        for (const auto text : {unit, node, phase, detail}) out.text(text);
    });
}

void Service::holds_changed() { parts_->holds.refresh(); }

void Service::topology_changed() { parts_->machine_changed = true; }

void Service::sampled(Time now) {
    if (!parts_->is_lost) parts_->watches.tick(now);
}

} // namespace schedd::dbus
