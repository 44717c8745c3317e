// Layouts beyond what the golden files hold: empty, huge and hostile answers.
#include "cli/print.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/golden/golden.h"

namespace schedd::cli {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

Json data(std::string_view name) {
    auto json = parse_json(golden::read_data(name), name);
    return json ? *json : Json();
}

TEST(EveryLayout, SurvivesAnAnswerOfAnotherShape) {
    for (const char* text :
         {"null", "[]", "{}", "7", "\"x\"",
          R"({"schedulers":3,"findings":"x","changes":{},"subjects":[1,null],"children":[1]})"}) {
        const auto json = parse_json(text, "test");
        ASSERT_TRUE(json);
        EXPECT_NO_THROW({
            print_status(*json, {});
            print_tree(*json, {});
            print_listing(*json, Listing::attributes);
            print_attributes(*json, {});
            print_types(*json, "", {});
            print_explain(*json, {});
            print_verify(*json, {});
            print_changes(*json, {});
        }) << text;
    }
}

TEST(EveryLayout, LetsNoControlCharacterThrough) {
    auto tree = data("tree.json");
    for (auto& probe : tree["children"][0]["children"]) {
        probe["name"] = "evil\x1b[2J\n";
        probe["trouble"] = "bell\a";
    }
    const auto text = print_tree(tree, {}) + print_explain(data("explain.json"), {});
    EXPECT_TRUE(
        std::ranges::all_of(text, [](char c) { return c == '\n' || static_cast<unsigned char>(c) >= ' '; }));
    EXPECT_THAT(text, HasSubstr("evil\\x1b[2J\\x0a"));
}

TEST(TheTree, OfEightThousandPartsHasALineForEach) {
    Json folder{{"name", "probes"}, {"kind", "folder"}, {"path", "probes"}, {"children", Json::array()}};
    for (int i = 0; i < 8192; ++i)
        folder["children"].push_back({{"name", "p" + std::to_string(i)},
                                      {"kind", "probe"},
                                      {"type", "cpu"},
                                      {"path", "probes/p"},
                                      {"attributes", {{"probe_period", {{"value", i}, {"unit", "ms"}}}}},
                                      {"children", Json::array()}});
    const auto text = print_tree(folder, {});
    EXPECT_EQ(std::ranges::count(text, '\n'), 8193);
    EXPECT_THAT(text, HasSubstr("└─ p8191"));
}

TEST(TheTree, ShowsWhatAFilterTookInAndPutOut) {
    EXPECT_THAT(print_tree(data("tree.json"), {}), HasSubstr("2013 → 1990"));
}

TEST(TheTree, SaysWhyThereIsNoValue) {
    EXPECT_THAT(print_tree(data("tree.json"), {}), HasSubstr("(no value: no source is linked to it)"));
}

TEST(TheTree, ShowsAProbesTrouble) {
    EXPECT_THAT(print_tree(data("tree.json"), {}), HasSubstr("trouble: proc/schedstat"));
}

TEST(TheTree, SaysHowManyValuesItDoesNotShow) {
    EXPECT_THAT(print_tree(data("tree.json"), {}),
                HasSubstr("4711=1000 4712=998 4713=12 4714=3 and 66 more"));
}

TEST(AListing, HoldsOnlyWhatWasAskedFor) {
    const auto tree = data("tree.json");
    EXPECT_EQ(print_listing(tree, Listing::schedulers), "CPU_LB\nX\n");
    EXPECT_EQ(print_listing(tree, Listing::members), "process:4711\nsession:77\nexec:/usr/bin/make\n");
    EXPECT_THAT(print_listing(tree, Listing::writable), HasSubstr("process:4711.weight\n"));
    EXPECT_THAT(print_listing(tree, Listing::writable), Not(HasSubstr(".state\n")));
    EXPECT_THAT(print_listing(tree, Listing::sources), EndsWith("probes/mem_probe/ram_total\n"));
    EXPECT_THAT(print_listing(tree, Listing::sinks), Not(HasSubstr("probes/")));
    EXPECT_THAT(print_listing(tree, Listing::attributes), HasSubstr("probes/cpu.probe_period\n"));
    EXPECT_THAT(print_listing(tree, Listing::parts), testing::StartsWith("probes\nprobes/cpu\n"));
}

TEST(TheAttributes, OfAPartWithoutAnyAreNothing) { EXPECT_EQ(print_attributes(Json::object(), {}), ""); }

TEST(AType, IsFoundByItsShortNameToo) {
    const auto types = data("types.json");
    EXPECT_EQ(print_types(types, "threshold", {}), print_types(types, "threshold_filter", {}));
    EXPECT_EQ(print_types(types, "no_such_type", {}), "");
    EXPECT_THAT(type_names(types), HasSubstr("threshold_filter"));
}

TEST(AType, WithManyChoicesKeepsItsSentencesOnTheScreen) {
    const Json attribute = {{"name", "level"},
                            {"default", "auto"},
                            {"accepted",
                             "one of: auto core l3 numa package l3,core numa,core numa,l3 numa,l3,core"},
                            {"doc", "What is balanced."}};
    const auto text =
        print_types({{{"name", "p"}, {"kind", "policy"}, {"attributes", {attribute}}}}, "p", {});
    EXPECT_THAT(text, HasSubstr("numa,l3  What is balanced.\n")) << text;
    EXPECT_THAT(text, HasSubstr("\n                       numa,l3,core\n")) << text;
}

TEST(AnInstance, SaysItsTypeOnlyWhenItsNameDoesNot) {
    EXPECT_FALSE(says_more("threshold_filter", "threshold", "filter"));
    EXPECT_FALSE(says_more("cpu", "cpu", "probe"));
    EXPECT_FALSE(says_more("", "x", "port"));
    EXPECT_TRUE(says_more("cpu", "fast", "probe"));
}

TEST(TheVerdict, IsOneSentenceWhenEverythingHolds) {
    EXPECT_EQ(print_verify({{"ok", true}, {"findings", Json::array()}}, {}),
              "Everything holds: what is wanted is what the machine says.\n");
}

TEST(TheVerdict, DoesNotSpeakForAMachineThatNothingIsWrittenTo) {
    const auto text = print_verify({{"ok", true}, {"findings", Json::array()}, {"dry_run", true}}, {});
    EXPECT_THAT(text, HasSubstr("Nothing is written"));
    EXPECT_THAT(text, Not(HasSubstr("machine says")));
}

TEST(TheVerdict, CountsConflictsApartFromDifferences) {
    const Json conflict = {{"target", "process:1"}, {"scheduler", "B"}, {"state", "conflict"}};
    const Json drift = {{"target", "process:2"}, {"scheduler", "A"}, {"state", "overridden"}};
    EXPECT_THAT(print_verify({{"ok", false}, {"findings", {conflict}}}, {}),
                testing::StartsWith("1 conflict between schedulers:\n"));
    EXPECT_THAT(print_verify({{"ok", false}, {"findings", {conflict, drift, conflict}}}, {}),
                testing::StartsWith("1 difference between what is wanted and what the machine says, and "
                                    "2 conflicts between schedulers:\n"));
    const Json lost = {{"target", "schedulers/A#x"}, {"scheduler", ""}, {"state", "orphan"}};
    EXPECT_THAT(print_verify({{"ok", false}, {"findings", {lost, conflict}}}, {}),
                testing::StartsWith("1 conflict between schedulers, and 1 change of the configuration "
                                    "without effect:\n"));
}

TEST(TheExplanation, OfADryRunClaimsNothingOfTheMachine) {
    const auto text = print_explain({{"subjects",
                                      {{{"target", "process:1"},
                                        {"state", "applied"},
                                        {"wanted", "0-1"},
                                        {"written", "0-1"},
                                        {"effective", "0-1"},
                                        {"detail", "dry run: nothing was written"}}}}},
                                    {});
    EXPECT_THAT(text, HasSubstr("wanted 0-1, would be written 0-1\n"));
    EXPECT_THAT(text, HasSubstr("applied: so it would be (dry run: nothing was written)"));
}

TEST(TheStatus, WithoutSchedulersSaysHowToMakeOne) {
    EXPECT_THAT(print_status({{"schedulers", Json::array()}}, {}),
                HasSubstr("schedd-cli create schedulers/NAME"));
}

TEST(TheExplanation, OfAnEmptySchedulerIsASentence) {
    EXPECT_THAT(print_explain({{"subjects", Json::array()}}, {}), HasSubstr("no process belongs to it"));
}

} // namespace
} // namespace schedd::cli
