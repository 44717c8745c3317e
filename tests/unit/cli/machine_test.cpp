// The machine's drawing: what is held where, any size of machine, and names that are out to break it.
#include "cli/machine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/golden/golden.h"

namespace schedd::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

Json data(std::string_view name) {
    const auto json = parse_json(golden::read_data(name), name);
    return json ? *json : Json();
}

/// `cpus` CPUs, `threads` of them a core, 8 cores a cache, 64 cores a node and package.
Json topology_of(int cpus, int threads) {
    Json list = Json::array();
    for (int id = 0; id < cpus; ++id) {
        const int core = id / threads;
        list.push_back({{"id", id},
                        {"package", core / 64},
                        {"numa", core / 64},
                        {"l3", core / 8},
                        {"l2", core},
                        {"core", core},
                        {"kind", 0},
                        {"usable", true}});
    }
    return {{"present", "0-" + std::to_string(cpus - 1)}, {"isolated", ""}, {"cpus", std::move(list)}};
}

Json subject(const std::string& member, const std::string& cpus) {
    return {{"target", member},
            {"comm", ""},
            {"members", {{{"scheduler", "S"}, {"member", member}}}},
            {"decisions", {{{"scheduler", "S"}, {"result", "decides"}}}},
            {"effective", cpus},
            {"state", "applied"}};
}

Json dump_of(Json subjects) {
    return {{"status", {{"schedulers", {{{"name", "S"}}}}}}, {"explain", std::move(subjects)}};
}

Machine made(const Json& topology, const Json& dump) {
    const auto machine = machine_of(topology, dump, "");
    EXPECT_TRUE(machine) << (machine ? "" : machine.error().text);
    return machine ? *machine : Machine();
}

std::size_t widest(const std::string& text) {
    std::size_t most = 0;
    for (std::size_t at = 0; at < text.size();) {
        const auto end = std::min(text.find('\n', at), text.size());
        most = std::max(most, columns(std::string_view(text).substr(at, end - at)));
        at = end + 1;
    }
    return most;
}

/// Every tag is closed in turn, and no control character is left.
void expect_well_formed(const std::string& svg) {
    std::vector<std::string> open;
    for (auto at = svg.find('<'); at != std::string::npos; at = svg.find('<', at + 1)) {
        const auto end = svg.find('>', at);
        ASSERT_NE(end, std::string::npos);
        const auto tag = svg.substr(at + 1, end - at - 1);
        ASSERT_EQ(tag.find('<'), std::string::npos) << tag;
        if (tag.starts_with("?") || tag.ends_with("/")) continue;
        if (!tag.starts_with("/")) {
            open.push_back(tag.substr(0, tag.find(' ')));
            continue;
        }
        ASSERT_FALSE(open.empty()) << tag;
        EXPECT_EQ(tag.substr(1), open.back());
        open.pop_back();
    }
    EXPECT_TRUE(open.empty());
    for (const char c : svg) EXPECT_TRUE(c == '\n' || static_cast<unsigned char>(c) >= 0x20);
    for (auto at = svg.find('&'); at != std::string::npos; at = svg.find('&', at + 1)) {
        const auto entity = svg.substr(at, svg.find(';', at) - at);
        EXPECT_TRUE(entity == "&amp" || entity == "&lt" || entity == "&gt" || entity == "&quot" ||
                    entity == "&#39")
            << entity;
    }
}

TEST(TheMachine, ListsTheSetsOfEachSchedulerInStackingOrder) {
    const auto machine = made(data("topology.json"), data("held.json"));
    EXPECT_THAT(machine.schedulers, ElementsAre("EXCL", "CPU_LB"));
    std::vector<std::string> rows;
    for (const auto& set : machine.sets)
        rows.push_back(set.mark + " " + machine.schedulers[set.scheduler] + " " + set.cpus);
    EXPECT_THAT(rows, ElementsAre("a EXCL 0-1,8-9", "b EXCL 2-7,10-14", "c CPU_LB 0-15", "d CPU_LB 4",
                                  "e CPU_LB 5,13"));
}

TEST(TheMachine, CountsTheSubjectsOfAMemberAndShowsWhatIsNotApplied) {
    const auto machine = made(data("topology.json"), data("held.json"));
    ASSERT_EQ(machine.sets.size(), 5U);
    ASSERT_EQ(machine.sets[3].members.size(), 2U);
    EXPECT_EQ(member_text(machine.sets[3].members[0]), "process:4711 (spin)");
    EXPECT_EQ(member_text(machine.sets[3].members[1]), "session:77 (2 subjects)");
    EXPECT_THAT(member_text(machine.sets[2].members.at(0)), HasSubstr("overridden"));
}

TEST(TheMachine, OfOneSchedulerLeavesOutTheOthers) {
    const auto machine = machine_of(data("topology.json"), data("held.json"), "EXCL");
    ASSERT_TRUE(machine);
    EXPECT_THAT(machine->schedulers, ElementsAre("EXCL"));
    const auto unknown = machine_of(data("topology.json"), data("held.json"), "NONE");
    ASSERT_FALSE(unknown);
    EXPECT_EQ(unknown.error().exit, Exit::error);
    EXPECT_THAT(unknown.error().text, HasSubstr("there are: EXCL CPU_LB X"));
}

TEST(TheMachine, ShowsOfflineIsolatedAndForbiddenCpusAndKinds) {
    const auto machine = made(data("topology.json"), data("held.json"));
    EXPECT_THAT(machine.offline, ElementsAre(16, 17));
    EXPECT_TRUE(machine.has_unusable);
    const auto text = machine_text(machine, {});
    for (const auto* line : {"offline   16-17\n", "isolated  7\n", "15#", "kind 0    4-7,12-15 (slowest)\n"})
        EXPECT_THAT(text, HasSubstr(line));
    const auto svg = machine_svg(machine);
    for (const auto* style : {"\"cpu off\"", "\"edge isolated\"", "\"cpu unusable\""})
        EXPECT_THAT(svg, HasSubstr(style));
}

