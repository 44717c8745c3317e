// Weight, quota and memory nodes of a unit: set, read back, put back by this run or the next.
#include "tests/unit/service/a_unit.h"

#include <algorithm>

namespace schedd::test {
namespace {

struct ATunedUnit : AUnit {
    ATunedUnit() {
        host.set(kGroups + "/system.slice/cpuset.mems.effective", "0-1\n");
        original = actuator.capture(kFoo).value();
    }
    static Tuning all() {
        Tuning tuning;
        tuning.cpu_weight = 200;
        tuning.cpu_quota_us = 500'000;
        tuning.memory_nodes = cpus("1");
        return tuning;
    }
    Outcome tune(const Tuning& tuning) {
        original = actuator.capture_tuning(kFoo, original, tuning).value();
        return actuator.tune(kFoo, tuning, original, actuator.place(kFoo, cpus("2-3")));
    }
    std::string original;
};

TEST_F(ATunedUnit, HasWeightQuotaAndMemoryNodesReadBack) {
    const auto outcome = tune(all());
    EXPECT_EQ(outcome.state, State::applied) << outcome.detail;
    EXPECT_EQ(units.calls,
              (std::vector<std::string>{"foo.service 2-3", "foo.service CPUWeight=200",
                                        "foo.service CPUQuota=50%", "foo.service AllowedMemoryNodes=1"}));
    units.calls.clear();
    EXPECT_EQ(tune(all()).state, State::applied);
    EXPECT_TRUE(units.calls.empty()) << "equal values are not sent";
}

TEST_F(ATunedUnit, IsAsBeforeWhenItIsLetGo) {
    units.tuned.cpu_weight = 300;
    units.files = {run.path() + "/system.control/foo.service.d/50-CPUWeight.conf"};
    tune(all());
    EXPECT_EQ(original,
              "unit:unset: CPUWeight=runtime:300>200 CPUQuota=unset:>500000 AllowedMemoryNodes=unset:>1");
    units.calls.clear();
    ASSERT_EQ(actuator.restore(kFoo, original).state, State::free);
    EXPECT_EQ(units.tuned.cpu_weight, 300U);
    EXPECT_EQ(units.tuned.cpu_quota_us, std::nullopt);
    EXPECT_EQ(units.tuned.memory_nodes, std::nullopt);
    const std::vector<std::string> memory{"foo.service AllowedMemoryNodes=0-1", "foo.service unset"};
    EXPECT_NE(std::ranges::search(units.calls, memory).begin(), units.calls.end()) << "widened before unset";
}

TEST_F(ATunedUnit, GetsASettingBackThatIsWantedNoMore) {
    tune(all());
    auto less = all();
    less.cpu_weight.reset();
    EXPECT_EQ(tune(less).state, State::applied);
    EXPECT_EQ(units.tuned.cpu_weight, std::nullopt);
    EXPECT_EQ(units.tuned.cpu_quota_us, 500'000U);
    tune({});
    EXPECT_TRUE(units.tuned.empty());
}

TEST_F(ATunedUnit, IsLeftToWhoSetItSince) {
    tune(all());
    units.tuned.cpu_weight = 42;
    const auto outcome = actuator.check_tuning(kFoo, all(), actuator.check(kFoo, cpus("2-3")));
    EXPECT_EQ(outcome.state, State::overridden);
    EXPECT_NE(outcome.detail.find("CPUWeight of foo.service is 42, 200 was written"), std::string::npos)
        << outcome.detail;
    ASSERT_EQ(actuator.restore(kFoo, original).state, State::free);
    EXPECT_EQ(units.tuned.cpu_weight, 42U);
    EXPECT_EQ(units.tuned.cpu_quota_us, std::nullopt);
}

TEST_F(ATunedUnit, NamesTheFileOfWhoSetItSince) {
    tune(all());
    units.tuned.cpu_weight = 42;
    run.write("mine.conf", "[Service]\nCPUWeight=42\n");
    run.write("other.conf", "[Service]\nCPUWeightMore=1\n");
    units.files = {run.path() + "/mine.conf", run.path() + "/other.conf"};
    const auto outcome = actuator.check_tuning(kFoo, all(), actuator.check(kFoo, cpus("2-3")));
    EXPECT_NE(outcome.detail.find(run.path() + "/mine.conf set it"), std::string::npos) << outcome.detail;
    units.files.clear();
    const auto nobody = actuator.check_tuning(kFoo, all(), actuator.check(kFoo, cpus("2-3")));
    EXPECT_NE(nobody.detail.find("somebody else set it"), std::string::npos) << nobody.detail;
}

TEST_F(ATunedUnit, IsToldOfInWords) {
    EXPECT_EQ(actuator.told(original), "AllowedCPUs unset");
    units.tuned.cpu_weight = 300;
    units.files = {run.path() + "/system.control/foo.service.d/50-CPUWeight.conf"};
    Tuning two;
    two.cpu_weight = 200;
    two.memory_nodes = cpus("1");
    tune(two);
    EXPECT_EQ(actuator.told(original),
              "AllowedCPUs unset, CPUWeight=300 set at run time, AllowedMemoryNodes unset");
    EXPECT_EQ(actuator.told("unit:file:0-3;12/99=1"),
              "AllowedCPUs 0-3 in its unit files (1 of its tasks had an affinity of their own)");
    EXPECT_EQ(actuator.told("junk"), "junk");
}

TEST_F(ATunedUnit, IsNotClaimedToBeTunedWhereSystemdOnlySaysSo) {
    units.forgets_the_kernel = true;
    const auto outcome = tune(all());
    EXPECT_EQ(outcome.state, State::overridden);
    EXPECT_NE(outcome.detail.find("cpu.weight of /system.slice/foo.service"), std::string::npos)
        << outcome.detail;
}

TEST_F(ATunedUnit, GetsBackWhatAnEarlierRunSetAndThisOneDoesNotWant) {
    tune(all());
    SystemdActuator next{CpusetHierarchy(host, CpusetMount{kGroups, 2}), units, nullptr, run.path()};
    EXPECT_EQ(next.written_tuning(original), all());
    Tuning less;
    less.cpu_weight = 200;
    original = next.capture_tuning(kFoo, original, less).value();
    EXPECT_EQ(next.tune(kFoo, less, original, next.place(kFoo, cpus("2-3"))).state, State::applied);
    EXPECT_EQ(units.tuned, less);
    ASSERT_EQ(next.restore(kFoo, original).state, State::free);
    EXPECT_TRUE(units.tuned.empty()) << units.tuned.text();
}

TEST_F(ATunedUnit, KeepsWhatAnAdministratorSetMeanwhileAndScheddNeverDid) {
    Tuning weight;
    weight.cpu_weight = 200;
    tune(weight);
    units.tuned.cpu_quota_us = 300'000; // systemctl set-property foo.service CPUQuota=30%
    SystemdActuator next{CpusetHierarchy(host, CpusetMount{kGroups, 2}), units, nullptr, run.path()};
    ASSERT_EQ(next.restore(kFoo, original).state, State::free);
    EXPECT_EQ(units.tuned.cpu_quota_us, 300'000U);
    EXPECT_EQ(units.tuned.cpu_weight, std::nullopt);
}

TEST_F(ATunedUnit, IsPutBackAfterACrashBetweenTheNoteAndTheAct) {
    Tuning weight;
    weight.cpu_weight = 200;
    tune(weight);
    weight.cpu_weight = 300;
    original = actuator.capture_tuning(kFoo, original, weight).value(); // noted, never done
    EXPECT_NE(original.find("CPUWeight=unset:>200>300 "), std::string::npos) << original;
    SystemdActuator next{CpusetHierarchy(host, CpusetMount{kGroups, 2}), units, nullptr, run.path()};
    ASSERT_EQ(next.restore(kFoo, original).state, State::free);
    EXPECT_TRUE(units.tuned.empty()) << units.tuned.text();
}

TEST_F(ATunedUnit, IsPutBackByTheNextRunToo) {
    tune(all());
    SystemdActuator next{CpusetHierarchy(host, CpusetMount{kGroups, 2}), units, nullptr, run.path()};
    ASSERT_EQ(next.restore(kFoo, original).state, State::free);
    EXPECT_TRUE(units.tuned.empty());
    EXPECT_EQ(next.restore(kFoo, "unit:unset: CPUWeight=nonsense").state, State::invalid);
}

} // namespace
} // namespace schedd::test
