// Energy preferences and frequency limits on recorded trees, under a kernel that refuses as the real one
// does.
#include "service/actuators/frequency.h"

#include <filesystem>
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "components/kit/number.h"
#include "tests/kit/fake_host.h"
#include "tests/kit/recording.h"

namespace schedd::test {
namespace {

using actuators::Frequency;
using model::CpuSet;
using model::FrequencyHint;
using testing::ElementsAre;
using testing::HasSubstr;

/// Takes what the kernel takes: words it lists, none but performance under the governor performance, a least
/// frequency that is not above the most.
class KernelFiles final : public actuators::SettingFiles {
public:
    explicit KernelFiles(FakeHost& host) : host_(host) {}
    Status write(const std::string& path, std::string_view value) override {
        written.push_back(path + " " + std::string(value));
        if (refuses && path == *refuses)
            return fail(Errc::denied, "writing to " + path, "Read-only file system");
        if (ignores && path == *ignores) return {};
        if (!host_.has(path)) return fail(Errc::no_such_object, "opening " + path, "No such file");
        const auto folder = path.substr(0, path.rfind('/') + 1);
        if (path.ends_with("preference")) {
            if (get(folder + "scaling_governor") == "performance" && value != "performance")
                return fail(Errc::busy, "writing to " + path, "Device or resource busy");
        } else {
            const bool is_least = path.ends_with("min_freq");
            const auto other =
                parse_unsigned(get(folder + (is_least ? "scaling_max_freq" : "scaling_min_freq")));
            if (is_least ? parse_unsigned(value) > other : parse_unsigned(value) < other)
                return fail(Errc::invalid_value, "writing to " + path, "Invalid argument");
        }
        host_.set(path, std::string(value) + "\n");
        return {};
    }
    [[nodiscard]] std::string get(const std::string& path) const {
        std::array<char, 256> buffer;
        const auto text = host_.read(path, buffer);
        return text ? std::string(text->substr(0, text->find('\n'))) : "gone";
    }
    std::vector<std::string> written;
    std::optional<std::string> refuses;
    std::optional<std::string> ignores;

private:
    FakeHost& host_;
};

class MemoryLedger final : public actuators::FrequencyLedger {
public:
    [[nodiscard]] std::string read() override { return text; }
    Status replace(const std::string& all) override {
        if (is_full) return fail(Errc::io, "the ledger cannot be written", "No space left on device");
        text = all;
        return {};
    }
    std::string text;
    bool is_full = false;
};

struct Clocks : testing::Test {
    void load(const std::string& tree) {
        namespace fs = std::filesystem;
        const fs::path root = fs::path(SCHEDD_MACHINES) / "epp" / tree;
        for (const auto& entry : fs::recursive_directory_iterator(root)) {
            if (!entry.is_regular_file()) continue;
            std::ostringstream text;
            text << std::ifstream(entry.path()).rdbuf();
            host.set(fs::relative(entry.path(), root).string(), text.str());
        }
        begin();
    }
    void begin() {
        frequency = std::make_unique<Frequency>(host, files, ledger, "boot", log);
        frequency->allow(true);
    }
    void want(std::vector<FrequencyHint> hints, const std::string& other = "") {
        wanted = std::move(hints);
        now += std::chrono::seconds(1);
        frequency->want(wanted, other, now);
    }
    [[nodiscard]] static std::string file(int cpu, const std::string& name) {
        return "sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/cpufreq/" + name;
    }
    [[nodiscard]] std::string epp(int cpu) const {
        return files.get(file(cpu, "energy_performance_preference"));
    }
    [[nodiscard]] std::string most(int cpu) const { return files.get(file(cpu, "scaling_max_freq")); }
    [[nodiscard]] std::string least(int cpu) const { return files.get(file(cpu, "scaling_min_freq")); }

