// What a configuration file may say, and what is said of one that may not.
#include "tests/unit/config/config_world.h"

namespace schedd::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

Desired parsed(std::string_view text) { return parse_config("t.toml", text).value(); }
std::string refusal(std::string_view text) { return error_of(parse_config("t.toml", text)); }

TEST(AConfigurationFile, MayBeEmpty) {
    const auto desired = parsed("");
    EXPECT_TRUE(desired.probes.empty());
    EXPECT_TRUE(desired.schedulers.empty());
    EXPECT_FALSE(desired.daemon.on_stop);
}

TEST(AConfigurationFile, HoldsProbesWithTheirAttributesAndPlaces) {
    const auto desired = parsed("[probe.fast]\ntype = \"cpu\"\nprobe_period = 100\n");
    ASSERT_EQ(desired.probes.size(), 1U);
    const auto& probe = desired.probes[0];
    EXPECT_EQ(probe.name, "fast");
    EXPECT_EQ(probe.type, "cpu");
    ASSERT_EQ(probe.attributes.size(), 1U);
    EXPECT_EQ(probe.attributes[0].name, "probe_period");
    EXPECT_EQ(probe.attributes[0].value, AttributeValue(std::uint64_t{100}));
    EXPECT_EQ(probe.attributes[0].where.text(), "t.toml:3:1");
}

TEST(AConfigurationFile, HoldsASchedulerWithAllItsTables) {
    const auto desired = parsed(kSlides);
    ASSERT_EQ(desired.schedulers.size(), 1U);
    const auto& scheduler = desired.schedulers[0];
    EXPECT_EQ(scheduler.policy, "load_balancing");
    EXPECT_EQ(scheduler.policy_type, "");
    ASSERT_EQ(scheduler.members.size(), 2U);
    EXPECT_EQ(scheduler.members[1].name, "process:11");
    ASSERT_EQ(scheduler.members[1].attributes.size(), 1U);
    EXPECT_EQ(scheduler.members[1].attributes[0].name, "weight");
    ASSERT_EQ(scheduler.ports.size(), 2U);
    EXPECT_EQ(scheduler.ports[0].sink.text(), "node_load");
    EXPECT_EQ(scheduler.policy_attributes.at(0).name, "level");
}

TEST(AConfigurationFile, KeepsTheOrderOfItsLinesNotOfTheAlphabet) {
    const auto desired = parsed("[scheduler.Z]\n[scheduler.A]\n[probe.z]\n[probe.a]\n");
    EXPECT_EQ(desired.schedulers.at(0).name, "Z");
    EXPECT_EQ(desired.schedulers.at(1).name, "A");
    EXPECT_EQ(desired.probes.at(0).name, "z");
}

TEST(AConfigurationFile, TellsAPolicysNameFromItsType) {
    const auto desired = parsed("[scheduler.A]\npolicy = \"mine:load_balancing\"\n");
    EXPECT_EQ(desired.schedulers.at(0).policy, "mine");
    EXPECT_EQ(desired.schedulers.at(0).policy_type, "load_balancing");
    EXPECT_THAT(refusal("[scheduler.A]\npolicy = \"mine:\"\n"), StartsWith("t.toml:2:1: "));
    EXPECT_THAT(refusal("[scheduler.A]\npolicy = \"a/b\"\n"), StartsWith("t.toml:2:1: "));
    EXPECT_THAT(refusal("[scheduler.A]\npolicy = 3\n"), HasSubstr("'policy' is a number"));
}

TEST(AConfigurationFile, ReadsAMemberThatIsNotUtf8InItsEscapedForm) {
    const auto desired = parsed("[scheduler.A]\nprocess_set = [{ escaped = \"exec:%2Fbin%2F%FF\" }]\n");
    EXPECT_EQ(desired.schedulers.at(0).members.at(0).name, "exec:/bin/\xFF");
    EXPECT_THAT(refusal("[scheduler.A]\nprocess_set = [{ escaped = \"exec:/a\" }]\n"), HasSubstr("%2F"));
    EXPECT_THAT(refusal("[scheduler.A]\nprocess_set = [{ escaped = \"exec:%0\" }]\n"),
                StartsWith("t.toml:2:"));
}

