// The rounds of the doctor: who places, what is measured, who listens.
#include "service/doctor.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "service/doctor_checks.h"

namespace schedd::service::doctor {

namespace {

/// "252.39-1~deb12u1" -> 252; 0 if it does not begin with a number.
int major_of(std::string_view version) {
    int number = 0;
    std::from_chars(version.data(), version.data() + version.size(), number);
    return number;
}

Check check_systemd(Host& host, const Surroundings& around) {
    constexpr int kAllowedCpus = 244; // the version that AllowedCPUs= came with
    constexpr const char* kFollows =
        "units are not placed and unit files are not read; control groups and processes are placed";
    const auto visit = [](std::string_view) {};
    if (!host.list("run/systemd/system", visit)) {
        const auto name = text_of(host, "proc/1/comm");
        return essential(lacks("systemd", fmt::format("PID 1 is {}", name ? *name : "not known"), kFollows,
                               "boot the machine with systemd"));
    }
    if (!around.systemd_version && around.systemd_trouble.empty())
        return warning("systemd",
                       fmt::format("it is PID 1, but not asked: the actuator is {}", around.actuator),
                       kFollows, "actuator = \"auto\" in schedd.conf");
    if (!around.systemd_version)
        return essential(lacks("systemd", "it is PID 1, but does not answer: " + around.systemd_trouble,
                               kFollows, "busctl status org.freedesktop.systemd1 says more"));
    if (const int version = major_of(*around.systemd_version); version > 0 && version < kAllowedCpus)
        return essential(lacks("systemd", fmt::format("version {}", *around.systemd_version), kFollows,
                               fmt::format("version {} or later, which has AllowedCPUs=", kAllowedCpus)));
    return ok("systemd", fmt::format("version {} is PID 1", *around.systemd_version));
}

Check check_actuator(const Surroundings& around) {
    if (around.actuator == "dry-run")
        return warning("actuator", "dry-run",
                       "decisions are made and shown, but the machine is left as it is",
                       "start schedd with --actuator=auto");
    if (around.actuator == "affinity")
        return warning("actuator", "affinity", "only processes are placed, neither units nor control groups",
                       "start schedd with --actuator=auto");
    return ok("actuator", around.actuator);
}

Check check_pressure(Host& host) {
    if (const auto machine = text_of(host, "proc/pressure/cpu"); !machine)
        return lacks("psi", machine.error().text(),
                     "the probe pressure has no values; pressure_guard works by its port wait only",
                     "boot with psi=1, on a kernel with CONFIG_PSI");
    const bool is_there = groups_of(host).unified == "sys/fs/cgroup"; // where the probe looks
    bool has_groups = is_there && text_of(host, "sys/fs/cgroup/cpu.pressure").has_value();
    if (is_there && !has_groups) {
        std::vector<std::string> names; // the root itself has none on some kernels
        static_cast<void>(
            host.list("sys/fs/cgroup", [&](std::string_view name) { names.emplace_back(name); }));
        has_groups = std::ranges::any_of(names, [&](const std::string& name) {
            return text_of(host, "sys/fs/cgroup/" + name + "/cpu.pressure").has_value();
        });
    }
    if (has_groups) return ok("psi", "of the machine and of control groups");
    return warning("psi", "of the machine, but of no control group below /sys/fs/cgroup",
                   "the probe pressure has no values by cgroup; pressure_guard works by its ports wait and "
                   "node_pressure only",
                   "control groups of version 2 at /sys/fs/cgroup");
}

Check check_run_times(Host& host) {
    auto own = text_of(host, "proc/self/schedstat");
    if (!own) own = text_of(host, "proc/1/schedstat");
    if (!own || own->starts_with("0 0 0"))
        return lacks("run-times", "the kernel does not tell how long tasks ran and waited",
                     "process_load and process_wait of the probe cpu have no values: load_balancing and the "
                     "port wait of pressure_guard have nothing to go by",
                     "a kernel with CONFIG_SCHED_INFO");
    if (!text_of(host, "proc/schedstat"))
        return warning("run-times", "of tasks, but not of CPUs (no /proc/schedstat)",
                       "work that ends between two looks is missing in node_load",
                       "a kernel with CONFIG_SCHEDSTATS");
    return ok("run-times", "of tasks and of CPUs");
}

Check check_counters(Host& host) {
    constexpr const char* kFollows = "nothing yet: no probe of schedd reads hardware counters";
    std::string hardware;
    bool has_any = false;
    static_cast<void>(host.list("sys/bus/event_source/devices", [&](std::string_view name) {
        has_any = true;
        const bool is_core = name == "cpu" || name.starts_with("cpu_") || name.starts_with("armv");
        if (is_core) hardware = std::max(hardware, std::string(name)); // whatever the order they come in
    }));
    if (hardware.empty())
        return lacks("pmu",
                     has_any ? "the kernel has perf events, but the CPUs have no counters"
                             : "the kernel has no perf events",
                     kFollows,
                     has_any ? "in a virtual machine, let the hypervisor pass on the PMU"
                             : "a kernel with CONFIG_PERF_EVENTS");
    const auto level = text_of(host, "proc/sys/kernel/perf_event_paranoid");
    return ok("pmu", level ? fmt::format("{}, perf_event_paranoid is {}", hardware, *level) : hardware);
}

Check check_listening(std::string name, bool hears, std::string_view what, std::string follows,
                      std::string remedy) {
    if (hears) return ok(std::move(name), fmt::format("the kernel tells of {}", what));
    return warning(std::move(name), fmt::format("the kernel does not tell schedd of {}", what),
                   std::move(follows), std::move(remedy));
}

Check check_polkit(const Surroundings& around) {
    constexpr const char* kFollows = "only root and the user that schedd runs as may change anything";
    if (!around.has_polkit) return warning("polkit", "the bus does not say whether it is there", kFollows);
    if (*around.has_polkit) return ok("polkit", "it is on the bus or is started when it is asked");
    return lacks("polkit", "it is not on the bus, and nobody would start it", kFollows,
                 "install the package polkitd");
}

Check check_resume(const Surroundings& around) {
    constexpr const char* kFollows =
        "what was lost over a sleep is found by the next read-back, up to ten seconds late";
    if (around.has_logind && *around.has_logind)
        return ok("resume", "logind tells when the machine has woken up");
    return lacks("resume",
                 around.has_logind ? "logind is not on the bus"
                                   : "nobody is listened to, since systemd is not spoken to",
                 kFollows, "install systemd-logind, if this machine sleeps");
}

} // namespace

Result<std::string> text_of(Host& host, const std::string& path) {
    std::string text(4096, '\0');
    constexpr std::size_t kMost = 256U << 10U;
    for (;;) {
        const auto read = host.read(path, text);
        if (!read) return std::unexpected(read.error());
        if (read->size() < text.size() || text.size() >= kMost) {
            text.resize(read->size());
            break;
        }
        text.assign(text.size() * 8, '\0'); // proc/mounts of a machine with many containers
    }
    while (text.ends_with('\n')) text.pop_back();
    return text;
}

bool has_word(std::string_view words, std::string_view word) {
    return (" " + std::string(words) + " ").find(" " + std::string(word) + " ") != std::string::npos;
}

void check_units(Host& host, const Surroundings& around, Checks& out) {
    out.push_back(check_systemd(host, around));
    out.push_back(check_actuator(around));
}

void check_sources(Host& host, const Surroundings& around, Checks& out) {
    out.push_back(check_pressure(host));
    out.push_back(check_run_times(host));
    out.push_back(check_counters(host));
    out.push_back(check_listening("process-events", around.has_process_events, "processes that come and go",
                                  "processes are found by scans, scan_period late (1 s), and short ones not "
                                  "at all",
                                  "CONFIG_PROC_EVENTS, CAP_NET_ADMIN, and no pid or user namespace of its "
                                  "own"));
    out.push_back(check_listening("cpu-events", around.has_cpu_events, "CPUs that come and go",
                                  "CPUs that go offline or come back are noticed only after a sleep or a "
                                  "restart of schedd",
                                  "run schedd in the network namespace of the machine"));
    out.push_back(check_polkit(around));
    out.push_back(check_resume(around));
}

} // namespace schedd::service::doctor

namespace schedd::service {

std::vector<dbus::Check> examine(kit::Host& host, const Surroundings& around) {
    doctor::Checks checks;
    doctor::check_cpus(host, around, checks);
    doctor::check_groups(host, checks);
    doctor::check_units(host, around, checks);
    doctor::check_sources(host, around, checks);
    return checks;
}

std::string cpu_list(kit::Host& host, const std::string& name) {
    const auto text = doctor::text_of(host, "sys/devices/system/cpu/" + name);
    const auto cpus = text ? model::CpuSet::parse(*text) : kit::Result<model::CpuSet>(model::CpuSet());
    return cpus ? cpus->text() : std::string();
}

} // namespace schedd::service
