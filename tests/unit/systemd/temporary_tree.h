// TemporaryTree: a new directory for a test's unit files, removed with it.
#pragma once

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include <unistd.h>

namespace schedd::test {

class TemporaryTree {
public:
    TemporaryTree() {
        std::string name = (std::filesystem::temp_directory_path() / "schedd-units-XXXXXX").string();
        top_ = ::mkdtemp(name.data());
    }
    ~TemporaryTree() { std::filesystem::remove_all(top_); }
    TemporaryTree(const TemporaryTree&) = delete;
    TemporaryTree& operator=(const TemporaryTree&) = delete;

    [[nodiscard]] std::string path(const std::string& name) const { return (top_ / name).string(); }
    std::string write(const std::string& name, std::string_view text) const {
        std::filesystem::create_directories((top_ / name).parent_path());
        std::ofstream(top_ / name, std::ios::binary) << text;
        return path(name);
    }
    [[nodiscard]] std::string read(const std::string& name) const {
        std::ifstream file(top_ / name, std::ios::binary);
        std::ostringstream text;
        text << file.rdbuf();
        return text.str();
    }
    [[nodiscard]] bool has(const std::string& name) const { return std::filesystem::exists(top_ / name); }

private:
    std::filesystem::path top_;
};

} // namespace schedd::test
