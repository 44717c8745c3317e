// Words and time limits of the steps. Limits are for a node that hangs, not for one that is slow.
#include "service/remote/steps.h"

#include <algorithm>

#include <fmt/format.h>

namespace schedd::remote {

namespace {

using std::chrono::seconds;

constexpr const char* kControlFolder = "/run/schedd-migrate/ssh";
constexpr int kPatience = 5; // so much longer than the images are expected to take

void prepend(std::vector<std::string>& words, std::vector<std::string> front) {
    words.insert(words.begin(), std::make_move_iterator(front.begin()), std::make_move_iterator(front.end()));
}

} // namespace

Duration Steps::transfer_of(std::uint64_t bytes) const {
    return std::chrono::nanoseconds(bytes / settings_.bandwidth * 1000);
}

Duration Steps::simple() const { return seconds(settings_.step_limit); }

Duration Steps::carrying(std::uint64_t bytes) const { return 2 * simple() + kPatience * transfer_of(bytes); }

Job Steps::local(std::string name, std::vector<std::string> words, Duration limit) const {
    prepend(words, {"/usr/bin/env", "SCHEDD_MIGRATE_DIR=" + settings_.directory,
                    fmt::format("SCHEDD_MIGRATE_LIMIT={}", settings_.step_limit), script_, name});
    return {std::move(name), std::move(words), limit};
}

Result<std::vector<std::string>> Steps::ssh(const Site& site, std::vector<std::string> words,
                                            bool has_input) const {
    SshSettings how;
    how.control_folder = kControlFolder;
    how.has_input = has_input;
    how.connect = std::max(how.connect, seconds(settings_.step_limit / 6));
    if (!words.empty())
        prepend(words, {"/usr/bin/env", "SCHEDD_MIGRATE_DIR=" + settings_.directory,
                        fmt::format("SCHEDD_MIGRATE_LIMIT={}", settings_.step_limit), script_});
    return ssh_command({site.name, site.address, settings_.ssh_user, settings_.ssh_port}, how, words);
}

Result<Job> Steps::there(std::string name, const Site& site, std::vector<std::string> words,
                         Duration limit) const {
    auto command = ssh(site, std::move(words));
    if (!command) return std::unexpected(command.error());
    return Job{std::move(name), std::move(*command), limit};
}

Result<Job> Steps::both(std::string name, const Course& course, std::vector<std::string> words,
                        bool has_input, Duration limit) const {
    auto command = ssh(course.site, std::move(words), has_input);
    if (!command) return std::unexpected(command.error());
    prepend(*command, {course.unit, "--"});
    return local(std::move(name), std::move(*command), limit);
}

Job Steps::check() const { return local("check", {}, 2 * simple()); }

Job Steps::look(const Course& course) const {
    return local("look", {course.unit, course.id, course.here, course.site.name}, simple());
}

Job Steps::thaw(const std::string& unit) const { return local("thaw", {unit}, simple()); }

Job Steps::leave(const std::string& unit) const { return local("leave", {unit}, simple()); }

Job Steps::recover() const { return local("recover", {}, seconds(360)); }

Job Steps::checkpoint(const std::string& unit, const std::string& to, std::uint64_t bytes) const {
    return local("checkpoint", {unit, to}, carrying(bytes));
}

Job Steps::revive(const std::string& from) const { return local("revive", {from}, seconds(300)); }

Result<Job> Steps::link(const Site& site) const {
    auto command = ssh(site, {});
    if (!command) return std::unexpected(command.error());
    prepend(*command, {site.name, "--"});
    return local("link", std::move(*command), simple());
}

Result<Job> Steps::ask(const Course& course) const {
    return both("ask", course, {"probe", course.unit, course.id, fmt::to_string(course.bytes)}, true,
                2 * simple());
}

Result<Job> Steps::carry(const Course& course) const {
    return both("carry", course, {"restore", course.unit, course.id}, true,
                3 * carrying(course.bytes)); // dumped, sent and restored
}

Result<Job> Steps::commit(const Course& course) const {
    return both("commit", course, {"go", course.unit, course.id}, false, simple());
}

Result<Job> Steps::discard(const Course& course) const {
    return there("discard", course.site, {"discard", course.unit, course.id}, simple());
}

Result<Job> Steps::settle(const Course& course) const {
    return there("settle", course.site, {"settle", course.unit, course.id}, simple());
}

Result<Job> Steps::send_home(const Site& site, const std::string& home) const {
    return there("home_to", site, {"home_to", home}, 2 * simple());
}

} // namespace schedd::remote
