// MountedView: the real schedd-fs over the real daemon, mounted where nobody else sees it.
#pragma once

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/bus/daemon.h"

namespace schedd::test {

struct MountedView : testing::Test {
    PrivateBus bus{BusKind::dbus_daemon};
    TemporaryDirectory directory;
    std::unique_ptr<Daemon> daemon;
    std::unique_ptr<Client> client;
    Child view;
    std::string output; // of the last script
    std::string mount = directory.path() + "/config";
    std::string top = mount + "/krg_scheduler";

    void SetUp() override {
        if (::access("/dev/fuse", R_OK | W_OK) != 0) GTEST_SKIP() << "no /dev/fuse here";
        // what is mounted goes with the last process of the test, however that ends
        if (::unshare(CLONE_NEWNS) != 0 || ::mount("", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
            GTEST_SKIP() << "no mount namespaces: " << std::strerror(errno);
        daemon = std::make_unique<Daemon>(bus);
        ASSERT_TRUE(daemon->is_running()) << daemon->log();
        client = std::make_unique<Client>(bus.address());
        std::filesystem::create_directory(mount);
        mount_view();
    }
    void TearDown() override {
        if (view.pid() == 0) return;
        EXPECT_EQ(view.end(), 0) << log();
        EXPECT_FALSE(is_mounted()) << "it has unmounted at its end";
    }

    void mount_view(const std::vector<std::string>& options = {}) {
        std::vector<std::string> words{SCHEDD_FS, "-f", "--bus=" + bus.address()};
        words.insert(words.end(), options.begin(), options.end());
        words.push_back(mount);
        view = Child(words, directory.path() + "/log");
        ASSERT_TRUE(client->wait_for([&] { return is_mounted() || !view.is_running(); }));
        ASSERT_TRUE(view.is_running()) << log();
    }
    [[nodiscard]] bool is_mounted() const {
        struct stat below{};
        struct stat above{};
        return ::stat(mount.c_str(), &below) == 0 && ::stat(directory.path().c_str(), &above) == 0 &&
               below.st_dev != above.st_dev;
    }
    [[nodiscard]] std::string log() const { return content_of(directory.path() + "/log"); }

    /// Runs bash with these words in the directory `from`; its exit code.
    int bash(const std::vector<std::string>& words, const std::string& from = "/") {
        // a session of its own, which can be a member
        std::vector<std::string> all{"env", "-C", from, "setsid", "-w", "bash"};
        all.insert(all.end(), words.begin(), words.end());
        int code = -1;
        output = run(all, &code);
        return code;
    }
    int shell(const std::string& command, const std::string& from = "/") {
        return bash({"-c", command}, from);
    }
    int script(const std::string& name, std::vector<std::string> more = {}) {
        more.insert(more.begin(), {std::string(SCHEDD_SCRIPTS) + "/" + name, mount});
        return bash(more);
    }

    // Calls as programs make them; 0 or errno.
    static int error_of(int result) { return result < 0 ? errno : 0; }
    [[nodiscard]] int mkdir(const std::string& file) const {
        return error_of(::mkdir((top + "/" + file).c_str(), 0755));
    }
    [[nodiscard]] int rmdir(const std::string& file) const {
        return error_of(::rmdir((top + "/" + file).c_str()));
    }
    [[nodiscard]] int unlink(const std::string& file) const {
        return error_of(::unlink((top + "/" + file).c_str()));
    }
    /// `target` below the top.
    [[nodiscard]] int symlink(const std::string& target, const std::string& file) const {
        return symlink_to(top + "/" + target, file);
    }
    [[nodiscard]] int symlink_to(const std::string& target, const std::string& file) const {
        return error_of(::symlink(target.c_str(), (top + "/" + file).c_str()));
    }
    /// Opens as a shell's redirection does, writes once; the error of whichever fails.
    [[nodiscard]] int write(const std::string& file, const std::string& bytes) const {
        const int fd = ::open((top + "/" + file).c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
        if (fd < 0) return errno;
        const int error = error_of(static_cast<int>(::write(fd, bytes.data(), bytes.size())));
        ::close(fd);
        return error;
    }
    /// The content, or "!" and the name of the error.
    [[nodiscard]] std::string read(const std::string& file) const {
        const int fd = ::open((top + "/" + file).c_str(), O_RDONLY | O_CLOEXEC);
        if (fd < 0) return std::string("!") + ::strerrorname_np(errno);
        std::string text;
        char bytes[8192];
        ssize_t got = 0;
        while ((got = ::read(fd, bytes, sizeof bytes)) > 0) text.append(bytes, static_cast<std::size_t>(got));
        const int error = errno;
        ::close(fd);
        return got < 0 ? std::string("!") + ::strerrorname_np(error) : text;
    }
    /// Reads until it can, as a person would look again.
    std::string await(const std::string& file) {
        std::string text;
        client->wait_for([&] { return !(text = read(file)).starts_with('!'); });
        return text;
    }
    [[nodiscard]] std::string target_of(const std::string& file) const {
        char target[4096];
        const auto size = ::readlink((top + "/" + file).c_str(), target, sizeof target);
        return size < 0 ? std::string("!") + ::strerrorname_np(errno)
                        : std::string(target, static_cast<std::size_t>(size));
    }
    [[nodiscard]] std::set<std::string> list(const std::string& file) const {
        std::set<std::string> names;
        std::error_code error;
        for (const auto& entry : std::filesystem::directory_iterator(top + "/" + file, error))
            names.insert(entry.path().filename().string());
        if (error) names.insert("!" + error.message());
        return names;
    }
    [[nodiscard]] bool exists(const std::string& file) const {
        struct stat about{};
        return ::lstat((top + "/" + file).c_str(), &about) == 0;
    }
};

} // namespace schedd::test