TEST(AConfigurationFile, SetsTheDaemon) {
    const auto daemon = parsed("[daemon]\non_stop = \"leave\"\nlog_level = \"debug\"\nscan_period = 5000\n"
                               "tick_period = 50\nactuator = \"affinity\"\n")
                            .daemon;
    EXPECT_EQ(daemon.on_stop, "leave");
    EXPECT_EQ(daemon.log_level, "debug");
    EXPECT_EQ(daemon.scan_period_ms, 5000U);
    EXPECT_EQ(daemon.tick_period_ms, 50U);
    EXPECT_EQ(daemon.actuator, "affinity");
}

TEST(TheDaemonTable, RefusesWhatIsOutOfRangeAndSaysTheRange) {
    EXPECT_THAT(refusal("[daemon]\non_stop = \"burn\"\n"),
                AllOf(StartsWith("t.toml:2:1: "), HasSubstr("restore leave")));
    EXPECT_THAT(refusal("[daemon]\nscan_period = 99\n"), HasSubstr("100 to 3600000 [ms]"));
    EXPECT_THAT(refusal("[daemon]\nscan_period = -1\n"), HasSubstr("scan_period cannot be '-1'"));
    EXPECT_THAT(refusal("[daemon]\nscan_period = true\n"), HasSubstr("scan_period cannot be 'true'"));
    EXPECT_THAT(refusal("[daemon]\nlog_level = [1]\n"), HasSubstr("'log_level' is a list"));
    EXPECT_THAT(refusal("daemon = 3\n"), HasSubstr("'daemon' is a number"));
}

TEST(AMember, TakesItsAttributesInAFile) {
    const auto members = parsed("[scheduler.A]\nprocess_set = [{ member = \"unit:a.service\", weight = 7, "
                                "class = \"batch\", cpus = 2, exclusive = true, memory = \"local\" }]\n")
                             .schedulers.at(0)
                             .members;
    ASSERT_EQ(members.size(), 1U);
    EXPECT_EQ(members[0].attributes.size(), 5U);
    EXPECT_EQ(parsed("[daemon]\non_foreign = \"reassert\"\n").daemon.on_foreign, "reassert");
    EXPECT_EQ(parsed("[daemon]\nreserved_cpus = \"0-1,16\"\n").daemon.reserved_cpus, "0-1,16");
    EXPECT_THAT(refusal("[daemon]\nreserved_cpus = \"5-3\"\n"),
                AllOf(StartsWith("t.toml:2:"), HasSubstr("5-3")));
}

TEST(AnUnknownKey, IsRefusedAndTheKnownOnesAreListed) {
    EXPECT_THAT(refusal("[deamon]\n"), AllOf(HasSubstr("unknown key 'deamon'"),
                                             HasSubstr("cluster daemon migration probe scheduler template")));
    EXPECT_THAT(refusal("[daemon]\nonstop = 1\n"),
                AllOf(StartsWith("t.toml:2:1: "),
                      HasSubstr("on_stop log_level actuator on_foreign reserved_cpus frequency scan_period "
                                "tick_period")));
    EXPECT_THAT(refusal("[scheduler.A]\nprocesses = []\n"),
                AllOf(HasSubstr("unknown key 'processes'"),
                      HasSubstr("policy precedence process_set handle_all attributes ports")));
    EXPECT_THAT(refusal("[scheduler.A]\nprocess_set = [{ member = \"process:1\", wieght = 1 }]\n"),
                HasSubstr("member escaped weight class cpus exclusive memory quota"));
}

