// [X-Schedd] by systemd's rules, and what happens to what cannot be understood.
#include "service/systemd/unit_section.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "components/kit/limits.h"

namespace schedd::systemd {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

UnitWish read(std::string_view text, std::string_view unit = "foo.service") {
    UnitWish wish;
    read_section(wish, unit, "50.conf", text);
    return wish;
}
std::vector<std::string> schedulers(const UnitWish& wish) {
    std::vector<std::string> names;
    for (const auto& said : wish.schedulers) names.push_back(said.text);
    return names;
}
std::string attribute(const UnitWish& wish, const std::string& name) {
    const auto at = wish.attributes.find(name);
    return at == wish.attributes.end() ? "unsaid" : at->second.text;
}

TEST(ASection, SaysAllThatDesignNames) {
    const auto wish = read("[X-Schedd]\nScheduler=CPU_LB\nClass=latency\nCPUs=4\nExclusive=yes\n"
                           "Memory=local\nWeight=200\nOptOut=yes\nQuota=150\n");
    EXPECT_THAT(schedulers(wish), ElementsAre("CPU_LB"));
    EXPECT_EQ(wish.schedulers.front().where, "50.conf:2");
    EXPECT_EQ(attribute(wish, "class"), "latency");
    EXPECT_EQ(attribute(wish, "cpus"), "4");
    EXPECT_EQ(attribute(wish, "exclusive"), "true");
    EXPECT_EQ(attribute(wish, "memory"), "local");
    EXPECT_EQ(attribute(wish, "weight"), "200");
    EXPECT_EQ(attribute(wish, "quota"), "150");
    ASSERT_TRUE(wish.opt_out);
    EXPECT_EQ(wish.opt_out->where, "50.conf:8");
    EXPECT_THAT(wish.complaints, IsEmpty());
}
TEST(ASection, IsTheOnlyOneThatCounts) {
    const auto wish =
        read("[Service]\nScheduler=A\nOptOut=yes\n[X-Schedd]\nScheduler=B\n[X-Other]\nScheduler=C\n"
             "Nonsense\n[X-Schedd]\nScheduler=D\n");
    EXPECT_THAT(schedulers(wish), ElementsAre("B", "D"));
    EXPECT_FALSE(wish.opt_out);
    EXPECT_THAT(wish.complaints, IsEmpty());
}
TEST(ASection, AddsToListsAndAnEmptyAssignmentTakesThemBack) {
    EXPECT_THAT(schedulers(read("[X-Schedd]\nScheduler=A B\nScheduler=C\nScheduler=A\n")),
                ElementsAre("A", "B", "C"));
    const auto wish = read("[X-Schedd]\nScheduler=A\nClass=batch\nOptOut=yes\nScheduler=\nClass=\nOptOut=\n"
                           "Scheduler=B\n");
    EXPECT_THAT(schedulers(wish), ElementsAre("B"));
    EXPECT_EQ(attribute(wish, "class"), "unsaid");
    EXPECT_FALSE(wish.opt_out);
}
TEST(ASection, IsReadOverSeveralFilesInOrder) {
    UnitWish wish;
    read_section(wish, "foo.service", "foo.service", "[X-Schedd]\nScheduler=A\nClass=batch\nCPUs=2\n");
    read_section(wish, "foo.service", "10.conf", "[X-Schedd]\nScheduler=\nClass=latency\n");
    read_section(wish, "foo.service", "20.conf", "[X-Schedd]\nScheduler=B\n");
    EXPECT_THAT(schedulers(wish), ElementsAre("B"));
    EXPECT_EQ(wish.schedulers.front().where, "20.conf:2");
    EXPECT_EQ(attribute(wish, "class"), "latency");
    EXPECT_EQ(attribute(wish, "cpus"), "2");
}
TEST(ASection, HasSystemdsCommentsBlanksAndContinuedLines) {
    const auto wish =
        read("\xEF\xBB\xBF# first\n;second\n  [X-Schedd]  \r\n\tScheduler = A \\\n# in between\n"
             "   B \\\n C\n  # Class=batch\nWeight = 0x10 \n");
    EXPECT_THAT(schedulers(wish), ElementsAre("A", "B", "C"));
    EXPECT_EQ(attribute(wish, "weight"), "0x10");
    EXPECT_THAT(wish.complaints, IsEmpty());
}
TEST(ASection, TakesSystemdsWordsForYesAndNo) {
    for (const auto* yes : {"1", "yes", "Y", "TRUE", "t", "On"})
        EXPECT_EQ(parse_systemd_boolean(yes), true) << yes;
    for (const auto* no : {"0", "no", "N", "False", "f", "OFF"})
        EXPECT_EQ(parse_systemd_boolean(no), false) << no;
    for (const auto* junk : {"", "2", "ja", "yes no"}) EXPECT_EQ(parse_systemd_boolean(junk), std::nullopt);
    EXPECT_EQ(attribute(read("[X-Schedd]\nExclusive=off\n"), "exclusive"), "false");
    EXPECT_FALSE(read("[X-Schedd]\nOptOut=yes\nOptOut=no\n").opt_out);
}
TEST(ASection, PutsInWhatSpecifiersStandFor) {
    EXPECT_THAT(schedulers(read("[X-Schedd]\nScheduler=lb-%i %p 100%%\n", "web@eu.service")),
                ElementsAre("lb-eu", "web", "100%"));
    EXPECT_THAT(schedulers(read("[X-Schedd]\nScheduler=%n\n")), ElementsAre("foo.service"));
    const auto wish = read("[X-Schedd]\nScheduler=%q A %\n");
    EXPECT_THAT(schedulers(wish), ElementsAre("A"));
    EXPECT_THAT(wish.complaints, ElementsAre(HasSubstr("'%q' is no name"), HasSubstr("'%' is no name")));
}
TEST(ABadLine, IsToldWithFileLineAndWhatWouldBeAcceptedAndTheRestCounts) {
    const auto wish = read("[X-Schedd]\nColour=red\nClass=fast\nCPUs=-1\nWeight=0\nOptOut=perhaps\nnonsense\n"
                           "Memory=\xFF\nScheduler=A\n");
    EXPECT_THAT(schedulers(wish), ElementsAre("A"));
    EXPECT_TRUE(wish.attributes.empty());
    EXPECT_FALSE(wish.opt_out);
    EXPECT_THAT(wish.complaints,
                ElementsAre(AllOf(HasSubstr("50.conf:2: there is no key 'Colour'"), HasSubstr("known are")),
                            AllOf(HasSubstr("50.conf:3: Class cannot be 'fast'"), HasSubstr("latency")),
                            AllOf(HasSubstr("50.conf:4: CPUs"), HasSubstr("from 0 to 8192")),
                            AllOf(HasSubstr("50.conf:5: Weight"), HasSubstr("from 1 to 10000")),
                            AllOf(HasSubstr("50.conf:6: OptOut"), HasSubstr("yes or no")),
                            AllOf(HasSubstr("50.conf:7: 'nonsense'"), HasSubstr("KEY=VALUE")),
                            HasSubstr("50.conf:8: the line is no UTF-8")));
}
TEST(ABadLine, DoesNotUnsayWhatWasSaidBefore) {
    EXPECT_EQ(attribute(read("[X-Schedd]\nCPUs=4\nCPUs=many\n"), "cpus"), "4");
    EXPECT_TRUE(read("[X-Schedd]\nOptOut=yes\nOptOut=maybe\n").opt_out);
}
TEST(ABadLine, EndsTheFileWhereItEndsItForSystemd) {
    const auto wish = read("[X-Schedd]\nScheduler=A\n[X-Sche\nScheduler=B\n");
    EXPECT_THAT(schedulers(wish), ElementsAre("A"));
    EXPECT_THAT(wish.complaints, ElementsAre(HasSubstr("50.conf:3: '[X-Sche' is no section")));
}
TEST(AHostileFile, WithAMegabyteLineOrNulsDoesNoHarm) {
    const auto huge =
        read("[X-Schedd]\nScheduler=A\nClass=" + std::string(limits::kUnitLine, 'x') + "\nScheduler=B\n");
    EXPECT_THAT(schedulers(huge), ElementsAre("A"));
    EXPECT_THAT(huge.complaints, ElementsAre(HasSubstr("50.conf:3: the line is too long")));
    using namespace std::string_view_literals;
    EXPECT_THAT(schedulers(read("[X-Schedd]\0Scheduler=A\0\0Scheduler=B"sv)), ElementsAre("A", "B"));
    EXPECT_TRUE(read("").empty());
    EXPECT_TRUE(read("\\").empty());
    EXPECT_TRUE(read("[X-Schedd]\n\\\n\\").empty());
}
TEST(AHostileFile, IsBoundedInSchedulersAndComplaints) {
    std::string text = "[X-Schedd]\n";
    for (int i = 0; i < 100; ++i) text += "Scheduler=S" + std::to_string(i) + "\nBad=1\n";
    const auto wish = read(text);
    EXPECT_EQ(wish.schedulers.size(), limits::kUnitSchedulers);
    EXPECT_EQ(wish.complaints.size(), limits::kUnitComplaints);
}

} // namespace
} // namespace schedd::systemd
