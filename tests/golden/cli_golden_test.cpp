// What schedd-cli prints, held by golden files: help of every verb and the layout of every read verb.
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "cli/graph.h"
#include "cli/machine.h"
#include "cli/options.h"
#include "cli/print.h"
#include "cli/top_view.h"
#include "tests/golden/golden.h"

namespace schedd::cli {
namespace {

using golden::expect_golden;

const Look kPlain{.color = false, .utf8 = true, .width = 0};
const Look kColored{.color = true, .utf8 = true, .width = 0};
const Look kAscii{.color = false, .utf8 = false, .width = 0};
const Look kNarrow{.color = false, .utf8 = true, .width = 80};

Json data(std::string_view name) {
    auto json = parse_json(golden::read_data(name), name);
    EXPECT_TRUE(json) << name;
    return json ? *json : Json();
}

std::string graph(const Look& look) {
    const auto graphs = graph_of(data("tree.json"), "");
    return graphs ? graph_text(*graphs, look) : graphs.error().text;
}

Machine machine() {
    const auto found = machine_of(data("topology.json"), data("held.json"), "");
    EXPECT_TRUE(found);
    return found ? *found : Machine();
}

TEST(TheHelp, IsAsAccepted) { expect_golden("help.txt", general_help()); }

TEST(TheHelp, OfEveryVerbIsAsAccepted) {
    for (const auto& verb : verb_specs()) {
        SCOPED_TRACE(verb.name);
        expect_golden("help_" + std::string(verb.name) + ".txt", verb_help(verb));
    }
}

TEST(TheTree, IsDrawnAsAccepted) { expect_golden("tree.txt", print_tree(data("tree.json"), kPlain)); }
TEST(TheTree, IsDrawnInAsciiAsAccepted) {
    expect_golden("tree_ascii.txt", print_tree(data("tree.json"), kAscii));
}
TEST(TheTree, IsDrawnInColourAsAccepted) {
    expect_golden("tree_color.txt", print_tree(data("tree.json"), kColored));
}
TEST(TheTree, WrapsItsDetailsAsAccepted) {
    expect_golden("tree_120.txt",
                  print_tree(data("tree.json"), {.color = false, .utf8 = true, .width = 120}));
}

TEST(TheGraph, IsDrawnAsAccepted) { expect_golden("graph.txt", graph(kPlain)); }
TEST(TheGraph, IsDrawnInAsciiAsAccepted) { expect_golden("graph_ascii.txt", graph(kAscii)); }
TEST(TheGraph, IsDrawnNarrowAsAccepted) { expect_golden("graph_80.txt", graph(kNarrow)); }
TEST(TheGraph, IsAGraphvizProgramAsAccepted) {
    const auto graphs = graph_of(data("tree.json"), "CPU_LB");
    ASSERT_TRUE(graphs);
    expect_golden("graph.dot", graph_dot(*graphs));
}

TEST(TheMachine, IsDrawnAsAccepted) { expect_golden("machine.txt", machine_text(machine(), kPlain)); }
TEST(TheMachine, IsDrawnInAsciiAsAccepted) {
    expect_golden("machine_ascii.txt", machine_text(machine(), kAscii));
}
TEST(TheMachine, IsDrawnNarrowAsAccepted) {
    expect_golden("machine_80.txt", machine_text(machine(), kNarrow));
}
TEST(TheMachine, IsDrawnInColourAsAccepted) {
    expect_golden("machine_color.txt", machine_text(machine(), kColored));
}
TEST(TheMachine, IsAPictureAsAccepted) { expect_golden("machine.svg", machine_svg(machine())); }

TEST(TheDoctor, ReadsAsAccepted) { expect_golden("doctor.txt", print_doctor(data("doctor.json"), kPlain)); }
TEST(TheDoctor, ReadsNarrowAsAccepted) {
    expect_golden("doctor_80.txt", print_doctor(data("doctor.json"), kNarrow));
}

TEST(TheNodes, AreListedAsAccepted) { expect_golden("nodes.txt", print_nodes(data("nodes.json"), kPlain)); }
TEST(TheNodes, AreListedNarrowAsAccepted) {
    expect_golden("nodes_120.txt",
                  print_nodes(data("nodes.json"), {.color = false, .utf8 = true, .width = 120}));
}
TEST(TheNodes, AreListedInColourAsAccepted) {
    expect_golden("nodes_color.txt", print_nodes(data("nodes.json"), kColored));
}

TEST(TheExplanation, ReadsAsAccepted) {
    expect_golden("explain.txt", print_explain(data("explain.json"), kPlain));
}
TEST(TheStatus, ReadsAsAccepted) { expect_golden("status.txt", print_status(data("status.json"), kPlain)); }
TEST(TheVerdict, ReadsAsAccepted) { expect_golden("verify.txt", print_verify(data("verify.json"), kPlain)); }
TEST(TheChanges, ReadAsAccepted) {
    expect_golden("changes.txt", print_changes(data("applied.json"), kPlain));
}

TEST(TheTypes, ReadAsAccepted) { expect_golden("types.txt", print_types(data("types.json"), "", kPlain)); }
TEST(TheTypes, ReadInFullAsAccepted) {
    std::string all;
    for (const auto& type : data("types.json"))
        all += print_types(data("types.json"), text_at(type, "name"), kPlain) + "\n";
    expect_golden("types_full.txt", all);
}

TEST(Top, IsLaidOutAsAccepted) {
    TopState state;
    std::string text;
    for (const auto& line : top_screen(data("dump.json"), state, 24, 80, kPlain)) {
        for (const auto& piece : line) text += piece.inverse ? "[" + piece.text + "]" : piece.text;
        text += "\n";
    }
    expect_golden("top_80x24.txt", text);
    expect_golden("top_once.txt", top_text(data("dump.json"), kPlain));
}

} // namespace
} // namespace schedd::cli
