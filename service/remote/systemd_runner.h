// SystemdRunner: jobs as transient units of PID 1, so that what criu and ssh need does not widen what the
// daemon itself may do.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "service/remote/runner.h"

namespace schedd::remote {

class SystemdRunner final : public Runner {
public:
    /// What is started is systemd-run, which asks PID 1 and waits; `front` stands in its place in tests.
    /// Fails with io when the kernel refuses an epoll descriptor.
    static Result<std::unique_ptr<SystemdRunner>> open(const Clock& clock,
                                                       std::vector<std::string> front = {});
    ~SystemdRunner() override;
    SystemdRunner(const SystemdRunner&) = delete;
    SystemdRunner& operator=(const SystemdRunner&) = delete;

    void start(Job job, Done done) override;

    /// Readable when turn() has something to do.
    [[nodiscard]] int fd() const { return epoll_; }
    /// Takes what the jobs say and tells of those that have ended. Returns when it wants to be called next,
    /// for those that do not end.
    Time turn(Time now);

private:
    struct Running;
    SystemdRunner(const Clock& clock, int epoll, std::vector<std::string> front);
    [[nodiscard]] Status spawn(const Job& job, Running& running);
    void drain(Running& running);
    [[nodiscard]] JobResult result_of(Running& running, Time now);

    const Clock& clock_;
    int epoll_;
    std::vector<std::string> front_;
    std::vector<std::unique_ptr<Running>> running_;
    std::uint64_t serial_ = 0;
};

} // namespace schedd::remote
