// DirHost: the Host over a directory of the running machine, "/" or a recorded tree; the only opener of
// files.
#pragma once

#include "components/kit/file_space.h"
#include "components/kit/host.h"
#include "service/host/space_asker.h"

namespace schedd::host {

using namespace schedd::kit;

/// How paths are kept inside the root. `plain` is for "/", where there is no outside. `in_root` asks the
/// kernel (openat2, Linux 5.6): absolute links and ".." mean the root. `walk` goes name by name and refuses
/// ".." and links; for kernels and sandboxes without openat2.
enum class Confinement { plain, in_root, walk };

class DirHost final : public Host, public FileSpace {
public:
    /// Opens `root`. Fails with no_such_object, denied or io, naming the directory.
    static Result<std::unique_ptr<DirHost>> open_root(const std::string& root);
    /// As above, with the confinement named; open_root() chooses the best there is.
    static Result<std::unique_ptr<DirHost>> open_root(const std::string& root, Confinement how);
    ~DirHost() override;
    DirHost(const DirHost&) = delete;
    DirHost& operator=(const DirHost&) = delete;

    Result<std::unique_ptr<HostFile>> open(const std::string& path) override;
    Result<std::string_view> read(const std::string& path, std::span<char> buffer) override;
    Status list(const std::string& path, const std::function<void(std::string_view)>& visit) override;
    Result<std::string> link_target(const std::string& path) override;
    /// Fails with busy where the file system does not answer, as one on a network may (SpaceAsker).
    Result<Space> space_of(const std::string& path) override;
    /// By the process's CPU clock; the running machine only.
    [[nodiscard]] std::optional<std::uint64_t> cpu_time_of(std::int32_t pid) override;
    /// The soft limit on open files at the time of opening the root, less limits::kReservedFiles.
    [[nodiscard]] std::size_t open_budget() const override { return budget_; }

    [[nodiscard]] Confinement confinement() const { return how_; }

private:
    DirHost(int root, Confinement how, std::size_t budget) : root_(root), how_(how), budget_(budget) {}
    /// A new descriptor, or -1 with errno set.
    [[nodiscard]] int open_at(const std::string& path, int flags) const;
    [[nodiscard]] int open_walking(const std::string& path, int flags) const;
    [[nodiscard]] Result<Space> look_for_space(const std::string& path) const;

    int root_;
    Confinement how_;
    std::size_t budget_;
    SpaceAsker spaces_;
    std::shared_ptr<std::size_t> kept_ = std::make_shared<std::size_t>(0);
};

/// Raises the soft limit on open files to the hard one, so that probes can keep a file open per task. Call
/// once, before the host is opened. Returns the limit now in force.
Result<std::size_t> raise_file_limit();

} // namespace schedd::host
