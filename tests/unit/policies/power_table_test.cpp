// What may be written about power profiles, and how a wrong word is refused.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "policies/power_table.h"

namespace schedd::test {
namespace {

using namespace schedd::policies;
using testing::AllOf;
using testing::HasSubstr;

std::vector<PowerRow> table(std::string_view text) {
    const auto read = parse_power_table(text);
    EXPECT_TRUE(read) << read.error().text();
    return read.value_or(std::vector<PowerRow>());
}
std::string refusal(std::string_view text) {
    const auto read = parse_power_table(text);
    return read ? "accepted" : read.error().text();
}
const ClassRule& rule(const PowerRow& row, WorkClass work_class) {
    return row.classes[static_cast<std::size_t>(work_class)];
}

TEST(APowerTable, SaysWhatEachClassGets) {
    const auto rows =
        table("power-saver: batch.kind=efficient batch.cores=25% normal.cores=4 latency.weight=500; "
              "balanced: ;");
    ASSERT_EQ(rows.size(), 2U);
    const auto& batch = rule(rows[0], WorkClass::batch);
    EXPECT_EQ(batch.kind, KindOrder::efficient);
    EXPECT_EQ(batch.cores, 25);
    EXPECT_TRUE(batch.is_percent);
    EXPECT_EQ(rule(rows[0], WorkClass::normal).cores, 4);
    EXPECT_FALSE(rule(rows[0], WorkClass::normal).is_percent);
    EXPECT_EQ(rule(rows[0], WorkClass::latency).weight, 500U);
    EXPECT_FALSE(rule(rows[1], WorkClass::batch).places());
}
TEST(APowerTable, SaysWhatOthersAreSetTo) {
    const auto rows = table("p: DESK/nest.headroom=0 */nest.prefer=efficient DESK.active=false "
                            "schedulers/batch.precedence=5 D/process_set/unit:a.service.weight=20");
    ASSERT_EQ(rows.size(), 1U);
    const auto has = [&](const char* path, const char* attribute, const char* value) {
        const Setting wanted{Path::parse(path).value(), attribute, value};
        return std::ranges::find(rows[0].settings, wanted) != rows[0].settings.end();
    };
    EXPECT_TRUE(has("schedulers/DESK/nest", "headroom", "0"));
    EXPECT_TRUE(has("schedulers/*/nest", "prefer", "efficient"));
    EXPECT_TRUE(has("schedulers/DESK", "active", "false"));
    EXPECT_TRUE(has("schedulers/batch", "precedence", "5"));
    EXPECT_TRUE(has("schedulers/D/process_set/unit:a.service", "weight", "20"));
    EXPECT_TRUE(std::ranges::is_sorted(rows[0].settings));
}
TEST(APowerTable, SaysHowCpusTradeSpeedForEnergy) {
    const auto rows =
        table("p: batch.epp=power batch.max_mhz=1800 cpus.epp=balance_performance cpus.min_mhz=800");
    EXPECT_EQ(rule(rows[0], WorkClass::batch).hint.preference, "power");
    EXPECT_EQ(rule(rows[0], WorkClass::batch).hint.most_khz, 1'800'000U);
    EXPECT_EQ(rows[0].all.preference, "balance_performance");
    EXPECT_EQ(rows[0].all.least_khz, 800'000U);
    EXPECT_FALSE(rule(rows[0], WorkClass::batch).places()) << "a hint alone holds nobody";
}
TEST(APowerTable, TakesAnyProfileNameAndNone) {
    EXPECT_EQ(table("").size(), 0U);
    EXPECT_EQ(table(" ; ;").size(), 0U);
    EXPECT_EQ(table("my_own.profile/9: ")[0].profile, "my_own.profile/9");
}
TEST(APowerTable, RefusesWhatCannotBeMeantAndSaysWhatCould) {
    EXPECT_THAT(refusal("power-saver"), HasSubstr("PROFILE: WORD"));
    EXPECT_THAT(refusal("a: ; a: "), HasSubstr("twice"));
    EXPECT_THAT(refusal("a: batch.kind=slow"), AllOf(HasSubstr("batch.kind=slow"), HasSubstr("efficient")));
    EXPECT_THAT(refusal("a: batch.cores=0"), HasSubstr("whole cores"));
    EXPECT_THAT(refusal("a: batch.cores=101%"), HasSubstr("1% to 100%"));
    EXPECT_THAT(refusal("a: batch.cores=%"), HasSubstr("whole cores"));
    EXPECT_THAT(refusal("a: batch.weight=10001"), HasSubstr("1 to 10000"));
    EXPECT_THAT(refusal("a: batch.colour=red"), HasSubstr("kind, cores, weight"));
    EXPECT_THAT(refusal("a: batch.epp=a/b"), HasSubstr("epp"));
    EXPECT_THAT(refusal("a: cpus.epp=turbo"),
                AllOf(HasSubstr("'a' has epp=turbo"), HasSubstr("default, performance, balance_performance, "
                                                                "balance_power, power, or 0 to 255")));
    EXPECT_THAT(refusal("a: cpus.epp=256"), HasSubstr("0 to 255"));
    EXPECT_THAT(refusal("a: cpus.epp=Power"), HasSubstr("0 to 255"));
    EXPECT_EQ(refusal("a: cpus.epp=255 batch.epp=0 latency.epp=default"), "accepted");
    EXPECT_THAT(refusal("a: batch.max_mhz=800 batch.min_mhz=900"),
                HasSubstr("min_mhz=900 above max_mhz=800 for batch"));
    EXPECT_THAT(refusal("a: cpus.min_mhz=900 cpus.max_mhz=800"), HasSubstr("all other CPUs"));
    EXPECT_EQ(refusal("a: cpus.min_mhz=900 cpus.max_mhz=900 batch.max_mhz=800"), "accepted");
    EXPECT_THAT(refusal("a: cpus.min_mhz=-1"), HasSubstr("1 to 100000"));
    EXPECT_THAT(refusal("a: cpus.weight=1"), HasSubstr("of all CPUs"));
    EXPECT_THAT(refusal("a: nonsense"), HasSubstr("POLICY.ATTRIBUTE"));
    EXPECT_THAT(refusal("a: x.=1"), HasSubstr("x.=1"));
    EXPECT_THAT(refusal("a: .x=1"), HasSubstr(".x=1"));
    EXPECT_THAT(refusal("a: D/nest.floor="), HasSubstr("D/nest.floor="));
    EXPECT_THAT(refusal("a: *.active=no"), HasSubstr("*"));
    EXPECT_THAT(refusal("a: D..x/../y.z=1"), HasSubstr("names"));
    EXPECT_THAT(refusal("a: D.active=no D.active=yes"), HasSubstr("twice"));
    std::string many;
    for (int i = 0; i < 33; ++i) many += "p" + std::to_string(i) + ": ;";
    EXPECT_THAT(refusal(many), HasSubstr("at most 32"));
}
TEST(ARow, IsFoundByTheFirmwaresNamesToo) {
    const auto rows = table("power-saver: ; balanced: ; performance: ");
    EXPECT_EQ(row_for(rows, "low-power"), &rows[0]);
    EXPECT_EQ(row_for(rows, "quiet"), &rows[0]);
    EXPECT_EQ(row_for(rows, "balanced-performance"), &rows[1]);
    EXPECT_EQ(row_for(rows, "performance"), &rows[2]);
    EXPECT_EQ(row_for(rows, "unknown"), nullptr);
    EXPECT_EQ(row_for(rows, ""), nullptr);
    const auto own = table("quiet: ; power-saver: ");
    EXPECT_EQ(row_for(own, "quiet"), &own[0]);
}

} // namespace
} // namespace schedd::test
