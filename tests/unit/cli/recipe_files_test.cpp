// Several files as one recipe.
#include "cli/recipe_files.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace schedd::cli {
namespace {

using testing::HasSubstr;

RecipeFiles two_files() {
    RecipeFiles files;
    join(files, "a.toml", "[probe.cpu]\nprobe_period = 500");
    join(files, "b.toml", "[scheduler.X]\nnonsense\n");
    return files;
}

TEST(RecipeFiles, AreJoinedLineByLine) {
    const auto files = two_files();
    EXPECT_EQ(files.text, "[probe.cpu]\nprobe_period = 500\n[scheduler.X]\nnonsense\n");
    EXPECT_EQ(files.files[1].first_line, 3U);
}

TEST(AnErrorInOneOfThem, IsSaidInTermsOfThatFile) {
    EXPECT_EQ(in_terms_of_files(two_files(), "line 4: not TOML"), "b.toml line 2: not TOML");
    EXPECT_EQ(in_terms_of_files(two_files(), "recipe, line 2: out of range"),
              "recipe, a.toml line 2: out of range");
    EXPECT_EQ(in_terms_of_files(two_files(), "line 3"), "b.toml line 1");
}

TEST(AnErrorInOneOfThem, IsSaidInTheStyleOfCompilersWhenTheDaemonDoes) {
    EXPECT_EQ(in_terms_of_files(two_files(), "recipe:4:7: not TOML"), "b.toml:2:7: not TOML");
    EXPECT_EQ(in_terms_of_files(two_files(), "recipe:1:1: see line 4"), "a.toml:1:1: see line 4");
    EXPECT_EQ(in_terms_of_files(two_files(), "recipe:0: x"), "a.toml:1: x") << "a line that cannot be";
}

TEST(AnErrorWithoutALine, NamesTheFileOnlyWhenThereIsOne) {
    EXPECT_EQ(in_terms_of_files(two_files(), "no such type"), "no such type");
    RecipeFiles one;
    join(one, "a.toml", "x\n");
    EXPECT_EQ(in_terms_of_files(one, "no such type"), "a.toml: no such type");
    EXPECT_EQ(in_terms_of_files(one, "in line with x"), "a.toml: in line with x");
    EXPECT_EQ(in_terms_of_files({}, "line 1: x"), "line 1: x");
}

/// A folder of the test's own.
class AFile : public testing::Test {
protected:
    void SetUp() override {
        std::string name = testing::TempDir() + "schedd-recipe-XXXXXX";
        ASSERT_NE(::mkdtemp(name.data()), nullptr);
        folder_ = name;
    }
    void TearDown() override { std::filesystem::remove_all(folder_); }
    std::string write(const std::string& name, const std::string& text) const {
        std::ofstream(folder_ / name, std::ios::binary) << text;
        return folder_ / name;
    }
    std::filesystem::path folder_;
};

TEST_F(AFile, ThatIsNotThereIsNamed) {
    const auto files = read_recipe_files({folder_ / "none.toml"});
    ASSERT_FALSE(files);
    EXPECT_EQ(files.error().exit, Exit::error);
    EXPECT_THAT(files.error().text, HasSubstr("none.toml"));
}

TEST_F(AFile, ThatIsAFolderIsAnError) { EXPECT_FALSE(read_recipe_files({folder_})); }

TEST_F(AFile, ThatNeverEndsIsCutOffAtTheLimit) {
    const auto files = read_recipe_files({"/dev/zero"});
    ASSERT_FALSE(files);
    EXPECT_THAT(files.error().text, HasSubstr("1024 KiB"));
}

TEST_F(AFile, WithANulByteIsNoRecipe) {
    const auto files = read_recipe_files({write("a", std::string("a\0b", 3))});
    ASSERT_FALSE(files);
    EXPECT_THAT(files.error().text, HasSubstr("NUL"));
}

TEST_F(AFile, ThatIsNotUtf8IsRefusedWithItsPlace) {
    const auto files = read_recipe_files({write("bad", "[probe.m]\n# \xFF comment\n")});
    ASSERT_FALSE(files);
    EXPECT_THAT(files.error().text, HasSubstr("bad:2:3: the byte 0xff is not UTF-8"));
    EXPECT_TRUE(read_recipe_files({write("good", "# \xC3\xA4 \xF0\x9F\x98\x80\n")}));
}

TEST_F(AFile, ThatIsTooLargeTogetherWithOthersIsRefused) {
    const auto half = write("half", std::string(600UL * 1024, '#'));
    EXPECT_TRUE(read_recipe_files({half}));
    EXPECT_FALSE(read_recipe_files({half, half}));
}

TEST_F(AFile, MayBeEmpty) {
    const auto files = read_recipe_files({write("a", ""), write("b", "x")});
    ASSERT_TRUE(files);
    EXPECT_EQ(files->text, "x\n");
}

} // namespace
} // namespace schedd::cli
