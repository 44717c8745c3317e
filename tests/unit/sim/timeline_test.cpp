// Timelines: what is summed up where, and what the picture holds.
#include "components/sim/timeline.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/kit/machine.h"

namespace schedd::sim {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;

/// One thread on CPU 0 for the first half, on CPU 1 for the second.
void live(Timeline& timeline, const Topology& topology, int kind) {
    SimCpus cpus(topology, {.pulls = false}, {});
    cpus.set_watcher(&timeline);
    auto& task = cpus.start(1, CpuSet::of(0), {.kind = kind});
    cpus.advance(0s, 30s);
    SimCpus::set_mask(task, CpuSet::of(1));
    cpus.advance(30s, 60s);
}

TEST(ATimeline, KnowsWhoUsedWhichCpuWhen) {
    const auto topology = test::machine({.cores_per_l3 = 2});
    Timeline timeline(topology, 2, 60s);
    live(timeline, topology, 1);
    EXPECT_FLOAT_EQ(static_cast<float>(timeline.used(0, 0, 1)), 1e8F) << "a column is 100 ms";
    EXPECT_EQ(timeline.used(0, 0, 0), 0);
    EXPECT_FLOAT_EQ(static_cast<float>(timeline.used(0, 299, 1)), 1e8F);
    EXPECT_EQ(timeline.used(0, 300, 1), 0);
    EXPECT_FLOAT_EQ(static_cast<float>(timeline.used(1, 599, 1)), 1e8F) << "what comes after is not drawn";
    EXPECT_EQ(timeline.moves_to(1, 300), 1U);
    EXPECT_EQ(timeline.moves_to(1, 301), 0U);
}

/// How often `what` is in `text`.
std::size_t count_of(const std::string& text, const std::string& what) {
    std::size_t count = 0;
    for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++count;
    return count;
}

TEST(APicture, HasOneStrokeForWhatLooksTheSame) {
    const auto topology = test::machine({.cores_per_l3 = 2});
    Timeline timeline(topology, 2, 60s);
    live(timeline, topology, 1);
    const auto svg = svg_of(timeline, {"a", "b"}, "title");
    EXPECT_THAT(svg, HasSubstr("<g stroke-width=\"23\" class=\"c\">\n"
                               "<path class=\"k1 s4\" d=\"M110 59.5h600\"/>\n"
                               "<path class=\"k1 s4\" d=\"M710 83.5h600\"/>\n"));
    EXPECT_THAT(svg, HasSubstr("<path d=\"M710.5 72v8\"/>")) << "where it came from another CPU";
    EXPECT_THAT(svg, HasSubstr(">CPU 1<"));
    EXPECT_THAT(svg, HasSubstr(">60 s<"));
    EXPECT_THAT(svg, HasSubstr("<title>title</title>"));
}

TEST(APicture, HasAnAxisOfReadableUnits) {
    const auto topology = test::machine({});
    const auto axis = [&](Duration whole) { return svg_of(Timeline(topology, 1, whole), {"a"}, "t"); };
    EXPECT_THAT(axis(1s), HasSubstr(">0.2 s<"));
    EXPECT_THAT(axis(7min), HasSubstr(">1 min<"));
    EXPECT_THAT(axis(24h), HasSubstr(">5 h<"));
    EXPECT_THAT(axis(24h * 366), HasSubstr(">50 days<"));
    for (const auto whole : {1s, 2s, 9s, 49s, 100s, 299s, 301s, 86400s, 31622400s})
        EXPECT_THAT(count_of(axis(whole), "class=\"a\""),
                    ::testing::AllOf(::testing::Ge(4U), ::testing::Le(11U)))
            << whole.count();
}

TEST(APicture, KeepsTogetherWhatSharesSomething) {
    // numbered as by most firmware: the second thread of each core after all first ones
    auto topology = test::machine({.nodes = 2, .cores_per_l3 = 2, .threads_per_core = 2});
    for (auto& cpu : topology.cpus) cpu.id = cpu.core + 4 * (cpu.id % 2);
    std::ranges::sort(topology.cpus, {}, &Cpu::id);
    const auto svg = svg_of(Timeline(topology, 1, 1s), {"a"}, "t");
    EXPECT_LT(svg.find(">CPU 4<"), svg.find(">CPU 1<")) << "the siblings of core 0";
    EXPECT_LT(svg.find(">CPU 5<"), svg.find(">node 1<"));
    EXPECT_LT(svg.find(">node 1<"), svg.find(">CPU 2<"));
    EXPECT_EQ(count_of(svg, "class=\"n\""), 1U) << "one line between two nodes";
}

TEST(APicture, SharesRowsAndColumnsOnLargeMachines) {
    const auto topology = test::machine({.nodes = 4, .cores_per_l3 = 256});
    const Timeline timeline(topology, 1, 1s);
    const auto svg = svg_of(timeline, {"a"}, "t");
    EXPECT_THAT(svg, HasSubstr(">CPU 0-3<"));
    EXPECT_THAT(svg, Not(HasSubstr(">CPU 4-7<"))) << "no room";
    EXPECT_THAT(svg, HasSubstr("height=\"1112\"")) << "four pixels for each four of 1024";
}

TEST(APicture, IsNeverLarge) {
    const auto topology = test::machine({.nodes = 4, .cores_per_l3 = 256});
    Timeline timeline(topology, 8, 600s);
    std::vector<SimTask> tasks(8);
    for (int kind = 0; kind < 8; ++kind) tasks[static_cast<std::size_t>(kind)].habit.kind = kind;
    // every cell of the picture differs from its neighbours, and is moved to
    for (int column = 0; column < 150; ++column)
        for (int cpu = 0; cpu < 1024; ++cpu) {
            const auto& task = tasks[static_cast<std::size_t>((column * 5 + cpu / 4) % 8)];
            const auto time = 1s * (1 + column % 4);
            timeline.passed(4s * column, time, {{&task, cpu, time}});
            timeline.moved(4s * column, task, 0, cpu);
        }
    const auto svg = svg_of(timeline, {"a", "b", "c", "d", "e", "f", "g", "h"}, "t");
    EXPECT_GT(svg.size(), 200'000U) << "a hard case";
    EXPECT_LT(svg.size(), 1'000'000U);
}

TEST(APicture, ShowsHostileNamesAsText) {
    const auto topology = test::machine({});
    const Timeline timeline(topology, 1, 1s);
    const auto svg = svg_of(timeline, {"<script>\"&\x1b"}, "</svg>");
    EXPECT_THAT(svg, HasSubstr("&lt;script&gt;&quot;&amp;?"));
    EXPECT_THAT(svg, HasSubstr(">&lt;/svg&gt;<"));
    EXPECT_THAT(svg_of(timeline, {"a"}, "caf\xe9"), HasSubstr(">caf?<")) << "no UTF-8 is no XML";
    EXPECT_THAT(svg_of(timeline, {"a"}, "café"), HasSubstr(">café<"));
    const auto cut = svg_of(timeline, {"a"}, std::string(146, 'x') + "éé and a long path");
    EXPECT_THAT(cut, HasSubstr(std::string(146, 'x') + "...<")) << "between two characters";
}

TEST(APicture, GivesManyKindsLinesAndOneColourForTheLast) {
    const auto topology = test::machine({});
    const Timeline timeline(topology, 12, 1s);
    std::vector<std::string> names;
    for (int i = 0; i < 12; ++i) names.push_back("a_kind_of_jobs_with_a_long_name_" + std::to_string(i));
    const auto svg = svg_of(timeline, names, "t");
    EXPECT_THAT(svg, HasSubstr("long_name_6<"));
    EXPECT_THAT(svg, Not(HasSubstr("long_name_7<")));
    EXPECT_THAT(svg, HasSubstr(">all others<"));
    EXPECT_THAT(svg, HasSubstr("y=\"49\">a_kind")) << "a second line";
}

} // namespace
} // namespace schedd::sim
