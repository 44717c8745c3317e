// Settings that hold for a while, over what is configured.
#include "service/overlay.h"

#include "tests/unit/config/config_world.h"

namespace schedd::test {
namespace {

using testing::HasSubstr;

/// wishful: wants what the test says.
class Wishful final : public Policy {
public:
    using Policy::Policy;
    std::vector<Decision> decide(const View& /*view*/) override { return {}; }
    [[nodiscard]] const Settings* settings() const override { return &wanted; }
    void settings_told(const std::string& trouble) override { told = trouble; }
    Settings wanted;
    std::string told;
};
const Descriptor kWishful{.name = "wishful",
                          .kind = Kind::policy,
                          .doc = "Wants things.",
                          .make = make_part<Wishful>};

struct AnOverlay : testing::Test {
    AnOverlay() {
        EXPECT_TRUE(world.apply("create schedulers/P\ncreate schedulers/P/wishful\n"
                                "create schedulers/A\ncreate schedulers/A/load_balancing\n"
                                "create schedulers/B\ncreate schedulers/B/load_balancing\n"
                                "write schedulers/A.precedence 3\n"));
    }
    void want(std::vector<std::array<const char*, 3>> settings, const char* who = "schedulers/P/wishful") {
        auto& wanted = world.at<Wishful>(who).wanted.settings;
        wanted.clear();
        for (const auto& [path, attribute, value] : settings)
            wanted.push_back({Path::parse(path).value(), attribute, value});
        std::ranges::sort(wanted);
        overlay->follow();
    }
    void hint(std::vector<FrequencyHint> hints) {
        world.at<Wishful>("schedulers/P/wishful").wanted.hints = std::move(hints);
        overlay->follow();
    }
    [[nodiscard]] std::string told() const { return world.at<Wishful>("schedulers/P/wishful").told; }

