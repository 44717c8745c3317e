// The table of nodes: what is told in it, what is left out, and answers of another shape.
#include <sstream>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "cli/print.h"
#include "tests/golden/golden.h"

namespace schedd::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

Json nodes() { return *parse_json(golden::read_data("nodes.json"), "nodes.json"); }

std::size_t widest(const std::string& text) {
    std::size_t most = 0;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) most = std::max(most, columns(line));
    return most;
}

TEST(TheNodes, AreAnsweredForInOneSentenceWhereThereIsNoCluster) {
    EXPECT_EQ(print_nodes({{"on", false}, {"off", "there is no key"}, {"nodes", Json::array()}}, {}),
              "membership is off: there is no key\n");
    EXPECT_EQ(print_nodes({{"on", true}, {"nodes", Json::array()}}, {}), "No node has been heard yet.\n");
}

TEST(TheNodes, SurviveAnAnswerOfAnotherShape) {
    for (const char* text :
         {"null", "[]", "{}", "7", R"({"on":1,"nodes":3})", R"({"on":true,"nodes":[1,null,"x",[]]})",
          R"({"on":true,"nodes":[{"number":"x","addresses":{},"values":[1],"applied":[],"loss":"x"}]})",
          R"({"on":true,"nodes":{"a":{"values":{"x":1}}}})"}) {
        const auto json = parse_json(text, "test");
        ASSERT_TRUE(json) << text;
        EXPECT_NO_THROW({ print_nodes(*json, {}); }) << text;
        EXPECT_NO_THROW({ print_nodes(*json, {.color = true, .utf8 = false, .width = 40}); }) << text;
    }
}

TEST(TheNodes, AreNamedWithoutWhatCouldHarmATerminal) {
    auto json = nodes();
    json["nodes"][1]["name"] = "\x1b[2J";
    json["nodes"][1]["trouble"] = "a\nb";
    json["cluster"] = "\x07";
    const auto text = print_nodes(json, {});
    EXPECT_EQ(text.find('\x1b'), std::string::npos);
    EXPECT_EQ(text.find('\x07'), std::string::npos);
    EXPECT_THAT(text, HasSubstr("a\\x0ab"));
}

TEST(TheNodes, ShowLoadsAsFarAsTheyFit) {
    const auto all = print_nodes(nodes(), {});
    EXPECT_THAT(all, HasSubstr("cpu/node_load"));
    EXPECT_THAT(all, HasSubstr("fast/node_load"));
    EXPECT_THAT(all, HasSubstr("free"));
    const auto bare = print_nodes(nodes(), {.color = false, .utf8 = true, .width = 1});
    EXPECT_THAT(bare, Not(HasSubstr("node_load")));
    const auto width = widest(bare) + 8; // room for "free" alone, whose values have seven digits
    const auto some =
        print_nodes(nodes(), {.color = false, .utf8 = true, .width = static_cast<int>(width) + 1});
    EXPECT_THAT(some, HasSubstr("free"));
    EXPECT_THAT(some, Not(HasSubstr("fast/node_load")));
    EXPECT_LE(widest(some), width + 1);
}

TEST(TheNodes, SayWhatNoColumnDoes) {
    const auto text = print_nodes(nodes(), {});
    EXPECT_THAT(text, HasSubstr("this node"));
    EXPECT_THAT(text, HasSubstr("told directly; loses 12 %; clock 2 s ahead"));
    EXPECT_THAT(text, HasSubstr("still runs 1f2e3d4c"));
    EXPECT_THAT(text, HasSubstr("11, 1 failed"));
    EXPECT_THAT(text, HasSubstr("12, 2 unsupported"));
    EXPECT_THAT(text, HasSubstr("4 nodes, 2 of them for new work"));
    EXPECT_THAT(text, HasSubstr("00000000000000a3")); // who has no name
}

} // namespace
} // namespace schedd::cli
