// Timelines: what is summed up where, and what the picture holds.
#include "components/sim/timeline.h"

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

TEST(APicture, HasARectangleForWhatLooksTheSame) {
    const auto topology = test::machine({.cores_per_l3 = 2});
    Timeline timeline(topology, 2, 60s);
    live(timeline, topology, 1);
    const auto svg = svg_of(timeline, {"a", "b"}, "title");
    EXPECT_THAT(svg,
                HasSubstr(
                    "<rect x=\"60\" y=\"48\" width=\"600\" height=\"23\" class=\"k1\" fill-opacity=\"1\"/>"));
    EXPECT_THAT(svg, HasSubstr("<rect x=\"660\" y=\"72\" width=\"600\" height=\"23\" class=\"k1\""));
    EXPECT_THAT(svg, HasSubstr(">CPU 1<"));
    EXPECT_THAT(svg, HasSubstr("<path d=\"M661 72v7\" class=\"m\"/>"));
    EXPECT_THAT(svg, HasSubstr(">60 s<"));
}

TEST(APicture, LabelsOnlyAsManyCpusAsThereIsRoomFor) {
    const auto topology = test::machine({.nodes = 4, .cores_per_l3 = 256});
    const Timeline timeline(topology, 1, 1s);
    const auto svg = svg_of(timeline, {"a"}, "t");
    EXPECT_THAT(svg, HasSubstr(">CPU 0<"));
    EXPECT_THAT(svg, Not(HasSubstr(">CPU 1<")));
    EXPECT_THAT(svg, HasSubstr("height=\"2136\"")) << "two pixels for each of 1024";
}

TEST(APicture, ShowsHostileNamesAsText) {
    const auto topology = test::machine({});
    const Timeline timeline(topology, 1, 1s);
    const auto svg = svg_of(timeline, {"<script>\"&\x1b"}, "</svg>");
    EXPECT_THAT(svg, HasSubstr("&lt;script&gt;&quot;&amp;?"));
    EXPECT_THAT(svg, HasSubstr(">&lt;/svg&gt;<"));
}

} // namespace
} // namespace schedd::sim
