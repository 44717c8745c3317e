// schedd-bench: chooses benchmarks, runs them one after the other, prints what came out.
#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <sys/prctl.h>

#include "tests/bench/interrupt.h"
#include "tests/bench/report.h"

namespace {

using namespace schedd::bench;

constexpr auto kBenchmarks = std::to_array<Benchmark>({
    {"update-path", "one update through probe, filters and port to the policy", update_path},
    {"decide", "load_balancing decides for 10,000 processes on 64 cores", decide},
    {"plan", "exclusive_cores decides for 10,000 units on 1,024 cores; one change among them", plan},
    {"topology", "reading the topology of 1,024 cores, against hwloc alone", topology},
    {"probe-pass", "one measurement of 10,000 processes, against top, htop and pidstat; growth to 50,000",
     probe_pass},
    {"idle", "the daemon with 200 groups and a 100 ms tick", idle},
    {"units", "the daemon with 500 attached units: at rest, one changed, after a daemon-reload", units},
    {"apply", "writes to 1,000 sibling groups; moving some, against rewriting all", apply},
    {"reaction", "a process begins to want a CPU until its CPU set is written", reaction},
    {"overhead", "hackbench and sysbench with and without the daemon", overhead},
    {"protection", "wake-ups of a periodic task beside batch work, with pressure_guard and by other means",
     protection},
    {"bus", "calls per second, against systemd on the same bus", bus},
    {"file-view", "files of schedd-fs read, written, made and removed, against bare calls", file_view},
    {"wire", "a heartbeat sealed, opened, refused, against libsodium alone", wire},
    {"peers", "nodes among a hundred and a thousand, under a forged flood, beside serf and corosync", peers},
    {"cli", "schedd-cli status, against busctl and tuned-adm", cli},
});

std::string ids() {
    std::string out;
    for (const auto& benchmark : kBenchmarks)
        out += fmt::format("{}{}", out.empty() ? "" : ", ", benchmark.id);
    return out;
}

} // namespace

int main(int argc, char** argv) {
    std::vector<std::string> wanted;
    bool is_json = false;
    bool is_list = false;
    bool is_quick = false;
    CLI::App app{"Measures schedd against its peers, all in this run. Ratios count, not absolute times; exit "
                 "code 1 only "
                 "means that something could not be measured."};
    app.add_option("ID", wanted, "what to measure, all by default: " + ids());
    app.add_flag("--json", is_json, "print a JSON array");
    app.add_flag("--list", is_list, "only say what there is");
    app.add_flag("--quick", is_quick, "fewer pairs: for a look, not for a claim");
    CLI11_PARSE(app, argc, argv);
    if (is_list) {
        for (const auto& benchmark : kBenchmarks) fmt::print("{:<12} {}\n", benchmark.id, benchmark.what);
        return 0;
    }
    for (const auto& id : wanted)
        if (std::ranges::find(kBenchmarks, id, &Benchmark::id) == kBenchmarks.end()) {
            fmt::print(stderr, "schedd-bench: there is no '{}'; there are {}\n", id, ids());
            return 2;
        }
    catch_interrupts();
    prctl(PR_SET_CHILD_SUBREAPER, 1); // whatever is orphaned on the way comes to us
    Run run(is_quick, std::filesystem::read_symlink("/proc/self/exe").parent_path().string());
    for (const auto& benchmark : kBenchmarks) {
        if (!wanted.empty() && std::ranges::find(wanted, benchmark.id) == wanted.end()) continue;
        if (interrupted()) break;
        run.begin(benchmark.id);
        run.progress(benchmark.what);
        if (const auto done = benchmark.measure(run); !done)
            run.not_measured(std::string(benchmark.what), "", std::nullopt, done.error());
    }
    fmt::print("{}", is_json ? json_of(run.rows()) : table_of(run.rows()));
    const bool is_whole =
        std::ranges::all_of(run.rows(), [](const Row& row) { return row.is_met.has_value(); });
    return is_whole && !interrupted() ? 0 : 1;
}
