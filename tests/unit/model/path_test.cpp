// Paths: parsing, escaping and the limits, hostile input included.
#include "components/model/path.h"

#include <gtest/gtest.h>

#include "components/kit/limits.h"

namespace schedd::model {
namespace {

TEST(APath, IsAListOfNames) {
    const auto path = Path::parse("schedulers/CPU_LB/load_balancing").value();
    EXPECT_EQ(path.names(), (std::vector<std::string>{"schedulers", "CPU_LB", "load_balancing"}));
    EXPECT_EQ(path.leaf(), "load_balancing");
    EXPECT_EQ(path.parent().text(), "schedulers/CPU_LB");
    EXPECT_EQ(path.child("x").text(), "schedulers/CPU_LB/load_balancing/x");
    EXPECT_EQ(path.depth(), 3U);
}
TEST(APath, OfNothingIsTheRoot) {
    EXPECT_TRUE(Path::parse("")->is_root());
    EXPECT_TRUE(Path::parse("/")->is_root());
    EXPECT_EQ(Path().text(), "");
}
TEST(APath, MayBeginWithASlash) { EXPECT_EQ(Path::parse("/probes/cpu"), Path::parse("probes/cpu")); }
TEST(APath, HoldsAnyByteInANameByEscaping) {
    const std::string names[] =
        {"exec:/usr/bin/make -j*", "a b", "100%", "%2F", "\x01\xff\n", "ümlaut", ".", "..", "...", "a.b"};
    for (const auto& name : names) {
        const Path path({"schedulers", name});
        const auto again = Path::parse(path.text());
        ASSERT_TRUE(again) << path.text();
        EXPECT_EQ(*again, path) << path.text();
    }
    EXPECT_EQ(escape_name("exec:/usr/bin/make"), "exec:%2Fusr%2Fbin%2Fmake");
}
TEST(APath, EveryByteComesBack) {
    for (int byte = 1; byte < 256; ++byte) {
        const Path path({std::string("a") + static_cast<char>(byte) + "z"});
        EXPECT_EQ(Path::parse(path.text()).value(), path) << byte;
    }
}
TEST(AnEscapedName, ComesBackWhateverItsLengthAndBytes) {
    for (const std::string& name :
         {std::string(), std::string("a\0b", 3), std::string(5000, '/'), std::string("..")})
        EXPECT_EQ(unescape_name(escape_name(name)), name);
    for (const auto* bad : {"%", "%2", "%2x", "%zz", "a%"})
        EXPECT_EQ(unescape_name(bad), std::nullopt) << bad;
}
TEST(APath, RefusesWhatCannotBeOne) {
    for (const std::string text :
         {"//", "a//b", "a/", "/a/", ".", "..", "a/../b", "a/./b", "a/%", "a/%2", "a/%zz", "a/%00", "%"})
        EXPECT_EQ(Path::parse(text).error().kind, Errc::invalid_value) << text;
    EXPECT_FALSE(Path::parse(std::string_view("a\0b", 3)));
}
TEST(APath, HasLimits) {
    std::string deep = "a";
    for (std::size_t i = 1; i < limits::kPathDepth; ++i) deep += "/a";
    EXPECT_TRUE(Path::parse(deep));
    EXPECT_FALSE(Path::parse(deep + "/a"));
    EXPECT_TRUE(Path::parse(std::string(limits::kMemberLength, 'x')));
    EXPECT_FALSE(Path::parse(std::string(limits::kMemberLength + 1, 'x')));
    EXPECT_FALSE(Path::parse(std::string(10'000'000, '/')));
    EXPECT_LT(Path::parse(std::string(100000, '%')).error().text().size(), 300U);
}
TEST(AName, IsAWordOfLimitedLength) {
    for (const auto* good : {"a", "CPU_LB", "load-balancing", "9lives", "x_"})
        EXPECT_TRUE(check_name(good)) << good;
    for (const auto* bad : {"", "-a", "_a", "a b", "a/b", "a.b", "ä", "a:b", "a\n", "."})
        EXPECT_FALSE(check_name(bad)) << bad;
    EXPECT_TRUE(check_name(std::string(limits::kNameLength, 'n')));
    EXPECT_FALSE(check_name(std::string(limits::kNameLength + 1, 'n')));
    EXPECT_FALSE(check_name(std::string(10000, 'n')));
}

} // namespace
} // namespace schedd::model
