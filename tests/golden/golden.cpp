// Comparing with golden files.
#include "tests/golden/golden.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

namespace schedd::golden {

namespace {

const std::filesystem::path kFolder = SCHEDD_GOLDEN_DIR;

bool read_file(const std::filesystem::path& path, std::string& text) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream all;
    all << file.rdbuf();
    text = all.str();
    return file.good();
}

} // namespace

void expect_golden(std::string_view name, std::string_view text) {
    const auto path = kFolder / "expected" / name;
    if (std::getenv("SCHEDD_UPDATE_GOLDEN") != nullptr) {
        std::ofstream(path, std::ios::binary) << text;
        return;
    }
    std::string expected;
    ASSERT_TRUE(read_file(path, expected)) << path << " is missing; SCHEDD_UPDATE_GOLDEN=1 writes it";
    EXPECT_EQ(expected, text) << "differs from " << path
                              << "; if that is right, run with SCHEDD_UPDATE_GOLDEN=1";
}

std::string read_data(std::string_view name) {
    std::string text;
    EXPECT_TRUE(read_file(kFolder / "data" / name, text)) << name;
    return text;
}

} // namespace schedd::golden
