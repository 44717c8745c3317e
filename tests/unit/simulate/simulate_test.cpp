// Whole simulations from files: the daemon's policies on other machines, and everything that can be wrong
// with what they are given.
#include "service/simulate/simulate.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/unit/systemd/temporary_tree.h"

namespace schedd::service::simulate {
namespace {

using ::testing::HasSubstr;

constexpr const char* kBalancing = R"([probe.cpu]
probe_period = 1000
[scheduler.CPU_LB]
policy = "load_balancing"
process_set = ["exec:/usr/bin/make"]
[scheduler.CPU_LB.ports]
node_load = "cpu/node_load"
process_load = "cpu/process_load"
)";

struct ASimulation : ::testing::Test {
    ASimulation() {
        options.topology = "synthetic:package:2 l3:1 core:4 pu:2";
        options.load = files.write("load.toml", "[load]\nduration_s = 200\n"
                                                "[job.make]\nunit = 'build.service'\nload_percent = 40\n"
                                                "min_ms = 2000\nmax_ms = 60000\n"
                                                "[job.web]\nunit = 'web.service'\nclass = 'latency'\n"
                                                "load_percent = 20\nsizes = 'exponential'\nmean_ms = 50\n");
        options.json = "short";
    }
    void configure(const std::string& text) {
        files.write("conf/schedulers.d/a.toml", text);
        options.config = files.path("conf");
    }
    std::string run() {
        const auto output = simulate(options, {});
        return output ? output->text : "error: " + output.error().text();
    }
    nlohmann::json json() { return nlohmann::json::parse(run(), nullptr, false); }

