// Signals as lines and as JSON.
#include "cli/event.h"

#include <gtest/gtest.h>

namespace schedd::cli {
namespace {

Event properties_changed() {
    return {"probes/cpu", "org.freedesktop.DBus.Properties", "PropertiesChanged",
            Json::array(
                {"org.schedd1.Probe", {{"ProbePeriod", 500}, {"Trouble", ""}}, Json::array({"Parts"})})};
}

Event decided() {
    return {"", "org.schedd1.Manager", "Decided",
            Json::array({"CPU_LB", "process:12", "0-1", "moved \x1b[2J"})};
}

TEST(AChange, NamesThePartAndItsNewValues) {
    EXPECT_EQ(print_event(properties_changed(), {}),
              "probes/cpu  ProbePeriod = 500, Trouble = \"\", Parts changed");
}

TEST(AChange, OfNothingSaysNothing) {
    const Event event{"probes/cpu", "org.freedesktop.DBus.Properties", "PropertiesChanged",
                      Json::array({"org.schedd1.Probe", Json::object(), Json::array()})};
    EXPECT_EQ(print_event(event, {}), "");
}

TEST(ADecision, IsALineWithItsReasonEscaped) {
    EXPECT_EQ(print_event(decided(), {}), "CPU_LB  process:12 on CPUs 0-1: moved \\x1b[2J");
}

TEST(AConflict, NamesSchedulerAndTarget) {
    const Event event{"", "org.schedd1.Manager", "Conflict",
                      Json::array({"B", "process:12", "wants 3, A decided 0"})};
    EXPECT_EQ(print_event(event, {}), "B  conflict for process:12: wants 3, A decided 0");
}

TEST(AnEjection, SaysWhy) {
    const Event event{"", "org.schedd1.Manager", "Ejected", Json::array({"B", "it threw"})};
    EXPECT_EQ(print_event(event, {}), "B  is out of action: it threw");
}

TEST(AnObject, ThatAppearsIsShownByItsKind) {
    const Event added{"", "org.freedesktop.DBus.ObjectManager", "InterfacesAdded",
                      Json::array({"/org/schedd1/probes/mem_5fprobe",
                                   {{"org.freedesktop.DBus.Peer", Json::object()},
                                    {"org.schedd1.Probe", Json::object()}}})};
    EXPECT_EQ(print_event(added, {}), "+ probes/mem_probe  Probe added");
    EXPECT_EQ(object_tree_path(added), "probes/mem_probe");
    const Event removed{"", "org.freedesktop.DBus.ObjectManager", "InterfacesRemoved",
                        Json::array({"/org/schedd1/probes/cpu", Json::array({"org.schedd1.Probe"})})};
    EXPECT_EQ(print_event(removed, {}), "- probes/cpu  Probe removed");
}

TEST(AnEvent, WithMissingArgumentsIsNoReasonToFail) {
    for (const auto* member : {"Decided", "Conflict", "Ejected", "Sampled", "InterfacesAdded", "Unheard"})
        EXPECT_NO_THROW(
            static_cast<void>(print_event({"", "org.schedd1.Manager", member, Json::array()}, {})));
    EXPECT_EQ(print_event({"", "org.freedesktop.DBus.Properties", "PropertiesChanged", Json::array()}, {}),
              "");
}

TEST(AnEvent, AsJsonNamesItsArguments) {
    EXPECT_EQ(
        event_json(properties_changed()).dump(),
        R"({"path":"probes/cpu","interface":"org.freedesktop.DBus.Properties","signal":"PropertiesChanged",)"
        R"("arguments":{"interface":"org.schedd1.Probe","changed":{"ProbePeriod":500,"Trouble":""},)"
        R"("invalidated":["Parts"]}})");
    EXPECT_EQ(event_json({"a", "b", "Unheard", Json::array({1, 2})}).dump(),
              R"({"path":"a","interface":"b","signal":"Unheard","arguments":[1,2]})");
}

} // namespace
} // namespace schedd::cli
