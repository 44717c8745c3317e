// ProcessSet through long random lives: the subjects it keeps from change to change, and the changes that it
// tells.
#include <array>
#include <map>
#include <ranges>

#include <gtest/gtest.h>

#include "tests/kit/world.h"

namespace schedd::test {
namespace {

/// A life of a set, in which what is kept from change to change must be what is found anew.
struct ALifeOfASet : ::testing::Test {
    World world;
    Rng rng{1};
    ProcessSet::Whole whole{.cgroups = true, .units = true};
    std::map<Target, Subject> replayed; // what follows from the changes that were told
    std::uint64_t revision = 0;

    ALifeOfASet() {
        for (const auto* group : {"batch", "batch/inner"})
            world.host.set(fmt::format("sys/fs/cgroup/cpuset/{}/cgroup.procs", group), "");
        EXPECT_TRUE(world.apply("create schedulers/S"));
    }
    ProcessSet& set() { return world.at<ProcessSet>("schedulers/S/process_set"); }
    std::size_t below(std::size_t bound) { return rng.below(bound); }
    std::string some_group() {
        const std::array groups{"/batch",
                                "/batch/inner",
                                "/a.slice/t@1.service",
                                "/a.slice/t@2.service",
                                "/system.slice/web.service",
                                "/system.slice/web.service/worker",
                                "/other"};
        return groups.at(below(groups.size()));
    }
    std::string happen() {
        const auto pid = static_cast<Pid>(10 + below(20));
        switch (below(8)) {
        case 0: world.end(pid); return fmt::format("{} ends", pid);
        case 1: world.table.apply({.what = ProcessEvent::What::exec, .pid = pid}); return "exec";
        case 2: {
            const std::array names{"cgroup:/batch",    "cgroup:/batch/inner", "unit:t@.service",
                                   "unit:t@1.service", "unit:web.service",    "session:77"};
            const std::string name = names.at(below(names.size()));
            const auto* verb = set().child(name) ? "remove" : "create";
            // some cannot be attached now, as one that has opted out
            (void)world.apply(fmt::format("{} schedulers/S/process_set/{}", verb, name));
            return fmt::format("{} {}", verb, name);
        }
        case 3: {
            if (set().children().empty()) return "nothing";
            const auto& member = *set().children()[below(set().children().size())];
            EXPECT_TRUE(world.apply(
                fmt::format("write schedulers/S/process_set/{}.weight {}", member.name(), 1 + below(3))));
            return "weight of " + member.name();
        }
        case 4:
            if (below(4) == 0) world.table.set_opt_outs({{"web.service", "a file"}});
            else world.table.set_opt_outs({});
            return "opt-outs";
        default:
            if (world.table.find(pid)) world.end(pid);
            world.start({.pid = pid, .session = below(3) ? pid : 77, .cgroup = some_group()});
            return fmt::format("{} starts", pid);
        }
    }
    void check() {
        const auto now = set().subjects(whole);
        const std::vector<Subject> kept(now.begin(), now.end());
        const auto changed = set().changed_since(revision);
        if (!changed) replayed.clear();
        if (!changed)
            for (const auto& subject : kept) replayed.insert_or_assign(subject.target, subject);
        else
            for (const auto& target : *changed)
                if (const auto* subject = now.find(target)) replayed.insert_or_assign(target, *subject);
                else replayed.erase(target);
        revision = set().revision();
        set().members_changed(); // all is found anew
        const auto anew = set().subjects(whole);
        ASSERT_EQ(kept, std::vector<Subject>(anew.begin(), anew.end()));
        ASSERT_EQ(set().revision(), revision) << "nothing differs";
        ASSERT_TRUE(std::ranges::equal(replayed | std::views::values, kept));
    }
};

TEST_F(ALifeOfASet, KeepsWhatWouldBeFoundAnew) {
    for (int event = 0; event < 3000 && !HasFatalFailure(); ++event) {
        std::string trace = fmt::format("event {}: ", event);
        // several at once, as between two ticks
        for (auto count = 1 + below(3); count > 0; --count) trace += happen() + ", ";
        SCOPED_TRACE(trace);
        check();
    }
}

} // namespace
} // namespace schedd::test
