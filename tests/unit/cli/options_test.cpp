// Command lines taken apart.
#include "cli/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace schedd::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Answer<Options> parse(const std::vector<std::string>& words) {
    const auto invocation = find_invocation(words);
    if (!invocation) return std::unexpected(invocation.error());
    return parse_options(*invocation, "unix:path=/default");
}

std::string refusal(const std::vector<std::string>& words) {
    const auto options = parse(words);
    if (options) return "accepted";
    EXPECT_EQ(options.error().exit, Exit::usage);
    return options.error().text;
}

TEST(ACommandLine, HasItsOptionsBeforeOrBehindTheVerb) {
    for (const auto& words :
         std::vector<std::vector<std::string>>{{"--bus", "session", "--json=short", "status"},
                                               {"status", "--bus=session", "--json", "short"}}) {
        const auto options = parse(words);
        ASSERT_TRUE(options);
        EXPECT_EQ(options->bus, "session");
        EXPECT_EQ(options->json, JsonForm::compact);
    }
}

TEST(ACommandLine, TakesTheDefaultBusWithoutABus) {
    const auto options = parse({"status"});
    ASSERT_TRUE(options);
    EXPECT_EQ(options->bus, "unix:path=/default");
}

TEST(ACommandLine, RefusesABusThatIsNone) {
    EXPECT_THAT(refusal({"status", "--bus=foo"}), HasSubstr("unix:path="));
}

TEST(ACommandLine, NeedsAVerb) {
    EXPECT_THAT(refusal({}), HasSubstr("no verb"));
    EXPECT_THAT(refusal({"--bus=session"}), HasSubstr("no verb"));
}

TEST(ACommandLine, NamesTheVerbThatWasMeant) {
    EXPECT_THAT(refusal({"staus"}), HasSubstr("did you mean 'status'"));
}

TEST(ACommandLine, EscapesWhatItRepeats) { EXPECT_THAT(refusal({"\x1b[2J"}), HasSubstr("\\x1b[2J")); }

TEST(ACommandLine, RefusesAnOptionThatIsNotTheVerbs) {
    EXPECT_THAT(refusal({"status", "--recursive"}), HasSubstr("--recursive"));
    EXPECT_THAT(refusal({"set", "a.b", "1", "--json=short"}), HasSubstr("--json"));
    EXPECT_THAT(refusal({"tree", "--dry-run"}), HasSubstr("--dry-run"));
}

TEST(ACommandLine, NamesWhatWouldBeAccepted) {
    EXPECT_THAT(refusal({"status", "--json=xml"}), HasSubstr("'xml' is none of short, pretty, off"));
    EXPECT_THAT(refusal({"status", "--color=red"}), HasSubstr("auto, always, never"));
    EXPECT_THAT(refusal({"graph", "--format=png"}), HasSubstr("text, dot, svg"));
    EXPECT_THAT(refusal({"tree", "--list=all"}),
                HasSubstr("parts, attributes, writable, sources, sinks, schedulers, members"));
}

TEST(ACommandLine, ChecksTheNumberOfWords) {
    EXPECT_THAT(refusal({"link", "a"}), HasSubstr("link SOURCE|CHAIN SINK"));
    EXPECT_THAT(refusal({"status", "x"}), HasSubstr("1 word given"));
    EXPECT_THAT(refusal({"attach", "CPU_LB"}), HasSubstr("attach SCHEDULER MEMBER..."));
}

TEST(ACommandLine, ChecksTheRangeOfNumbers) {
    EXPECT_NE(refusal({"attach", "A", "process:1", "--weight=0"}), "accepted");
    EXPECT_NE(refusal({"attach", "A", "process:1", "--weight=10001"}), "accepted");
    EXPECT_NE(refusal({"attach", "A", "process:1", "--weight=-1"}), "accepted");
    EXPECT_NE(refusal({"attach", "A", "process:1", "--weight=1x"}), "accepted");
    const auto options = parse({"attach", "A", "process:1", "--weight=10000"});
    ASSERT_TRUE(options);
    EXPECT_EQ(options->weight, 10000U);
    EXPECT_NE(refusal({"attach", "A", "process:1", "--cpus=8193"}), "accepted");
    const auto unsaid = parse({"attach", "A", "process:1", "--cpus=0"});
    ASSERT_TRUE(unsaid) << "0 means the same as in the attribute";
    EXPECT_EQ(unsaid->cpus, 0U);
}

TEST(ACommandLine, TakesANegativeNumberAsAValue) {
    const auto options = parse({"set", "schedulers/A.precedence", "-5", "--dry-run"});
    ASSERT_TRUE(options) << options.error().text;
    EXPECT_THAT(options->words, ElementsAre("schedulers/A.precedence", "-5"));
    EXPECT_TRUE(options->dry_run);
}

TEST(ACommandLine, TakesEverythingBehindTwoDashesAsWords) {
    const auto options = parse({"set", "--", "a.b", "--dry-run"});
    ASSERT_TRUE(options);
    EXPECT_THAT(options->words, ElementsAre("a.b", "--dry-run"));
    EXPECT_FALSE(options->dry_run);
}

TEST(ACommandLine, KeepsAChainAsOneWord) {
    const auto options =
        parse({"link", "cpu/node_load | threshold(threshold=100)", "schedulers/A/p/node_load"});
    ASSERT_TRUE(options);
    EXPECT_EQ(options->words[0], "cpu/node_load | threshold(threshold=100)");
}

TEST(ACommandLine, AcceptsNoPagerAsSystemdsToolsDo) { EXPECT_TRUE(parse({"status", "--no-pager"})); }

TEST(TheHelp, IsAskedForInThreeWays) {
    for (const auto& words :
         std::vector<std::vector<std::string>>{{"create", "--help"}, {"create", "-h"}, {"help", "create"}}) {
        const auto invocation = find_invocation(words);
        ASSERT_TRUE(invocation);
        ASSERT_NE(invocation->verb, nullptr);
        EXPECT_EQ(invocation->verb->name, "create");
        const auto options = parse_options(*invocation, "system");
        ASSERT_TRUE(options) << options.error().text;
        EXPECT_TRUE(options->help);
    }
}

TEST(TheHelp, WithoutAVerbIsTheGeneralOne) {
    for (const auto* word : {"--help", "-h", "help"}) {
        const auto invocation = find_invocation({word});
        ASSERT_TRUE(invocation);
        EXPECT_EQ(invocation->verb, nullptr);
        EXPECT_FALSE(invocation->rest.empty());
    }
}

} // namespace
} // namespace schedd::cli
