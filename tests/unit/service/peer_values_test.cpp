// Which peers count as nodes for the tree, and what is read of them.
#include "service/peer_values.h"

#include <cstring>

#include <gtest/gtest.h>

#include "tests/kit/count_new.h"

namespace schedd::test {
namespace {

using membership::Load;
using membership::Message;
using membership::NodeUid;
using membership::PeerFacts;
using membership::SourceName;
using membership::Standing;
using membership::Values;
using model::NodeRow;
using service::PeerValues;
using std::chrono::seconds;

/// Rows as they lie in memory here.
template <class T> membership::Rows<T> rows_of(const std::vector<T>& rows) {
    return {std::as_bytes(std::span(rows)), rows.size(), [](membership::Bytes bytes, std::size_t& length) {
                T row;
                std::memcpy(static_cast<void*>(&row), bytes.data(), length = sizeof row);
                return row;
            }};
}

PeerFacts peer(std::uint64_t uid, model::NodeId number, Standing standing = Standing::alive) {
    PeerFacts facts;
    facts.uid = NodeUid{uid};
    facts.number = number;
    facts.name = "n" + std::to_string(uid);
    facts.standing = standing;
    return facts;
}

struct Peers : testing::Test {
    PeerValues peers;
    Values values;
    NodeRow self{.number = 1, .name = "self", .takes_work = true};

    void tell(std::uint64_t uid, std::int32_t value, model::Time now, model::Duration period = seconds(1)) {
        const std::vector<Load> loads{{.id = 3, .value = value}};
        const std::vector<SourceName> names{{.id = 3, .path = "probes/cpu/node_load"}};
        Message message;
        message.loads = rows_of(loads);
        message.sources = rows_of(names);
        values.take(NodeUid{uid}, message, period, now);
    }
    [[nodiscard]] std::string numbers() const {
        std::string text;
        for (const auto& row : peers.nodes()) text += std::to_string(row.number) + row.name + " ";
        return text;
    }
};
using TheNodes = Peers;
using AValueRead = Peers;

TEST_F(TheNodes, AreNoneWithoutMembership) {
    EXPECT_TRUE(peers.nodes().empty());
    EXPECT_FALSE(peers.read(1, "probes/cpu/node_load"));
    EXPECT_FALSE(peers.clear());
}
TEST_F(TheNodes, AreThisOneAndItsPeersByNumberAndName) {
    const PeerFacts all[] = {peer(9, 2), peer(8, -1), peer(7, 0), peer(6, -1)};
    EXPECT_TRUE(peers.take(self, all, values));
    EXPECT_EQ(numbers(), "0n7 1self 2n9 -1n6 -1n8 ");
    ASSERT_NE(model::self_of(peers.nodes()), nullptr);
    EXPECT_EQ(model::self_of(peers.nodes())->name, "self");
}
TEST_F(TheNodes, AreOnlyThoseThatAreThere) {
    for (const auto standing :
         {Standing::dead, Standing::left, Standing::incompatible, Standing::skewed, Standing::clone}) {
        const PeerFacts all[] = {peer(9, 2, standing)};
        peers.take(self, all, values);
        EXPECT_EQ(numbers(), "1self ") << name_of(standing);
    }
    for (const auto standing : {Standing::joining, Standing::alive, Standing::late, Standing::suspect,
                                Standing::isolated, Standing::draining}) {
        const PeerFacts all[] = {peer(9, 2, standing)};
        peers.take(self, all, values);
        ASSERT_EQ(numbers(), "1self 2n9 ") << name_of(standing);
        const auto& row = peers.nodes()[1];
        EXPECT_EQ(row.takes_work, standing == Standing::alive || standing == Standing::late);
        EXPECT_EQ(row.is_joining, standing == Standing::joining);
        EXPECT_EQ(row.is_draining, standing == Standing::draining);
        EXPECT_FALSE(row.is_self);
    }
}
TEST_F(TheNodes, AreNewsOnlyWhenTheyDiffer) {
    PeerFacts all[] = {peer(9, 2)};
    EXPECT_TRUE(peers.take(self, all, values));
    all[0].silence = seconds(1);
    EXPECT_FALSE(peers.take(self, all, values));
    all[0].standing = Standing::suspect;
    EXPECT_TRUE(peers.take(self, all, values));
    self.is_draining = true;
    EXPECT_TRUE(peers.take(self, all, values));
    EXPECT_TRUE(peers.clear());
    EXPECT_TRUE(peers.nodes().empty());
}

TEST_F(AValueRead, HasItsNodeAndAgeAndIsFreshForThreeOfItsPeriods) {
    const PeerFacts all[] = {peer(9, 2)};
    peers.take(self, all, values);
    tell(9, 1500, seconds(50), seconds(2));
    const auto sample = peers.read(2, "probes/cpu/node_load");
    ASSERT_TRUE(sample);
    EXPECT_EQ(sample->value, model::Value(std::int64_t{1500}));
    EXPECT_EQ(sample->time, seconds(50));
    EXPECT_EQ(sample->fresh_for, seconds(6));
    EXPECT_EQ(sample->origin, 2);
    EXPECT_FALSE(peers.read(2, "probes/cpu/other"));
}
TEST_F(AValueRead, GoesWithItsNode) {
    PeerFacts all[] = {peer(9, 2), peer(8, 3)};
    tell(9, 1, seconds(50));
    tell(8, 2, seconds(50));
    peers.take(self, all, values);
    EXPECT_TRUE(peers.read(2, "probes/cpu/node_load"));
    all[0].standing = Standing::dead;
    peers.take(self, all, values);
    EXPECT_FALSE(peers.read(2, "probes/cpu/node_load"));
    EXPECT_TRUE(peers.read(3, "probes/cpu/node_load"));
    peers.clear();
    EXPECT_FALSE(peers.read(3, "probes/cpu/node_load"));
}
TEST_F(AValueRead, IsOfTheMachineThatHasTheNumberNow) {
    PeerFacts all[] = {peer(9, 2), peer(8, -1)};
    tell(9, 1, seconds(50));
    tell(8, 2, seconds(50));
    peers.take(self, all, values);
    EXPECT_EQ(model::number_of(peers.read(2, "probes/cpu/node_load")->value), 1);
    std::swap(all[0].number, all[1].number);
    peers.take(self, all, values);
    EXPECT_EQ(model::number_of(peers.read(2, "probes/cpu/node_load")->value), 2);
    EXPECT_FALSE(peers.read(-1, "probes/cpu/node_load"));
}
TEST_F(AValueRead, AllocatesNothing) {
    ASSERT_TRUE(counting_works());
    std::vector<PeerFacts> all;
    for (int i = 2; i < 1000; ++i) {
        all.push_back(peer(static_cast<std::uint64_t>(i), i));
        tell(static_cast<std::uint64_t>(i), i, seconds(50));
    }
    peers.take(self, all, values);
    std::int64_t sum = 0;
    EXPECT_EQ(allocations_in([&] {
                  for (int i = 2; i < 1000; ++i)
                      sum += model::number_of(peers.read(i, "probes/cpu/node_load")->value);
              }),
              0U);
    EXPECT_EQ(sum, 998 * (2 + 999) / 2);
}

} // namespace
} // namespace schedd::test
