// A tree written out, as TOML and as verbs, is the same tree when read back.
#include "tests/unit/config/config_world.h"

namespace schedd::test {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

/// A tree with everything that is hard to write down.
constexpr std::string_view kOdd = R"(
create probes/cpu
create probes/slow test_probe
write probes/slow.probe_period 60000
create schedulers/B
create schedulers/A
write schedulers/A.precedence -7
write schedulers/A.node_set 0-2,5,web-1.example
write schedulers/A.node_set_exclusive true
write schedulers/B.node_set 7
write schedulers/B.node_set_max_fit true
write probes/slow.publish "memory load"
create schedulers/A/mine test_policy
write schedulers/A/mine.quiet true
write schedulers/A/mine.factor -100
create schedulers/A/mine/node_load/upper ported
write schedulers/A/mine/node_load/upper.words "a \"quoted\", | (word) \\ end"
create schedulers/A/mine/node_load/upper/pass
link probes/slow/load schedulers/A/mine/node_load/upper/pass
create schedulers/A/mine/node_load/upper/extra/threshold
write schedulers/A/mine/node_load/upper/extra/threshold.threshold 9
create schedulers/A/process_set/process:12
create schedulers/A/process_set/exec:%2Fbin%2F%FF%22x%22
write schedulers/A/process_set/exec:%2Fbin%2F%FF%22x%22.weight 10000
create schedulers/A/process_set/exec:*%0Dß
create schedulers/B/process_set/process:10
create schedulers/B/test_policy
link probes/cpu/process_load schedulers/B/test_policy/process_load
create schedulers/All
write schedulers/All/process_set.handle_all true
)";

TEST(AnEmptyTree, IsExportedAsACommentAlone) {
    const ConfigWorld w;
    const auto text = export_toml(w.tree);
    EXPECT_TRUE(text.starts_with("# "));
    EXPECT_EQ(text.find('\n'), text.size() - 1);
    EXPECT_THAT(export_recipe(w.tree), IsEmpty());
}

TEST(AnExportedTree, ComparesEqualToItself) {
    for (const auto lines : {std::string_view(""), kOdd}) {
        ConfigWorld w;
        const auto applied = w.apply(lines);
        ASSERT_TRUE(applied) << applied.error().text();
        const auto text = export_toml(w.tree);
        EXPECT_THAT(w.verbs_to(text), IsEmpty()) << text;
        EXPECT_THAT(w.verbs_to(text, true), IsEmpty()) << text;
    }
}

TEST(AnExportedTree, IsBuiltAgainFromItsToml) {
    ConfigWorld w;
    ASSERT_TRUE(w.apply(kOdd));
    const auto text = export_toml(w.tree);
    ConfigWorld copy;
    ASSERT_EQ(copy.take(text), "") << text;
    EXPECT_EQ(export_toml(copy.tree), text);
}

TEST(AnExportedRecipe, BuildsTheSameTreeWithTheSameStacking) {
    ConfigWorld w;
    ASSERT_TRUE(w.apply(kOdd));
    // process:10 of B was attached after the members of A, though B stands first
    std::string lines;
    for (const auto& verb : export_recipe(w.tree)) lines += text_of(verb) + "\n";
    ConfigWorld copy;
    const auto applied = copy.apply(lines);
    ASSERT_TRUE(applied) << applied.error().text() << "\n" << lines;
    EXPECT_EQ(export_toml(copy.tree), export_toml(w.tree));
    EXPECT_LT(copy.at<Member>("schedulers/A/process_set/process:12").order(),
              copy.at<Member>("schedulers/B/process_set/process:10").order());
    EXPECT_LT(copy.at<Member>("schedulers/B/process_set/process:10").order(),
              copy.at<ProcessSet>("schedulers/All/process_set").handle_all_order());
}

TEST(TheExport, NamesOnlyWhatIsNotByDefault) {
    ConfigWorld w;
    ASSERT_EQ(w.take(kSlides), "");
    const auto text = export_toml(w.tree);
    EXPECT_THAT(text, HasSubstr("[probe.cpu]\nprobe_period = 500\n"));
    EXPECT_THAT(text, HasSubstr("policy = \"load_balancing\"\n"));
    EXPECT_THAT(text, HasSubstr("process_set = [\n    \"process:10\",\n    { member = \"process:11\", weight "
                                "= 200 },\n]\n"));
    EXPECT_THAT(text, HasSubstr("node_load = \"cpu/load | threshold(threshold=100) | pass\"\n"));
    EXPECT_THAT(text, HasSubstr("[scheduler.CPU_LB.attributes]\nlevel = \"core\"\n"));
    EXPECT_THAT(text, Not(HasSubstr("gain")));
    EXPECT_THAT(text, Not(HasSubstr("mood")));
    EXPECT_THAT(text, Not(HasSubstr("type =")));
}

TEST(TheExport, LeavesOutReportedState) {
    ConfigWorld w;
    ASSERT_EQ(w.take(kSlides), "");
    w.at<Member>("schedulers/CPU_LB/process_set/process:10").report_text(Member::kState, "applied");
    EXPECT_THAT(export_toml(w.tree), Not(HasSubstr("applied")));
}

} // namespace
} // namespace schedd::test
