// The house rules as functions from a file's text to findings; the tree is read elsewhere.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace schedd::tidy {

/// `path` is relative to the top of the tree: "components/kit/clock.h".
struct File {
    std::string path;
    std::string text;
};

/// One breach of a rule. Line 0 means the whole file.
struct Finding {
    std::string path;
    std::size_t line = 0;
    std::string what;
    /// "components/kit/clock.h:3: what".
    [[nodiscard]] std::string text() const;
    bool operator==(const Finding&) const = default;
};
using Findings = std::vector<Finding>;

constexpr std::size_t kFileLines = 500;
constexpr std::size_t kFunctionLines = 70;
constexpr std::size_t kColumns = 110;
constexpr double kTestShare = 0.8;

bool is_cpp(std::string_view path);
bool is_script(const File& file);
/// The first folder of a path; "" for a file at the top.
std::string_view folder_of(std::string_view path);
std::vector<std::string_view> lines_of(std::string_view text);

/// The text with comments and the contents of strings blanked; lines keep their numbers and columns.
std::string code_of(std::string_view text);

/// Which project and library headers a file may include, and which words a pure one may hold; see layers.cpp.
Findings check_layers(const File& file);
Findings check_words(const File& file);

Findings check_lengths(const File& file);
/// By counting braces: a function is a '{' after a ')' outside any other function.
Findings check_functions(const File& file);
/// A C++ file opens with a comment of at least two words that holds a full stop.
Findings check_opening(const File& file);
/// Marks of unfinished work, and paths of the machine it was built on.
Findings check_marks(const File& file, std::string_view source_dir);
Findings check_script(const File& file);
/// Names in backquotes that look like files or folders of the project must be among `paths` (files and
/// folders), from the README's folder, from the top, or by their ending.
Findings check_readme(const File& readme, const std::vector<std::string>& paths);
/// Folders with sources but without a README.md; those below tests/unit are covered by tests/unit/README.md.
Findings check_folders(const std::vector<std::string>& files);

} // namespace schedd::tidy
