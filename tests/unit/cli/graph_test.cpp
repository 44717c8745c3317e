// Chains found in the tree, and drawn whatever they hold.
#include "cli/graph.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/golden/golden.h"

namespace schedd::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

Json tree() {
    auto json = parse_json(golden::read_data("tree.json"), "data");
    return json ? *json : Json();
}

/// The child of that name, for changing it.
Json& child(Json& part, std::string_view name) {
    for (auto& one : part["children"])
        if (one["name"] == name) return one;
    ADD_FAILURE() << "no child " << name;
    return part;
}

std::vector<std::string> titles(const Chain& chain) {
    std::vector<std::string> out;
    for (const auto& box : chain.boxes) out.push_back(box.title);
    return out;
}

TEST(TheGraph, FollowsEachChainFromSourceToPort) {
    const auto graphs = graph_of(tree(), "CPU_LB");
    ASSERT_TRUE(graphs);
    ASSERT_EQ(graphs->size(), 1U);
    const auto& chains = graphs->front().chains;
    ASSERT_EQ(chains.size(), 4U);
    EXPECT_THAT(titles(chains[0]), ElementsAre("cpu/node_load", "freq_limit", "threshold", "node_load"));
    EXPECT_TRUE(chains[0].to_policy);
    EXPECT_THAT(titles(chains[1]), ElementsAre("freq_limit.last_event"));
    EXPECT_FALSE(chains[1].to_policy) << "a filter's own port does not lead to the policy";
    EXPECT_THAT(titles(chains[3]), ElementsAre("cpu/process_load", "process_load"));
}

TEST(TheGraph, HasTheLiveValueAtEachStage) {
    const auto graphs = graph_of(tree(), "CPU_LB");
    ASSERT_TRUE(graphs);
    const auto& chain = graphs->front().chains[0];
    EXPECT_EQ(chain.boxes[0].value, "2013");
    EXPECT_EQ(chain.boxes[2].value, "1990") << "what the filter puts out";
    EXPECT_EQ(chain.boxes[3].value, "1990") << "what the port collected";
}

TEST(TheGraph, OfAnUnknownSchedulerNamesThoseThereAre) {
    const auto graphs = graph_of(tree(), "CPU");
    ASSERT_FALSE(graphs);
    EXPECT_EQ(graphs.error().exit, Exit::error);
    EXPECT_THAT(graphs.error().text, HasSubstr("CPU_LB X"));
}

TEST(TheGraph, OfAnEmptyTreeSaysHowToBegin) {
    const auto graphs = graph_of(Json::object(), "");
    ASSERT_TRUE(graphs);
    EXPECT_THAT(graph_text(*graphs, {}), HasSubstr("schedd-cli create schedulers/NAME"));
    EXPECT_THAT(graph_dot(*graphs), HasSubstr("digraph"));
}

TEST(TheGraph, EndsAtACycleThatCannotBe) {
    auto json = tree();
    auto& port = child(child(child(child(json, "schedulers"), "CPU_LB"), "load_balancing"), "process_load");
    port["flow"]["source"] = port["path"];
    EXPECT_TRUE(graph_of(json, ""));
}

TEST(TheGraph, SaysThatASchedulerHasNoPolicy) {
    auto json = tree();
    auto& scheduler = child(child(json, "schedulers"), "X");
    scheduler["children"].erase(1);
    const auto graphs = graph_of(json, "X");
    ASSERT_TRUE(graphs);
    EXPECT_THAT(graph_text(*graphs, {}), HasSubstr("no policy"));
    EXPECT_THAT(graph_dot(*graphs), Not(HasSubstr("decides")));
}

TEST(TheGraph, KeepsHostileNamesFromBreakingItsDotProgram) {
    auto json = tree();
    auto& set = child(child(child(json, "schedulers"), "CPU_LB"), "process_set");
    set["children"][0]["name"] = "exec:\"]; evil [label=<b>&\n";
    const auto graphs = graph_of(json, "CPU_LB");
    ASSERT_TRUE(graphs);
    const auto dot = graph_dot(*graphs);
    EXPECT_THAT(dot, HasSubstr("exec:&quot;]; evil [label=&lt;b&gt;&amp;\\x0a"));
    EXPECT_THAT(dot, Not(HasSubstr("label=<b>")));
}

TEST(TheGraph, KeepsTheWidthOfItsBoxesWhateverTheNames) {
    auto json = tree();
    auto& port = child(child(child(child(json, "schedulers"), "CPU_LB"), "load_balancing"), "process_load");
    port["name"] = std::string(500, 'x');
    const auto graphs = graph_of(json, "");
    ASSERT_TRUE(graphs);
    const auto text = graph_text(*graphs, {});
    for (std::size_t at = 0; at < text.size();) {
        const auto end = text.find('\n', at);
        EXPECT_LT(columns(std::string_view(text).substr(at, end - at)), 260U);
        at = end + 1;
    }
}

TEST(TheNarrowGraph, FitsIntoTheTerminal) {
    const auto graphs = graph_of(tree(), "CPU_LB");
    ASSERT_TRUE(graphs);
    const auto text = graph_text(*graphs, {.color = false, .utf8 = true, .width = 80});
    EXPECT_THAT(text, HasSubstr("freq_limit"));
    for (std::size_t at = 0; at < text.size();) {
        const auto end = text.find('\n', at);
        EXPECT_LE(columns(std::string_view(text).substr(at, end - at)), 80U);
        at = end + 1;
    }
}

} // namespace
} // namespace schedd::cli
