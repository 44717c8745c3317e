// Which files count: directories that override each other, masks, and things that are no files.
#include <filesystem>
#include <fstream>
#include <sstream>

#include <sys/stat.h>
#include <unistd.h>

#include "components/probes/probes.h"
#include "policies/policies.h"
#include "tests/unit/config/config_world.h"

namespace schedd::test {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;

class ConfigDirectories : public testing::Test {
protected:
    ConfigDirectories() {
        std::string name = (fs::temp_directory_path() / "schedd-config-XXXXXX").string();
        top_ = ::mkdtemp(name.data());
        for (const auto* d : {"usr", "run", "etc"}) directories_.push_back((top_ / d).string());
    }
    ~ConfigDirectories() override { fs::remove_all(top_); }

    void write(const std::string& path, std::string_view text) {
        fs::create_directories((top_ / path).parent_path());
        std::ofstream(top_ / path, std::ios::binary) << text;
    }
    [[nodiscard]] Result<Desired> load() const { return load_config(directories_); }
    /// Names of the schedulers that are configured, in order.
    [[nodiscard]] std::string names() const {
        const auto desired = load();
        if (!desired) return "error: " + desired.error().text();
        std::string out;
        for (const auto& scheduler : desired->schedulers) out += scheduler.name + " ";
        return out;
    }

