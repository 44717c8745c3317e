// bus: calls per second to schedd and to systemd, by the same client over the same dbus-daemon.
#include <functional>

#include <fmt/format.h>

#include "tests/bench/bench.h"
#include "tests/bench/daemon_under_test.h"
#include "tests/bench/inner_systemd.h"
#include "tests/bench/interrupt.h"

namespace schedd::bench {

namespace {

constexpr int kCalls = 500;

using Call = std::function<Status(BusClient&)>; // all kCalls of them

/// One after the other.
Call repeated(Status (BusClient::*call)()) {
    return [call](BusClient& client) {
        for (int i = 0; i < kCalls; ++i)
            if (auto answered = (client.*call)(); !answered) return answered;
        return Status{};
    };
}

Call at_once(Status (BusClient::*call)(int)) {
    return [call](BusClient& client) { return (client.*call)(kCalls); };
}

/// One side: whom to call, and whose CPU time that takes.
struct Side {
    Call call;
    pid_t server;
};

struct Figures {
    double calls_per_s;
    double server_us; // CPU time of the server per call
};

Result<Figures> call_many(BusClient& client, const Side& side) {
    const auto cpu_before = process_cpu_ns(side.server);
    const auto started = monotonic_ns();
    if (auto answered = side.call(client); !answered) return std::unexpected(answered.error());
    const auto took = static_cast<double>(monotonic_ns() - started);
    const auto cpu_after = process_cpu_ns(side.server);
    if (!cpu_before || !cpu_after) return fail(Errc::io, "the server has ended");
    if (auto going = not_interrupted(); !going) return std::unexpected(going.error());
    return Figures{kCalls * 1e9 / took, static_cast<double>(*cpu_after - *cpu_before) / kCalls / 1e3};
}

struct Contest {
    Pairs rates;
    Pairs server_us;
};

Result<Contest> contest(Run& run, BusClient& client, const Side& ours, const Side& theirs) {
    Contest pairs;
    for (int pair = 0; pair < run.repeats(15, 7); ++pair) {
        const auto us = call_many(client, ours);
        const auto them = call_many(client, theirs);
        if (!us || !them) return std::unexpected(us ? them.error() : us.error());
        pairs.rates.add(us->calls_per_s, them->calls_per_s);
        pairs.server_us.add(us->server_us, them->server_us);
    }
    return pairs;
}

void report(Run& run, const std::string& what, const Result<Contest>& contest, std::optional<Goal> goal,
            const std::string& note) {
    if (contest) run.compared(what, "calls/s", contest->rates, goal, note);
    else run.not_measured(what, "calls/s", goal, contest.error());
}

} // namespace

Status bus(Run& run) {
    run.progress("starting systemd in namespaces of its own");
    auto systemd = InnerSystemd::start();
    if (!systemd) return std::unexpected(systemd.error());
    auto daemon = DaemonUnderTest::start(run, {"--actuator=dry-run"}, {.address = systemd->bus_address()});
    if (!daemon) return std::unexpected(daemon.error());
    auto built = (*daemon)->apply("create probes/cpu\n"
                                  "create schedulers/CPU_LB\n"
                                  "create schedulers/CPU_LB/load_balancing\n"
                                  "link probes/cpu/node_load schedulers/CPU_LB/load_balancing/node_load\n");
    if (!built) return built;
    auto& client = (*daemon)->client();
    run.progress("calling");
    const pid_t schedd = (*daemon)->process().pid();
    const Side get_unit{repeated(&BusClient::systemd_get_unit), systemd->pid()};
    const Goal goal{Goal::Sense::at_least, 1.5};
    const auto get = contest(run, client, {repeated(&BusClient::get_probe_period), schedd}, get_unit);
    report(run, "Get of a probe's property, against systemd's GetUnit", get, goal, {});
    if (get)
        run.compared("CPU time in schedd per Get, against that in systemd per GetUnit", "us CPU per call",
                     get->server_us, Goal{Goal::Sense::at_most, 1});
    report(run, "Get, up to 64 on their way, against as many GetUnit",
           contest(run, client, {at_once(&BusClient::get_probe_period_many), schedd},
                   {at_once(&BusClient::systemd_get_unit_many), systemd->pid()}),
           goal, "how fast each works off a queue");
    report(run, "Manager.Status (all of it, as JSON), against systemd's GetUnit",
           contest(run, client, {repeated(&BusClient::manager_status), schedd}, get_unit), goal, {});
    report(run, "Ping of schedd, answered by sd-bus itself, against systemd's GetUnit",
           contest(run, client, {repeated(&BusClient::ping), schedd}, get_unit), std::nullopt,
           "the ceiling: more than this no service can answer over this bus");
    return not_interrupted();
}

} // namespace schedd::bench
