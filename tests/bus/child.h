// Child: a program that a test started, ended by its pid at the latest with the test.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <sys/types.h>

namespace schedd::test {

/// A fresh directory, readable by all, removed with its contents at the end.
class TemporaryDirectory {
public:
    TemporaryDirectory();
    ~TemporaryDirectory();
    TemporaryDirectory(const TemporaryDirectory&) = delete;
    TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
    [[nodiscard]] const std::string& path() const { return path_; }

private:
    std::string path_;
};

class Child {
public:
    Child() = default;
    /// Starts `words[0]` (looked up in PATH), its output going to the file `log`. The kernel ends it if the
    /// test dies.
    Child(const std::vector<std::string>& words, const std::string& log);
    /// For what needs more preparation: the caller has forked.
    explicit Child(pid_t pid) : pid_(pid) {}
    Child(Child&& other) noexcept : pid_(other.pid_) { other.pid_ = 0; }
    Child& operator=(Child&& other) noexcept;
    ~Child() { end(); }

    [[nodiscard]] pid_t pid() const { return pid_; }
    /// The caller waits for it.
    pid_t release() { return std::exchange(pid_, 0); }
    [[nodiscard]] bool is_running();
    /// Asks it to end, insists after five seconds; its exit code, or -1 if it was killed.
    int end();

private:
    pid_t pid_ = 0;
};

/// What a forked child does to be the program `words[0]`, its output going to the file `log`. The kernel ends
/// it if the test dies.
[[noreturn]] void become(const std::vector<std::string>& words, const std::string& log);

/// Output of a program that ends by itself, standard error included; `code` receives its exit code.
std::string run(const std::vector<std::string>& words, int* code = nullptr);

std::string content_of(const std::string& file);

} // namespace schedd::test
