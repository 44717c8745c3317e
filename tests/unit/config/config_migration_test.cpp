// What the [migration] table may say, and what is said of one that may not.
#include "service/config_migration.h"

#include "tests/unit/config/config_world.h"

namespace schedd::test {
namespace {

using remote::MigrationSettings;
using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

MigrationSettings migration(std::string_view lines) {
    return parse_config("t.toml", "[migration]\n" + std::string(lines)).value().daemon.migration.value();
}
std::string refusal(std::string_view lines) {
    return error_of(parse_config("t.toml", "[migration]\n" + std::string(lines)));
}

TEST(AMigrationTable, MayBeAbsentOrEmpty) {
    EXPECT_FALSE(parse_config("t.toml", "[daemon]\n").value().daemon.migration);
    EXPECT_EQ(migration("").ssh_user, MigrationSettings().ssh_user);
    EXPECT_EQ(migration("").bandwidth, MigrationSettings().bandwidth);
}

TEST(AMigrationTable, HoldsEverySetting) {
    const auto all = migration("ssh_user = \"schedd-mover\"\nssh_port = 2222\n"
                               "directory = \"/srv/images\"\nbandwidth = 1000\nstep_limit = 180\n");
    EXPECT_EQ(all.ssh_user, "schedd-mover");
    EXPECT_EQ(all.ssh_port, 2222);
    EXPECT_EQ(all.directory, "/srv/images");
    EXPECT_EQ(all.bandwidth, 1000U);
    EXPECT_EQ(all.step_limit, 180U);
}

TEST(AMigrationTable, RefusesWhatIsOutOfRangeAndSaysTheRange) {
    EXPECT_THAT(refusal("bandwidth = 0\n"), AllOf(StartsWith("t.toml:2:1: "), HasSubstr("1 to 100000")));
    EXPECT_THAT(refusal("ssh_port = 65536\n"), HasSubstr("0 to 65535"));
    EXPECT_THAT(refusal("ssh_port = [22]\n"), HasSubstr("'ssh_port' is a list"));
    EXPECT_THAT(refusal("sshport = 22\n"),
                AllOf(StartsWith("t.toml:2:1: unknown key 'sshport'"), HasSubstr("ssh_port")));
    EXPECT_THAT(error_of(parse_config("t.toml", "migration = 3\n")), HasSubstr("a table: [migration]"));
}

TEST(AMigrationTable, LetsNothingBecomeAnotherWordOfTheCommand) {
    for (const auto* user : {"", "-oProxyCommand=x", "a b", "a;b", "a\\nb", "a@b", "\\u00e4"})
        EXPECT_THAT(refusal(fmt::format("ssh_user = \"{}\"\n", user)), HasSubstr("ssh_user cannot be"))
            << user;
    for (const auto* directory : {"", "images", "/a b", "/$HOME", "/a'b"})
        EXPECT_THAT(refusal(fmt::format("directory = \"{}\"\n", directory)),
                    AllOf(HasSubstr("directory cannot be"), HasSubstr("an absolute path")))
            << directory;
    EXPECT_THAT(refusal("ssh_user = \"" + std::string(256, 'x') + "\"\n"), HasSubstr("ssh_user cannot be"));
    EXPECT_EQ(migration("directory = \"/" + std::string(254, 'x') + "\"\n").directory.size(), 255U);
}

TEST(TwoFilesOfAMigration, MayNotBothDefineIt) {
    const auto both = [](std::string_view first, std::string_view second) {
        return merge(parse_config("a.toml", first).value(), parse_config("b.toml", second).value());
    };
    EXPECT_EQ(both("[migration]\nssh_port = 1\n", "[daemon]\n").value().daemon.migration.value().ssh_port, 1);
    EXPECT_EQ(both("[daemon]\n", "[migration]\nssh_port = 1\n").value().daemon.migration.value().ssh_port, 1);
    EXPECT_THAT(error_of(both("\n[migration]\n", "[migration]\n")),
                AllOf(StartsWith("b.toml:1:"), HasSubstr("first at a.toml:2:")));
}

} // namespace
} // namespace schedd::test
