// Recipes as text: reading, writing back, errors with their line.
#include "components/model/verb.h"

#include <gtest/gtest.h>

#include "components/kit/limits.h"

namespace schedd::model {
namespace {

std::string round_trip(std::string_view text) {
    const auto recipe = parse_recipe(text);
    if (!recipe) return "refused: " + recipe.error().text();
    std::string out;
    for (const auto& verb : *recipe) out += text_of(verb) + "\n";
    return out;
}

TEST(ARecipe, ReadsBackWhatItIsWrittenAs) {
    const std::string text = "create probes/cpu\n"
                             "create probes/fast cpu\n"
                             "write probes/cpu.probe_period 500\n"
                             "read probes/cpu.probe_period\n"
                             "link probes/cpu/node_load schedulers/S/p/node_load\n"
                             "unlink schedulers/S/p/node_load\n"
                             "remove schedulers/S/p\n"
                             "remove -r schedulers/S\n";
    EXPECT_EQ(round_trip(text), text);
}
TEST(ARecipe, SkipsBlankLinesAndComments) {
    EXPECT_EQ(round_trip("\n  # a comment\n\t\ncreate probes/cpu # why\r\n"), "create probes/cpu\n");
    EXPECT_EQ(round_trip(""), "");
}
TEST(ARecipe, TakesSetForWrite) {
    EXPECT_EQ(round_trip("set probes/cpu.probe_period 500"), "write probes/cpu.probe_period 500\n");
}
TEST(ARecipe, UnfoldsAChain) {
    EXPECT_EQ(round_trip("link 'cpu/load | threshold(threshold=5)' schedulers/S/p/x"),
              "create schedulers/S/p/x/threshold\nwrite schedulers/S/p/x/threshold.threshold 5\n"
              "link probes/cpu/load schedulers/S/p/x/threshold\n");
}
TEST(ARecipe, KeepsValuesWithBlanksQuotesAndBackslashes) {
    for (const std::string value : {"", "a b", "it's", "say \"no\"", "#no comment", "a\\b", "\\", "'\"\\ "}) {
        const Recipe recipe{{.what = Verb::Do::write, .path = Path({"a"}), .word = "text", .value = value}};
        const auto again = parse_recipe(text_of(recipe.front()));
        ASSERT_TRUE(again) << value;
        EXPECT_EQ(std::get<std::string>(again->front().value), value);
    }
}
TEST(ARecipe, KeepsTheRoot) {
    EXPECT_EQ(round_trip("remove -r /\nunlink ''\nwrite /.name x\n"),
              "remove -r /\nunlink /\nwrite /.name x\n");
}
TEST(ARecipe, KeepsMemberNamesWithSlashesAndBlanks) {
    const Path path({"schedulers", "S", "process_set", "exec:/usr/bin/make -j*"});
    const auto again = parse_recipe(text_of(Verb{.what = Verb::Do::create, .path = path}));
    ASSERT_TRUE(again);
    EXPECT_EQ(again->front().path, path);
}
TEST(ARecipe, NamesTheLineOfAnError) {
    for (const auto* line :
         {"frobnicate a",    "create",     "create a b c", "remove",          "remove -x a",   "remove -r",
          "write a.b",       "write a b",  "write a. b",   "write 'a.b c' d", "write a.b/c d", "read a",
          "link a",          "link a b c", "unlink",       "unlink a b",      "create a//b",   "create 'open",
          "link 'a/b | ' c", "CREATE a",   "create \"a"}) {
        const auto recipe = parse_recipe(std::string("create probes/x\n\n") + line + "\ncreate probes/y");
        ASSERT_FALSE(recipe) << line;
        EXPECT_TRUE(recipe.error().what.starts_with("line 3: ")) << recipe.error().what;
    }
}
TEST(ARecipe, HasLimits) {
    EXPECT_EQ(parse_recipe(std::string(limits::kConfigBytes + 1, ' ')).error().kind, Errc::limit_exceeded);
    std::string many;
    for (std::size_t i = 0; i <= limits::kRecipeVerbs; ++i) many += "unlink a\n";
    EXPECT_EQ(parse_recipe(many).error().kind, Errc::limit_exceeded);
}

} // namespace
} // namespace schedd::model
