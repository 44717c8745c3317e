// Which units have the section, by all the names that drop-ins go by.
#include "service/systemd/unit_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "components/kit/limits.h"
#include "tests/unit/systemd/temporary_tree.h"

namespace schedd::systemd {
namespace {

using test::TemporaryTree;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(DropIns, GoByTheNamesThatSystemdLooksFor) {
    EXPECT_THAT(names_for_drop_ins("foo.service"), ElementsAre("foo.service", "service"));
    EXPECT_THAT(names_for_drop_ins("a-b-c.service"),
                ElementsAre("a-b-c.service", "a-b-.service", "a-.service", "service"));
    EXPECT_THAT(names_for_drop_ins("a-b@x-y.service"),
                ElementsAre("a-b@x-y.service", "a-b@.service", "a-.service", "a-@x-y.service", "a-@.service",
                            "service"));
    EXPECT_THAT(names_for_drop_ins("a-b@.service"),
                ElementsAre("a-b@.service", "a-.service", "a-@.service", "service"));
    EXPECT_THAT(names_for_drop_ins("user-1000.slice"),
                ElementsAre("user-1000.slice", "user-.slice", "slice"));
    EXPECT_THAT(names_for_drop_ins("-.slice"), ElementsAre("-.slice", "slice"));
    EXPECT_THAT(names_for_drop_ins("junk"), testing::Contains("junk"));
}
TEST(TheIndex, HoldsWhatHasTheSectionAndNothingElse) {
    const TemporaryTree tree;
    tree.write("etc/foo.service", "[Unit]\n[X-Schedd]\nScheduler=A\n");
    tree.write("etc/bar.service", "[Unit]\n");
    tree.write("etc/bar.service.d/10.conf", "[Service]\n");
    tree.write("lib/bar.service.d/20.conf", "[X-Schedd]\n");
    tree.write("lib/baz.service.d/notes.txt", "[X-Schedd]\n");
    tree.write("lib/web@.service.d/10.conf", "[X-Schedd]\n");
    tree.write("lib/user-.slice.d/10.conf", "[X-Schedd]\n");
    const std::vector<std::string> path{tree.path("etc"), tree.path("lib"), tree.path("missing")};
    const auto index = SectionIndex::scan(path);
    EXPECT_FALSE(index.empty());
    for (const auto* unit : {"foo.service", "bar.service", "web@1.service", "user-1000.slice"})
        EXPECT_TRUE(index.may_concern(unit)) << unit;
    for (const auto* unit : {"baz.service", "foo.socket", "web.service", "user.slice"})
        EXPECT_FALSE(index.may_concern(unit)) << unit;
    EXPECT_THAT(index.single_units(), ElementsAre("bar.service", "foo.service"));
    EXPECT_TRUE(SectionIndex::scan({}).empty());
}
TEST(TheIndex, KnowsDropInsForAWholeType) {
    const TemporaryTree tree;
    tree.write("service.d/10.conf", "[X-Schedd]\nScheduler=A\n");
    const std::vector<std::string> path{tree.path("")};
    const auto index = SectionIndex::scan(path);
    EXPECT_TRUE(index.may_concern("any.service"));
    EXPECT_FALSE(index.may_concern("any.slice"));
    EXPECT_THAT(index.single_units(), IsEmpty());
}
TEST(AWish, IsThatOfAllFilesInTheirOrder) {
    const TemporaryTree tree;
    const auto first = tree.write("foo.service", "[X-Schedd]\nScheduler=A\nClass=batch\n");
    const auto second = tree.write("10.conf", "[X-Schedd]\nClass=latency\n");
    const auto wish = wish_of({"foo.service", true, true, {first, second, "/dev/null"}});
    ASSERT_EQ(wish.schedulers.size(), 1U);
    EXPECT_EQ(wish.schedulers.front().text, "A");
    EXPECT_EQ(wish.attributes.at("class").text, "latency");
    EXPECT_THAT(wish.complaints, IsEmpty());
}
TEST(AWish, ComplainsOfFilesThatCannotBeRead) {
    const TemporaryTree tree;
    const auto long_one = tree.write("long.conf", std::string(limits::kUnitFile + 1, '#'));
    const auto wish = wish_of({"foo.service", true, true, {tree.path("gone"), long_one, tree.path("")}});
    EXPECT_TRUE(wish.empty());
    EXPECT_THAT(wish.complaints,
                ElementsAre(HasSubstr("gone"), HasSubstr("too long"), HasSubstr("is not a file")));
}

} // namespace
} // namespace schedd::systemd
