// Schedulers that come with a program and go with its work.
#include "service/exec_templates.h"

#include "components/kit/limits.h"
#include "tests/unit/config/config_world.h"

namespace schedd::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

struct Templates : testing::Test {
    void define(const std::string& text) {
        auto desired = parse_config("t.toml", text);
        ASSERT_TRUE(desired) << desired.error().text();
        ASSERT_TRUE(ExecTemplates::check(*desired, world.tree));
        templates.set(std::move(desired->templates));
    }
    std::string schedulers() {
        std::string names;
        for (const auto& child : world.tree.schedulers().children()) names += child->name() + " ";
        return names;
    }
    void run(Pid pid, const std::string& program, Pid parent = 1) {
        world.start(
            {.pid = pid, .comm = "sh", .parent = parent, .executable = program, .command_line = program});
    }

    ConfigWorld world;
    ExecTemplates templates{world.tree, [this](const Recipe& recipe) { return world.tree.apply(recipe); }};
};

constexpr const char* kBuild = "[probe.cpu]\n[template.BUILD]\nexec = [\"/usr/bin/make\", \"*/ninja -j*\"]\n"
                               "policy = \"load_balancing\"\nprecedence = 7\n"
                               "[template.BUILD.ports]\nnode_load = \"cpu/load\"\n";