    fs::path top_;
    std::vector<std::string> directories_;
};

TEST_F(ConfigDirectories, ThatAreMissingAreFine) { EXPECT_EQ(names(), ""); }

TEST_F(ConfigDirectories, AreReadTogetherInTheOrderOfFileNames) {
    write("etc/schedulers.d/20-b.toml", "[scheduler.B]\n");
    write("usr/schedulers.d/30-c.toml", "[scheduler.C]\n");
    write("run/schedulers.d/10-a.toml", "[scheduler.A]\n");
    write("usr/schedd.conf", "[scheduler.Z]\n");
    EXPECT_EQ(names(), "Z A B C ");
}

TEST_F(ConfigDirectories, OverrideEarlierOnesFileByFile) {
    write("usr/schedulers.d/10.toml", "[scheduler.Usr]\n");
    write("run/schedulers.d/10.toml", "[scheduler.Run]\n");
    EXPECT_EQ(names(), "Run ");
    write("etc/schedulers.d/10.toml", "[scheduler.Etc]\n");
    EXPECT_EQ(names(), "Etc ");
}

TEST_F(ConfigDirectories, HideABrokenFileBehindAGoodOne) {
    write("usr/schedulers.d/10.toml", "broken");
    write("etc/schedulers.d/10.toml", "[scheduler.Etc]\n");
    EXPECT_EQ(names(), "Etc ");
}

TEST_F(ConfigDirectories, MaskByALinkToDevNullOrAnEmptyFile) {
    write("usr/schedulers.d/10.toml", "[scheduler.A]\n");
    write("usr/schedulers.d/20.toml", "[scheduler.B]\n");
    write("etc/schedulers.d/20.toml", "");
    EXPECT_EQ(names(), "A ");
    fs::create_symlink("/dev/null", top_ / "etc/schedulers.d/10.toml");
    EXPECT_EQ(names(), "");
}

TEST_F(ConfigDirectories, IgnoreWhatIsNotToml) {
    write("etc/schedulers.d/README", "broken");
    write("etc/schedulers.d/10.toml~", "broken");
    write("etc/schedulers.d/.10.toml", "broken");
    EXPECT_EQ(names(), "");
}

TEST_F(ConfigDirectories, WithOneBadFileAreRefusedWhole) {
    write("etc/schedulers.d/10.toml", "[scheduler.A]\n");
    write("etc/schedulers.d/20.toml", "[scheduler.B]\nnonsense = 1\n");
    EXPECT_THAT(names(), AllOf(HasSubstr("error: "), HasSubstr("20.toml:2:1: unknown key 'nonsense'")));
}

TEST_F(ConfigDirectories, ThatDefineASchedulerTwiceAreRefused) {
    write("etc/schedulers.d/10.toml", "[scheduler.A]\n");
    write("etc/schedulers.d/20.toml", "[scheduler.A]\n");
    EXPECT_THAT(names(), AllOf(HasSubstr("20.toml:1:"), HasSubstr("10.toml:1:")));
}

TEST_F(ConfigDirectories, RefusePipesAndFoldersWithoutWaiting) {
    write("etc/schedulers.d/x", "");
    ASSERT_EQ(::mkfifo((top_ / "etc/schedulers.d/10.toml").c_str(), 0600), 0);
    EXPECT_THAT(names(), HasSubstr("10.toml is not a file"));
    fs::remove(top_ / "etc/schedulers.d/10.toml");
    fs::create_directory(top_ / "etc/schedulers.d/20.toml");
    EXPECT_THAT(names(), HasSubstr("20.toml is not a file"));
}

TEST_F(ConfigDirectories, NameADanglingLink) {
    fs::create_directories(top_ / "etc/schedulers.d");
    fs::create_symlink("nowhere", top_ / "etc/schedulers.d/10.toml");
    EXPECT_THAT(names(), AllOf(HasSubstr("cannot read"), HasSubstr("10.toml"), HasSubstr("No such file")));
}

TEST_F(ConfigDirectories, ThatAreFilesAreNamed) {
    write("etc/schedulers.d", "");
    EXPECT_THAT(names(), AllOf(HasSubstr("etc/schedulers.d"), HasSubstr("Not a directory")));
}

TEST_F(ConfigDirectories, TakeAFileNoLargerThanTheLimit) {
    write("etc/schedd.conf", std::string(limits::kConfigBytes, '#'));
    EXPECT_EQ(names(), "");
    write("etc/schedd.conf", std::string(limits::kConfigBytes + 1, '#'));
    EXPECT_THAT(names(), HasSubstr("limit bytes"));
}

TEST_F(ConfigDirectories, TakeNoMoreFilesThanTheLimit) {
    for (std::size_t i = 0; i <= limits::kConfigFiles; ++i)
        write("etc/schedulers.d/" + std::to_string(i) + ".toml", "");
    EXPECT_THAT(names(), HasSubstr("limit files = 256"));
}

std::string text_of_file(const fs::path& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
}

TEST(TheShippedFile, IsValidAndSoIsEachValueItShows) {
    auto text = text_of_file(fs::path(SCHEDD_SOURCE_DIR) / "service/schedd.conf");
    ASSERT_THAT(text, HasSubstr("[daemon]"));
    EXPECT_EQ(error_of(parse_config("schedd.conf", text)), "");
    for (auto at = text.find("\n#"); at != std::string::npos; at = text.find("\n#", at + 1))
        if (text[at + 2] != ' ') text.erase(at + 1, 1);
    const auto shown = parse_config("schedd.conf", text);
    ASSERT_TRUE(shown) << shown.error().text();
    EXPECT_EQ(shown->daemon.on_stop, "restore");
    EXPECT_EQ(shown->daemon.tick_period_ms, 100U);
    ASSERT_TRUE(shown->daemon.cluster);
    EXPECT_EQ(shown->daemon.cluster->port, 7420);
    EXPECT_EQ(shown->daemon.cluster->keys, "/etc/schedd/cluster.keys");
}

TEST(TheManualsExample, IsValid) {
    const auto page = text_of_file(fs::path(SCHEDD_SOURCE_DIR) / "service/schedd.conf.5");
    const auto from = page.find(".nf\n", page.find(".SH EXAMPLE"));
    ASSERT_NE(from, std::string::npos);
    const auto example = page.substr(from + 4, page.find(".fi\n", from) - from - 4);
    const auto desired = parse_config("example", example);
    ASSERT_TRUE(desired) << desired.error().text();
    EXPECT_EQ(desired->schedulers.at(0).ports.size(), 2U);
}

TEST(TheExamples, AreValidAndFitTheTypesThatThereAre) {
    int seen = 0;
    for (const auto& entry : fs::directory_iterator(fs::path(SCHEDD_SOURCE_DIR) / "units/examples")) {
        if (entry.path().extension() != ".toml") continue;
        ++seen;
        const auto file = entry.path().filename().string();
        const auto desired = parse_config(file, text_of_file(entry.path()));
        ASSERT_TRUE(desired) << file << ": " << desired.error().text();
        World world({&probes::kCpu, &probes::kMigration, &probes::kMosix, &probes::kPower, &probes::kPressure,
                     &filters::kFreqLimit, &filters::kRemoteCache, &filters::kThreshold,
                     &policies::kLoadBalancing, &policies::kMosixLoadBalancer, &policies::kNest,
                     &policies::kPools, &policies::kPowerProfile, &policies::kPressureGuard,
                     &policies::kRoundRobinBalancer});
        const auto recipe = recipe_to(*desired, world.tree, false);
        ASSERT_TRUE(recipe) << file << ": " << recipe.error().text();
        const auto applied = world.tree.apply(*recipe);
        EXPECT_TRUE(applied) << file << ": " << applied.error().text();
        EXPECT_FALSE(world.tree.schedulers().children().empty()) << file;
    }
    EXPECT_GE(seen, 3);
}

TEST(TheDefaultDirectories, EndWithTheAdministrators) {
    EXPECT_THAT(default_directories(), testing::ElementsAre("/usr/lib/schedd", "/run/schedd", "/etc/schedd"));
}

} // namespace
} // namespace schedd::test
