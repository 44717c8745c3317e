// Changing control groups by libcgroup 2.0, and by plain writes where that cannot do it.
#include "service/actuators/cpuset_hierarchy.h"

#include <array>
#include <cerrno>
#include <cstdlib>
#include <memory>

#include <fcntl.h>
#include <fmt/format.h>
#include <libcgroup.h>
#include <sys/stat.h>
#include <unistd.h>

#include "components/kit/errno_error.h"
#include "components/model/proc_text.h"

namespace schedd::actuators {

namespace {

constexpr std::size_t kBuffer = 32768; // a list of kMaxCpus CPUs, as in cpuset_reader.cpp
constexpr std::size_t kSomeTasks = 8192;
constexpr std::size_t kLibraryValue = 4096; // libcgroup's CG_CONTROL_VALUE_MAX, which it does not publish
constexpr const char* kController = "cpuset";

struct GroupFreer {
    void operator()(cgroup* group) const { cgroup_free(&group); }
};
using GroupHandle = std::unique_ptr<cgroup, GroupFreer>;

/// libcgroup's description of one group of the cpuset hierarchy alone: one without a controller would be
/// changed in every mounted hierarchy. Names there have no '/' in front.
struct Described {
    explicit Described(const std::string& path)
        : group(cgroup_new_cgroup(path == "/" ? "." : path.c_str() + 1)),
          controller(group ? cgroup_add_controller(group.get(), kController) : nullptr) {}
    GroupHandle group;
    cgroup_controller* controller;
};

Error no_memory(const std::string& group) {
    return {Errc::io, "describing the control group " + group, "no memory"};
}

/// What the kernel means by refusing a cpuset file.
Error refusal(int number, const std::string& what) {
    switch (number) {
    case EBUSY: return {Errc::busy, what, "a child group has CPUs outside of it"};
    case EINVAL:
        return {Errc::invalid_value, what, "the kernel cannot use this value here (exclusive siblings?)"};
    case ERANGE: return {Errc::cpu_offline, what, "this kernel has no such CPU"};
    case ENOSPC: return {Errc::busy, what, "its tasks would have no CPU or memory node left"};
    case EROFS: return {Errc::controller_unavailable, what, "the control group tree is read-only here"};
    case EOPNOTSUPP:
        return {Errc::not_supported, what, "the kernel does not allow it for this kind of group"};
    default: return errno_error(number, what);
    }
}

/// libcgroup's code as an errno. It says "no such parameter" or "not allowed" for whatever it
/// cannot open, so look again.
int errno_of(int code, const std::string& path) {
    if (code == ECGOTHER) return cgroup_get_last_errno();
    if (::access(path.c_str(), W_OK) != 0) return errno;
    return code == ECGROUPNOTALLOWED || code == ECGROUPNOTOWNER ? EPERM : EIO;
}

std::string described_write(const std::string& path, std::string_view text) {
    return fmt::format("writing \"{}\" to {}", text == "\n" ? "" : text, path);
}

} // namespace

Result<CpusetHierarchy> CpusetHierarchy::find(Host& host) {
    constexpr const char* kWhat = "there is no cpuset controller";
    if (const int code = cgroup_init(); code != 0)
        return fail(Errc::controller_unavailable, kWhat, std::string("libcgroup: ") + cgroup_strerror(code));
    char* found = nullptr;
    const int code = cgroup_get_subsys_mount_point(kController, &found);
    const std::unique_ptr<char, void (*)(void*)> owner(found, std::free);
    if (code != 0 || found == nullptr || found[0] != '/')
        return fail(Errc::controller_unavailable, kWhat,
                    "mount a cgroup hierarchy that has it, or use --actuator=affinity");
    CpusetMount mount{found + 1, 1};
    std::array<char, 256> unused;
    if (host.read(mount.file("/", "cgroup.controllers"), unused))
        mount.version = 2; // a file of version 2 alone
    return CpusetHierarchy(host, std::move(mount));
}

bool CpusetHierarchy::exists(const std::string& group) const {
    return read(group, mount_.existence_file()).has_value();
}

bool CpusetHierarchy::has_controller(const std::string& group) const {
    return read(group, "cpuset.cpus").has_value();
}

Result<std::string> CpusetHierarchy::read(const std::string& group, std::string_view file) const {
    std::array<char, kBuffer> buffer;
    const auto text = host_->read(mount_.file(group, file), buffer);
    if (!text) return std::unexpected(text.error());
    const auto end = text->find_last_not_of('\n');
    return std::string(end == std::string_view::npos ? std::string_view() : text->substr(0, end + 1));
}

Result<CpuSet> CpusetHierarchy::cpus(const std::string& group) const {
    const auto text = read(group, "cpuset.cpus");
    if (!text) return std::unexpected(text.error());
    return CpuSet::parse(*text);
}

std::vector<std::string> CpusetHierarchy::children(const std::string& group) const {
    std::vector<std::string> found;
    auto directory = mount_.file(group, "");
    directory.pop_back();
    static_cast<void>(host_->list(directory, [&](std::string_view name) {
        auto child = child_of(group, name);
        if (exists(child)) found.push_back(std::move(child)); // files have nothing below
    }));
    return found;
}

std::vector<Pid> CpusetHierarchy::some_tasks(const std::string& group) const {
    std::array<char, kSomeTasks> buffer;
    std::vector<Pid> tasks;
    const auto text = host_->read(mount_.file(group, version() == 1 ? "tasks" : "cgroup.threads"), buffer);
    if (!text) return tasks;
    std::string_view rest = *text;
    if (rest.size() == buffer.size())
        rest.remove_suffix(rest.size() - (rest.rfind('\n') + 1)); // cut in a number
    while (!rest.empty()) {
        auto line = take_line(rest);
        const auto tid = take_number(line);
        if (tid && *tid > 0 && *tid <= INT32_MAX) tasks.push_back(static_cast<Pid>(*tid));
    }
    return tasks;
}

Status CpusetHierarchy::write(const std::string& group, const char* file, const std::string& text) const {
    // libcgroup 2.0 passes over empty lines, so it cannot clear a set; and on version 2 it also writes the
    // subtree_control of the group itself (libcgroup #351), which would forbid processes in it; and it takes
    // no value as long as the list of every second CPU of a large machine
    if (version() == 2 || text.empty() || text.size() >= kLibraryValue)
        return write_plainly(group, file, text.empty() ? "\n" : text);
    const Described described(group);
    if (described.controller == nullptr ||
        cgroup_add_value_string(described.controller, file, text.c_str()) != 0)
        return std::unexpected(no_memory(group));
    const auto path = absolute(group, file);
    if (const int code = cgroup_modify_cgroup(described.group.get()); code != 0)
        return std::unexpected(refusal(errno_of(code, path), described_write(path, text)));
    return {};
}

Status CpusetHierarchy::write_plainly(const std::string& group, std::string_view file,
                                      std::string_view text) const {
    const auto path = absolute(group, file);
    const int fd = ::open(path.c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC | O_NOFOLLOW); // as a shell's '>' does
    if (fd < 0) return std::unexpected(refusal(errno, described_write(path, text)));
    const auto wrote =
        ::write(fd, text.data(), text.size()); // one write: the kernel takes it whole or refuses
    const int why = errno;
    ::close(fd);
    if (wrote < 0) return std::unexpected(refusal(why, described_write(path, text)));
    return {};
}

Status CpusetHierarchy::create(const std::string& group) const {
    const auto path = absolute(group, "");
    if (version() == 2) {
        // see write(): libcgroup would also change the subtree_control of the new group's ancestors
        if (::mkdir(path.c_str(), 0755) == 0 || errno == EEXIST) return {};
        return std::unexpected(refusal(errno, "creating the control group " + path));
    }
    const Described described(group);
    if (described.controller == nullptr) return std::unexpected(no_memory(group));
    errno = 0;
    if (const int code = cgroup_create_cgroup(described.group.get(), 1); code != 0) {
        const int why = errno_of(code, absolute(parent_of(group), ""));
        return std::unexpected(refusal(why, "creating the control group " + path));
    }
    // it reports success for some failures, such as a name that is too long
    if (!exists(group))
        return fail(Errc::not_applied, "creating the control group " + path, "it is not there");
    return {};
}

Status CpusetHierarchy::remove(const std::string& group) const {
    // libcgroup's delete moves tasks away or reports success for a group in use; rmdir is exact and atomic
    if (::rmdir(absolute(group, "").c_str()) == 0 || errno == ENOENT) return {};
    if (errno == EBUSY || errno == ENOTEMPTY)
        return fail(Errc::busy, "removing the control group " + absolute(group, ""), "it is in use");
    return std::unexpected(refusal(errno, "removing the control group " + absolute(group, "")));
}

Status CpusetHierarchy::move_process(const std::string& group, Pid pid) const {
    // libcgroup moves one thread at a time on version 1; the kernel moves all of them at once by this file
    auto moved = write_plainly(group, "cgroup.procs", fmt::format("{}", pid));
    if (moved) return moved;
    auto error = moved.error();
    error.what = fmt::format("moving process {} to the control group {}", pid, group);
    if (error.kind == Errc::no_such_object && exists(group)) error.detail = "it has ended";
    return std::unexpected(std::move(error));
}

Status CpusetHierarchy::move_thread(const std::string& group, Pid tid) const {
    const Described described(group);
    if (described.controller == nullptr) return std::unexpected(no_memory(group));
    if (const int code = cgroup_attach_task_pid(described.group.get(), tid); code != 0) {
        const int why = code == ECGOTHER ? cgroup_get_last_errno() : errno_of(code, absolute(group, "tasks"));
        return std::unexpected(
            refusal(why, fmt::format("moving thread {} to the control group {}", tid, group)));
    }
    return {};
}

} // namespace schedd::actuators
