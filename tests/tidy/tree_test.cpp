// The source tree itself, held against the rules.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include "tests/tidy/rules.h"

namespace schedd::tidy {
namespace {

namespace fs = std::filesystem;

/// What is not ours to judge: builds, histories, and bytes recorded for tests.
bool is_foreign(const std::string& path) {
    return path.starts_with("build") || path.starts_with(".git/") || path == ".git" ||
           path.starts_with(".cache") || path.starts_with("tests/fuzz/corpus/") ||
           path.starts_with("tests/machines/");
}

struct Sources {
    std::vector<File> files;
    std::vector<std::string> file_paths;
    std::vector<std::string> paths; // with folders
};

Sources read_sources() {
    Sources out;
    const fs::path top(SCHEDD_SOURCE_DIR);
    for (auto entry = fs::recursive_directory_iterator(top); entry != fs::recursive_directory_iterator();
         ++entry) {
        const auto path = fs::relative(entry->path(), top).string();
        const bool is_folder = entry->is_directory();
        if (is_foreign(path + (is_folder ? "/" : ""))) {
            if (is_folder) {
                out.paths.push_back(path);
                entry.disable_recursion_pending();
            }
            continue;
        }
        out.paths.push_back(path);
        if (!entry->is_regular_file()) continue;
        std::ostringstream text;
        text << std::ifstream(entry->path(), std::ios::binary).rdbuf();
        out.files.push_back({path, text.str()});
        out.file_paths.push_back(path);
    }
    return out;
}

const Sources& sources() {
    static const Sources kSources = read_sources();
    return kSources;
}

template <class Check> void expect_none(const Check& check) {
    for (const auto& file : sources().files)
        for (const Finding& found : check(file)) ADD_FAILURE() << found.text();
}

TEST(TheTree, IsThere) {
    EXPECT_GT(sources().files.size(), 50U);
    EXPECT_NE(std::ranges::find(sources().file_paths, "components/kit/result.h"), sources().file_paths.end());
}

TEST(TheTree, KeepsItsLayers) { expect_none(check_layers); }
TEST(TheTree, KeepsTheOutsideOutOfPureCode) { expect_none(check_words); }
TEST(TheTree, KeepsFilesAndLinesShort) { expect_none(check_lengths); }
TEST(TheTree, KeepsFunctionsShort) { expect_none(check_functions); }
TEST(TheTree, OpensEachFileWithASentence) { expect_none(check_opening); }
TEST(TheTree, StopsEachScriptOnErrors) { expect_none(check_script); }

TEST(TheTree, HoldsNoUnfinishedWorkAndNoPathOfOneMachine) {
    expect_none([](const File& file) { return check_marks(file, SCHEDD_SOURCE_DIR); });
}

TEST(TheTree, NamesOnlyFilesThatExist) {
    expect_none([](const File& file) {
        const bool is_readme = file.path.ends_with("README.md");
        return is_readme ? check_readme(file, sources().paths) : Findings();
    });
}

TEST(TheTree, HasAReadmeInEachFolder) {
    for (const Finding& found : check_folders(sources().file_paths)) ADD_FAILURE() << found.text();
}

TEST(TheTree, HasTestsInProportion) {
    std::size_t code = 0;
    std::size_t tests = 0;
    for (const auto& file : sources().files) {
        const bool is_test = folder_of(file.path) == "tests";
        if (!is_cpp(file.path) && !(is_test && (is_script(file) || file.path.ends_with(".py")))) continue;
        const auto lines = lines_of(file.text);
        const auto count =
            static_cast<std::size_t>(std::ranges::count_if(lines, [](auto line) { return !line.empty(); }));
        (is_test ? tests : code) += count;
    }
    EXPECT_GE(static_cast<double>(tests), kTestShare * static_cast<double>(code))
        << tests << " test lines, " << code << " source lines";
}

} // namespace
} // namespace schedd::tidy
