// AUnit: the systemd actuator on a machine in memory, with a PID 1 that does what it is asked, or only says
// so.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "service/actuators/systemd.h"
#include "tests/kit/fake_host.h"
#include "tests/unit/service/world.h"

namespace schedd::test {

using namespace schedd::actuators;

inline const std::string kGroups = "sys/fs/cgroup";
inline const std::string kService = "/system.slice/foo.service";
inline const auto kFoo = Target::unit("foo.service");

inline CpuSet cpus(std::string_view list) { return CpuSet::parse(list).value(); }

/// PID 1 with one service; writes its control group as the kernel would show it.
struct FakeUnits final : UnitManager {
    explicit FakeUnits(FakeHost& host_in) : host(host_in) {}
    Result<UnitState> look(const std::string& unit) override {
        ++looks;
        if (is_hung) return fail(Errc::io, "asking", "systemd did not answer in time");
        if (unit != "foo.service")
            return fail(Errc::no_such_object, "the unit " + unit + " is not-found", "");
        return state;
    }
    Result<std::optional<CpuSet>> allowed(const std::string&) override {
        ++mask_looks;
        if (when_asked_again) when_asked_again();
        return state.allowed;
    }
    Result<std::vector<std::string>> drop_ins(const std::string&) override { return files; }
    Result<CpuSet> affinity(const std::string&) override { return usual; }
    Status allow_cpus(const std::string& unit, const std::optional<CpuSet>& wanted) override {
        calls.push_back(unit + " " + (wanted ? wanted->text() : "unset"));
        if (is_hung) return fail(Errc::io, "setting", "systemd did not answer in time");
        if (lies) return {};
        state.allowed = wanted;
        if (then) then();
        if (forgets_the_kernel || state.control_group.empty()) return {};
        if (wanted) show(wanted->text(), wanted->text());
        return {}; // unset while others use the controller: the kernel refuses and systemd only logs
    }
    Result<Tuning> tuning(const std::string&) override { return tuned; }
    Status set(const std::string& unit, Setting setting, const Tuning& values) override {
        calls.push_back(unit + " " + (values.empty() ? "unset" : values.text()));
        if (lies) return {};
        const auto file = [&](const char* name, const std::string& text) {
            if (!forgets_the_kernel) host.set(kGroups + kService + "/" + name, text + "\n");
        };
        switch (setting) {
        case Setting::cpu_weight:
            tuned.cpu_weight = values.cpu_weight;
            file("cpu.weight", std::to_string(values.cpu_weight.value_or(100)));
            break;
        case Setting::cpu_quota:
            tuned.cpu_quota_us = values.cpu_quota_us;
            file("cpu.max",
                 values.cpu_quota_us ? std::to_string(*values.cpu_quota_us / 10) + " 100000" : "max 100000");
            break;
        case Setting::memory_nodes:
            tuned.memory_nodes = values.memory_nodes;
            if (values.memory_nodes) file("cpuset.mems", values.memory_nodes->text());
            break;
        }
        return {};
    }
    void show(const std::string& configured, const std::string& effective) {
        host.set(kGroups + kService + "/cpuset.cpus", configured + "\n");
        host.set(kGroups + kService + "/cpuset.cpus.effective", effective + "\n");
    }

    FakeHost& host;
    UnitState state{kService, std::nullopt};
    Tuning tuned;
    std::vector<std::string> files;
    std::vector<std::string> calls;
    CpuSet usual; // CPUAffinity=
    int looks = 0;
    int mask_looks = 0;
    std::function<void()> then; // at each change
    std::function<void()> when_asked_again;
    bool lies = false;
    bool forgets_the_kernel = false;
    bool is_hung = false;
};

struct AUnit : testing::Test {
    FakeHost host;
    FakeUnits units{host};
    TempDir run;
    SystemdActuator actuator{CpusetHierarchy(host, CpusetMount{kGroups, 2}), units, nullptr, run.path()};

    AUnit() {
        host.set("sys/devices/system/cpu/online", "0-7\n");
        for (const std::string group : {"", "/system.slice", "/system.slice/foo.service"}) {
            host.set(kGroups + group + "/cgroup.controllers", "cpuset\n");
            host.set(kGroups + group + "/cgroup.procs", "");
            host.set(kGroups + group + "/cpuset.cpus.effective", "0-7\n");
            if (!group.empty()) host.set(kGroups + group + "/cpuset.cpus", "\n");
        }
    }
    std::string drop_in() const { return run.path() + "/system.control/foo.service.d/50-AllowedCPUs.conf"; }
    void make_drop_in() {
        std::filesystem::create_directories(run.path() + "/system.control/foo.service.d");
        run.write("system.control/foo.service.d/50-AllowedCPUs.conf", "[Service]\n");
    }
};

} // namespace schedd::test
