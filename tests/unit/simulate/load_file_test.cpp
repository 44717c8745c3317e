// Loads in TOML: what is taken, and what is refused with place and range.
#include "service/simulate/load_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace schedd::service::simulate {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

std::string wrong(std::string_view text) {
    const auto load = parse_load("l.toml", text);
    return load ? "taken" : load.error().text();
}

TEST(ALoad, IsTakenWithItsDefaults) {
    const auto load =
        parse_load("l.toml", "[load]\nseed = 7\n[job.web]\nevery_ms = 5\nmin_ms = 1\nmax_ms = 9\n");
    ASSERT_TRUE(load) << load.error().text();
    EXPECT_EQ(load->seed, 7U);
    EXPECT_EQ(load->duration, 600s);
    EXPECT_EQ(load->costs.smt_percent, 65);
    const auto& kind = load->rows.at(0).kind;
    EXPECT_EQ(kind.every, 5ms);
    EXPECT_EQ(kind.executable, "/usr/bin/web");
    EXPECT_EQ(kind.group, "/");
    EXPECT_EQ(kind.sizes, sim::Sizes::pareto);
    EXPECT_EQ(kind.alpha_percent, 150);
}

TEST(ALoad, PutsUnitsWhereSystemdHasThem) {
    const auto load = parse_load("l", "[job.a]\nswf = 'x'\nunit = 'a.service'\n"
                                      "[job.b]\nswf = 'x'\nunit = 'b.service'\nslice = 'batch-night.slice'\n"
                                      "[job.c]\nswf = 'x'\nunit = 'batch.slice'\n"
                                      "[job.d]\nswf = 'x'\nslice = 'batch.slice'\n");
    ASSERT_TRUE(load) << load.error().text();
    std::vector<sim::JobKind> kinds;
    for (const auto& row : load->rows) kinds.push_back(row.kind);
    EXPECT_EQ(kinds[0].group, "/system.slice/a.service");
    EXPECT_EQ(kinds[1].group, "/batch.slice/batch-night.slice/b.service");
    EXPECT_EQ(kinds[2].group, "/batch.slice");
    EXPECT_EQ(kinds[3].group, "/batch.slice");
    const auto units = units_of(kinds);
    EXPECT_EQ(units.size(), 5U);
    EXPECT_EQ(units.at("batch-night.slice"), "/batch.slice/batch-night.slice");
    EXPECT_EQ(units.at("a.service"), "/system.slice/a.service");
}

TEST(ALoad, MayBeInTheSliceOfAll) {
    const auto load = parse_load("l", "[job.a]\nswf = 'x'\nslice = '-.slice'\n"
                                      "[job.b]\nswf = 'x'\nunit = '-.slice'\n"
                                      "[job.c]\nswf = 'x'\nslice = '-.slice'\nunit = 'c.service'\n");
    ASSERT_TRUE(load) << load.error().text();
    EXPECT_EQ(load->rows[0].kind.group, "/");
    EXPECT_EQ(load->rows[1].kind.group, "/");
    EXPECT_EQ(load->rows[2].kind.group, "/c.service");
    EXPECT_EQ(units_of({load->rows[0].kind}).size(), 0U);
}

TEST(ALoad, ThatCannotBeUnderstoodIsRefusedWithPlaceAndCause) {
    EXPECT_EQ(wrong(""), "l.toml names no jobs: at least one [job.NAME]");
    EXPECT_THAT(wrong("[jobs.a]\n"), HasSubstr("unknown key 'jobs': known are: load machine job"));
    EXPECT_THAT(wrong("[load]\nsede = 1\n"), HasSubstr("l.toml:2:"));
    EXPECT_THAT(wrong("[load]\nsede = 1\n"), HasSubstr("unknown key 'sede': known are: seed duration_s"));
    EXPECT_THAT(wrong("[load]\nduration_s = 0\n"),
                HasSubstr("duration_s is 0: a whole number from 1 to 31622400"));
    EXPECT_THAT(wrong("[machine]\nsmt_percent = 20\n"), HasSubstr("a whole number from 50 to 100"));
    EXPECT_THAT(wrong("[machine]\nmove_us = 'x'\n"), HasSubstr("move_us is a string"));
    EXPECT_THAT(wrong("load = 5\n"), HasSubstr("'load' is a number: a table"));
    EXPECT_THAT(wrong("[job]\na = 1\n"), HasSubstr("a table: [job.NAME]"));
    EXPECT_THAT(wrong("[job.a]\nclass = 'fast'\n"), HasSubstr("one of: latency normal batch"));
    EXPECT_THAT(wrong("[job.a]\nunit = '../x'\n"), HasSubstr("l.toml:2:"));
    EXPECT_THAT(wrong("[job.a]\nslice = 'x.service'\n"), HasSubstr("x.service is no slice: NAME.slice"));
    EXPECT_THAT(wrong("[job.a]\nunit = 'x@.service'\n"), HasSubstr("an instance of it"));
    EXPECT_THAT(wrong("[job.a]\nexecutable = 'make'\n"), HasSubstr("an absolute path"));
    EXPECT_THAT(wrong("[job.a]\nexecutable = ''\n"), HasSubstr("has 0 characters"));
    EXPECT_THAT(wrong("[job.a]\nthreads = 99999\n"), HasSubstr("a whole number from 1 to 4096"));
    EXPECT_THAT(wrong("[job.a\n"), HasSubstr("l.toml:1"));
}

TEST(ALoad, ThatIsNotWholeIsRefused) {
    const std::string sized = "[job.a]\nmin_ms = 1\nmax_ms = 2\n";
    EXPECT_THAT(wrong(sized), HasSubstr("either load_percent or every_ms, or swf"));
    EXPECT_THAT(wrong(sized + "load_percent = 5\nevery_ms = 5\n"),
                HasSubstr("how many jobs come is not clear"));
    EXPECT_THAT(wrong(sized + "every_ms = 5\narrivals = 'diurnal'\n"), HasSubstr("day_s"));
    EXPECT_THAT(wrong("[job.a]\nevery_ms = 5\nmin_ms = 5\nmax_ms = 2\n"), HasSubstr("min_ms and max_ms"));
    EXPECT_THAT(wrong("[job.a]\nevery_ms = 5\nsizes = 'fixed'\n"), HasSubstr("mean_ms"));
    EXPECT_THAT(wrong("[job.a]\nswf = 'x'\nevery_ms = 5\n"), HasSubstr("swf alone"));
}

TEST(ALoad, HasNoMoreKindsThanTablesHaveRows) {
    std::string text;
    for (int i = 0; i < 65; ++i) text += "[job.j" + std::to_string(i) + "]\nswf = 'x'\n";
    EXPECT_THAT(wrong(text), HasSubstr("at most 64 (limit kSimKinds)"));
}

} // namespace
} // namespace schedd::service::simulate
