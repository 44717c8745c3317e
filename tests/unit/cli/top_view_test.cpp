// The screen of top at all sizes.
#include "cli/top_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/golden/golden.h"

namespace schedd::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Json dump() {
    auto json = parse_json(golden::read_data("dump.json"), "data");
    return json ? *json : Json();
}

std::string plain(const std::vector<TopLine>& screen) {
    std::string out;
    for (const auto& line : screen) {
        for (const auto& piece : line) out += piece.text;
        out += "\n";
    }
    return out;
}

std::vector<std::string> targets(const std::vector<TopRow>& rows) {
    std::vector<std::string> out;
    for (const auto& row : rows) out.push_back(row.target);
    return out;
}

TEST(TheRows, AreSortedByLoadAtFirst) {
    EXPECT_THAT(targets(top_rows(dump(), {})),
                ElementsAre("process:4711", "process:4712", "process:4713", "process:900"));
}

TEST(TheRows, AreSortedByNumberNotByText) {
    TopState state;
    state.sort = TopSort::target;
    EXPECT_THAT(targets(top_rows(dump(), state)),
                ElementsAre("process:900", "process:4711", "process:4712", "process:4713"));
    state.reverse = true;
    EXPECT_EQ(top_rows(dump(), state).front().target, "process:4713");
}

TEST(ARow, HoldsTheDecisionThatWasNotOverruled) {
    const auto rows = top_rows(dump(), {});
    EXPECT_EQ(rows[0].scheduler, "CPU_LB");
    EXPECT_EQ(rows[0].cpus, "0");
    EXPECT_EQ(rows[0].load, 1000);
    EXPECT_EQ(rows[2].scheduler, "CPU_LB") << "in a scheduler that has decided nothing";
    EXPECT_EQ(rows[3].load, -1) << "not measured";
}

TEST(Loads, ThatADescriptionDoesNotListAreReadOneByOne) {
    EXPECT_THAT(loads_to_read(dump(), 10),
                ElementsAre(std::pair<std::string, std::string>("900", "probes/cpu/process_load[900]")));
    EXPECT_TRUE(loads_to_read(dump(), 0).empty());
    EXPECT_TRUE(loads_to_read(Json::object(), 10).empty());
    auto with_loads = dump();
    with_loads["loads"] = {{"900", 5000}};
    EXPECT_EQ(top_rows(with_loads, {}).front().target, "process:900");
}

TEST(TheScreen, NeverExceedsTheTerminal) {
    for (const std::size_t height : {1U, 2U, 5U, 9U, 10U, 16U, 24U, 100U}) {
        for (const std::size_t width : {1U, 10U, 40U, 80U, 200U}) {
            TopState state;
            const auto screen = top_screen(dump(), state, height, width, {});
            EXPECT_LE(screen.size(), height);
            for (const auto& line : screen) {
                std::size_t used = 0;
                for (const auto& piece : line) used += columns(piece.text);
                EXPECT_LE(used, width) << height << "x" << width;
            }
        }
    }
}

TEST(TheScreen, ScrollsToTheSelectedRow) {
    auto json = dump();
    for (int i = 10'000; i < 10'100; ++i)
        json["explain"].push_back({{"target", "process:" + std::to_string(i)}, {"state", "free"}});
    TopState state;
    state.sort = TopSort::target;
    state.selected = "process:10099";
    EXPECT_THAT(plain(top_screen(json, state, 24, 80, {})), HasSubstr("process:10099"));
    EXPECT_GT(state.first_row, 50U);
    state.selected = "process:900";
    EXPECT_THAT(plain(top_screen(json, state, 24, 80, {})), HasSubstr("process:900"));
    EXPECT_EQ(state.first_row, 0U);
}

TEST(TheScreen, ShowsTheReasonOfTheSelectedRow) {
    TopState state;
    state.selected = "process:4712";
    EXPECT_THAT(plain(top_screen(dump(), state, 24, 80, {})),
                HasSubstr("stays: the loads differ by 2 percent; the mask was changed"));
    state.selected = "process:4713";
    EXPECT_THAT(plain(top_screen(dump(), state, 24, 80, {})),
                HasSubstr("no scheduler has decided anything for it"));
}

TEST(TheScreen, SelectsTheFirstRowWhenTheSelectedOneIsGone) {
    TopState state;
    state.selected = "process:1";
    static_cast<void>(top_screen(dump(), state, 24, 80, {}));
    EXPECT_EQ(state.selected, "process:4711");
}

TEST(TheScreen, SurvivesAnEmptyDump) {
    TopState state;
    EXPECT_THAT(plain(top_screen(Json::object(), state, 24, 80, {})),
                HasSubstr("No process is in any scheduler"));
    EXPECT_NO_THROW(static_cast<void>(top_text(Json(), {})));
}

TEST(TheScreen, ShowsAThousandCpusInAFifthOfItsHeight) {
    auto json = dump();
    Json values = Json::object();
    for (int cpu = 0; cpu < 1024; ++cpu) values[std::to_string(cpu)] = cpu % 101;
    for (auto& source : json["tree"]["children"][0]["children"][0]["children"])
        if (source["name"] == "cpu_usage") source["flow"]["values"] = values;
    TopState state;
    const auto text = plain(top_screen(json, state, 24, 80, {}));
    EXPECT_THAT(text, HasSubstr("more CPUs"));
    EXPECT_THAT(text, HasSubstr("CPU_LB"));
}

TEST(TheScreen, SaysThatItIsPaused) {
    TopState state;
    state.paused = true;
    EXPECT_THAT(plain(top_screen(dump(), state, 24, 100, {})), HasSubstr("paused"));
}

TEST(TheSelection, StopsAtBothEnds) {
    const auto rows = top_rows(dump(), {});
    TopState state;
    state.selected = rows[0].target;
    move_selection(state, rows, -1);
    EXPECT_EQ(state.selected, rows[0].target);
    move_selection(state, rows, 1);
    EXPECT_EQ(state.selected, rows[1].target);
    move_selection(state, rows, 100);
    EXPECT_EQ(state.selected, rows.back().target);
    move_selection(state, {}, 1);
    EXPECT_EQ(state.selected, rows.back().target);
}

} // namespace
} // namespace schedd::cli
