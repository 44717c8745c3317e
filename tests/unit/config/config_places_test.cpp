// What the tree refuses of a configuration is told with file and line.
#include "tests/unit/config/config_world.h"

namespace schedd::test {
namespace {

struct Places : testing::Test {
    Places() {
        auto first = parse_config("power.toml", "[scheduler.POWER]\npolicy = \"load_balancing\"\n"
                                                "precedence = 3\n[scheduler.POWER.attributes]\nfactor = 3\n")
                         .value();
        auto second = parse_config("desk.toml", "[probe.cpu]\n\n[scheduler.POWER2]\n"
                                                "process_set = [\"process:10\", \"process:11\"]\n")
                          .value();
        desired = merge(std::move(first), std::move(second)).value();
    }
    std::string told(const std::string& what) {
        return with_place({Errc::no_such_object, what, "detail"}, desired).what;
    }
    Desired desired;
};

TEST_F(Places, AreThoseOfWhatTheErrorNamesFirst) {
    EXPECT_EQ(told("schedulers/POWER/load_balancing.factor, row 'a', schedulers/POWER2.x: no"),
              "power.toml:5:1: schedulers/POWER/load_balancing.factor, row 'a', schedulers/POWER2.x: no");
    EXPECT_EQ(told("schedulers/POWER2 is not there"), "desk.toml:3:12: schedulers/POWER2 is not there");
    EXPECT_EQ(told("schedulers/POWER.precedence: no"), "power.toml:3:1: schedulers/POWER.precedence: no");
    EXPECT_EQ(told("schedulers/POWER/load_balancing: no"),
              "power.toml:2:1: schedulers/POWER/load_balancing: no");
    EXPECT_EQ(told("cannot link probes/cpu/load"), "desk.toml:1:8: cannot link probes/cpu/load");
    EXPECT_EQ(told("schedulers/POWER2/process_set/process:11 has ended").substr(0, 12), "desk.toml:4:");
}
TEST_F(Places, AreNotMadeUp) {
    EXPECT_EQ(told("schedulers/POWER3 is not there"), "schedulers/POWER3 is not there");
    EXPECT_EQ(told("there are too many parts"), "there are too many parts");
    EXPECT_EQ(told("power.toml:7:1: schedulers/POWER is wrong"), "power.toml:7:1: schedulers/POWER is wrong");
}

} // namespace
} // namespace schedd::test
