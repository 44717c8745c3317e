// What other nodes are told of a change, and what is made of what they tell.
#include "service/replication.h"

#include "tests/unit/config/config_world.h"

namespace schedd::test {
namespace {

using membership::Entry;
using membership::Hlc;
using membership::Write;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::string_view kBuild =
    "create probes/cpu\ncreate schedulers/A\ncreate schedulers/A/load_balancing\n"
    "link 'cpu/load | threshold(threshold=5)' schedulers/A/load_balancing/node_load\n"
    "create schedulers/A/process_set/unit:a.service\n";

/// One node: a tree, and what its replication makes of entries.
struct ReplicatedNode {
    ConfigWorld w;
    Replication replication{w.tree, [this](const Recipe& recipe) { return w.tree.apply(recipe); }};

    /// A change as a user makes it here; as "PATH=VALUE" and "-PATH".
    std::vector<Write> told(std::string_view lines) {
        const auto recipe = parse_recipe(lines);
        EXPECT_TRUE(recipe) << recipe.error().text();
        auto writes = replication.writes_for(*recipe);
        const auto done = w.tree.apply(*recipe);
        EXPECT_TRUE(done) << done.error().text();
        return writes;
    }
    Replication::Outcome take(const std::vector<Entry>& entries) {
        std::vector<const Entry*> pointers;
        for (const auto& entry : entries) pointers.push_back(&entry);
        return replication.carry_out(pointers);
    }
    [[nodiscard]] std::string exported() const { return export_toml(w.tree); }
};

/// The cluster's entries: the last writer wins, a tombstone takes all below it.
struct Cluster {
    std::vector<Entry> entries;
    std::uint64_t clock = 1;
    void write(const std::vector<Write>& writes) {
        for (const auto& write : writes) {
            std::erase_if(entries, [&](const Entry& entry) {
                return entry.path == write.path ||
                       (!write.value && (entry.path.starts_with(write.path + "/") ||
                                         entry.path.starts_with(write.path + "#")));
            });
            if (write.value)
                entries.push_back({.path = write.path, .value = *write.value, .stamp = Hlc{clock}});
        }
        ++clock;
        std::ranges::sort(entries, {}, &Entry::path);
    }
};

std::vector<std::string> lines_of(const std::vector<Write>& writes) {
    std::vector<std::string> lines;
    for (const auto& write : writes)
        lines.push_back(write.value ? write.path + "=" + *write.value : "-" + write.path);
    return lines;
}

struct TwoNodes : testing::Test {
    ReplicatedNode here;
    ReplicatedNode there;
    Cluster cluster;
    /// A change here, carried out there.
    Replication::Outcome change(std::string_view lines) {
        cluster.write(here.told(lines));
        here.take(cluster.entries);
        return there.take(cluster.entries);
    }
};

TEST_F(TwoNodes, TellEachVerbAsAnEntry) {
    EXPECT_THAT(lines_of(here.told(kBuild)),
                ElementsAre("probes/cpu=cpu", "schedulers/A=scheduler",
                            "schedulers/A/load_balancing=load_balancing",
                            "schedulers/A/load_balancing/node_load/threshold=threshold",
                            "schedulers/A/load_balancing/node_load/threshold#threshold=5",
                            "schedulers/A/load_balancing/node_load/threshold#source=probes/cpu/load",
                            "schedulers/A/process_set/unit:a.service=member"));
}

TEST_F(TwoNodes, HaveOneConfiguration) {
    const auto outcome = change(kBuild);
    EXPECT_EQ(outcome.failed + outcome.unsupported, 0U) << outcome.trouble;
    EXPECT_EQ(outcome.applied, 7U);
    EXPECT_EQ(there.exported(), here.exported());
    change("write probes/cpu.probe_period 250\nremove schedulers/A/process_set/unit:a.service");
    EXPECT_EQ(there.w.read("probes/cpu.probe_period"), "250");
    EXPECT_EQ(there.exported(), here.exported());
    change("unlink schedulers/A/load_balancing/node_load/threshold\n"
           "remove schedulers/A/load_balancing/node_load/threshold\n"
           "link probes/cpu/load schedulers/A/load_balancing/node_load");
    EXPECT_EQ(there.exported(), here.exported());
    change("remove -r schedulers/A\nremove probes/cpu");
    EXPECT_EQ(there.exported(), here.exported());
    EXPECT_TRUE(there.w.tree.probes().children().empty());
}

TEST_F(TwoNodes, KeepNumbersOfProcessesToThemselves) {
    change("create schedulers/A");
    EXPECT_THAT(here.told("create schedulers/A/process_set/process:10\n"
                          "write schedulers/A/process_set/process:10.weight 7\n"
                          "remove schedulers/A/process_set/process:10"),
                IsEmpty());
    EXPECT_THAT(lines_of(here.told("create schedulers/A/process_set/exec:%2Fusr%2Fbin%2Fmake")),
                ElementsAre("schedulers/A/process_set/exec:%2Fusr%2Fbin%2Fmake=member"));
}

TEST_F(TwoNodes, TakeWhatWasAttachedLaterAsLater) {
    change("create schedulers/A\ncreate schedulers/A/process_set/unit:z.service");
    change("create schedulers/A/process_set/unit:a.service");
    const auto& members = static_cast<Scheduler&>(*there.w.tree.schedulers().children()[0]).process_set();
    ASSERT_EQ(members.children().size(), 2U);
    EXPECT_EQ(members.children()[0]->name(), "unit:z.service");
    EXPECT_EQ(members.children()[1]->name(), "unit:a.service");
}

TEST_F(TwoNodes, DoNotTellThatAPartOfAFileWasRemoved) {
    ASSERT_TRUE(here.w.apply("create probes/cpu")); // as from a file
    EXPECT_THAT(here.told("remove probes/cpu"), IsEmpty());
}

TEST_F(TwoNodes, TellWhatWasMadeBelowAPartThatIsRemoved) {
    ASSERT_TRUE(here.w.apply("create schedulers/A")); // as from files, on both
    ASSERT_TRUE(there.w.apply("create schedulers/A"));
    change("create schedulers/A/process_set/unit:a.service");
    EXPECT_THAT(lines_of(here.told("remove -r schedulers/A")),
                ElementsAre("-schedulers/A/process_set/unit:a.service"));
}

TEST_F(TwoNodes, SetAttributesOfPartsFromFilesAndPutThemBack) {
    ASSERT_TRUE(here.w.apply("create probes/cpu"));
    ASSERT_TRUE(there.w.apply("create probes/cpu"));
    change("write probes/cpu.probe_period 250");
    EXPECT_EQ(there.w.read("probes/cpu.probe_period"), "250");
    cluster.write({{.path = "probes/cpu#probe_period", .value = {}}});
    there.take(cluster.entries);
    EXPECT_EQ(there.w.read("probes/cpu.probe_period"), "1000");
    ASSERT_TRUE(there.w.apply("write probes/cpu.probe_period 300")); // here alone, later
    there.take(cluster.entries);
    EXPECT_EQ(there.w.read("probes/cpu.probe_period"), "300");
    EXPECT_TRUE(there.w.tree.find(Path({"probes", "cpu"}))) << "of a file: it stays";
}

TEST_F(TwoNodes, GoOnWithTheRestWhereOneObjectIsRefused) {
    ASSERT_TRUE(there.w.apply("create schedulers/B\ncreate schedulers/B/other_policy")); // from a file there
    const auto outcome = change("create schedulers/B\ncreate schedulers/B/load_balancing\ncreate probes/cpu\n"
                                "create schedulers/A");
    EXPECT_EQ(outcome.failed, 2U);
    EXPECT_EQ(outcome.applied, 2U);
    EXPECT_THAT(outcome.trouble, HasSubstr("schedulers/B"));
    EXPECT_TRUE(there.w.tree.find(Path({"probes", "cpu"})));
    EXPECT_TRUE(there.w.tree.find(Path({"schedulers", "A"})));
}

TEST_F(TwoNodes, TellWhatOfANewerVersionTheyCannotHave) {
    change("create schedulers/A");
    cluster.write({{.path = "schedulers/A/clairvoyant", .value = "clairvoyant"},
                   {.path = "schedulers/A/clairvoyant#depth", .value = "3"},
                   {.path = "moons/luna", .value = "moon"}});
    const auto outcome = there.take(cluster.entries);
    EXPECT_EQ(outcome.applied, 1U);
    EXPECT_EQ(outcome.unsupported, 3U);
    EXPECT_EQ(outcome.failed, 0U);
    EXPECT_THAT(outcome.trouble, HasSubstr("luna"));
}

TEST_F(TwoNodes, DoNothingTwice) {
    change(kBuild);
    const auto before = there.exported();
    bool is_asked = false;
    Replication again(there.w.tree, [&](const Recipe&) -> Status {
        is_asked = true;
        return {};
    });
    std::vector<const Entry*> entries;
    for (const auto& entry : cluster.entries) entries.push_back(&entry);
    again.carry_out(entries);
    EXPECT_FALSE(is_asked);
    EXPECT_EQ(there.exported(), before);
}

TEST_F(TwoNodes, ReplaceAPolicyByAnother) {
    change(kBuild);
    change("remove -r schedulers/A/load_balancing\ncreate schedulers/A/other_policy");
    EXPECT_EQ(there.exported(), here.exported());
}

TEST_F(TwoNodes, SurviveEntriesThatAreNonsense) {
    cluster.write({{.path = "", .value = "x"},
                   {.path = "#", .value = "x"},
                   {.path = "probes/../x", .value = "cpu"},
                   {.path = "probes/cpu/load", .value = "load"},
                   {.path = "probes/no#source", .value = "///"},
                   {.path = "schedulers/A/process_set/process:1", .value = "member"},
                   {.path = "nodes/1", .value = "node"}});
    const auto outcome = there.take(cluster.entries);
    EXPECT_EQ(outcome.applied + outcome.failed + outcome.unsupported, 7U);
    EXPECT_TRUE(there.w.tree.schedulers().children().empty());
}

} // namespace
} // namespace schedd::test
