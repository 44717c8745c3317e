// The fakes themselves: what tests rely on must hold.
#include <set>

#include <gtest/gtest.h>

#include "tests/kit/fake_host.h"
#include "tests/kit/fake_process_kernel.h"

namespace schedd::test {
namespace {

struct Host : ::testing::Test {
    FakeHost host;
    std::array<char, 8> buffer{};
    std::set<std::string> names(const std::string& path) {
        std::set<std::string> found;
        (void)host.list(path, [&](std::string_view name) { found.emplace(name); });
        return found;
    }
};
using AFakeHost = Host;

TEST_F(AFakeHost, ReadsWhatWasSetAndCutsAtTheBuffer) {
    host.set("a/b", "0123456789");
    EXPECT_EQ(host.read("a/b", buffer).value(), "01234567");
    EXPECT_EQ(host.read("a", buffer).error().kind, Errc::no_such_object);
}
TEST_F(AFakeHost, ListsEachEntryOfADirectoryOnce) {
    host.set("proc/1/stat", "");
    host.set("proc/1/status", "");
    host.set("proc/1-x/stat", "");
    host.set("proc/10/task/10/stat", "");
    host.set_link("proc/7/exe", "/bin/x");
    host.set("process", "");
    EXPECT_EQ(names("proc"), (std::set<std::string>{"1", "1-x", "10", "7"}));
    EXPECT_EQ(names("proc/1"), (std::set<std::string>{"stat", "status"}));
    EXPECT_FALSE(host.list("nowhere", [](std::string_view) {}));
}
TEST_F(AFakeHost, TellsAHolderThatItsFileIsGoneForGood) {
    host.set("a", "1");
    const auto file = host.open("a");
    ASSERT_TRUE(file);
    host.set("a", "2");
    EXPECT_EQ((*file)->read(buffer).value(), "2");
    host.remove("a");
    host.set("a", "3");
    EXPECT_EQ((*file)->read(buffer).error().kind, Errc::no_such_object);
    EXPECT_EQ(host.read("a", buffer).value(), "3");
}
TEST_F(AFakeHost, OpensNoMoreThanItsBudget) {
    host.set("a", "1");
    host.set_open_budget(2);
    auto one = host.open("a");
    auto two = host.open("a");
    EXPECT_TRUE(one && two);
    EXPECT_FALSE(host.open("a"));
    EXPECT_EQ(host.open_now(), 2U);
    one->reset();
    EXPECT_TRUE(host.open("a"));
}
TEST_F(AFakeHost, FailsAsItIsTold) {
    host.set_error("a", {Errc::denied, "a", "no"});
    EXPECT_EQ(host.open("a").error().kind, Errc::denied);
    EXPECT_EQ(host.read("a", buffer).error().kind, Errc::denied);
    host.set("a", "1");
    EXPECT_TRUE(host.open("a"));
    EXPECT_EQ(host.counts().opens, 3U);
    host.reset_counts();
    EXPECT_EQ(host.counts().opens, 0U);
}
TEST(AFakeKernel, EndsTheHoldsOfAProcessThatEnds) {
    FakeProcessKernel kernel;
    EXPECT_FALSE(kernel.hold(5));
    kernel.set(5, 6, 7);
    const auto hold = kernel.hold(5);
    ASSERT_TRUE(hold);
    EXPECT_EQ(kernel.ids(5)->session, 7);
    kernel.end(5);
    EXPECT_FALSE((*hold)->alive());
    kernel.set(5, 1, 1);
    EXPECT_FALSE((*hold)->alive());
}

} // namespace
} // namespace schedd::test