TEST_F(Templates, MakeASchedulerForAProgramAndItsChildren) {
    ASSERT_TRUE(world.apply("create probes/cpu\n"));
    define(kBuild);
    templates.look();
    EXPECT_EQ(schedulers(), "");
    run(100, "/usr/bin/make");
    run(101, "/usr/bin/cc", 100);
    templates.look();
    EXPECT_EQ(schedulers(), "BUILD-100 ");
    EXPECT_EQ(world.read("schedulers/BUILD-100.precedence"), "7");
    EXPECT_EQ(world.read("schedulers/BUILD-100/load_balancing/node_load.source"), "probes/cpu/load");
    EXPECT_EQ(world.at<Scheduler>("schedulers/BUILD-100").process_set().subjects({}).size(), 2U);
}
TEST_F(Templates, LetGoWhenTheLastOfThemHasEnded) {
    ASSERT_TRUE(world.apply("create probes/cpu\n"));
    define(kBuild);
    run(100, "/usr/bin/make");
    run(101, "/usr/bin/cc", 100);
    templates.look();
    world.end(100);
    templates.look();
    EXPECT_EQ(schedulers(), "BUILD-100 ") << "a child goes on";
    world.end(101);
    templates.look();
    EXPECT_EQ(schedulers(), "");
}
TEST_F(Templates, GiveNoneToWhatDescendsFromOneThatHas) {
    ASSERT_TRUE(world.apply("create probes/cpu\n"));
    define(kBuild);
    run(100, "/usr/bin/make");
    run(101, "/bin/sh", 100);
    run(102, "/usr/bin/make", 101);
    run(200, "/opt/ninja -j4");
    templates.look();
    EXPECT_EQ(schedulers(), "BUILD-100 BUILD-200 ");
}
TEST_F(Templates, SeeAProgramThatIsStartedByARunningProcess) {
    ASSERT_TRUE(world.apply("create probes/cpu\n"));
    define(kBuild);
    run(100, "/bin/sh");
    templates.look();
    EXPECT_EQ(schedulers(), "");
    world.proc.add({.pid = 100, .executable = "/usr/bin/make"});
    world.table.apply({.what = ProcessEvent::What::exec, .pid = 100});
    templates.look();
    EXPECT_EQ(schedulers(), "BUILD-100 ");
}
TEST_F(Templates, DoNotMindThatSomebodyRemovedTheirScheduler) {
    ASSERT_TRUE(world.apply("create probes/cpu\n"));
    define(kBuild);
    run(100, "/usr/bin/make");
    templates.look();
    ASSERT_TRUE(world.apply("remove -r schedulers/BUILD-100\n"));
    world.end(100);
    templates.look();
    EXPECT_EQ(schedulers(), "");
    EXPECT_TRUE(world.log.lines().back().message.starts_with("made for"));
}
TEST_F(Templates, AreBounded) {
    ASSERT_TRUE(world.apply("create probes/cpu\n"));
    define(kBuild);
    for (int i = 0; i < 70; ++i) run(1000 + i, "/usr/bin/make");
    templates.look();
    EXPECT_EQ(world.tree.schedulers().children().size(), limits::kTemplateInstances);
    EXPECT_EQ(world.log.count("which is the limit"), 70U - limits::kTemplateInstances);
}
TEST_F(Templates, AreExportedInThePlaceOfWhatTheyHaveMade) {
    ASSERT_TRUE(world.apply("create probes/cpu\ncreate schedulers/OWN\n"));
    const std::string text = std::string(kBuild) +
                             "[template.PLAIN]\nexec = [\"/bin/a \\\"b\\\"\"]\n"
                             "policy = \"mine:load_balancing\"\nhold_profile = "
                             "\"performance\"\n[template.PLAIN.attributes]\nfactor = 3\n";
    define(text);
    const auto before = export_toml(world.tree, templates.all(), templates.made(true));
    run(100, "/usr/bin/make");
    run(101, "/usr/bin/cc", 100);
    templates.look();
    ASSERT_EQ(schedulers(), "OWN BUILD-100 ");
    EXPECT_EQ(export_toml(world.tree, templates.all(), templates.made(true)), before);
    world.end(100);
    EXPECT_EQ(export_toml(world.tree, templates.all(), templates.made(true)), before) << "a child goes on";
    EXPECT_THAT(before, HasSubstr("[template.BUILD]\nexec = [\"/usr/bin/make\", \"*/ninja -j*\"]\n"));
    const auto again = parse_config("again.toml", before);
    ASSERT_TRUE(again) << again.error().text();
    EXPECT_TRUE(ExecTemplates::check(*again, world.tree));
    EXPECT_TRUE(templates.check_known(again->templates));
    EXPECT_EQ(export_toml(world.tree, again->templates, templates.made(true)), before);
    auto verbs = recipe_to(*again, world.tree, true).value();
    templates.keep_out(verbs);
    EXPECT_TRUE(verbs.empty()) << "what templates made stays: " << text_of(verbs.front());
}
TEST_F(Templates, AreExportedBesideWhatWasChangedByHand) {
    ASSERT_TRUE(world.apply("create probes/cpu\n"));
    define(kBuild);
    run(100, "/usr/bin/make");
    run(200, "/usr/bin/make");
    templates.look();
    ASSERT_TRUE(world.apply("write schedulers/BUILD-200.precedence 9\n"));
    auto text = export_toml(world.tree, templates.all(), templates.made(true));
    EXPECT_THAT(text, AllOf(HasSubstr("[scheduler.BUILD-200]"), HasSubstr("precedence = 9"),
                            HasSubstr("[template.BUILD]"), testing::Not(HasSubstr("BUILD-100"))));
    templates.set({});
    text = export_toml(world.tree, templates.all(), templates.made(true));
    EXPECT_THAT(text, AllOf(HasSubstr("[scheduler.BUILD-100]"), testing::Not(HasSubstr("template"))));
}
TEST_F(Templates, AreNotBroughtByARecipe) {
    define("[template.BUILD]\nexec = [\"/usr/bin/make\"]\n");
    const auto refusal = [&](const std::string& text) {
        const auto known = templates.check_known(parse_config("r.toml", text).value().templates);
        return known ? std::string() : known.error().text();
    };
    EXPECT_EQ(refusal("[template.BUILD]\nexec = [\"/usr/bin/make\"]\n"), "");
    EXPECT_THAT(refusal("[template.BUILD]\nexec = [\"/usr/bin/ninja\"]\n"),
                AllOf(HasSubstr("r.toml:1"), HasSubstr("[template.BUILD]"), HasSubstr("schedulers.d")));
}
TEST_F(Templates, SayWhatIsWrongWithThemBeforeTheyAreUsed) {
    const auto refusal = [&](const std::string& text) {
        auto desired = parse_config("t.toml", text);
        if (!desired) return desired.error().text();
        const auto checked = ExecTemplates::check(*desired, world.tree);
        return checked ? std::string("none") : checked.error().text();
    };
    EXPECT_EQ(refusal(kBuild), "none");
    EXPECT_THAT(refusal("[template.B]\npolicy = \"load_balancing\"\n"),
                AllOf(HasSubstr("t.toml:1"), HasSubstr("for which programs")));
    EXPECT_THAT(refusal("[template.B]\nexec = \"make\"\n"), HasSubstr("t.toml:2"));
    EXPECT_THAT(refusal("[template.B]\nexec = [\"\"]\n"), HasSubstr("t.toml:2"));
    EXPECT_THAT(refusal("[template.B]\nexec = [\"x\"]\nprocess_set = []\n"),
                AllOf(HasSubstr("unknown key 'process_set'"), HasSubstr("exec policy precedence")));
    EXPECT_THAT(refusal("[template.B]\nexec = [\"x\"]\npolicy = \"nonsense\"\n"),
                AllOf(HasSubstr("t.toml:3"), HasSubstr("nonsense")));
    EXPECT_THAT(refusal("[template.B]\nexec = [\"x\"]\npolicy = \"load_balancing\"\n[template.B.ports]\n"
                        "node_load = \"no/load\"\n"),
                HasSubstr("t.toml:5"));
}

} // namespace
} // namespace schedd::test