TEST(TheMachine, WithoutMembersSaysSo) {
    const auto machine = made(topology_of(1, 1), Json());
    EXPECT_THAT(machine_text(machine, {}), HasSubstr("Nothing is held"));
    EXPECT_THAT(machine_text(machine, {}), HasSubstr("1 CPU, 1 core, 1 NUMA node"));
    EXPECT_THAT(machine_svg(machine), HasSubstr("Nothing is held"));
    expect_well_formed(machine_svg(machine));
}

TEST(TheMachine, OfNoCpuIsRefused) {
    for (const auto& topology : {Json(), Json::array(), Json{{"cpus", 7}}, Json{{"cpus", {{{"id", -1}}}}}})
        EXPECT_FALSE(machine_of(topology, Json(), ""));
}

TEST(TheMachine, OfAnySizeFitsTheTerminal) {
    for (const int cpus : {1, 2, 8, 64, 128, 256, 1024, 4096, 8192})
        for (const int width : {40, 80, 132}) {
            SCOPED_TRACE(std::to_string(cpus) + " CPUs at " + std::to_string(width));
            const auto machine =
                made(topology_of(cpus, cpus > 1 ? 2 : 1),
                     dump_of(Json::array({subject("unit:a.service", "0-" + std::to_string(cpus - 1))})));
            const auto text = machine_text(machine, {.color = true, .utf8 = true, .width = width});
            EXPECT_LE(widest(text), static_cast<std::size_t>(width));
            const auto last = std::to_string(cpus - 1);
            EXPECT_THAT(text, HasSubstr(last));
        }
}

TEST(TheMachine, OfAnySizeIsAPictureWithEveryCpu) {
    for (const int cpus : {1, 8, 128, 1024, 4096, 8192}) {
        const auto svg = machine_svg(made(topology_of(cpus, cpus > 1 ? 2 : 1), dump_of(Json::array())));
        for (const int cpu : {0, cpus / 2, cpus - 1})
            EXPECT_THAT(svg, HasSubstr("<title>CPU " + std::to_string(cpu) + ": "));
        expect_well_formed(svg);
    }
}

TEST(TheMachine, EscapesHostileNames) {
    const std::string hostile = "unit:</text><script>\"'&\x1b[2J\n\xff\xef\xbf\xbf\u202e]]>.service";
    const auto machine = made(topology_of(4, 1), dump_of(Json::array({subject(hostile, "0")})));
    const auto svg = machine_svg(machine);
    expect_well_formed(svg);
    EXPECT_THAT(svg, Not(HasSubstr("<script>")));
    EXPECT_THAT(svg, Not(HasSubstr("\xef\xbf\xbf")));
    EXPECT_THAT(svg, Not(HasSubstr("\u202e")));
    for (const auto& text : {machine_text(machine, {}), machine_text(machine, {.utf8 = false})}) {
        EXPECT_EQ(text.find('\x1b'), std::string::npos);
        EXPECT_THAT(text, HasSubstr("\\x1b"));
    }
}

TEST(TheMachine, CutsLongNamesAndLongLists) {
    Json subjects = Json::array();
    for (int i = 0; i < 3000; ++i)
        subjects.push_back(subject("process:" + std::to_string(i) + std::string(500, 'x'), "1"));
    const auto machine = made(topology_of(4, 1), dump_of(std::move(subjects)));
    EXPECT_LT(machine_svg(machine).size(), 20'000U);
    EXPECT_THAT(machine_svg(machine), HasSubstr("and 2988 more"));
    EXPECT_THAT(machine_text(machine, {}), HasSubstr("and 2988 more"));
}

TEST(TheMachine, InAsciiHasNothingElse) {
    for (const char c : machine_text(made(data("topology.json"), data("held.json")), {.utf8 = false}))
        EXPECT_LT(static_cast<unsigned char>(c), 0x80U);
}

TEST(ASetOfCpus, ReadsAsMuchAsIsAList) {
    EXPECT_THAT(list_of("0-2,5"), ElementsAre(0, 1, 2, 5));
    EXPECT_THAT(list_of(""), ElementsAre());
    EXPECT_THAT(list_of("1,x,3"), ElementsAre(1));
    EXPECT_THAT(list_of("3-1,4"), ElementsAre(4));
    EXPECT_THAT(list_of("0-99999999999"), ElementsAre());
    EXPECT_THAT(list_of("5-99999"), ElementsAre());
    EXPECT_EQ(list_text({0, 1, 2, 5, 7, 8}), "0-2,5,7-8");
    EXPECT_EQ(list_text({}), "");
}

TEST(TheMarks, OfACpuFitItsPlace) {
    Json subjects = Json::array();
    for (int i = 0; i < 5; ++i)
        subjects.push_back(subject("process:" + std::to_string(i), "0-" + std::to_string(i)));
    const auto machine = made(topology_of(8, 1), dump_of(std::move(subjects)));
    const auto& cores = machine.packages.at(0).nodes.at(0).caches.at(0).cores;
    EXPECT_EQ(marks_of(machine, cores.at(0).cpus.at(0)), "a+");
    EXPECT_EQ(marks_of(machine, cores.at(3).cpus.at(0)), "de");
    EXPECT_EQ(marks_of(machine, cores.at(7).cpus.at(0)), "");
}

} // namespace
} // namespace schedd::cli
