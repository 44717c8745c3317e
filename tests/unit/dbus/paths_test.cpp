// Tree paths as object paths and back.
#include "dbus/paths.h"

#include <set>

#include <gtest/gtest.h>

#include "components/kit/limits.h"
#include "components/kit/rng.h"

namespace schedd::dbus {
namespace {

using model::Path;

bool is_object_path(const std::string& text) {
    if (text.empty() || text.front() != '/' || text.ends_with('/') || text.find("//") != std::string::npos)
        return false;
    return text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_/") ==
           std::string::npos;
}

TEST(AnObjectPath, EscapesWhatIsNoLetterOrDigit) {
    EXPECT_EQ(object_path(Path({"probes", "cpu", "node_load"})), "/org/schedd1/probes/cpu/node_5fload");
    EXPECT_EQ(object_path(Path({"schedulers", "CPU_LB", "process_set", "exec:/usr/bin/make"})),
              "/org/schedd1/schedulers/CPU_5fLB/process_5fset/exec_3a_2fusr_2fbin_2fmake");
    EXPECT_EQ(object_path(Path()), "/org/schedd1");
}

TEST(AnObjectPath, ComesBackAsThePathItWas) {
    for (const auto& path : {Path(), Path({"probes"}), Path({"a_b", "a-b", "a.b"}), Path({"_5f", "__", "_"}),
                             Path({"\xff\x01", "gr\xc3\xbc"}), Path({".", ".."}), Path({"%2F", "a b\n"})}) {
        const auto text = object_path(path);
        EXPECT_TRUE(is_object_path(text)) << text;
        const auto back = tree_path(text);
        ASSERT_TRUE(back) << text;
        EXPECT_EQ(*back, path) << text;
    }
}

TEST(AnObjectPath, IsOneToOneForEveryByte) {
    std::set<std::string> seen;
    for (int byte = 1; byte < 256; ++byte) {
        const Path path({std::string(1, static_cast<char>(byte))});
        const auto text = object_path(path);
        EXPECT_TRUE(is_object_path(text));
        EXPECT_TRUE(seen.insert(text).second) << text;
        const auto back = tree_path(text);
        ASSERT_TRUE(back) << text;
        EXPECT_EQ(*back, path);
    }
}

TEST(AnObjectPath, SurvivesTheTripForRandomBytes) {
    kit::Rng rng(7);
    for (int round = 0; round < 2000; ++round) {
        std::vector<std::string> names(1 + rng.below(6));
        for (auto& name : names)
            for (auto length = 1 + rng.below(20); length > 0; --length)
                name += static_cast<char>(1 + rng.below(255));
        const Path path(names);
        const auto back = tree_path(object_path(path));
        ASSERT_TRUE(back);
        ASSERT_EQ(*back, path);
    }
}

TEST(AnObjectPath, HoldsTheLongestName) {
    const Path path({"schedulers", "x", "process_set", std::string(limits::kMemberLength, '\xfe')});
    const auto back = tree_path(object_path(path));
    ASSERT_TRUE(back);
    EXPECT_EQ(*back, path);
}

TEST(AnObjectPath, IsRefusedWhenTheTreeWouldNotWriteItSo) {
    for (const std::string_view text :
         {"", "/", "/org/schedd", "/org/schedd1/", "/org/schedd1x", "/org/schedd1//a", "/org/schedd1/a/",
          "/org/schedd1/a-b", "/org/schedd1/_", "/org/schedd1/_5", "/org/schedd1/_5F", "/org/schedd1/_zz",
          "/org/schedd1/_00", "/org/schedd1/_61", "org/schedd1/a"}) {
        const auto path = tree_path(text);
        ASSERT_FALSE(path) << text;
        EXPECT_EQ(path.error().kind, Errc::invalid_value);
        EXPECT_FALSE(path.error().detail.empty());
    }
}

TEST(AnObjectPath, IsRefusedBeyondTheLimits) {
    std::string deep(kRootPath);
    for (std::size_t i = 0; i <= limits::kPathDepth; ++i) deep += "/a";
    EXPECT_FALSE(tree_path(deep));
    EXPECT_FALSE(tree_path(std::string(kRootPath) + "/" + std::string(limits::kMemberLength + 1, 'a')));
}

TEST(APathFromACaller, MayBeInEitherNotation) {
    const Path path({"probes", "cpu", "node_load"});
    EXPECT_EQ(parse_path("probes/cpu/node_load").value(), path);
    EXPECT_EQ(parse_path("/probes/cpu/node_load").value(), path);
    EXPECT_EQ(parse_path("/org/schedd1/probes/cpu/node_5fload").value(), path);
    EXPECT_EQ(parse_path("/org/schedd1").value(), Path());
    EXPECT_FALSE(parse_path("/org/schedd1/probes/cpu/node_load"));
}

} // namespace
} // namespace schedd::dbus
