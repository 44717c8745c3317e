// A configuration against the types there are: every refusal with its place.
#include "tests/unit/config/config_world.h"

namespace schedd::test {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

struct BadCase {
    const char* text;
    const char* place;
    const char* cause;
};
class ABadConfiguration : public testing::TestWithParam<BadCase> {};

TEST_P(ABadConfiguration, IsRefusedWithItsPlaceBeforeAnyVerb) {
    const ConfigWorld w;
    EXPECT_THAT(w.verbs_to(GetParam().text),
                ElementsAre(AllOf(StartsWith(std::string("error: t.toml:") + GetParam().place),
                                  HasSubstr(GetParam().cause))));
}

INSTANTIATE_TEST_SUITE_P(
    Each, ABadConfiguration,
    testing::Values(
        BadCase{"[probe.nix]\n", "1:", "there is no probe type 'nix': probe types: test_probe other_probe"},
        BadCase{"[probe.cpu]\nprobe_periode = 1\n", "2:1: ", "it has: probe_period gain"},
        BadCase{"[probe.cpu]\nmood = \"gay\"\n", "2:1: ", "'mood' is read-only"},
        BadCase{"[probe.cpu]\nprobe_period = 5\n", "2:1: ", "10 to 86400000 [ms]"},
        BadCase{"[probe.cpu]\nprobe_period = true\n", "2:1: ", "cannot be 'true'"},
        BadCase{"[scheduler.A]\nprecedence = 2000\n", "2:1: ", "-1000 to 1000"},
        BadCase{"[scheduler.A]\nhandle_all = 7\n", "2:1: ", "true or false"},
        BadCase{"[scheduler.A]\nprocess_set = [{ member = \"process:10\", weight = 0 }]\n",
                "2:", "1 to 10000"},
        BadCase{"[scheduler.A]\npolicy = \"nix\"\n", "2:1: ", "policy types: test_policy other_policy"},
        BadCase{"[scheduler.A]\npolicy = \"process_set:test_policy\"\n", "2:1: ", "is defined twice"},
        BadCase{"[scheduler.A]\npolicy = \"test_policy\"\nattributes = { level = \"l9\" }\n",
                "3:", "one of: auto core l3"},
        BadCase{"[scheduler.A]\npolicy = \"test_policy\"\nports = { x = \"cpu/load\" }\n",
                "3:", "test_policy has no port 'x': it has: node_load process_load"},
        BadCase{"[scheduler.A]\npolicy = \"test_policy\"\nports = { node_load = \"cpu/load\" }\n",
                "3:", "there is no source probes/cpu/load"},
        BadCase{"[probe.cpu]\n[scheduler.A]\npolicy = \"test_policy\"\nports = { node_load = \"cpu/lod\" }\n",
                "4:", "has no source 'lod': it has: load process_load memory"},
        BadCase{"[probe.cpu]\n[scheduler.A]\npolicy = \"test_policy\"\nports = { node_load = \"cpu/memory\" "
                "}\n",
                "4:", "gives memory [KiB], schedulers/A/test_policy/node_load takes load"},
        BadCase{"[probe.cpu]\n[scheduler.A]\npolicy = \"test_policy\"\nports = { node_load = \"cpu/load | "
                "nix\" }\n",
                "4:", "filter types: pass_filter threshold_filter port_filter"},
        BadCase{"[probe.cpu]\n[scheduler.A]\npolicy = \"test_policy\"\nports = { node_load = \"cpu/load | "
                "pass(x=1)\" }\n",
                "4:", "has no attribute 'x': it has: note"},
        BadCase{"[probe.cpu]\n[scheduler.A]\npolicy = \"test_policy\"\nports = { node_load = \"cpu/load | "
                "pass(note=1x)\" }\n",
                "4:", "note cannot be '1x'"},
        BadCase{"[probe.cpu]\n[scheduler.A]\npolicy = \"test_policy\"\nports = { \"node_load/pass/x\" = "
                "\"cpu/load\" }\n",
                "4:", "there is no schedulers/A/test_policy/node_load/pass"},
        BadCase{"[probe.cpu]\n[scheduler.A]\npolicy = \"test_policy\"\nports = { node_load = "
                "\"scheduler/x/y\" }\n",
                "4:", "there is no source"}));

TEST(ASource, MayBeOfAProbeInTheTreeUnlessPruned) {
    ConfigWorld w;
    ASSERT_TRUE(w.apply("create probes/cpu"));
    const std::string text =
        "[scheduler.A]\npolicy = \"test_policy\"\nports = { node_load = \"cpu/load\" }\n";
    EXPECT_THAT(w.verbs_to(text, true), ElementsAre(HasSubstr("of a [probe.NAME] in the configuration")));
    EXPECT_EQ(w.take(text), "");
}

} // namespace
} // namespace schedd::test
