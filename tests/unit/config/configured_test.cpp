// What a reload removes: what came from the files and is in them no longer, and nothing else.
#include "service/configured.h"

#include "tests/unit/config/config_world.h"

namespace schedd::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::string_view kTwo = "[probe.cpu]\n[scheduler.A]\npolicy = \"load_balancing\"\n"
                                  "process_set = [\"process:10\", \"process:11\"]\n";

struct AReload : testing::Test {
    ConfigWorld w;
    Configured configured;

    /// Loads a file as the daemon does; the verbs that remove.
    std::vector<std::string> load(std::string_view toml) {
        const auto desired = parse_config("t.toml", toml).value();
        auto recipe = recipe_to(desired, w.tree, false).value();
        const auto removals = configured.removals(desired, w.tree);
        recipe.insert(recipe.end(), removals.begin(), removals.end());
        const auto done = w.tree.apply(recipe);
        EXPECT_TRUE(done) << done.error().text();
        configured.note(recipe, w.tree);
        std::vector<std::string> lines;
        for (const auto& verb : removals) lines.push_back(text_of(verb));
        return lines;
    }
};

TEST_F(AReload, RemovesAMemberThatTheFileDoesNotNameAnyMore) {
    EXPECT_THAT(load(kTwo), IsEmpty());
    EXPECT_THAT(load("[probe.cpu]\n[scheduler.A]\npolicy = \"load_balancing\"\nprocess_set = "
                     "[\"process:11\"]\n"),
                ElementsAre("remove schedulers/A/process_set/process:10"));
    EXPECT_THAT(load("[probe.cpu]\n[scheduler.A]\npolicy = \"load_balancing\"\n"),
                ElementsAre("remove schedulers/A/process_set/process:11"));
}

TEST_F(AReload, LeavesMembersThatWereAttachedOverTheBus) {
    load(kTwo);
    ASSERT_TRUE(w.apply("create schedulers/A/process_set/process:12"));
    EXPECT_THAT(load(kTwo), IsEmpty());
    // named by a file later, it is still theirs
    load("[probe.cpu]\n[scheduler.A]\npolicy = \"load_balancing\"\nprocess_set = "
         "[\"process:10\", \"process:11\", \"process:12\"]\n");
    EXPECT_THAT(load(kTwo), IsEmpty());
}

TEST_F(AReload, RemovesASchedulerWithItsMembersOnceAndBeforeItsProbe) {
    load(kTwo);
    EXPECT_THAT(load(""), ElementsAre("remove -r schedulers/A", "remove -r probes/cpu"));
    EXPECT_THAT(load(""), IsEmpty());
}

TEST_F(AReload, ForgetsWhatSomebodyElseRemoved) {
    load(kTwo);
    ASSERT_TRUE(w.apply("remove schedulers/A/process_set/process:10"));
    load("[probe.cpu]\n[scheduler.A]\npolicy = \"load_balancing\"\nprocess_set = [\"process:11\"]\n");
    ASSERT_TRUE(w.apply("create schedulers/A/process_set/process:10"));
    EXPECT_THAT(load("[probe.cpu]\n[scheduler.A]\npolicy = \"load_balancing\"\nprocess_set = "
                     "[\"process:11\"]\n"),
                IsEmpty())
        << "it is theirs now";
}

} // namespace
} // namespace schedd::test
