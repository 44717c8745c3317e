// AffinityActuator: confines single processes by sched_setaffinity on every thread; control groups are not
// touched.
#pragma once

#include "components/kit/host.h"
#include "components/placement/actuator.h"

namespace schedd::actuators {

using namespace schedd::placement;

class AffinityActuator final : public Actuator {
public:
    /// `host` is the running machine, and outlives this.
    explicit AffinityActuator(Host& host) : host_(host) {}

    [[nodiscard]] std::string_view name() const override { return "affinity"; }
    [[nodiscard]] bool handles(Target::Sort sort) const override { return sort == Target::Sort::process; }
    Result<CpuSet> current(const Target& target) override;
    /// ProcessMasks::text().
    Result<std::string> capture(const Target& target) override;
    Result<std::string> capture_child(const Target& parent, const std::string& parent_original,
                                      const CpuSet& parent_written, const Target& child) override;
    Outcome place(const Target& target, const CpuSet& cpus) override;
    Outcome check(const Target& target, const CpuSet& written) override;
    [[nodiscard]] std::string told(const std::string& original) const override;
    Outcome restore(const Target& target, const std::string& original) override;
    Outcome put_back(const Target& target, const std::string& original,
                     std::span<const CpuSet> written) override;

private:
    Status place_threads(const Target& target, const CpuSet& cpus);

    Host& host_;
};

/// The outcome of a failed act: gone for no_such_object, else invalid, with the error's text.
Outcome failed(const Error& error, const CpuSet& written = {});

/// Reads back all threads against `written`: what AffinityActuator::check() answers. `foreign` if somebody
/// else has set all of them, the first to CPUs outside of `written`; `overridden` if some.
Outcome check_threads(Host& host, const Target& target, const CpuSet& written);

} // namespace schedd::actuators
