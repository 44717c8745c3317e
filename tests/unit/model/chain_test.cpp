// The pipe notation: which verbs a chain stands for, and what is refused.
#include "components/model/chain.h"

#include <gtest/gtest.h>

#include "components/kit/limits.h"

namespace schedd::model {
namespace {

/// The verbs as recipe lines joined by "; ", or "refused: ...".
std::string verbs(std::string_view chain) {
    const auto recipe = parse_chain(chain, Path({"P"}));
    if (!recipe) return "refused";
    std::string out;
    for (const auto& verb : *recipe) out += (out.empty() ? "" : "; ") + text_of(verb);
    return out;
}

TEST(AChain, OfASourceAloneIsALink) {
    EXPECT_EQ(verbs("cpu/node_load"), "link probes/cpu/node_load P");
    EXPECT_EQ(verbs("probes/cpu/node_load"), "link probes/cpu/node_load P");
    EXPECT_EQ(verbs("  cpu/node_load  "), "link probes/cpu/node_load P");
}
TEST(AChain, IsBuiltFromTheSinkDownAndLinkedLast) {
    EXPECT_EQ(verbs("cpu/node_load | average(half_life=2000) | threshold(threshold=100)"),
              "create P/threshold; write P/threshold.threshold 100; create P/threshold/average; "
              "write P/threshold/average.half_life 2000; link probes/cpu/node_load P/threshold/average");
}
TEST(AChain, NeedsNoBlanks) {
    EXPECT_EQ(verbs("a/b|c|d"), "create P/d; create P/d/c; link probes/a/b P/d/c");
}
TEST(AChain, MayNameAFilterApartFromItsType) {
    EXPECT_EQ(verbs("a/b | slow:average()"), "create P/slow average; link probes/a/b P/slow");
}
TEST(AChain, MayBeOpenBelow) { EXPECT_EQ(verbs("| threshold"), "create P/threshold"); }
TEST(AChain, TakesQuotedValues) {
    EXPECT_EQ(verbs("a/b | c(x=\"1|2, (3)\", y=4)"),
              "create P/c; write P/c.x \"1|2, (3)\"; write P/c.y 4; link probes/a/b P/c");
}
TEST(AChain, ThatCannotBeUnderstoodIsRefused) {
    for (const auto* text : {"",
                             " ",
                             "|",
                             "||",
                             "a/b|",
                             "a/b||c",
                             "a/b | ",
                             "a/b | c(",
                             "a/b | c)",
                             "a/b | c(x)",
                             "a/b | c(x=)",
                             "a/b | c(=1)",
                             "a/b | c(x.y=1)",
                             "a/b | c(x y=1)",
                             "a/b | c(x=1,)(",
                             "a/b | c d",
                             "a/b | c/d",
                             "a/b | .",
                             "a/b | c:",
                             "a/b | :c",
                             "a/b | c(x=\"1)",
                             "a//b",
                             "a/../b",
                             "a/b | c(x=\"1\"2)"})
        EXPECT_EQ(verbs(text), "refused") << text;
}
TEST(AChain, SaysWhereItWentWrong) {
    const auto refused = parse_chain("a/b | good | ba d", Path({"P"}));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, Errc::invalid_value);
    EXPECT_NE(refused.error().text().find("ba d"), std::string::npos);
}
TEST(AChain, HasALimitOfFilters) {
    std::string chain = "a/b";
    for (std::size_t i = 0; i < limits::kChainLength; ++i) chain += " | f";
    EXPECT_NE(verbs(chain), "refused");
    EXPECT_EQ(verbs(chain + " | f"), "refused");
    EXPECT_EQ(verbs("a/b" + std::string(100000, '|')), "refused");
}
TEST(AChain, StaysWithinTheDepthOfPaths) {
    const Path deep(std::vector<std::string>(limits::kPathDepth - 1, "x"));
    EXPECT_TRUE(parse_chain("a/b | f", deep));
    EXPECT_FALSE(parse_chain("a/b | f | g", deep));
}

} // namespace
} // namespace schedd::model
