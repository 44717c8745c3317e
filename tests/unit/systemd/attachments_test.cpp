// What becomes of what unit files ask for: members that come and go with the files, and those alone.
#include "service/systemd/attachments.h"

#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/kit/world.h"
#include "tests/unit/systemd/temporary_tree.h"

namespace schedd::test {
namespace {

using systemd::Attachments;
using systemd::LoadedUnit;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// A systemd that has loaded what the test says.
class PlayedSource final : public systemd::UnitSource {
public:
    explicit PlayedSource(std::string directory) : directory_(std::move(directory)) {}
    Result<std::vector<std::string>> search_path() override {
        if (is_hung) return fail(Errc::io, "asking systemd", "it did not answer in time");
        return std::vector{directory_};
    }
    Result<std::vector<LoadedUnit>> loaded_units() override {
        ++lists;
        std::vector<LoadedUnit> all;
        for (const auto& [name, unit] : units)
            if (unit.id == name) all.push_back({unit.id, unit.is_active, unit.exists, {}});
        return all;
    }
    Result<std::vector<std::string>> files_of(const std::string& unit) override {
        ++questions;
        return units.at(unit).files;
    }
    Result<LoadedUnit> find(const std::string& unit) override {
        ++questions;
        const auto at = units.find(unit);
        return at == units.end() ? LoadedUnit{unit, false, false, {}} : at->second;
    }
    Status ask_reload() override {
        ++reloads;
        return {};
    }

    std::map<std::string, LoadedUnit> units; // by name or alias
    bool is_hung = false;
    int lists = 0;
    int questions = 0;
    int reloads = 0;

private:
    std::string directory_;
};

struct UnitFiles : testing::Test {
    /// The unit with one drop-in of that text.
    void drop_in(const std::string& unit, const std::string& text, bool is_active = true) {
        const auto file = files.write(unit + ".d/10.conf", "[X-Schedd]\n" + text);
        source.units[unit] = {unit, is_active, true, {file}};
    }
    std::string state(const std::string& unit) {
        for (const auto& row : attachments.rows())
            if (row.unit == unit) return row.state + (row.detail.empty() ? "" : ": " + row.detail);
        return "none";
    }
    std::string members(const std::string& scheduler) {
        std::string names;
        for (const auto& child : world.at<Scheduler>("schedulers/" + scheduler).process_set().children())
            names += child->name() + " ";
        return names;
    }

