// Pools as people write them: what is understood, and that what cannot be meant is refused with the way out.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "policies/pool_spec.h"

namespace schedd::policies {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

std::string error_of(const std::string& text) {
    const auto parsed = parse_pools(text);
    return parsed ? "none" : parsed.error().text();
}

std::string rule(const PoolSpec& pool, const std::string& member, WorkClass work_class = WorkClass::normal) {
    return pool.rule_for(member, "process:7", work_class);
}

TEST(ALineOfPools, IsReadWithAllItsWords) {
    const auto pools = parse_pools("web: min=2 max=8 level=l3 share=idle match=unit:web*,exec:/usr/bin/x "
                                   "class=latency,normal; batch: class=batch");
    ASSERT_TRUE(pools) << pools.error().text();
    ASSERT_THAT(*pools, SizeIs(2));
    const PoolSpec web{"web",
                       2,
                       8,
                       PoolLevel::l3,
                       PoolShare::idle,
                       {"unit:web*", "exec:/usr/bin/x"},
                       {WorkClass::latency, WorkClass::normal}};
    EXPECT_EQ(pools->at(0), web);
    EXPECT_EQ(pools->at(1).least, 1);
    EXPECT_EQ(pools->at(1).most, limits::kMaxCpus);
    EXPECT_EQ(pools->at(1).level, PoolLevel::machine);
    EXPECT_EQ(pools->at(1).share, PoolShare::none);
}

TEST(ALineOfPools, MayBeEmptyAndLooselySpaced) {
    EXPECT_THAT(parse_pools("").value(), SizeIs(0));
    EXPECT_THAT(parse_pools(" ; ;").value(), SizeIs(0));
    const auto pools = parse_pools("  a :  max=3   match=* ;").value();
    ASSERT_THAT(pools, SizeIs(1));
    EXPECT_EQ(pools[0].name, "a");
    EXPECT_EQ(parse_pools("a: max=0x3 match=*").value(), pools) << "numbers as everywhere";
}

TEST(ALineOfPools, GivesAPoolOfOneCoreItsSize) {
    const auto pools = parse_pools("a: level=core class=batch; b: min=0 level=core class=latency").value();
    EXPECT_EQ(pools[0].least, 1);
    EXPECT_EQ(pools[0].most, 1);
    EXPECT_EQ(pools[1].least, 0);
}

TEST(ALineOfPools, IsRefusedWhereWordsAreWrong) {
    EXPECT_EQ(error_of("web min=2"),
              "pool 'web min=2' is not written as NAME: KEY=VALUE ...: accepted: a name of at most 64 "
              "letters, digits, '_' and '-', then a colon, then min, max, level, share, match and class; a "
              "semicolon before the next pool");
    EXPECT_THAT(error_of("w b: match=*"), HasSubstr("is not written as"));
    EXPECT_THAT(error_of(": match=*"), HasSubstr("is not written as"));
    EXPECT_THAT(error_of(std::string(65, 'a') + ": match=*"), HasSubstr("is not written as"));
    EXPECT_EQ(error_of("default: match=*"),
              "pool 'default' is the one of who belongs to no other: accepted: another name");
    EXPECT_THAT(error_of("web: min"), HasSubstr("has 'min' without a value"));
    EXPECT_THAT(error_of("web: min= 2"), HasSubstr("has 'min=' without a value"));
    EXPECT_THAT(error_of("web: =2"), HasSubstr("has ''"));
    EXPECT_EQ(error_of("web: cpus=2 match=*"),
              "pool 'web' has 'cpus': accepted: min, max, level, share, match and class");
    EXPECT_EQ(error_of("web: min=2 min=3 match=*"), "pool 'web' has min twice: accepted: each key once");
    EXPECT_EQ(error_of("web: min=-1 match=*"),
              "pool 'web' has min=-1: accepted: min= a number of whole cores from 0 to 8192");
    EXPECT_THAT(error_of("web: max=0 match=*"), HasSubstr("max= a number of whole cores from 1 to 8192"));
    EXPECT_THAT(error_of("web: max=99999999999999999999 match=*"), HasSubstr("from 1 to 8192"));
    EXPECT_THAT(error_of("web: level=socket match=*"), HasSubstr("level= one of core, l3, numa, machine"));
    EXPECT_THAT(error_of("web: share=all match=*"), HasSubstr("share= one of none, idle"));
    EXPECT_THAT(error_of("web: class=batch,idle"), HasSubstr("one or several of latency,normal,batch"));
    EXPECT_THAT(error_of("web: match=nginx"),
                HasSubstr("which no member is called: accepted: patterns such"));
    EXPECT_THAT(error_of("web: match=unit:a,"), HasSubstr("which no member is called"));
    EXPECT_EQ(error_of("web: match=handle_all"), "none");
}

TEST(ALineOfPools, IsRefusedWherePoolsContradictThemselves) {
    EXPECT_EQ(error_of("a: match=*; web: min=9 max=8 class=batch"),
              "pool 'web' has min=9 above max=8: accepted: min=0 to 8, or max=9 or more");
    EXPECT_EQ(error_of("web: level=core max=4 match=*"),
              "pool 'web' has level=core and max=4: accepted: max=1, or level= one of l3, numa, machine");
    EXPECT_EQ(error_of("web: level=core min=2 match=*"),
              "pool 'web' has min=2 above max=1: accepted: min=0 or 1 with level=core");
    EXPECT_EQ(error_of("web: min=2 max=8"),
              "pool 'web' does not say who belongs to it: accepted: match= patterns of member names, class= "
              "classes, or both");
    EXPECT_EQ(error_of("a: match=unit:a; a: match=unit:b"),
              "pool 'a' is there twice: accepted: each name once");
    EXPECT_THAT(error_of("a: min=8000 match=unit:a; b: min=193 match=unit:b"),
                HasSubstr("pool 'b' has min=193, with which all together have 8193"));
}

TEST(ALineOfPools, IsRefusedWhereAPoolCouldNeverHaveAMember) {
    EXPECT_EQ(error_of("all: match=*; web: match=unit:web*"),
              "pool 'web' would never have a member: the first that matches takes it, which is 'all': "
              "accepted: 'web' before 'all', or another match= or class=");
    EXPECT_THAT(error_of("a: match=unit:w*; b: match=unit:web*,unit:w?b"), HasSubstr("never have a member"));
    EXPECT_THAT(error_of("a: match=unit:w?b; b: match=unit:web"), HasSubstr("never have a member"));
    EXPECT_THAT(error_of("a: class=batch; b: class=latency,normal; c: match=unit:x"),
                HasSubstr("never have a member"));
    EXPECT_THAT(error_of("a: match=unit:* class=batch; b: match=unit:b class=batch"),
                HasSubstr("never have a member"));
    // of these some are left
    EXPECT_EQ(error_of("a: match=unit:web*; b: match=unit:*"), "none");
    EXPECT_EQ(error_of("a: match=unit:a?; b: match=unit:a*"), "none") << "a letter is not any text";
    EXPECT_EQ(error_of("a: match=unit:* class=batch; b: match=unit:b"), "none");
    EXPECT_EQ(error_of("a: class=batch; b: class=batch,normal"), "none");
}

TEST(ALineOfPools, OfTheLargestSizeIsRead) {
    std::string text;
    int count = 0;
    while (text.size() + 40 < limits::kTextValue)
        text += fmt::format("p{}: min=0 match=unit:{}*x;", count, count), ++count;
    EXPECT_THAT(parse_pools(text).value(), SizeIs(static_cast<std::size_t>(count)));
    EXPECT_THAT(error_of(std::string(limits::kTextValue, ':')), HasSubstr("is not written as"));
    EXPECT_THAT(error_of("a: match=" + std::string(4000, 'x')), testing::SizeIs(testing::Lt(300U)));
}

TEST(APool, TakesMembersByNameAndClass) {
    const auto pool = parse_pools("web: match=unit:web*,exec:/bin/make class=batch,latency").value()[0];
    EXPECT_EQ(rule(pool, "unit:web.service", WorkClass::batch), "match=unit:web* class=batch");
    EXPECT_EQ(rule(pool, "unit:web.service", WorkClass::normal), "");
    EXPECT_EQ(rule(pool, "unit:db.service", WorkClass::batch), "");
    EXPECT_EQ(rule(pool, "exec:/bin/make", WorkClass::latency), "match=exec:/bin/make class=latency");
}

TEST(APool, TakesMembersByClassAloneAndByTheirOwnName) {
    EXPECT_EQ(rule(parse_pools("b: class=batch").value()[0], "user:5", WorkClass::batch), "class=batch");
    const auto pool = parse_pools("b: match=unit:getty@1*").value()[0];
    EXPECT_EQ(rule(pool, "unit:getty@.service"), "");
    EXPECT_EQ(pool.rule_for("unit:getty@.service", "unit:getty@1.service", WorkClass::normal),
              "match=unit:getty@1*")
        << "the instance of a template";
}

} // namespace
} // namespace schedd::policies
