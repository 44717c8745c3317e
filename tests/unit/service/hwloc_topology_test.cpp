// TopologyReader: described and recorded machines as plain values.
#include "service/host/hwloc_topology.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/unit/service/world.h"

namespace {
int bindings = 0;
} // namespace
/// In the place of the C library's, for libraries too: counted and done.
extern "C" int sched_setaffinity(pid_t pid, std::size_t size, const cpu_set_t* cpus) noexcept {
    ++bindings;
    return static_cast<int>(::syscall(SYS_sched_setaffinity, pid, size, cpus));
}

namespace schedd::test {
namespace {

using host::TopologyReader;
using host::TopologySource;

Result<Topology> load(std::string_view option, const std::string& root = "/") {
    auto source = TopologySource::parse(option);
    if (!source) return std::unexpected(source.error());
    return TopologyReader(std::move(*source), root).load();
}

TEST(ATopologyOption, IsAutoXmlOrSynthetic) {
    EXPECT_EQ(TopologySource::parse("auto").value().kind, TopologySource::Kind::automatic);
    EXPECT_EQ(TopologySource::parse("xml:/a/b.xml").value().text, "/a/b.xml");
    EXPECT_EQ(TopologySource::parse("synthetic:pu:2").value().text, "pu:2");
    for (const auto* bad : {"", "Auto", "auto:", "xml", "xml:", "synthetic:", "file:/a"}) {
        const auto error = TopologySource::parse(bad).error();
        EXPECT_EQ(error.kind, Errc::invalid_value) << bad;
        EXPECT_NE(error.text().find("xml:FILE"), std::string::npos) << error.text();
    }
}

TEST(ASyntheticMachine, HasNodesByTheNumbersThatTheKernelGivesThem) {
    const auto machine = load("synthetic:numa:2(indexes=1,0) core:2 pu:1").value();
    ASSERT_EQ(machine.cpus.size(), 4U);
    EXPECT_EQ(machine.cpus[0].numa, 1) << "AllowedMemoryNodes= and numa_stat mean this number";
    EXPECT_EQ(machine.cpus[3].numa, 0);
    EXPECT_EQ(machine.domains(Level::numa)[0].name, "numa 1");
}

TEST(ASyntheticMachine, WithoutCpusIsRefusedAndTheErrorSaysHowItEnds) {
    const auto error = load("synthetic:core:2").error();
    EXPECT_EQ(error.kind, Errc::invalid_value);
    EXPECT_NE(error.text().find("ends with pu:N"), std::string::npos) << error.text();
}

TEST(ASyntheticMachine, HasEveryLevel) {
    const auto machine = load("synthetic:package:2 numa:1 l3:2 l2:2 core:1 pu:2").value();
    ASSERT_EQ(machine.cpus.size(), 16U);
    EXPECT_EQ(machine.online.text(), "0-15");
    EXPECT_EQ(machine.allowed.text(), "0-15");
    EXPECT_EQ(machine.generation, 1U);
    const Cpu expected{.id = 13, .core = 6, .l2 = 6, .l3 = 3, .numa = 1, .package = 1, .kind = 0};
    EXPECT_EQ(machine.cpus[13], expected);
    EXPECT_EQ(machine.domains(Level::numa).size(), 2U);
    EXPECT_EQ(machine.domains(Level::l3).size(), 4U);
    EXPECT_EQ(machine.domains(Level::core).size(), 8U);
    EXPECT_EQ(machine.domains(Level::core)[0].cpus.text(), "0-1");
}

TEST(ASyntheticMachine, WithoutCachesAndCoresStillHasDomains) {
    const auto machine = load("synthetic:pu:3").value();
    ASSERT_EQ(machine.cpus.size(), 3U);
    EXPECT_EQ(machine.cpus[2].l3, -1);
    EXPECT_EQ(machine.cpus[2].core, 2) << "each CPU is its own core";
    EXPECT_EQ(machine.cpus[2].package, 0);
    EXPECT_EQ(machine.domains(Level::core).size(), 3U);
}

TEST(ASyntheticMachine, OfMoreCpusThanTheLimitIsRefusedByName) {
    EXPECT_EQ(load("synthetic:package:8 numa:4 core:128 pu:2").value().cpus.size(), 8192U);
    const auto error = load("synthetic:core:8193 pu:1").error();
    EXPECT_EQ(error.kind, Errc::limit_exceeded);
    EXPECT_NE(error.text().find("kMaxCpus"), std::string::npos);
}

TEST(ASyntheticMachine, OfMoreThanAThousandCpusIsReadWhole) {
    for (const auto& [text, count] : {std::pair("synthetic:numa:8 core:128 pu:2", 2048),
                                      std::pair("synthetic:package:2 numa:4 l3:16 core:16 pu:2", 4096)}) {
        const auto machine = load(text).value();
        EXPECT_EQ(static_cast<int>(machine.cpus.size()), count);
        EXPECT_EQ(machine.width(), machine.cpus.size());
        EXPECT_EQ(machine.usable(), CpuSet::range(0, count - 1));
        EXPECT_EQ(machine.cpus.back().id, count - 1);
        EXPECT_EQ(machine.cpus.back().core, count / 2 - 1);
        EXPECT_EQ(machine.cpus.back().numa, 7);
        const auto nodes = machine.domains(Level::numa);
        ASSERT_EQ(nodes.size(), 8U);
        EXPECT_EQ(nodes.back().cpus, CpuSet::range(count / 8 * 7, count - 1));
        EXPECT_EQ(machine.domains(Level::core).size(), static_cast<std::size_t>(count / 2));
        EXPECT_EQ(machine.domains(Level::automatic).size(), 8U);
    }
}

TEST(ASyntheticMachine, OfMillionsOfCpusIsRefusedBeforeTheyAreMade) {
    for (const auto* bad : {"synthetic:pu:99999999", "synthetic:4294967295", "synthetic:99999 99999 99999",
                            "synthetic:package:0x10000 core:4096 pu:99999999999999999999",
                            "synthetic:numa:4096(indexes=0) [numa] pu:999999", "synthetic:core:8193"}) {
        const auto error = load(bad).error();
        EXPECT_EQ(error.kind, Errc::limit_exceeded) << bad;
        EXPECT_NE(error.text().find("kMaxCpus"), std::string::npos) << error.text();
    }
}

TEST(ASyntheticMachine, IsCountedWithoutItsSizesAndIndexes) {
    EXPECT_EQ(load("synthetic:package:2 [numa(memory=4294967296)] l3:2(size=33554432) core:4 pu:2")
                  .value()
                  .cpus.size(),
              32U);
    EXPECT_EQ(load("synthetic:2 4 2").value().cpus.size(), 16U);
}

TEST(ASyntheticMachine, ThatIsNoneIsRefused) {
    for (const auto* bad : {"synthetic:junk", "synthetic:pu:0", "synthetic:core:-1", "synthetic:pu:1 core:2"})
        EXPECT_EQ(load(bad).error().kind, Errc::invalid_value) << bad;
}

TEST(AnXmlMachine, HasItsKindsRankedBySpeed) {
    const auto machine = load("xml:" SCHEDD_MACHINES "/hybrid-8.xml").value();
    ASSERT_EQ(machine.cpus.size(), 8U);
    for (const auto& cpu : machine.cpus) EXPECT_EQ(cpu.kind, cpu.id < 4 ? 1 : 0) << cpu.id;
    EXPECT_EQ(machine.cpus[5].l2, 2);
}

TEST(AnXmlMachine, MayHaveSiblingsOnOneKindOfCoreAlone) {
    const auto machine = load("xml:" SCHEDD_MACHINES "/hybrid-24.xml").value();
    ASSERT_EQ(machine.cpus.size(), 32U);
    for (const auto& cpu : machine.cpus) EXPECT_EQ(cpu.kind, cpu.id < 16 ? 1 : 0) << cpu.id;
    EXPECT_EQ(machine.cpus[0].core, machine.cpus[1].core);
    EXPECT_NE(machine.cpus[16].core, machine.cpus[17].core);
    EXPECT_EQ(machine.cpus[16].l2, machine.cpus[19].l2) << "four slow cores share one";
}

TEST(AnXmlMachine, ThatIsMissingOrGarbageIsNamed) {
    const auto missing = load("xml:/nowhere.xml").error();
    EXPECT_EQ(missing.kind, Errc::no_such_object);
    EXPECT_NE(missing.text().find("/nowhere.xml"), std::string::npos);
    const TempDir dir;
    for (const std::string_view text :
         {std::string_view(""), std::string_view("no xml"), std::string_view("<topology></topology>"),
          std::string_view("<?xml version=\"1.0\"?><topology version=\"2.0\"><object type=\"Machine\"")}) {
        dir.write("bad.xml", text);
        const auto error = load("xml:" + dir.path() + "/bad.xml").error();
        EXPECT_EQ(error.kind, Errc::invalid_value) << text;
        EXPECT_NE(error.text().find("bad.xml"), std::string::npos) << error.text();
    }
}

TEST(AnXmlMachine, ThatIsNoFileIsNotReadWithoutEnd) {
    for (const auto* path : {"/dev/zero", "/proc"}) {
        const auto error = load(std::string("xml:") + path).error();
        EXPECT_EQ(error.kind, Errc::invalid_value) << path;
        EXPECT_NE(error.text().find("regular file"), std::string::npos) << error.text();
    }
}

TEST(ARecordedMachine, IsReadFromItsRootAndLeavesTheEnvironmentAlone) {
    ::setenv("HWLOC_COMPONENTS", "kept", 1);
    ::unsetenv("HWLOC_FSROOT");
    const auto machine = load("auto", SCHEDD_MACHINES "/two-cpus");
    EXPECT_STREQ(std::getenv("HWLOC_COMPONENTS"), "kept");
    EXPECT_EQ(std::getenv("HWLOC_FSROOT"), nullptr);
    ::unsetenv("HWLOC_COMPONENTS");
    ASSERT_TRUE(machine) << machine.error().text();
    EXPECT_EQ(machine->online.text(), "0-1");
    ASSERT_EQ(machine->cpus.size(), 2U);
    EXPECT_NE(machine->cpus[0].core, machine->cpus[1].core);
    EXPECT_EQ(machine->cpus[0].l3, machine->cpus[1].l3);
    EXPECT_GE(machine->cpus[0].l3, 0);
}

TEST(ARecordedMachine, WithMoreCpusThanTheLimitIsReadAsFarAsItGoes) {
    const TempDir dir;
    const auto mask_of = [](int cpu) { // as the kernel writes it: words of 32 bits, the highest first
        auto text = fmt::format("{:08x}", 1U << (cpu % 32));
        for (int word = cpu / 32; word > 0; --word) text += ",00000000";
        return text + "\n";
    };
    const std::string cpus = "sys/devices/system/cpu/";
    for (const int cpu : {0, 2000, limits::kMaxCpus - 1, limits::kMaxCpus, limits::kMaxCpus + 8}) {
        const auto one = fmt::format("{}cpu{}/topology/", cpus, cpu);
        for (const auto* file : {"core_cpus", "thread_siblings", "package_cpus", "core_siblings"})
            dir.write(one + file, mask_of(cpu));
        dir.write(one + "core_id", fmt::format("{}\n", cpu));
        dir.write(one + "physical_package_id", fmt::format("{}\n", cpu));
    }
    TopologyReader reader(TopologySource{}, dir.path());
    const auto machine = reader.load();
    ASSERT_TRUE(machine) << machine.error().text();
    EXPECT_EQ(machine->usable().text(), "0,2000,8191");
    EXPECT_EQ(machine->cpus.size(), 3U);
    EXPECT_EQ(reader.left_out(),
              "the machine has a CPU 8200, 2 of its CPUs are beyond what is known and left "
              "alone: at most 8192 CPUs, numbered from 0 (limit kMaxCpus)");
    for (const auto* gone : {"cpu8192", "cpu8200"})
        std::filesystem::remove_all(dir.path() + "/" + cpus + gone);
    EXPECT_EQ(reader.load().value().generation, machine->generation);
    EXPECT_EQ(reader.left_out(), "");
}

TEST(ARecordedMachine, KeepsACpuApartWhoseSiblingIsOffline) {
    const TempDir dir;
    const std::string cpus = "sys/devices/system/cpu/";
    dir.write(cpus + "online", "0,2-3\n");
    dir.write(cpus + "cpu1/online", "0\n"); // as the kernel leaves it: without a topology
    for (const auto& [cpu, siblings] : {std::pair(0, "1"), {2, "c"}, {3, "c"}}) {
        const auto one = fmt::format("{}cpu{}/topology/", cpus, cpu);
        for (const auto* file : {"core_cpus", "thread_siblings"})
            dir.write(one + file, std::string(siblings) + "\n");
        for (const auto* file : {"package_cpus", "core_siblings"}) dir.write(one + file, "d\n");
        dir.write(one + "core_id", fmt::format("{}\n", cpu / 2));
        dir.write(one + "physical_package_id", "0\n");
        // as in QEMU: the first level is each thread's own, the second the core's
        for (const int level : {1, 2}) {
            const auto cache = fmt::format("{}cpu{}/cache/index{}/", cpus, cpu, level - 1);
            dir.write(cache + "level", fmt::format("{}\n", level));
            dir.write(cache + "type", level == 1 ? "Data\n" : "Unified\n");
            dir.write(cache + "size", "1024K\n");
            dir.write(cache + "shared_cpu_map",
                      level == 1 ? fmt::format("{:x}\n", 1 << cpu) : std::string(siblings) + "\n");
        }
    }
    const auto machine = load("auto", dir.path());
    ASSERT_TRUE(machine) << machine.error().text();
    ASSERT_EQ(machine->cpus.size(), 3U);
    EXPECT_NE(machine->cpus[0].core, machine->cpus[1].core);
    EXPECT_EQ(machine->cpus[1].core, machine->cpus[2].core);
}

TEST(ARecordedMachine, WithoutCpusIsNamed) {
    const TempDir dir;
    const auto error = load("auto", dir.path()).error();
    EXPECT_EQ(error.kind, Errc::no_such_object);
    EXPECT_NE(error.text().find(dir.path() + "/sys/devices/system/cpu"), std::string::npos);
}

TEST(TheRunningMachine, HasTheCpusThatTheKernelSays) {
    const auto machine = load("auto").value();
    EXPECT_EQ(static_cast<long>(machine.cpus.size()), ::sysconf(_SC_NPROCESSORS_ONLN));
    EXPECT_TRUE(affinity(::getpid()).subset_of(machine.online));
    EXPECT_FALSE(machine.usable().empty());
}

TEST(TheRunningMachine, IsReadWithoutRunningOnEachOfItsCpus) {
    bindings = 0;
    ASSERT_TRUE(load("auto"));
    EXPECT_EQ(bindings, 0) << "isolated CPUs are disturbed, and the daemon stays where it was bound last";
}

TEST(TheRunningMachine, AllowsOnlyTheCpusOfTheOwnCpuset) {
    if (const auto why = CpusetGroup::unavailable(); !why.empty()) GTEST_SKIP() << why;
    const CpusetGroup group(unique_group("topology"), "1");
    const auto said = in_another_process(0, [&] {
        group.take(::getpid());
        const auto machine = load("auto").value();
        return machine.online.text() + " " + machine.allowed.text() + " " + machine.usable().text();
    });
    EXPECT_EQ(said, load("auto").value().online.text() + " 1 1");
}

TEST(ATopologyReader, CountsAGenerationForEveryChange) {
    const TempDir dir;
    std::ostringstream recorded;
    recorded << std::ifstream(SCHEDD_MACHINES "/hybrid-8.xml").rdbuf();
    auto xml = recorded.str();
    dir.write("m.xml", xml);
    TopologyReader reader(TopologySource::parse("xml:" + dir.path() + "/m.xml").value());
    const auto first = reader.load().value();
    EXPECT_EQ(reader.load().value().generation, first.generation);
    const std::string_view efficiency = "forced_efficiency=\"";
    for (auto at = xml.find(efficiency); at != std::string::npos; at = xml.find(efficiency, at + 1)) {
        auto& digit = xml[at + efficiency.size()];
        digit = digit == '0' ? '1' : '0';
    }
    dir.write("m.xml", xml);
    const auto second = reader.load().value();
    EXPECT_EQ(second.cpus[0].kind, 0) << "the kinds have changed places";
    EXPECT_FALSE(host::same_machine(first, second));
    EXPECT_EQ(second.generation, first.generation + 1);
    dir.write("m.xml", "broken");
    EXPECT_FALSE(reader.load());
    dir.write("m.xml", xml);
    EXPECT_EQ(reader.load().value().generation, second.generation) << "a failed load is no change";
}

TEST(TwoMachines, AreTheSameWhateverTheirGeneration) {
    auto a = load("synthetic:core:2 pu:1").value();
    auto b = a;
    b.generation = 7;
    EXPECT_TRUE(host::same_machine(a, b));
    b.allowed = CpuSet::of(0);
    EXPECT_FALSE(host::same_machine(a, b));
    a.cpus[1].kind = 1;
    b = a;
    b.cpus[1].kind = 0;
    EXPECT_FALSE(host::same_machine(a, b));
}

} // namespace
} // namespace schedd::test
