// Node sets: the notation, what is refused, who belongs.
#include <gtest/gtest.h>

#include "components/kit/limits.h"
#include "components/model/node_set.h"
#include "tests/kit/fake_cluster.h"

namespace schedd::test {
namespace {

using namespace schedd::model;

std::string canonical(std::string_view text) {
    const auto set = NodeSet::parse(text);
    return set ? set->text() : "error: " + set.error().text();
}
std::optional<Errc> kind_of_error(std::string_view text) {
    const auto set = NodeSet::parse(text);
    return set ? std::nullopt : std::optional(set.error().kind);
}
NodeRow node(NodeId number, std::string name = {}) { return {.number = number, .name = std::move(name)}; }

TEST(ANodeSet, IsPrintedInOrderAndEachNodeOnce) {
    EXPECT_EQ(canonical("all"), "all");
    EXPECT_EQ(canonical("0-2,5"), "0-2,5");
    EXPECT_EQ(canonical("5,1,0"), "0-1,5");
    EXPECT_EQ(canonical("0-3,2-7,8"), "0-8");
    EXPECT_EQ(canonical("7,7-7,007"), "7");
    EXPECT_EQ(canonical("web-2,alpha,3,alpha"), "3,alpha,web-2");
    EXPECT_EQ(canonical("65535"), "65535");
}
TEST(ANodeSet, ToleratesACommaAtItsEndAndNoOther) {
    EXPECT_EQ(canonical("0-2,"), "0-2");
    EXPECT_EQ(kind_of_error("0,,"), Errc::invalid_value);
    EXPECT_EQ(kind_of_error(",0"), Errc::invalid_value);
    EXPECT_EQ(kind_of_error(","), Errc::invalid_value);
    EXPECT_EQ(kind_of_error("0,,2"), Errc::invalid_value);
}
TEST(ANodeSet, RefusesWhatIsNoSet) {
    for (const auto* bad : {"", " ", "3-1", "-1", "1-", "0-2-4", "0 ,1", "0, 1", "0\n", "*", "1..2", "a b",
                            "-alpha", "al/pha", "all,1", "1,all", "+1", "1;2"})
        EXPECT_EQ(kind_of_error(bad), Errc::invalid_value) << bad;
}
TEST(ANodeSet, RefusesNumbersBeyondTheLastByTheirLimit) {
    for (const auto* bad : {"65536", "0-65536", "99999999999999999999", "70000-80000"}) {
        const auto set = NodeSet::parse(bad);
        ASSERT_FALSE(set) << bad;
        EXPECT_EQ(set.error().kind, Errc::limit_exceeded) << bad;
        EXPECT_NE(set.error().detail.find("0 to 65535"), std::string::npos);
    }
}
TEST(ANodeSet, SaysWhatWouldBeAccepted) {
    const auto set = NodeSet::parse("0-2,3-1");
    ASSERT_FALSE(set);
    EXPECT_EQ(set.error().text(),
              "node set '0-2,3-1' cannot be read at '3-1': use all, or numbers, ranges and "
              "names of nodes such as 0-2,5,alpha");
    EXPECT_LT(NodeSet::parse(std::string(100'000, '-')).error().text().size(), 400U);
}
TEST(ANodeSet, RefusesANameThatIsTooLong) {
    EXPECT_FALSE(kind_of_error(std::string(kit::limits::kNameLength, 'a')));
    EXPECT_EQ(kind_of_error(std::string(kit::limits::kNameLength + 1, 'a')), Errc::invalid_value);
}
TEST(ANodeSet, HoldsNodesByNumberAndByName) {
    const auto set = NodeSet::parse("0-2,5,beta").value();
    for (const NodeId in : {0, 1, 2, 5}) EXPECT_TRUE(set.contains(node(in))) << in;
    for (const NodeId out : {-1, 3, 4, 6, 65535}) EXPECT_FALSE(set.contains(node(out))) << out;
    EXPECT_TRUE(set.contains(node(9, "beta")));
    EXPECT_TRUE(set.contains(node(-1, "beta")));
    EXPECT_FALSE(set.contains(node(9, "Beta")));
    EXPECT_FALSE(set.contains(node(9, "")));
}
TEST(ANodeSet, OfAllHoldsEverybodyEvenWithoutANumber) {
    EXPECT_TRUE(NodeSet().contains(node(-1)));
    EXPECT_TRUE(NodeSet::parse("all")->is_all());
}
TEST(ANodeSet, TellsWhatIsNotThere) {
    FakeCluster cluster;
    cluster.fill(3);
    EXPECT_EQ(NodeSet::parse("0-2,alpha")->missing(cluster.rows), "");
    EXPECT_EQ(NodeSet::parse("0-5,beta,omega")->missing(cluster.rows), "3-5,omega");
    EXPECT_EQ(NodeSet::parse("all")->missing(cluster.rows), "");
    EXPECT_EQ(NodeSet::parse("1")->missing({}), "1");
    cluster.rows.erase(cluster.rows.begin() + 1);
    EXPECT_EQ(NodeSet::parse("0-65535")->missing(cluster.rows), "1,3-65535");
}
TEST(ANodeSet, OfNodesNamesThemByNumberOrElseByName) {
    FakeCluster cluster;
    cluster.fill(3);
    cluster.rows.push_back(node(-1, "omega"));
    cluster.rows.push_back(node(-1, "17")); // would be taken for a number
    EXPECT_EQ(NodeSet::of(cluster.rows).text(), "0-2,omega");
    EXPECT_EQ(NodeSet::of({}).text(), "");
}

} // namespace
} // namespace schedd::test
