// Files that somebody writes.
#include "service/host/file_watches.h"

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/service/world.h"

namespace schedd::host {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

struct WatchedFiles : testing::Test {
    WatchedFiles() {
        for (const auto* file : {"a", "b"}) write(file, "0-3");
    }
    [[nodiscard]] std::string path(const std::string& name) const { return top.path() + "/" + name; }
    void write(const std::string& name, const std::string& text) const { top.write(name, text); }
    std::vector<std::string> written() { return watches->drain().names; }

    test::TempDir top;
    std::unique_ptr<FileWatches> watches = FileWatches::open().value();
};

TEST_F(WatchedFiles, AreToldByTheNamesOfWhoAsked) {
    ASSERT_TRUE(watches->follow("foo.service", path("a")));
    ASSERT_TRUE(watches->follow("bar.service", path("b")));
    EXPECT_THAT(written(), IsEmpty());
    write("a", "2");
    write("a", "3");
    EXPECT_THAT(written(), ElementsAre("foo.service"));
    write("b", "2");
    write("a", "2");
    EXPECT_THAT(written(), ElementsAre("bar.service", "foo.service"));
    EXPECT_THAT(written(), IsEmpty());
}
TEST_F(WatchedFiles, AreFollowedToAnotherPlace) {
    ASSERT_TRUE(watches->follow("foo.service", path("a")));
    ASSERT_TRUE(watches->follow("foo.service", path("b")));
    write("a", "2");
    EXPECT_THAT(written(), IsEmpty());
    write("b", "2");
    EXPECT_THAT(written(), ElementsAre("foo.service"));
    EXPECT_EQ(watches->size(), 1U);
}
TEST_F(WatchedFiles, AreLetGo) {
    ASSERT_TRUE(watches->follow("foo.service", path("a")));
    watches->let_go("foo.service");
    watches->let_go("never.service");
    write("a", "2");
    EXPECT_THAT(written(), IsEmpty());
    EXPECT_EQ(watches->size(), 0U);
}
TEST_F(WatchedFiles, ThatAreRemovedAreForgottenAndMayComeAgain) {
    ASSERT_TRUE(watches->follow("foo.service", path("a")));
    std::filesystem::remove(path("a"));
    EXPECT_THAT(written(), IsEmpty());
    EXPECT_EQ(watches->size(), 0U);
    EXPECT_EQ(watches->follow("foo.service", path("a")).error().kind, Errc::no_such_object);
    write("a", "1");
    ASSERT_TRUE(watches->follow("foo.service", path("a")));
    write("a", "2");
    EXPECT_THAT(written(), ElementsAre("foo.service"));
}

} // namespace
} // namespace schedd::host
