// The table of verbs.
#include <set>

#include <gtest/gtest.h>

#include "cli/options.h"
#include "cli/verbs.h"

namespace schedd::cli {
namespace {

TEST(EveryVerb, HasAFunctionAnExampleAndAName) {
    std::set<std::string_view> names;
    for (const auto& verb : verb_specs()) {
        EXPECT_TRUE(names.insert(verb.name).second) << verb.name << " is there twice";
        EXPECT_NE(run_of(verb.name), nullptr) << verb.name;
        EXPECT_TRUE(verb.example.starts_with("schedd-cli " + std::string(verb.name))) << verb.name;
        EXPECT_EQ(find_verb(verb.name), &verb);
    }
    EXPECT_EQ(run_of("nonsense"), nullptr);
}

TEST(EveryVerb, HasAnExampleThatItAccepts) {
    for (const auto& verb : verb_specs()) {
        // As a shell would split it; quotes only ever hold blanks here.
        std::vector<std::string> words(1);
        bool quoted = false;
        for (const char c : verb.example) {
            if (c == '\'') quoted = !quoted;
            else if (c == '>') break;
            else if (c == ' ' && !quoted) words.emplace_back();
            else words.back() += c;
        }
        words.erase(words.begin());
        while (!words.empty() && words.back().empty()) words.pop_back();
        const auto invocation = find_invocation(words);
        ASSERT_TRUE(invocation) << verb.example;
        const auto options = parse_options(*invocation, "system");
        EXPECT_TRUE(options) << verb.example << ": " << options.error().text;
    }
}

TEST(TheNearestVerb, IsTheOneThatWasMeant) {
    EXPECT_EQ(nearest_verb("sttaus"), "status");
    EXPECT_EQ(nearest_verb("crate"), "create");
    EXPECT_EQ(nearest_verb("expl"), "explain");
    EXPECT_EQ(nearest_verb("detahc"), "detach");
}

TEST(TheNearestVerb, IsNoneWhenNothingIsNear) {
    EXPECT_EQ(nearest_verb("frobnicate"), "");
    EXPECT_EQ(nearest_verb(""), "");
    EXPECT_EQ(nearest_verb(std::string(100'000, 'x')), "");
}

} // namespace
} // namespace schedd::cli
