// Recipe files: several files read as one text, and errors about that text said in terms of the files.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/failure.h"

namespace schedd::cli {

struct RecipeFiles {
    struct File {
        std::string name;
        std::size_t first_line = 1; // in the joined text
    };
    std::string text;
    std::vector<File> files;
};

/// Adds a file's contents at the end, on a line of its own.
void join(RecipeFiles& files, std::string name, std::string_view contents);

/// Reads the named files ("-" = the standard input), together at most limits::kConfigBytes. Fails with
/// Exit::error naming the file.
Answer<RecipeFiles> read_recipe_files(const std::vector<std::string>& names);

/// "line 12: ..." about the joined text as "b.toml line 2: ..."; without a line, the one file is named
/// before.
std::string in_terms_of_files(const RecipeFiles& files, std::string_view message);

} // namespace schedd::cli
