// Power as people see it: one sentence in status, and the nests in top.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "cli/print.h"
#include "cli/top_view.h"

namespace schedd::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

Json saver() {
    return {{"profile", "power-saver"},
            {"on_battery", true},
            {"battery_percent", 41},
            {"degraded", ""},
            {"packed", {"batch packed on CPUs 4-7"}},
            {"cores_asleep", 2}};
}

TEST(ThePowerSentence, SaysTheProfileAndWhatFollows) {
    EXPECT_EQ(power_sentence(saver(), {}),
              "power-saver (on battery 41 %): batch packed on CPUs 4-7, 2 cores asleep");
}
TEST(ThePowerSentence, SaysOnlyWhatIsKnown) {
    EXPECT_EQ(power_sentence(Json::object(), {}), "");
    EXPECT_EQ(power_sentence(Json(), {}), "");
    EXPECT_EQ(power_sentence({{"profile", ""}, {"cores_asleep", 3}}, {}), "")
        << "power is not the subject then";
    EXPECT_EQ(power_sentence({{"profile", "balanced"}, {"on_battery", nullptr}}, {}), "balanced");
    EXPECT_EQ(power_sentence({{"profile", ""}, {"on_battery", false}, {"cores_asleep", 1}}, {}),
              "on mains: 1 core asleep");
    auto hot = saver();
    hot["degraded"] = "high-operating-temperature";
    EXPECT_THAT(power_sentence(hot, {}), HasSubstr("): degraded by high-operating-temperature, batch"));
}
TEST(ThePowerSentence, LeavesNothingToATerminal) {
    auto odd = saver();
    odd["profile"] = "a\x1b[31mred";
    EXPECT_THAT(power_sentence(odd, {}), Not(HasSubstr("\x1b")));
    for (const auto* text : {"[]", "7", "\"x\"", R"({"packed":7,"profile":[],"on_battery":"x"})"})
        EXPECT_NO_THROW(power_sentence(Json::parse(text), {})) << text;
}
TEST(TheStatus, ShowsPowerBesideWhoHoldsAProfileAndWhatDoesNotHold) {
    auto power = saver();
    power["held"] = {"performance for scheduler:GAME: held"};
    power["hints"] = {"CPUs 16-31: energy preference power"};
    power["trouble"] = "schedulers/A.x was written by somebody else";
    const auto text = print_status({{"power", power}}, {});
    EXPECT_THAT(text, HasSubstr("power    power-saver (on battery 41 %)"));
    EXPECT_THAT(text, HasSubstr("performance for scheduler:GAME: held\n"));
    EXPECT_THAT(text, HasSubstr("CPUs 16-31: energy preference power\n"));
    EXPECT_THAT(text, HasSubstr("written by somebody else\n"));
}

Json with_nests(int count) {
    Json children = Json::array();
    for (int i = 0; i < count; ++i)
        children.push_back({{"kind", "policy"},
                            {"path", "schedulers/DESK" + std::to_string(i) + "/nest"},
                            {"attributes",
                             {{"nest_cpus", {{"value", i == 1 ? "7" : "0-3"}}},
                              {"reserve_cpus", {{"value", i == 0 ? "4-5" : ""}}},
                              {"state", {{"value", "settled"}}},
                              {"wanted", {{"value", 1400}}}}}});
    return {{"status", {{"power", saver()}}}, {"tree", {{"children", children}}}};
}
std::string plain(const std::vector<TopLine>& screen) {
    std::string out;
    for (const auto& line : screen) {
        for (const auto& piece : line) out += piece.text;
        out += "\n";
    }
    return out;
}

TEST(Top, ShowsEachNest) {
    const auto text = top_text(with_nests(2), {});
    EXPECT_THAT(text,
                HasSubstr("nest DESK0           CPUs 0-3 and 4-5 in reserve, settled, 1.40 CPUs wanted"));
    EXPECT_THAT(text, HasSubstr("nest DESK1           CPU 7, settled"));
    EXPECT_THAT(text, HasSubstr("power-saver (on battery 41 %)"));
}
TEST(Top, ShowsAsManyNestsAsFit) {
    TopState state;
    const auto text = plain(top_screen(with_nests(9), state, 24, 100, {}));
    EXPECT_THAT(text, HasSubstr("nest DESK1"));
    EXPECT_THAT(text, HasSubstr("and 7 more nests"));
    EXPECT_THAT(plain(top_screen(with_nests(9), state, 8, 100, {})), Not(HasSubstr("nest DESK1 ")));
    EXPECT_THAT(top_text({{"tree", {{"kind", "policy"}, {"attributes", {{"nest_cpus", 7}}}}}}, {}),
                HasSubstr("nest"));
}

} // namespace
} // namespace schedd::cli
