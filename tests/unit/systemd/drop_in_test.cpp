// The drop-in of attach --persistent: it grows and shrinks, and only our own is touched.
#include "service/systemd/drop_in.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "service/systemd/unit_section.h"
#include "tests/unit/systemd/temporary_tree.h"

namespace schedd::systemd {
namespace {

using test::TemporaryTree;
using testing::HasSubstr;

constexpr const char* kFile = "foo.service.d/50-schedd.conf";

UnitWish parsed(const std::string& text) {
    UnitWish wish;
    read_section(wish, "foo.service", "f", text);
    return wish;
}

TEST(ADropIn, SaysWhatItWasToldAndWhoKeepsIt) {
    const TemporaryTree tree;
    const DropIn file(tree.path(""), "foo.service");
    ASSERT_TRUE(file.attach("CPU_LB", {{"class", "latency"}, {"cpus", "4"}}));
    ASSERT_TRUE(file.attach("100%", {{"cpus", "2"}}));
    ASSERT_TRUE(file.attach("CPU_LB", {})) << "twice is once";
    const auto wish = parsed(tree.read(kFile));
    ASSERT_EQ(wish.schedulers.size(), 2U);
    EXPECT_EQ(wish.schedulers[0].text, "CPU_LB");
    EXPECT_EQ(wish.schedulers[1].text, "100%");
    EXPECT_EQ(wish.attributes.at("class").text, "latency");
    EXPECT_EQ(wish.attributes.at("cpus").text, "2");
    EXPECT_THAT(tree.read(kFile), HasSubstr("detach --persistent"));
    EXPECT_FALSE(tree.has(std::string(kFile) + ".new"));
}
TEST(ADropIn, IsRemovedWithItsLastScheduler) {
    const TemporaryTree tree;
    const DropIn file(tree.path(""), "foo.service");
    ASSERT_TRUE(file.attach("A", {}));
    ASSERT_TRUE(file.attach("B", {}));
    ASSERT_TRUE(file.detach("A"));
    EXPECT_EQ(parsed(tree.read(kFile)).schedulers.front().text, "B");
    ASSERT_TRUE(file.detach("B"));
    EXPECT_FALSE(tree.has("foo.service.d"));
    EXPECT_EQ(file.detach("B").error().kind, Errc::no_such_object);
}
TEST(ADropIn, LeavesTheDirectoryToOthers) {
    const TemporaryTree tree;
    tree.write("foo.service.d/10-mine.conf", "[Service]\n");
    const DropIn file(tree.path(""), "foo.service");
    ASSERT_TRUE(file.attach("A", {}));
    ASSERT_TRUE(file.detach("A"));
    EXPECT_TRUE(tree.has("foo.service.d/10-mine.conf"));
    EXPECT_FALSE(tree.has(kFile));
}
TEST(ADropIn, OfSomebodyElseIsNotTouched) {
    const TemporaryTree tree;
    const std::string theirs = "[X-Schedd]\nScheduler=A\n";
    tree.write(kFile, theirs);
    const DropIn file(tree.path(""), "foo.service");
    for (const auto& done : {file.attach("B", {}), file.detach("A")}) {
        ASSERT_FALSE(done);
        EXPECT_EQ(done.error().kind, Errc::held_by_other);
        EXPECT_THAT(done.error().text(), HasSubstr("not written by schedd"));
    }
    EXPECT_EQ(tree.read(kFile), theirs);
}
TEST(ADropIn, CannotNameASchedulerWithABlank) {
    const TemporaryTree tree;
    EXPECT_EQ(DropIn(tree.path(""), "foo.service").attach("A B", {}).error().kind, Errc::invalid_value);
    EXPECT_FALSE(tree.has("foo.service.d"));
}
TEST(ADropIn, ThatCannotBeWrittenSaysWhere) {
    const TemporaryTree tree;
    tree.write("foo.service.d", "a file where the directory should be");
    const auto done = DropIn(tree.path(""), "foo.service").attach("A", {});
    ASSERT_FALSE(done);
    EXPECT_THAT(done.error().text(), HasSubstr("foo.service.d"));
}

} // namespace
} // namespace schedd::systemd