TEST(AValueOfAWrongSort, IsNamedWithWhatWouldBeTaken) {
    EXPECT_THAT(refusal("probe = 1\n"), HasSubstr("it takes tables: [probe.NAME]"));
    EXPECT_THAT(refusal("[probe]\ncpu = 1\n"),
                AllOf(StartsWith("t.toml:2:1: "), HasSubstr("a table: [probe.NAME]")));
    EXPECT_THAT(refusal("[[scheduler]]\n"), HasSubstr("'scheduler' is a list"));
    EXPECT_THAT(refusal("[probe.cpu]\ntype = true\n"), HasSubstr("'type' is true or false"));
    EXPECT_THAT(refusal("[probe.cpu]\nprobe_period = [1]\n"), HasSubstr("a whole number"));
    EXPECT_THAT(refusal("[scheduler.A]\nprocess_set = \"process:1\"\n"),
                HasSubstr("it takes a list of members"));
    EXPECT_THAT(refusal("[scheduler.A]\nprocess_set = [[]]\n"), HasSubstr("a member cannot be a list"));
    EXPECT_THAT(refusal("[scheduler.A]\nports = \"x\"\n"), HasSubstr("'ports' is a string"));
    EXPECT_THAT(refusal("[scheduler.A]\npolicy = \"p\"\nports = { x = 1 }\n"), HasSubstr("it takes a chain"));
    EXPECT_THAT(refusal("[scheduler.A]\nattributes = 1\n"), HasSubstr("a table of attributes"));
    EXPECT_THAT(refusal("[probe.cpu]\nprobe_period = 1.5\n"),
                AllOf(StartsWith("t.toml:2:"), HasSubstr("fraction")));
    EXPECT_THAT(refusal("[probe.cpu]\nprobe_period = 2026-11-20\n"), HasSubstr("date"));
}

TEST(AMember, IsCheckedWhereItStands) {
    EXPECT_THAT(refusal("[scheduler.A]\nprocess_set = [\n  \"process:1\",\n  \"proces:2\",\n]\n"),
                AllOf(StartsWith("t.toml:4:3: "), HasSubstr("'proces:2' cannot be a member")));
    EXPECT_THAT(refusal("[scheduler.A]\nprocess_set = [\"process:0\"]\n"), HasSubstr("a number from 1 to"));
    EXPECT_THAT(refusal("[scheduler.A]\nprocess_set = [\"process:4\", \"process:4\"]\n"),
                HasSubstr("there twice"));
    EXPECT_THAT(refusal("[scheduler.A]\nprocess_set = [{ weight = 1 }]\n"), HasSubstr("cannot be a member"));
}

TEST(AScheduler, HandlesAllOrNamesMembers) {
    EXPECT_THAT(refusal("[scheduler.A]\nprocess_set = [\"user:1\"]\nhandle_all = true\n"),
                AllOf(StartsWith("t.toml:3:1: "), HasSubstr("keep handle_all or process_set")));
    EXPECT_EQ(refusal("[scheduler.A]\nprocess_set = [\"user:1\"]\nhandle_all = false\n"), "");
}

TEST(AChain, IsReadWithTheFileSoThatItsErrorsHaveAPlace) {
    EXPECT_THAT(refusal("[scheduler.A]\npolicy = \"p\"\n[scheduler.A.ports]\nx = \"cpu/load | \"\n"),
                AllOf(StartsWith("t.toml:4:1: "), HasSubstr("a filter is missing")));
    EXPECT_THAT(refusal("[scheduler.A]\npolicy = \"p\"\n[scheduler.A.ports]\n\"a//b\" = \"cpu/load\"\n"),
                StartsWith("t.toml:4:1: "));
    EXPECT_THAT(refusal("[scheduler.A]\npolicy = \"p\"\n[scheduler.A.ports]\n\"\" = \"cpu/load\"\n"),
                HasSubstr("the name of a port"));
    EXPECT_THAT(refusal(
                    "[scheduler.A]\npolicy = \"p\"\n[scheduler.A.ports]\na = \"x/y\"\n\"%61\" = \"x/y\"\n"),
                HasSubstr("a is there twice"));
}

TEST(AScheduler, NeedsAPolicyForPortsAndAttributes) {
    EXPECT_THAT(refusal("[scheduler.A.ports]\nx = \"cpu/load\"\n"), HasSubstr("but no policy"));
    EXPECT_THAT(refusal("[scheduler.A.attributes]\nx = 1\n"), HasSubstr("but no policy"));
    EXPECT_EQ(refusal("[scheduler.A]\n"), "");
}

TEST(AName, IsCheckedInTheFile) {
    EXPECT_THAT(refusal("[probe.\"a/b\"]\n"),
                AllOf(StartsWith("t.toml:1:"), HasSubstr("name 'a/b' is not valid")));
    EXPECT_THAT(refusal("[scheduler.\"\"]\n"), HasSubstr("not valid"));
    EXPECT_THAT(refusal("[scheduler." + std::string(10000, 'x') + "]\n"), HasSubstr("not valid"));
}

} // namespace
} // namespace schedd::test