    TemporaryTree files;
    World world;
    PlayedSource source{files.path("")};
    Attachments attachments{world.tree, source,
                            [this](const Recipe& recipe, bool dry_run) {
                                return world.tree.apply(recipe, dry_run);
                            },
                            files.path("etc")};
};

TEST_F(UnitFiles, AttachTheirUnitsAndLetThemGo) {
    ASSERT_TRUE(world.apply("create schedulers/A\n"));
    drop_in("foo.service", "Scheduler=A\nClass=latency\nCPUs=2\n");
    source.units["plain.service"] = {"plain.service", true, true, {}};
    attachments.refresh();
    EXPECT_EQ(members("A"), "unit:foo.service ");
    EXPECT_EQ(world.read("schedulers/A/process_set/unit:foo.service.class"), "latency");
    EXPECT_EQ(world.read("schedulers/A/process_set/unit:foo.service.cpus"), "2");
    EXPECT_EQ(state("foo.service"), "attached");
    EXPECT_EQ(source.questions, 1) << "only units with a section are asked about";

    drop_in("foo.service", "Scheduler=A\nCPUs=3\n");
    attachments.refresh();
    EXPECT_EQ(world.read("schedulers/A/process_set/unit:foo.service.class"), "normal");
    EXPECT_EQ(world.read("schedulers/A/process_set/unit:foo.service.cpus"), "3");

    drop_in("foo.service", "");
    attachments.refresh();
    EXPECT_EQ(members("A"), "");
    EXPECT_EQ(state("foo.service"), "none");
}
TEST_F(UnitFiles, AreReadOnceWhenNothingHasChanged) {
    ASSERT_TRUE(world.apply("create schedulers/A\n"));
    drop_in("foo.service", "Scheduler=A\n");
    attachments.refresh();
    const auto before = world.dump();
    attachments.refresh();
    attachments.refresh("foo.service");
    attachments.retry();
    EXPECT_EQ(world.dump(), before);
    source.questions = 0;
    attachments.refresh("other.service");
    EXPECT_EQ(source.questions, 0);
}
TEST_F(UnitFiles, WithoutAnySectionCostNoQuestion) {
    source.units["plain.service"] = {"plain.service", true, true, {}};
    attachments.refresh();
    EXPECT_EQ(source.lists + source.questions, 0);
}
TEST_F(UnitFiles, WaitForTheSchedulerTheyName) {
    drop_in("foo.service", "Scheduler=A\n");
    attachments.refresh();
    EXPECT_EQ(state("foo.service"), "waiting: there is no scheduler A yet");
    EXPECT_EQ(world.log.count("there is no scheduler A yet"), 1U);
    attachments.refresh();
    EXPECT_EQ(world.log.count("there is no scheduler A yet"), 1U) << "told once";
    ASSERT_TRUE(world.apply("create schedulers/A\n"));
    attachments.retry();
    EXPECT_EQ(state("foo.service"), "attached");
    ASSERT_TRUE(world.apply("remove -r schedulers/A\n"));
    attachments.retry();
    EXPECT_EQ(state("foo.service"), "waiting: there is no scheduler A yet");
}
TEST_F(UnitFiles, SayWhyAMemberCannotBe) {
    ASSERT_TRUE(world.apply("create schedulers/A\nwrite schedulers/A/process_set.handle_all true\n"));
    drop_in("foo.service", "Scheduler=A\n");
    attachments.refresh();
    EXPECT_THAT(state("foo.service"), HasSubstr("handles all processes"));
    drop_in("foo.timer", "Scheduler=A\n");
    source.units.erase("foo.service");
    attachments.refresh();
    EXPECT_THAT(state("foo.timer"), HasSubstr("cannot be a member")) << "a timer has no processes";
}
TEST_F(UnitFiles, LeaveAloneWhatWasAttachedByHand) {
    ASSERT_TRUE(world.apply("create schedulers/A\ncreate schedulers/A/process_set/unit:foo.service\n"
                            "write schedulers/A/process_set/unit:foo.service.weight 7\n"));
    drop_in("foo.service", "Scheduler=A\nWeight=9\n");
    attachments.refresh();
    EXPECT_EQ(world.read("schedulers/A/process_set/unit:foo.service.weight"), "7");
    drop_in("foo.service", "");
    attachments.refresh();
    EXPECT_EQ(members("A"), "unit:foo.service ");
}
TEST_F(UnitFiles, AttachAgainOnlyAtTheNextReloadWhatWasDetachedByHand) {
    ASSERT_TRUE(world.apply("create schedulers/A\n"));
    drop_in("foo.service", "Scheduler=A\n");
    attachments.refresh();
    ASSERT_TRUE(world.apply("remove schedulers/A/process_set/unit:foo.service\n"));
    attachments.refresh("foo.service");
    ASSERT_TRUE(world.apply("create schedulers/B\n"));
    attachments.retry();
    EXPECT_EQ(members("A"), "");
    EXPECT_THAT(state("foo.service"), HasSubstr("detached: by hand"));
    attachments.refresh();
    EXPECT_EQ(members("A"), "unit:foo.service ");
}
TEST_F(UnitFiles, OptOutWhateverElseSays) {
    ASSERT_TRUE(world.apply("create schedulers/A\ncreate schedulers/A/process_set/unit:foo.service\n"
                            "create schedulers/B\nwrite schedulers/B/process_set.handle_all true\n"));
    world.start({.pid = 10, .cgroup = "/system.slice/foo.service"});
    world.start({.pid = 11, .cgroup = "/system.slice/bar.service"});
    const auto count = [&](const char* scheduler) {
        return world.at<Scheduler>(scheduler).process_set().subjects({}).size();
    };
    EXPECT_EQ(count("schedulers/A"), 1U);
    EXPECT_EQ(count("schedulers/B"), 2U);
    drop_in("foo.service", "Scheduler=A\nOptOut=yes\n");
    attachments.refresh();
    EXPECT_EQ(state("foo.service"), "opted-out");
    EXPECT_EQ(count("schedulers/A"), 0U);
    EXPECT_EQ(count("schedulers/B"), 1U) << "also not under handle_all";
    EXPECT_EQ(world.kind("create schedulers/C\ncreate schedulers/C/process_set/unit:foo.service\n"),
              Errc::not_attachable);
    EXPECT_EQ(world.kind("create schedulers/C\ncreate schedulers/C/process_set/process:10\n"),
              Errc::not_attachable);
    drop_in("foo.service", "Scheduler=A\n");
    attachments.refresh();
    EXPECT_EQ(count("schedulers/A"), 1U);
    EXPECT_EQ(count("schedulers/B"), 2U);
}
TEST_F(UnitFiles, KeepASliceFromBeingPlacedWholeOverAUnitThatOptedOut) {
    ASSERT_TRUE(world.apply("create schedulers/A\ncreate schedulers/A/process_set/unit:batch.slice\n"));
    world.start({.pid = 10, .cgroup = "/batch.slice/foo.service"});
    const auto& set = world.at<Scheduler>("schedulers/A").process_set();
    EXPECT_EQ(set.subjects({.cgroups = true, .units = true}).size(), 1U);
    drop_in("foo.service", "OptOut=yes\n");
    attachments.refresh();
    EXPECT_THAT(set.subjects({.cgroups = true, .units = true}), IsEmpty());
    EXPECT_THAT(set.why_left_out(world.at<Member>("schedulers/A/process_set/unit:batch.slice")),
                HasSubstr("foo.service opted out in"));
    EXPECT_EQ(world.kind("create schedulers/B\ncreate schedulers/B/process_set/unit:batch.slice\n"),
              Errc::not_attachable);
}
TEST_F(UnitFiles, OfATemplateAttachEachInstanceThatRuns) {
    ASSERT_TRUE(world.apply("create schedulers/eu\ncreate schedulers/us\n"));
    const auto file = files.write("web@.service.d/10.conf", "[X-Schedd]\nScheduler=%i\n");
    source.units["web@eu.service"] = {"web@eu.service", true, true, {file}};
    attachments.refresh();
    EXPECT_EQ(members("eu"), "unit:web@eu.service ");
    source.units["web@us.service"] = {"web@us.service", true, true, {file}};
    attachments.refresh("web@us.service");
    EXPECT_EQ(members("us"), "unit:web@us.service ");
    source.units["web@eu.service"].is_active = false;
    attachments.refresh("web@eu.service");
    EXPECT_EQ(members("eu"), "");
}
TEST_F(UnitFiles, AreFoundByAnAliasToo) {
    ASSERT_TRUE(world.apply("create schedulers/A\n"));
    const auto file = files.write("nick.service.d/10.conf", "[X-Schedd]\nScheduler=A\n");
    source.units["foo.service"] = {"foo.service", true, true, {file}};
    source.units["nick.service"] = source.units["foo.service"];
    attachments.refresh();
    EXPECT_EQ(members("A"), "unit:foo.service ");
}
TEST_F(UnitFiles, StandAsTheyWereWhileSystemdDoesNotAnswer) {
    ASSERT_TRUE(world.apply("create schedulers/A\n"));
    drop_in("foo.service", "Scheduler=A\n");
    attachments.refresh();
    drop_in("foo.service", "");
    source.is_hung = true;
    attachments.refresh();
    EXPECT_EQ(members("A"), "unit:foo.service ");
    EXPECT_EQ(world.log.count("what they said before stays"), 1U);
    source.is_hung = false;
    attachments.retry();
    EXPECT_EQ(members("A"), "unit:foo.service ") << "not at each turn of the loop";
    world.clock.advance(std::chrono::seconds(10));
    attachments.retry();
    EXPECT_EQ(members("A"), "") << "asked again by itself";
}
TEST_F(UnitFiles, AttachInTheOrderInWhichTheyNameSchedulers) {
    ASSERT_TRUE(world.apply("create schedulers/A\ncreate schedulers/B\n"));
    drop_in("foo.service", "Scheduler=B A\n");
    attachments.refresh();
    const auto order = [&](const std::string& scheduler) {
        return world.at<Member>("schedulers/" + scheduler + "/process_set/unit:foo.service").order();
    };
    EXPECT_LT(order("B"), order("A"));
}
TEST_F(UnitFiles, ComplainOnceOfEachBadLine) {
    drop_in("foo.service", "Color=red\nScheduler=A\n");
    attachments.refresh();
    attachments.refresh();
    EXPECT_EQ(world.log.count("there is no key 'Color'"), 1U);
}

struct AttachingForGood : UnitFiles {
    AttachingForGood() {
        source.units["foo.service"] = {"foo.service", true, true, {}};
        EXPECT_TRUE(world.apply("create schedulers/A\n"));
    }
    static constexpr const char* kFile = "etc/foo.service.d/50-schedd.conf";
};

TEST_F(AttachingForGood, WritesTheDropInAndAttachesNow) {
    ASSERT_TRUE(attachments.attach("A", "unit:foo.service", {{"class", "batch"}}, false));
    EXPECT_EQ(members("A"), "unit:foo.service ");
    EXPECT_EQ(world.read("schedulers/A/process_set/unit:foo.service.class"), "batch");
    EXPECT_THAT(files.read(kFile), HasSubstr("Scheduler=A\nClass=batch\n"));
    EXPECT_EQ(source.reloads, 1);
    ASSERT_TRUE(world.apply("create schedulers/B\n"));
    attachments.retry();
    EXPECT_EQ(members("A"), "unit:foo.service ") << "before systemd has read it too";
    ASSERT_TRUE(attachments.detach("A", "unit:foo.service", true));
    EXPECT_TRUE(files.has(kFile)) << "a dry run changes nothing";
    ASSERT_TRUE(attachments.detach("A", "unit:foo.service", false));
    EXPECT_EQ(members("A"), "");
    EXPECT_FALSE(files.has("etc/foo.service.d"));
    EXPECT_EQ(source.reloads, 2);
    EXPECT_EQ(world.log.count("by hand"), 0U);
}
TEST_F(AttachingForGood, ChangesNothingInADryRunOrWhenRefused) {
    const auto before = world.dump();
    EXPECT_TRUE(attachments.attach("A", "unit:foo.service", {}, true));
    const auto refusal = [&](const std::string& scheduler, const std::string& member) {
        const auto done = attachments.attach(scheduler, member, {}, false);
        return done ? std::nullopt : std::optional(done.error().kind);
    };
    EXPECT_EQ(refusal("B", "unit:foo.service"), Errc::no_such_object);
    EXPECT_EQ(refusal("A", "unit:missing.service"), Errc::no_such_object);
    EXPECT_EQ(refusal("A", "unit:../../etc/passwd.service"), Errc::invalid_value);
    EXPECT_EQ(refusal("A", "process:10"), Errc::not_attachable);
    EXPECT_EQ(attachments.attach("A", "unit:foo.service", {{"state", "x"}}, false).error().kind,
              Errc::invalid_value);
    EXPECT_EQ(world.dump(), before);
    EXPECT_FALSE(files.has("etc"));
    EXPECT_EQ(source.reloads, 0);
}
TEST_F(AttachingForGood, IsUndoneWhenTheFileCannotBeWritten) {
    files.write(kFile, "# mine\n");
    const auto before = world.dump();
    EXPECT_EQ(attachments.attach("A", "unit:foo.service", {}, false).error().kind, Errc::held_by_other);
    EXPECT_EQ(world.dump(), before);
    EXPECT_EQ(files.read(kFile), "# mine\n");
}
TEST_F(AttachingForGood, NamesTheUnitBehindAnAlias) {
    source.units["nick.service"] = source.units["foo.service"];
    const auto done = attachments.attach("A", "unit:nick.service", {}, false);
    ASSERT_FALSE(done);
    EXPECT_THAT(done.error().text(), HasSubstr("attach unit:foo.service"));
}
TEST_F(AttachingForGood, OfATemplateWritesItsFileForTheInstances) {
    const auto missing = attachments.attach("A", "unit:web@.service", {}, false);
    ASSERT_FALSE(missing);
    EXPECT_THAT(missing.error().text(), HasSubstr("systemd has no unit web@.service"));
    source.units["web@schedd.service"] = {"web@schedd.service", false, true, {}};
    const auto done = attachments.attach("A", "unit:web@.service", {}, false);
    ASSERT_TRUE(done) << done.error().text();
    EXPECT_THAT(files.read("etc/web@.service.d/50-schedd.conf"), HasSubstr("Scheduler=A"));
    EXPECT_EQ(members("A"), "");
    ASSERT_TRUE(attachments.detach("A", "unit:web@.service", false));
    EXPECT_FALSE(files.has("etc/web@.service.d"));
}
TEST_F(AttachingForGood, DetachesOnlyWhatItWrote) {
    drop_in("foo.service", "Scheduler=A\n");
    attachments.refresh();
    const auto done = attachments.detach("A", "unit:foo.service", false);
    ASSERT_FALSE(done);
    EXPECT_THAT(done.error().text(), HasSubstr("does not attach"));
    const auto tried = attachments.detach("A", "unit:foo.service", true);
    ASSERT_FALSE(tried) << "a dry run says the same";
    EXPECT_EQ(tried.error().text(), done.error().text());
    EXPECT_EQ(members("A"), "unit:foo.service ");
}

} // namespace
} // namespace schedd::test
