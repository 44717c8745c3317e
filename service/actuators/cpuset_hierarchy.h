// CpusetHierarchy: control groups of the cpuset controller as the kernel has them - reading by the Host,
// changing by libcgroup.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "service/actuators/cpuset_reader.h"

namespace schedd::actuators {

class CpusetHierarchy {
public:
    /// Finds the mounted hierarchy by libcgroup's mount table. Fails with controller_unavailable.
    static Result<CpusetHierarchy> find(Host& host);
    /// A hierarchy that is known: `mount` is relative to the root of `host`, which is "/".
    CpusetHierarchy(Host& host, CpusetMount mount) : host_(&host), mount_(std::move(mount)) {}

    [[nodiscard]] const CpusetMount& mount() const { return mount_; }
    [[nodiscard]] int version() const { return mount_.version; }
    [[nodiscard]] Host& host() const { return *host_; }

    [[nodiscard]] bool exists(const std::string& group) const;
    /// Whether the controller is on in this group (on version 2 the parent's subtree_control decides).
    [[nodiscard]] bool has_controller(const std::string& group) const;
    /// A file of the group without the newline at its end; no_such_object, denied, io.
    [[nodiscard]] Result<std::string> read(const std::string& group, std::string_view file) const;
    /// cpuset.cpus as configured ("" = empty set).
    [[nodiscard]] Result<CpuSet> cpus(const std::string& group) const;
    [[nodiscard]] Result<CpuSet> effective(const std::string& group) const {
        return effective_of(*host_, mount_, group);
    }
    /// The groups directly below.
    [[nodiscard]] std::vector<std::string> children(const std::string& group) const;
    /// Some of the threads in the group itself, none if it is empty.
    [[nodiscard]] std::vector<Pid> some_tasks(const std::string& group) const;

    /// The path of a file of the group.
    [[nodiscard]] std::string absolute(const std::string& group, std::string_view file) const {
        return "/" + mount_.file(group, file);
    }

    /// Writes one file of an existing group. The error names the file, the text and the kernel's answer in
    /// words.
    Status write(const std::string& group, const char* file, const std::string& text) const;
    /// Makes one group below an existing one; that it exists already is no failure.
    Status create(const std::string& group) const;
    /// Removes a group that has neither tasks nor children; busy otherwise.
    Status remove(const std::string& group) const;
    /// Moves a process with all its threads.
    Status move_process(const std::string& group, Pid pid) const;
    /// Moves one thread (version 1 only).
    Status move_thread(const std::string& group, Pid tid) const;

private:
    [[nodiscard]] Status write_plainly(const std::string& group, std::string_view file,
                                       std::string_view text) const;

    Host* host_;
    CpusetMount mount_;
};

} // namespace schedd::actuators
