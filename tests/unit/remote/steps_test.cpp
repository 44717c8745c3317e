// The steps as words: what runs here, what runs over there, and that no unit name or host key gets around
// ssh.
#include <gtest/gtest.h>

#include "tests/unit/remote/played_runner.h"

namespace schedd::test {
namespace {

std::string joined(const Job& job) {
    std::string line;
    for (const auto& word : job.words) line += (line.empty() ? "" : " ") + word;
    return line;
}

const Course kCourse{"a\\x2db.service", "77", "one", site(2, "two"), 0};

TEST(AStep, OnThisNodeRunsTheScriptWithItsFolder) {
    const Steps steps("/lib/m", {.directory = "/srv/m"});
    EXPECT_EQ(joined(steps.thaw(kCourse.unit)),
              "/usr/bin/env SCHEDD_MIGRATE_DIR=/srv/m SCHEDD_MIGRATE_LIMIT=30 /lib/m thaw a\\x2db.service");
    EXPECT_EQ(joined(steps.look(kCourse)), "/usr/bin/env SCHEDD_MIGRATE_DIR=/srv/m SCHEDD_MIGRATE_LIMIT=30 "
                                           "/lib/m look a\\x2db.service 77 one two");
}

TEST(AStep, OverThereGoesThroughAShellUnharmed) {
    const Steps steps("/lib/m", {});
    const auto job = steps.carry(kCourse);
    ASSERT_TRUE(job);
    EXPECT_NE(joined(*job).find(" /lib/m carry a\\x2db.service -- ssh "), std::string::npos);
    EXPECT_EQ(job->words.back(), "/usr/bin/env 'SCHEDD_MIGRATE_DIR=/var/lib/schedd/migrate' "
                                 "'SCHEDD_MIGRATE_LIMIT=30' /lib/m restore "
                                 "'a\\x2db.service' 77");
}

TEST(AStep, NeverAsksAndNeverTakesANewHostKey) {
    const Steps steps("/lib/m", {.ssh_user = "mover", .ssh_port = 2222});
    for (const auto& job :
         {steps.link(kCourse.site), steps.ask(kCourse), steps.carry(kCourse), steps.commit(kCourse),
          steps.settle(kCourse), steps.discard(kCourse), steps.send_home(kCourse.site, "one")}) {
        ASSERT_TRUE(job);
        const auto line = joined(*job);
        for (const auto* option : {"BatchMode=yes", "StrictHostKeyChecking=yes", "HostKeyAlias=two",
                                   "User=mover", "Port=2222", "ControlMaster=auto"})
            EXPECT_NE(line.find(option), std::string::npos) << job->name << " lacks " << option;
    }
}

TEST(AStep, HasALimitThatGrowsWithTheImages) {
    const Steps steps("/lib/m", {.bandwidth = 10});
    auto large = kCourse;
    large.bytes = 1'000'000'000;
    EXPECT_EQ(steps.transfer_of(large.bytes), std::chrono::seconds(100));
    EXPECT_EQ(steps.carry(large)->limit - steps.carry(kCourse)->limit, std::chrono::seconds(3 * 500));
    EXPECT_EQ(steps.commit(large)->limit, steps.commit(kCourse)->limit);
}

TEST(AStep, MayTakeLongerWhereNodesAreSlow) {
    const Steps steps("/lib/m", {.step_limit = 180});
    EXPECT_EQ(steps.link(kCourse.site)->limit, std::chrono::seconds(180));
    EXPECT_EQ(steps.ask(kCourse)->limit, std::chrono::seconds(360));
    EXPECT_NE(joined(*steps.link(kCourse.site)).find("SCHEDD_MIGRATE_LIMIT=180"), std::string::npos);
    EXPECT_NE(joined(*steps.link(kCourse.site)).find("ConnectTimeout=30"), std::string::npos);
}

} // namespace
} // namespace schedd::test
