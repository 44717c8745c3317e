// The file view as people and scripts use it: the original's script and the slides' scenarios, and coreutils.
#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "tests/bus/mounted_view.h"

namespace schedd::test {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;
using testing::UnorderedElementsAre;

struct TheFileView : MountedView {
    const std::string policy = "schedulers/CPU_LB/load_balancing";
    /// The configuration as recipe lines, sorted, comments left out.
    std::string exported() {
        std::istringstream lines(
            client->call<std::string>("Export", Variants{{"format", basic("verbs")}}).value);
        std::multiset<std::string> sorted;
        for (std::string line; std::getline(lines, line);)
            if (!line.empty() && line.front() != '#') sorted.insert(line);
        std::string text;
        for (const auto& line : sorted) text += line + '\n';
        return text;
    }
    void build(Sleeper& work) {
        ASSERT_EQ(script("slides_build.sh", {std::to_string(work.pid())}), 0) << output << log();
    }
};

TEST_F(TheFileView, ListsTheTwoSpellingsAndTheTwoFolders) {
    EXPECT_EQ(shell("ls " + mount), 0);
    EXPECT_EQ(output, "krg_scheduler\nkrg_schedulers\n");
    EXPECT_EQ(shell("ls " + mount + "/krg_schedulers/"), 0);
    EXPECT_EQ(output, "probes\nschedulers\n");
    EXPECT_EQ(shell("ls -l " + top), 0) << output;
    EXPECT_EQ(shell("ls -Z " + top + "; stat -f " + top + "; df " + mount), 0) << output;
}

TEST_F(TheFileView, RunsTheOriginalScript) {
    auto text = content_of(std::string(SCHEDD_SCRIPTS) + "/krg_legacy_scheduler");
    for (auto at = text.find("/config"); at != std::string::npos;
         at = text.find("/config", at + mount.size()))
        text.replace(at, 7, mount);
    ASSERT_EQ(shell(text), 0) << output << log();
    EXPECT_EQ(output, "") << "not a word of complaint";

    const std::string chain = "schedulers/mosix/mosix_load_balancer";
    const auto single = std::stoll(read("probes/mosix_probe/norm_single_process_load/value"));
    EXPECT_EQ(read(chain + "/local_load/freq_limit_filter/min_interval"), "2000000000\n");
    EXPECT_EQ(read(chain + "/local_load/freq_limit_filter/threshold_filter/threshold"),
              std::to_string(single + single / 2) + "\n");
    EXPECT_EQ(read(chain + "/remote_load/remote_cache_filter/polling_period"), "1000\n");
    EXPECT_EQ(read(chain + "/single_process_load/remote_cache_filter/polling_period"), "0\n");
    EXPECT_EQ(read(chain + "/stab_factor"), "130\n");
    EXPECT_EQ(target_of(chain + "/local_load/freq_limit_filter/last_event/migration"),
              "../../../../../../probes/migration_probe/last_migration");
    EXPECT_EQ(target_of(chain + "/process_load/mosix"), "../../../../probes/mosix_probe/process_load");
    EXPECT_EQ(target_of(chain + "/remote_load/remote_cache_filter/mosix_upper"),
              "../../../../../probes/mosix_probe/norm_upper_load");
    EXPECT_EQ(target_of(chain + "/single_process_load/remote_cache_filter/mosix"),
              "../../../../../probes/mosix_probe/norm_single_process_load");
    EXPECT_EQ(target_of(chain + "/local_load/freq_limit_filter/threshold_filter/mosix_mean"),
              "../../../../../../probes/mosix_probe/norm_mean_load");
    EXPECT_EQ(list(chain + "/local_load/freq_limit_filter/events_on_going"),
              std::set<std::string>{"collected_value"})
        << "left unlinked";
    EXPECT_EQ(read("schedulers/rr/process_set/handle_all"), "1\n");
    EXPECT_EQ(read("schedulers/mosix/process_set/handle_all"), "1\n");
    // the whole of it, line by line, and nothing else
    const auto filters = chain + "/local_load/freq_limit_filter";
    const std::multiset<std::string>
        lines{"create probes/mosix_probe\n",
              "create probes/migration_probe\n",
              "create schedulers/rr\n",
              "create schedulers/rr/round_robin_balancer\n",
              "create schedulers/mosix\n",
              "create " + chain + "\n",
              "create " + filters + "\n",
              "create " + filters + "/threshold_filter\n",
              "create " + chain + "/remote_load/remote_cache_filter\n",
              "create " + chain + "/single_process_load/remote_cache_filter\n",
              "write " + filters + ".min_interval 2000000000\n",
              "write " + filters + "/threshold_filter.threshold " + std::to_string(single + single / 2) +
                  "\n",
              "write " + chain + "/remote_load/remote_cache_filter.polling_period 1000\n",
              "write schedulers/rr/process_set.handle_all true\n",
              "write schedulers/mosix/process_set.handle_all true\n",
              "link probes/migration_probe/last_migration " + filters + "/last_event\n",
              "link probes/mosix_probe/norm_mean_load " + filters + "/threshold_filter\n",
              "link probes/mosix_probe/norm_upper_load " + chain + "/remote_load/remote_cache_filter\n",
              "link probes/mosix_probe/norm_single_process_load " + chain +
                  "/single_process_load/remote_cache_filter\n",
              "link probes/mosix_probe/process_load " + chain + "/process_load\n"};
    std::string whole;
    for (const auto& line : lines) whole += line;
    EXPECT_EQ(exported(), whole);
    EXPECT_EQ(list("probes"), (std::set<std::string>{"mosix_probe", "migration_probe"}));
    EXPECT_EQ(list("schedulers"), (std::set<std::string>{"rr", "mosix"}));
}

TEST_F(TheFileView, BuildsTheSlidesScheduler) {
    Sleeper work;
    build(work);
    EXPECT_EQ(output, "");
    EXPECT_EQ(target_of(policy + "/node_load/remote_cache/threshold/cpu_load"),
              "../../../../../../probes/cpu/node_load");
    EXPECT_EQ(target_of(policy + "/process_load/cpu_load"), "../../../../probes/cpu/process_load");
    EXPECT_EQ(read(policy + "/node_load/remote_cache/threshold/threshold"), "100\n");
    EXPECT_EQ(read("probes/cpu/probe_period"), "1000\n");
    const auto verbs = exported();
    EXPECT_THAT(verbs,
                HasSubstr("link probes/cpu/node_load " + policy + "/node_load/remote_cache/threshold\n"));
    EXPECT_THAT(verbs, HasSubstr("create schedulers/CPU_LB/process_set/" + work.member()));
    EXPECT_THAT(verbs, HasSubstr("create schedulers/CPU_LB/process_set/session:"));
    EXPECT_EQ(list("schedulers/CPU_LB/process_set/single_processes"),
              std::set<std::string>{std::to_string(work.pid())});
    EXPECT_EQ(list("schedulers/CPU_LB/process_set/process_sessions").size(), 1U);
}

TEST_F(TheFileView, TellsItsValuesAtEveryStage) {
    Sleeper work;
    build(work);
    EXPECT_THAT(await("probes/cpu/node_load/value"), MatchesRegex("[0-9]+\n"));
    EXPECT_THAT(await(policy + "/node_load/collected_value"), MatchesRegex("[0-9]+\n"));
    ASSERT_EQ(script("slides_query.sh"), 0) << output;
    EXPECT_THAT(output, MatchesRegex("[0-9]+\n[0-9]+\n[0-9]+\n[0-9]+\n"));
}

TEST_F(TheFileView, LetsAFilterBeTakenOutLive) {
    Sleeper work;
    build(work);
    ASSERT_EQ(script("slides_modify.sh"), 0) << output << log();
    EXPECT_EQ(output, "");
    EXPECT_FALSE(exists(policy + "/node_load/remote_cache/threshold"));
    EXPECT_EQ(target_of(policy + "/node_load/remote_cache/cpu_load"), "../../../../../probes/cpu/node_load");
    EXPECT_THAT(await(policy + "/node_load/collected_value"), MatchesRegex("[0-9]+\n"));
}

TEST_F(TheFileView, LetsAPolicyBeReplacedByFindTacAndXargs) {
    Sleeper work;
    build(work);
    const std::string next = "remote_clone_LB";
    ASSERT_EQ(script("slides_replace.sh", {next}), 0) << output << log();
    EXPECT_FALSE(exists(policy));
    EXPECT_TRUE(exists("schedulers/CPU_LB/" + next));
    EXPECT_TRUE(exists("schedulers/CPU_LB/process_set/single_processes/" + std::to_string(work.pid())));
    EXPECT_EQ(rmdir("probes/cpu"), 0) << "nothing is linked to it any more";
}

TEST_F(TheFileView, StacksSchedulersInTheOrderOfTheirMembers) {
    Sleeper work;
    build(work);
    ASSERT_EQ(script("slides_replace.sh", {"exclusive_cores"}), 0) << output << log();
    ASSERT_EQ(script("slides_stack.sh", {std::to_string(work.pid())}), 0) << output << log();
    ASSERT_EQ(mkdir("schedulers/swap_avoidance/exclusive_cores"), 0);
    for (const std::string scheduler : {"CPU_LB", "swap_avoidance"}) {
        const auto member =
            "schedulers/" + scheduler + "/process_set/single_processes/" + std::to_string(work.pid());
        ASSERT_EQ(write(member + "/cpus", "1\n"), 0);
        ASSERT_EQ(write(member + "/exclusive", "1\n"), 0);
    }
    nlohmann::json decisions;
    EXPECT_TRUE(client->wait_for([&] {
        const auto why = nlohmann::json::parse(client->call<std::string>("Explain", work.member()).value);
        return !why["subjects"].empty() && (decisions = why["subjects"][0]["decisions"]).size() == 2;
    }));
    EXPECT_EQ(decisions[0]["scheduler"], "swap_avoidance") << "attached last, asked first: " << decisions;
    EXPECT_EQ(decisions[1]["scheduler"], "CPU_LB");
}

TEST_F(TheFileView, ResolvesTargetsFromTheCallersDirectory) {
    ASSERT_EQ(shell("mkdir probes/cpu && mkdir -p schedulers/A/load_balancing && "
                    "ln -s probes/cpu/node_load schedulers/A/load_balancing/node_load/x",
                    top),
              0)
        << output << log();
    EXPECT_EQ(target_of("schedulers/A/load_balancing/node_load/x"), "../../../../probes/cpu/node_load");
    EXPECT_EQ(shell("cat schedulers/A/load_balancing/node_load/x/../probe_period", top), 0) << output;
    EXPECT_EQ(output, "1000\n") << "the kernel follows the link it is shown";
    ASSERT_EQ(shell("cd probes && ln -s cpu/process_load ../schedulers/A/load_balancing/process_load/y", top),
              0)
        << output;
    EXPECT_EQ(shell("ln -s ../node_load/x ../process_load/z", top + "/schedulers/A/load_balancing/node_load"),
              1)
        << "it has a source";
}

TEST_F(TheFileView, DoesNotWaitForItselfWhenItIsBoundElsewhere) {
    ASSERT_EQ(shell("mkdir probes/cpu && mkdir -p schedulers/A/load_balancing", top), 0) << output;
    const auto bound = directory.path() + "/bound";
    std::filesystem::create_directory(bound);
    ASSERT_EQ(::mount(mount.c_str(), bound.c_str(), nullptr, MS_BIND, nullptr), 0);
    const std::string port = "schedulers/A/load_balancing/node_load";
    EXPECT_EQ(symlink_to(bound + "/krg_scheduler/probes/cpu/node_load", port + "/x"), EPERM);
    std::filesystem::create_symlink(mount, directory.path() + "/way");
    EXPECT_EQ(symlink_to(directory.path() + "/way/krg_scheduler/probes/cpu/node_load", port + "/x"), 0);
    EXPECT_EQ(::umount2(bound.c_str(), 0), 0);
}

TEST_F(TheFileView, ListsLinksThatOthersHaveMade) {
    ASSERT_EQ(shell("mkdir probes/cpu && mkdir -p schedulers/A/load_balancing", top), 0) << output;
    ASSERT_TRUE(client->link("probes/cpu/node_load", "schedulers/A/load_balancing/node_load"));
    const std::string port = "schedulers/A/load_balancing/node_load";
    EXPECT_EQ(list(port), (std::set<std::string>{"collected_value", "cpu.node_load"}));
    EXPECT_EQ(unlink(port + "/other"), ENOENT);
    EXPECT_EQ(unlink(port + "/cpu.node_load"), 0);
    EXPECT_EQ(symlink("probes/cpu/node_load", port + "/mine"), 0);
    ASSERT_TRUE(client->call("Unlink", port, Variants{}));
    EXPECT_FALSE(exists(port + "/mine")) << "gone at once, whoever unlinked it";
    EXPECT_EQ(unlink(port + "/mine"), ENOENT);
}

TEST_F(TheFileView, ShowsWhatOthersChangeAtOnce) {
    for (int i = 0; i < 20; ++i) {
        ASSERT_TRUE(client->create("schedulers/S"));
        ASSERT_TRUE(exists("schedulers/S"));
        ASSERT_TRUE(client->remove("schedulers/S"));
        ASSERT_FALSE(exists("schedulers/S"));
    }
    ASSERT_TRUE(client->create("schedulers/S"));
    ASSERT_TRUE(client->call("Write", std::string("schedulers/S"), std::string("precedence"), basic("7"),
                             Variants{}));
    EXPECT_EQ(read("schedulers/S/precedence"), "7\n");
}

TEST_F(TheFileView, AttachesMembersOfAllSorts) {
    Sleeper work;
    ASSERT_EQ(mkdir("schedulers/S"), 0);
    const std::string set = "schedulers/S/process_set";
    EXPECT_EQ(list(set), (std::set<std::string>{"handle_all", "single_processes", "process_groups",
                                                "process_sessions", "members"}));
    const auto pid = std::to_string(work.pid());
    EXPECT_EQ(mkdir(set + "/single_processes/" + pid), 0) << log();
    EXPECT_EQ(mkdir(set + "/single_processes/" + pid), EEXIST);
    EXPECT_EQ(mkdir(set + "/process_groups/" + std::to_string(::getpgid(work.pid()))), 0) << log();
    EXPECT_EQ(mkdir(set + "/members/exec:%2Fusr%2Fbin%2Fmake"), 0) << log();
    EXPECT_EQ(list(set + "/members"), std::set<std::string>{"exec:%2Fusr%2Fbin%2Fmake"});
    EXPECT_EQ(write(set + "/single_processes/" + pid + "/weight", "200\n"), 0);
    EXPECT_EQ(read(set + "/single_processes/" + pid + "/weight"), "200\n");
    EXPECT_EQ(rmdir(set + "/single_processes/" + pid), 0);
    EXPECT_FALSE(exists(set + "/single_processes/" + pid));
}

TEST_F(TheFileView, ListsALargeProcessSetAsItIs) {
    ASSERT_EQ(mkdir("schedulers/S"), 0);
    std::string recipe;
    for (int i = 0; i < 1000; ++i)
        recipe += "create schedulers/S/process_set/exec:prog" + std::to_string(i) + "\n";
    ASSERT_TRUE(client->apply_verbs(recipe));
    EXPECT_EQ(list("schedulers/S/process_set/members").size(), 1000U);
    EXPECT_EQ(shell("ls -l " + top + "/schedulers/S/process_set/members | wc -l"), 0);
    EXPECT_EQ(output, "1001\n");
}

TEST_F(TheFileView, CountsNoNodesWithoutACluster) {
    ASSERT_EQ(mkdir("probes/cpu"), 0);
    EXPECT_EQ(list("probes/cpu/node_load"), std::set<std::string>{"value"});
    EXPECT_EQ(read("probes/cpu/node_load/0/value"), "!ENOENT");
    ASSERT_EQ(mkdir("schedulers/S"), 0);
    EXPECT_EQ(read("schedulers/S/node_set"), "all\n");
    EXPECT_EQ(read("schedulers/S/node_set_max_fit"), "1\n");
    EXPECT_EQ(read("schedulers/S/node_set_exclusive"), "0\n");
}

TEST_F(TheFileView, BehavesForFindAndCompletion) {
    Sleeper work;
    build(work);
    EXPECT_EQ(shell("compgen -f " + top + "/schedulers/CPU_LB/load_b"), 0);
    EXPECT_EQ(output, top + "/schedulers/CPU_LB/load_balancing\n");
    EXPECT_EQ(shell("find . -type l | sort", top), 0);
    EXPECT_EQ(output, "./schedulers/CPU_LB/load_balancing/node_load/remote_cache/threshold/cpu_load\n"
                      "./schedulers/CPU_LB/load_balancing/process_load/cpu_load\n");
    EXPECT_EQ(shell("find -L . -name probe_period", top), 0) << output;
    EXPECT_EQ(output, "./probes/cpu/probe_period\n");
    EXPECT_EQ(shell("rm -r schedulers/CPU_LB", top), 1) << "attributes cannot be removed, as in configfs";
    EXPECT_THAT(output, HasSubstr("Operation not permitted"));
}

TEST_F(TheFileView, CanBeReadByOthersWhereThatIsAllowed) {
    ASSERT_EQ(mkdir("probes/cpu"), 0);
    const std::string nobody = "setpriv --reuid=65534 --regid=65534 --clear-groups ";
    EXPECT_NE(shell(nobody + "ls " + mount), 0) << output;
    ASSERT_EQ(view.end(), 0);
    mount_view({"-o", "allow_other"});
    EXPECT_EQ(shell(nobody + "cat " + top + "/probes/cpu/probe_period"), 0) << output;
    EXPECT_EQ(output, "1000\n");
    EXPECT_NE(shell(nobody + "mkdir " + top + "/probes/mem_probe"), 0);
    EXPECT_THAT(output, HasSubstr("Permission denied"));
    EXPECT_NE(shell(nobody + "bash -c 'echo 500 > " + top + "/probes/cpu/probe_period'"), 0);
    EXPECT_EQ(read("probes/cpu/probe_period"), "1000\n");
}

TEST_F(TheFileView, ChangesNothingWhenItIsMountedSo) {
    ASSERT_EQ(mkdir("probes/cpu"), 0);
    ASSERT_EQ(view.end(), 0);
    mount_view({"-o", "ro"});
    EXPECT_EQ(mkdir("probes/mem_probe"), EROFS);
    EXPECT_EQ(write("probes/cpu/probe_period", "500\n"), EROFS);
    EXPECT_EQ(read("probes/cpu/probe_period"), "1000\n");
}

} // namespace
} // namespace schedd::test