    World world{{&kTestProbe, &kTestPolicy, &kOtherPolicy, &kWishful}};
    std::size_t transactions = 0;
    std::optional<Error> refusal;
    std::unique_ptr<Overlay> overlay =
        std::make_unique<Overlay>(world.tree, [this](const Recipe& recipe) -> Status {
            ++transactions;
            if (refusal) return std::unexpected(*refusal);
            return world.tree.apply(recipe);
        });
};

TEST_F(AnOverlay, WritesWhatIsWantedAndPutsBackWhatWasThere) {
    want({{"schedulers/A", "precedence", "9"}, {"schedulers/B", "active", "false"}});
    EXPECT_EQ(world.read("schedulers/A.precedence"), "9");
    EXPECT_EQ(world.read("schedulers/B.active"), "false");
    EXPECT_EQ(transactions, 1U);
    overlay->follow();
    EXPECT_EQ(transactions, 1U) << "nothing new";
    want({{"schedulers/A", "precedence", "8"}});
    EXPECT_EQ(world.read("schedulers/A.precedence"), "8");
    EXPECT_EQ(world.read("schedulers/B.active"), "true");
    want({});
    EXPECT_EQ(world.read("schedulers/A.precedence"), "3");
    EXPECT_EQ(overlay->size(), 0U);
}
TEST_F(AnOverlay, EndsWithThePolicyThatWantsIt) {
    want({{"schedulers/A", "precedence", "9"}});
    ASSERT_TRUE(world.apply("remove -r schedulers/P"));
    overlay->follow();
    EXPECT_EQ(world.read("schedulers/A.precedence"), "3");
}
TEST_F(AnOverlay, EndsWhileThePolicyIsEjectedOrNotActive) {
    want({{"schedulers/A", "precedence", "9"}});
    world.at<Scheduler>("schedulers/P").set_ejected("too slow");
    overlay->follow();
    EXPECT_EQ(world.read("schedulers/A.precedence"), "3");
    world.at<Scheduler>("schedulers/P").set_ejected("");
    overlay->follow();
    EXPECT_EQ(world.read("schedulers/A.precedence"), "9");
    ASSERT_TRUE(world.apply("write schedulers/P.active false"));
    overlay->follow();
    EXPECT_EQ(world.read("schedulers/A.precedence"), "3");
}
TEST_F(AnOverlay, LeavesToOthersWhatTheyHaveWrittenSince) {
    want({{"schedulers/A", "precedence", "9"}});
    ASSERT_TRUE(world.apply("write schedulers/A.precedence 5"));
    overlay->follow();
    EXPECT_EQ(world.read("schedulers/A.precedence"), "5");
    EXPECT_THAT(told(), HasSubstr("schedulers/A.precedence was written by somebody else"));
    want({});
    EXPECT_EQ(world.read("schedulers/A.precedence"), "5") << "theirs";
    EXPECT_EQ(told(), "");
    want({{"schedulers/A", "precedence", "9"}});
    EXPECT_EQ(world.read("schedulers/A.precedence"), "9") << "wanted anew";
    want({});
    EXPECT_EQ(world.read("schedulers/A.precedence"), "5");
}
TEST_F(AnOverlay, MeansAllPoliciesOfATypeByAStar) {
    want({{"schedulers/*/load_balancing", "factor", "7"}});
    EXPECT_EQ(world.read("schedulers/A/load_balancing.factor"), "7");
    EXPECT_EQ(world.read("schedulers/B/load_balancing.factor"), "7");
    ASSERT_TRUE(world.apply("create schedulers/C\ncreate schedulers/C/load_balancing"));
    overlay->follow();
    EXPECT_EQ(world.read("schedulers/C/load_balancing.factor"), "7");
    ASSERT_TRUE(world.apply("remove -r schedulers/C"));
    want({});
    EXPECT_NE(world.read("schedulers/A/load_balancing.factor"), "7");
}
TEST_F(AnOverlay, GivesTheLargerPrecedenceItsWay) {
    ASSERT_TRUE(
        world.apply("create schedulers/Q\ncreate schedulers/Q/wishful\nwrite schedulers/Q.precedence 1"));
    want({{"schedulers/A", "precedence", "9"}});
    want({{"schedulers/A", "precedence", "11"}}, "schedulers/Q/wishful");
    EXPECT_EQ(world.read("schedulers/A.precedence"), "11");
    EXPECT_THAT(told(), HasSubstr("set to 11 by another scheduler"));
    want({}, "schedulers/Q/wishful");
    EXPECT_EQ(world.read("schedulers/A.precedence"), "9");
    want({});
    EXPECT_EQ(world.read("schedulers/A.precedence"), "3");
}
TEST_F(AnOverlay, DoesAllOrNothingAndAsksOnce) {
    refusal = Error{Errc::busy, "it is held", "by the test"};
    want({{"schedulers/A", "precedence", "9"}, {"schedulers/B", "precedence", "9"}});
    overlay->follow();
    EXPECT_EQ(transactions, 1U);
    EXPECT_EQ(world.read("schedulers/A.precedence"), "3");
    EXPECT_THAT(overlay->trouble(), HasSubstr("it is held"));
    EXPECT_THAT(told(), HasSubstr("no setting holds: it is held"));
    refusal.reset();
    want({{"schedulers/A", "precedence", "9"}});
    EXPECT_EQ(world.read("schedulers/A.precedence"), "9");
    EXPECT_EQ(overlay->trouble(), "");
}
TEST_F(AnOverlay, SaysWhatItCannotSet) {
    want({{"schedulers/Z", "precedence", "9"},
          {"schedulers/A", "precedence", "much"},
          {"schedulers/B", "active", "no"}});
    EXPECT_THAT(told(), HasSubstr("schedulers/Z.precedence is not set"));
    EXPECT_THAT(told(), HasSubstr("schedulers/A.precedence is not set"));
    EXPECT_EQ(world.read("schedulers/B.active"), "false");
}
TEST_F(AnOverlay, IsNotPartOfTheConfiguration) {
    const auto before = export_toml(world.tree);
    want({{"schedulers/A", "precedence", "9"}, {"schedulers/B", "active", "false"}});
    overlay->lift();
    EXPECT_EQ(export_toml(world.tree), before);
    ASSERT_TRUE(world.apply("write schedulers/A.precedence 4")); // what a file says now
    overlay->lay();
    EXPECT_EQ(world.read("schedulers/A.precedence"), "9");
    want({});
    EXPECT_EQ(world.read("schedulers/A.precedence"), "4");
}
TEST_F(AnOverlay, TakesWhatOtherNodesWriteForThatWhichIsPutBack) {
    want({{"schedulers/A", "precedence", "9"}});
    const auto recipe =
        parse_recipe("write schedulers/A.precedence 6\nwrite schedulers/B.precedence 2").value();
    const auto rest = overlay->kept_out(recipe);
    ASSERT_EQ(rest.size(), 1U);
    ASSERT_TRUE(world.tree.apply(rest));
    EXPECT_EQ(world.read("schedulers/A.precedence"), "9");
    want({});
    EXPECT_EQ(world.read("schedulers/A.precedence"), "6");
    EXPECT_EQ(world.read("schedulers/B.precedence"), "2");
}
TEST_F(AnOverlay, DoesNotSurviveThePartItLiesOn) {
    want({{"schedulers/A", "precedence", "9"}});
    ASSERT_TRUE(world.apply("remove -r schedulers/A"));
    ASSERT_TRUE(world.apply("create schedulers/A"));
    overlay->follow();
    EXPECT_EQ(world.read("schedulers/A.precedence"), "9");
    want({});
    EXPECT_EQ(world.read("schedulers/A.precedence"), "0");
}
TEST_F(AnOverlay, GivesEachCpuTheFirstHint) {
    auto& first = world.at<Wishful>("schedulers/P/wishful").wanted;
    first.hints = {{.cpus = CpuSet::range(0, 3), .preference = "power"}};
    ASSERT_TRUE(world.apply("create schedulers/Q\ncreate schedulers/Q/wishful"));
    world.at<Wishful>("schedulers/Q/wishful").wanted.hints = {
        {.cpus = CpuSet::range(2, 5), .preference = "performance"}};
    overlay->follow();
    ASSERT_EQ(overlay->hints().size(), 2U);
    EXPECT_EQ(overlay->hints()[1].cpus.text(), "4-5");
}
TEST_F(AnOverlay, TellsThoseThatWantHintsWhyTheyDoNotHold) {
    hint({{.cpus = CpuSet::range(0, 3), .preference = "power", .most_khz = 1'800'000}});
    EXPECT_EQ(told(), "");
    overlay->hints_told("frequency is off", "");
    EXPECT_EQ(told(), "the table of P asks for epp=power max_mhz=1800, but frequency is off");
    overlay->follow();
    EXPECT_EQ(told(), "the table of P asks for epp=power max_mhz=1800, but frequency is off");
    ASSERT_EQ(overlay->complaints().size(), 1U);
    EXPECT_EQ(overlay->complaints().begin()->first.text(), "schedulers/P/wishful");
    overlay->hints_told("", "preferences are another's");
    EXPECT_EQ(told(), "the table of P asks for epp=power max_mhz=1800, but preferences are another's");
    hint({{.cpus = CpuSet::range(0, 3), .most_khz = 1'800'000}});
    overlay->hints_told("", "preferences are another's");
    EXPECT_EQ(told(), "") << "it asks for none";
    overlay->hints_told("frequency is off", "");
    hint({});
    EXPECT_EQ(told(), "");
    EXPECT_TRUE(overlay->complaints().empty());
}

} // namespace
} // namespace schedd::test