    FakeHost host;
    KernelFiles files{host};
    MemoryLedger ledger;
    RecordingLog log;
    std::unique_ptr<Frequency> frequency;
    std::vector<FrequencyHint> wanted;
    Time now = std::chrono::seconds(100);
};

const CpuSet kSlow = CpuSet::range(16, 17);
const CpuSet kFast = CpuSet::range(0, 1);

TEST_F(Clocks, AreSetAndPutBackAsTheyWere) {
    load("intel_pstate-hybrid");
    want({{.cpus = kSlow, .preference = "power", .most_khz = 1'800'000},
          {.cpus = kFast, .preference = "performance"}});
    EXPECT_EQ(epp(16), "power");
    EXPECT_EQ(most(17), "1800000");
    EXPECT_EQ(epp(0), "performance");
    EXPECT_EQ(most(0), "5600000") << "nobody asked";
    EXPECT_EQ(frequency->trouble(), "");
    EXPECT_THAT(frequency->rows(),
                ElementsAre("CPUs 0-1: energy preference performance", "CPUs 16-17: energy preference power",
                            "CPUs 16-17: at most 1800 MHz"));
    want({{.cpus = kSlow, .preference = "power"}});
    EXPECT_EQ(epp(0), "balance_performance");
    EXPECT_EQ(most(16), "4200000");
    EXPECT_EQ(epp(16), "power");
    want({});
    EXPECT_EQ(epp(16), "balance_performance");
    EXPECT_TRUE(frequency->rows().empty());
}
TEST_F(Clocks, AreNotTouchedUnlessItIsAllowed) {
    load("intel_pstate-hybrid");
    frequency->allow(false);
    want({{.cpus = kSlow, .preference = "power"}});
    EXPECT_TRUE(files.written.empty());
    EXPECT_THAT(frequency->trouble(), HasSubstr("frequency = \"on\""));
    frequency->allow(true);
    want(wanted);
    EXPECT_EQ(epp(16), "power");
    frequency->allow(false);
    want(wanted);
    EXPECT_EQ(epp(16), "balance_performance");
}
TEST_F(Clocks, AreWrittenOnceForTheSameWish) {
    load("intel_pstate-hybrid");
    want({{.cpus = kSlow, .preference = "power"}});
    const auto count = files.written.size();
    for (int i = 0; i < 100; ++i) want(wanted);
    EXPECT_EQ(files.written.size(), count);
}
TEST_F(Clocks, UnderTheGovernorPerformanceAreNamedAndLeft) {
    load("amd_pstate-performance");
    host.set(file(0, "energy_performance_available_preferences"),
             "default performance balance_performance power\n");
    want({{.cpus = CpuSet::range(0, 3), .preference = "power"}});
    EXPECT_TRUE(files.written.empty());
    EXPECT_THAT(frequency->trouble(), HasSubstr("CPU 0 has the governor performance"));
    EXPECT_THAT(frequency->trouble(), HasSubstr("powersave"));
}
TEST_F(Clocks, AreAllAsBeforeWhenTheKernelRefusesOne) {
    load("intel_pstate-hybrid");
    files.refuses = file(17, "energy_performance_preference");
    want({{.cpus = kSlow | kFast, .preference = "power", .most_khz = 1'800'000}});
    for (const int cpu : {0, 1, 16, 17}) EXPECT_EQ(epp(cpu), "balance_performance") << cpu;
    EXPECT_EQ(most(0), "5600000");
    EXPECT_THAT(frequency->trouble(), HasSubstr("Read-only file system"));
    EXPECT_THAT(frequency->trouble(), HasSubstr("ProtectKernelTunables=no"));
    EXPECT_TRUE(frequency->rows().empty());
    const auto count = files.written.size();
    want(wanted);
    EXPECT_EQ(files.written.size(), count) << "not tried again before something else is wanted";
}
TEST_F(Clocks, AreReadBack) {
    load("intel_pstate-hybrid");
    files.ignores = file(16, "energy_performance_preference");
    want({{.cpus = kSlow, .preference = "power"}});
    EXPECT_THAT(frequency->trouble(), HasSubstr("holds balance_performance"));
    EXPECT_EQ(epp(17), "balance_performance");
    EXPECT_TRUE(frequency->rows().empty());
}
TEST_F(Clocks, LeaveThePreferenceToADaemonThatWritesIt) {
    load("intel_pstate-hybrid");
    want({{.cpus = kSlow, .preference = "power", .most_khz = 1'800'000}}, "net.hadess.PowerProfiles");
    EXPECT_EQ(epp(16), "balance_performance");
    EXPECT_EQ(most(16), "1800000");
    EXPECT_EQ(frequency->trouble(), "");
    EXPECT_THAT(frequency->preference_trouble(), HasSubstr("left to net.hadess.PowerProfiles"));
    want(wanted);
    EXPECT_EQ(epp(16), "power") << "it has ended";
    want(wanted, "net.hadess.PowerProfiles");
    EXPECT_EQ(epp(16), "balance_performance") << "it has come";
}
TEST_F(Clocks, YieldToWhoeverWritesThem) {
    load("intel_pstate-hybrid");
    want({{.cpus = kSlow, .preference = "power"}});
    host.set(file(16, "energy_performance_preference"), "performance\n");
    for (int i = 0; i < 12; ++i) want(wanted);
    EXPECT_EQ(epp(16), "performance");
    EXPECT_THAT(frequency->trouble(), HasSubstr("holds performance, which somebody else wrote"));
    EXPECT_THAT(frequency->rows(), ElementsAre("CPU 17: energy preference power"));
    want({});
    EXPECT_EQ(epp(16), "performance");
    EXPECT_EQ(epp(17), "balance_performance");
}
TEST_F(Clocks, ThatSomebodyWroteUnseenAreNotPutBackOverIt) {
    load("intel_pstate-hybrid");
    want({{.cpus = kSlow, .preference = "power"}});
    host.set(file(16, "energy_performance_preference"), "performance\n");
    frequency->release();
    EXPECT_EQ(epp(16), "performance");
    EXPECT_EQ(epp(17), "balance_performance");
}
TEST_F(Clocks, ArePutBackByTheNextRunAfterACrash) {
    load("intel_pstate-hybrid");
    want({{.cpus = kSlow, .preference = "power", .least_khz = 1'000'000, .most_khz = 1'800'000}});
    begin(); // as after kill -9
    EXPECT_EQ(epp(16), "power");
    want({});
    EXPECT_EQ(epp(16), "balance_performance");
    EXPECT_EQ(least(16), "800000");
    EXPECT_EQ(most(16), "4200000");
    EXPECT_EQ(ledger.text, "boot\n");
}
TEST_F(Clocks, OfAnotherBootAreNotPutBack) {
    load("intel_pstate-hybrid");
    ledger.text = "another\n" + file(16, "energy_performance_preference") + "\tpower\tbalance_performance\n";
    begin();
    want({});
    EXPECT_TRUE(files.written.empty());
}
TEST_F(Clocks, AreNotWrittenByALedgerOfGarbage) {
    load("intel_pstate-hybrid");
    ledger.text = "boot\n\n\t\t\netc/shadow\troot\tbalance_performance\nsys/../x\ta\tb\n" +
                  file(16, "scaling_governor") + "\tperformance\tpowersave\n";
    begin();
    want({});
    EXPECT_TRUE(files.written.empty());
}
TEST_F(Clocks, AreNotTouchedWithoutAWayBack) {
    load("intel_pstate-hybrid");
    ledger.is_full = true;
    want({{.cpus = kSlow, .preference = "power"}});
    EXPECT_TRUE(files.written.empty());
    EXPECT_THAT(frequency->trouble(), HasSubstr("No space left"));
}
TEST_F(Clocks, TakeLimitsInAnOrderThatTheKernelTakes) {
    load("intel_pstate-hybrid");
    want({{.cpus = kSlow, .least_khz = 1'000'000, .most_khz = 1'200'000}});
    EXPECT_EQ(least(16), "1000000");
    EXPECT_EQ(most(16), "1200000");
    want({{.cpus = kSlow, .least_khz = 2'000'000, .most_khz = 3'000'000}});
    EXPECT_EQ(frequency->trouble(), "");
    EXPECT_EQ(least(16), "2000000");
    want({{.cpus = kSlow, .least_khz = 900'000, .most_khz = 950'000}});
    EXPECT_EQ(frequency->trouble(), "");
    EXPECT_EQ(most(16), "950000");
    want({{.cpus = kSlow, .least_khz = 3'900'000, .most_khz = 4'000'000}});
    want({});
    EXPECT_EQ(least(16), "800000");
    EXPECT_EQ(most(16), "4200000");
}
TEST_F(Clocks, AreKeptInsideWhatTheCpuHas) {
    load("intel_pstate-hybrid");
    want({{.cpus = kSlow, .least_khz = 1, .most_khz = 99'000'000}});
    EXPECT_EQ(frequency->trouble(), "");
    EXPECT_EQ(least(16), "800000");
    EXPECT_EQ(most(16), "4200000");
}
TEST_F(Clocks, SharedByCpusAreSetOnceForAll) {
    load("acpi_cpufreq-shared");
    want({{.cpus = CpuSet::of(0), .most_khz = 2'000'000}, {.cpus = CpuSet::of(1), .most_khz = 3'000'000}});
    EXPECT_THAT(files.written, ElementsAre(file(0, "scaling_max_freq") + " 2000000"));
}
TEST_F(Clocks, WithoutPreferencesAreNamed) {
    load("acpi_cpufreq-shared");
    want({{.cpus = CpuSet::of(0), .preference = "power"}});
    EXPECT_THAT(frequency->trouble(), HasSubstr("CPU 0 has no energy preference"));
    want({{.cpus = CpuSet::of(9), .most_khz = 2'000'000}});
    EXPECT_THAT(frequency->trouble(), HasSubstr("CPU 9 has no cpufreq"));
    load("intel_pstate-hybrid");
    want({{.cpus = kSlow, .preference = "warp"}});
    EXPECT_THAT(frequency->trouble(), HasSubstr("accepted: default performance balance_performance"));
    want({{.cpus = kSlow, .preference = "128"}});
    EXPECT_EQ(epp(16), "128");
}

} // namespace
} // namespace schedd::test