    test::TemporaryTree files;
    Options options;
};

TEST_F(ASimulation, ComparesTheConfiguredSchedulersWithAllBaselines) {
    configure(kBalancing);
    const auto report = json();
    ASSERT_FALSE(report.is_discarded()) << run();
    ASSERT_EQ(report["runs"].size(), 8U);
    EXPECT_EQ(report["cpus"], 16);
    EXPECT_EQ(report["nodes"], 1);
    EXPECT_NEAR(report["offered"].get<double>(), 0.6, 0.25);
    const auto& mine = report["runs"][0];
    EXPECT_EQ(mine["name"], "schedd");
    EXPECT_GT(mine["decisions"].get<int>(), 20) << "each job of make is placed";
    EXPECT_GT(mine["all"]["ended"].get<double>(), 0.95 * mine["all"]["jobs"].get<double>());
    EXPECT_GE(mine["all"]["over_ideal"].get<double>(), 0.99);
    EXPECT_EQ(report["notes"].size(), 0U) << report["notes"];
    EXPECT_EQ(report["runs"][1]["name"], "linux_pull");
    EXPECT_EQ(report["runs"][1]["decisions"], 0);
}

TEST_F(ASimulation, OfAUnitTooLargeForACoreLetsItHaveMore) {
    files.write("load.toml",
                "[load]\nduration_s = 200\n[job.make]\nunit = 'build.service'\nload_percent = 40\n"
                "min_ms = 2000\nmax_ms = 60000\n");
    configure(R"([scheduler.LB]
policy = "load_balancing"
process_set = ["unit:build.service"]
[scheduler.LB.attributes]
level = "core"
[scheduler.LB.ports]
node_load = "cpu/node_load"
process_load = "cpu/process_load"
[probe.cpu]
probe_period = 1000
)");
    const auto report = json();
    ASSERT_FALSE(report.is_discarded()) << run();
    const auto& mine = report["runs"][0];
    const auto& kernel = report["runs"][1];
    EXPECT_GT(mine["decisions"].get<int>(), 0) << "while it is small it is held";
    EXPECT_LT(mine["all"]["slowdown_mean"].get<double>(), 5 * kernel["all"]["slowdown_mean"].get<double>())
        << "held on a core for good it was slowed more than fifty times";
}

TEST_F(ASimulation, OfTwoKindsOfCoreIsNoWorseBalancedThanWithout) {
    configure(kBalancing);
    options.topology = "xml:" + std::string(SCHEDD_SOURCE_DIR) + "/tests/machines/hybrid-24.xml";
    options.load =
        files.write("hybrid.toml", "[load]\nduration_s = 300\n[job.make]\nexecutable = '/usr/bin/make'\n"
                                   "load_percent = 90\nmin_ms = 3400\nmax_ms = 340000\n");
    const auto report = json();
    ASSERT_FALSE(report.is_discarded()) << run();
    EXPECT_EQ(report["cpus"], 32);
    EXPECT_GT(report["runs"][0]["decisions"].get<int>(), 100);
    EXPECT_LE(report["runs"][0]["all"]["over_ideal"].get<double>(),
              1.1 * report["runs"][1]["all"]["over_ideal"].get<double>())
        << "as the kernel does without it";
}

TEST_F(ASimulation, GivesTheSameForTheSameSeedByteForByte) {
    configure(kBalancing);
    options.picture = "wanted";
    const auto one = simulate(options, {});
    const auto same = simulate(options, {});
    ASSERT_TRUE(one && same);
    EXPECT_EQ(one->text, same->text);
    EXPECT_EQ(one->picture, same->picture);
    EXPECT_THAT(one->picture, HasSubstr("web (latency)"));
    options.seed = 2;
    EXPECT_NE(simulate(options, {})->text, one->text);
}

TEST_F(ASimulation, ProtectsAUnitByItsPressure) {
    configure("[probe.pressure]\nprobe_period = 500\n[scheduler.GUARD]\npolicy = 'pressure_guard'\n"
              "process_set = [{ member = 'unit:web.service', class = 'latency' },"
              " { member = 'unit:build.service', class = 'batch' }]\n"
              "[scheduler.GUARD.attributes]\nbound = 20\n"
              "[scheduler.GUARD.ports]\npressure = 'pressure/cgroup_cpu_some'\n");
    files.write("load.toml", "[load]\nduration_s = 200\n"
                             "[job.make]\nunit = 'build.service'\nload_percent = 90\nmin_ms = 2000\n"
                             "max_ms = 60000\n[job.web]\nunit = 'web.service'\nclass = 'latency'\n"
                             "load_percent = 10\nsizes = 'exponential'\nmean_ms = 50\n");
    const auto report = json();
    ASSERT_FALSE(report.is_discarded()) << run();
    const auto web = [&](int run) {
        return report["runs"][run]["kinds"]["web"]["slowdown_mean"].get<double>();
    };
    EXPECT_GT(report["runs"][0]["decisions"].get<int>(), 0);
    EXPECT_LT(web(0), web(1)) << "better than without it";
}

TEST_F(ASimulation, GrowsAPoolOfProcessesThatComeAndGoBetweenTwoMeasurements) {
    const std::string pools = "[probe.cpu]\n[scheduler.P]\npolicy = 'pools'\n"
                              "process_set = ['unit:web.service']\n[scheduler.P.attributes]\n"
                              "pools = 'web: min=2 max=14 match=unit:web*'\n[scheduler.P.ports]\n"
                              "node_load = 'cpu/node_load'\nprocess_load = 'cpu/process_load'\n";
    files.write("load.toml", "[load]\nduration_s = 60\n[job.web]\nunit = 'web.service'\n"
                             "load_percent = 40\nsizes = 'fixed'\nmean_ms = 60\n");
    options.topology = "synthetic:package:1 l3:1 core:16 pu:1";
    const auto mean = [&] { return json()["runs"][0]["all"]["slowdown_mean"].get<double>(); };
    configure(pools);
    const double blind = mean();
    configure(pools + "cgroup_usage = 'cpu/cgroup_usage'\n");
    EXPECT_LT(mean(), 0.7 * blind) << "what the group uses is seen, though no process lives for a period";
}

TEST_F(ASimulation, TellsOfConflictsAndOfMembersThatNeverCome) {
    const std::string scheduler = "[scheduler.{}]\npolicy = 'exclusive_cores'\nprocess_set = [{{ member = "
                                  "'unit:build.service', cpus = 2, exclusive = true }}, 'unit:wbe.service']\n"
                                  "[scheduler.{}.attributes]\nreserved = '{}'\n";
    configure("[probe.cpu]\n" + fmt::format(fmt::runtime(scheduler), "X", "X", "0-1") +
              fmt::format(fmt::runtime(scheduler), "Y", "Y", "2-7"));
    files.write("load.toml", "[load]\nduration_s = 5\n[job.make]\nunit = 'build.service'\n"
                             "load_percent = 60\nmin_ms = 100\nmax_ms = 2000\n");
    options.topology = "synthetic:package:1 l3:1 core:8 pu:1";
    const auto report = json();
    ASSERT_FALSE(report.is_discarded()) << run();
    const auto notes = report["notes"].dump();
    EXPECT_THAT(notes, HasSubstr("no job of the load ever belonged to X unit:wbe.service"));
    EXPECT_THAT(notes, HasSubstr("conflict: scheduler "));
    EXPECT_THAT(notes, testing::Not(HasSubstr("X unit:build.service\"")));
}

TEST_F(ASimulation, UsesMachinesOfMoreThanAThousandCpus) {
    configure(kBalancing);
    options.topology = "synthetic:numa:8 core:128 pu:2";
    files.write("load.toml", "[load]\nduration_s = 40\n[job.make]\nunit = 'build.service'\n"
                             "load_percent = 60\nmin_ms = 10000\nmax_ms = 60000\n");
    const auto report = json();
    ASSERT_FALSE(report.is_discarded()) << run();
    EXPECT_EQ(report["cpus"], 2048);
    EXPECT_EQ(report["nodes"], 8);
    const auto& mine = report["runs"][0];
    EXPECT_GT(mine["all"]["jobs"].get<int>(), 1024) << "more than the half of the CPUs could take";
    EXPECT_GT(mine["all"]["ended"].get<double>(), 0.95 * mine["all"]["jobs"].get<double>());
    EXPECT_GT(mine["decisions"].get<int>(), 1024);
    EXPECT_LT(mine["all"]["over_ideal"].get<double>(), 2) << "the second half is used as the first is";
}

TEST_F(ASimulation, TellsItsProgress) {
    std::size_t told = 0;
    ASSERT_TRUE(simulate(options, [&](const std::string&, std::size_t done, std::size_t all) {
        EXPECT_LT(done, all);
        ++told;
    }));
    EXPECT_GE(told, 7U) << "at least once for each run";
}

TEST_F(ASimulation, TakesOneFileAsItsConfiguration) {
    configure(kBalancing);
    const auto whole = run();
    options.config = files.path("conf/schedulers.d/a.toml");
    EXPECT_EQ(run(), whole);
    options.config = files.write("empty.toml", "");
    EXPECT_THAT(run(), HasSubstr("empty.toml is empty"));
    options.config = files.path("none.toml");
    EXPECT_THAT(run(), HasSubstr("cannot read " + options.config));
    options.config = files.write("bad.toml", "[scheduler.A]\npolicies = 'x'\n");
    EXPECT_THAT(run(), HasSubstr("bad.toml:2:"));
}

TEST_F(ASimulation, TellsOfHoursBeforehandAndRefusesDays) {
    std::string told;
    const Warn warn = [&](const std::string& remark) { told += remark; };
    ASSERT_TRUE(simulate(options, {}, warn));
    EXPECT_EQ(told, "");
    // eight times what the machine can do, for a month: the queue grows and is looked at ever again
    files.write("load.toml", "[load]\nduration_s = 2600000\n[job.a]\nload_percent = 800\nsizes = 'fixed'\n"
                             "mean_ms = 300000\n");
    EXPECT_THAT(run(), HasSubstr("one run would take about"));
    EXPECT_THAT(run(), HasSubstr("(limit kSimSteps): a shorter duration"));
    files.write("load.toml", "[load]\nduration_s = 1000\n[job.a]\nevery_ms = 2\nsizes = 'fixed'\n"
                             "mean_ms = 86400000\nthreads = 1024\n");
    EXPECT_THAT(run(), HasSubstr("(limit kSimSteps)"));
}

TEST_F(ASimulation, HasItsSchedulersLoadAndSeedInThePicturesTitle) {
    options.picture = "wanted";
    EXPECT_THAT(simulate(options, {})->picture,
                HasSubstr("linux_pull on synthetic:package:2 l3:1 core:4 pu:2, load.toml, seed 1"));
    configure(kBalancing);
    EXPECT_THAT(simulate(options, {})->picture, HasSubstr(">CPU_LB on synthetic:"));
}

TEST_F(ASimulation, RefusesProbesOfWhatIsNotSimulated) {
    configure("[probe.mem]\n");
    EXPECT_THAT(run(), HasSubstr("configures no scheduler"));
    configure(std::string("[probe.numa_memory]\n") + kBalancing);
    EXPECT_THAT(run(), HasSubstr("a.toml:1:"));
    EXPECT_THAT(run(), HasSubstr("measures what is not simulated: simulated are cpu and pressure"));
}

TEST_F(ASimulation, RefusesWhatTheDaemonWouldRefuse) {
    configure("[scheduler.A]\npolicy = 'nonsense'\n");
    EXPECT_THAT(run(), HasSubstr("a.toml:2:"));
    configure("[scheduler.A]\npolicy = 'load_balancing'\nprocess_set = ['process:77']\n");
    EXPECT_THAT(run(), HasSubstr("there is no such process"));
    configure("[template.A]\nexec = ['/usr/bin/make']\npolicy = 'load_balancing'\n" +
              std::string(kBalancing));
    EXPECT_THAT(run(), HasSubstr("templates are not simulated"));
}

TEST_F(ASimulation, RefusesTopologiesThatAreNone) {
    options.topology = "synthetic:package:lots";
    EXPECT_THAT(run(), HasSubstr("is not a synthetic topology"));
    options.topology = "xml:" + files.path("none.xml");
    EXPECT_THAT(run(), HasSubstr("none.xml"));
    options.topology = "xml:" + files.write("empty.xml", "");
    EXPECT_THAT(run(), HasSubstr("error: "));
    options.topology =
        "xml:" + files.write("hostile.xml", "<!DOCTYPE a [<!ENTITY b SYSTEM \"/etc/passwd\">]><a>&b;</a>");
    EXPECT_THAT(run(), HasSubstr("error: "));
    options.topology = "synthetic:package:64 core:129 pu:1";
    EXPECT_THAT(run(), HasSubstr("limit kMaxCpus"));
    options.topology = "nonsense";
    EXPECT_THAT(run(), HasSubstr("names no topology"));
}

TEST_F(ASimulation, RefusesATruncatedTopologyAndTakesTheWholeOfAnotherArchitecture) {
    const test::TemporaryTree other;
    std::ifstream file(std::string(SCHEDD_SOURCE_DIR) + "/tests/machines/hybrid-8.xml", std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    auto xml = text.str();
    ASSERT_GT(xml.size(), 1000U);
    options.topology = "xml:" + files.write("cut.xml", xml.substr(0, xml.size() / 2));
    EXPECT_THAT(run(), HasSubstr("error: "));
    for (auto at = xml.find("x86_64"); at != std::string::npos; at = xml.find("x86_64", at))
        xml.replace(at, 6, "ppc64le");
    options.topology = "xml:" + files.write("ppc.xml", xml);
    EXPECT_EQ(json()["cpus"], 8);
}

TEST_F(ASimulation, ReadsALogBesideItsLoad) {
    files.write("load.toml", "[load]\nduration_s = 100\n[job.hpc]\nswf = 'site.swf'\nspeedup = 10\n");
    files.write("site.swf", "; a log\n1 0 0 100 4 -1 -1 4 -1 -1 1 1 1 1 1 -1 -1 -1\n"
                            "2 500 0 -1 4 -1 -1 4 -1 -1 0 1 1 1 1 -1 -1 -1\n");
    const auto report = json();
    ASSERT_FALSE(report.is_discarded()) << run();
    EXPECT_EQ(report["jobs"], 1);
    EXPECT_EQ(report["jobs_skipped"], 1);
    files.write("site.swf", "1 0 0\n");
    EXPECT_THAT(run(), HasSubstr("site.swf:1: field 4 ends there"));
    std::filesystem::remove(files.path("site.swf"));
    EXPECT_THAT(run(), HasSubstr("load.toml:3:"));
    EXPECT_THAT(run(), HasSubstr("cannot read " + files.path("site.swf")));
}

TEST_F(ASimulation, SaysWhenNoJobComes) {
    files.write("load.toml",
                "[load]\nduration_s = 1\n[job.a]\nevery_ms = 86400000\nsizes = 'fixed'\nmean_ms = 1\n");
    EXPECT_THAT(run(), HasSubstr("no job comes in the time given: a longer duration or more load"));
    files.write("load.toml", "");
    EXPECT_THAT(run(), HasSubstr("load.toml is empty"));
    options.load = files.path("conf");
    EXPECT_THAT(run(), HasSubstr("error: "));
}

} // namespace
} // namespace schedd::service::simulate
