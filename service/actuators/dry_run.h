// DryRun: says what would be done, and answers as if it had been; touches nothing.
#pragma once

#include <deque>
#include <map>
#include <string>

#include "components/kit/host.h"
#include "components/placement/actuator.h"

namespace schedd::actuators {

using namespace schedd::placement;

class DryRun final : public Actuator {
public:
    /// Reads where targets are now from the files of `host` alone, so a recorded tree will do.
    explicit DryRun(Host& host) : host_(host) {}

    [[nodiscard]] std::string_view name() const override { return "dry-run"; }
    [[nodiscard]] bool handles(Target::Sort sort) const override { return sort != Target::Sort::unit; }
    /// What was placed last, else what the host says.
    Result<CpuSet> current(const Target& target) override;
    Result<std::string> capture(const Target& target) override;
    Result<std::string> capture_child(const Target& parent, const std::string& parent_original,
                                      const CpuSet& parent_written, const Target& child) override;
    Outcome place(const Target& target, const CpuSet& cpus) override;
    Outcome check(const Target& target, const CpuSet& written) override;
    Outcome restore(const Target& target, const std::string& original) override;

    /// What would have been done since the last call, oldest first: "place process:12 on 0-1". Only the last
    /// limits::kDryRunActions are kept.
    std::deque<std::string> take_actions() { return std::exchange(actions_, {}); }

private:
    [[nodiscard]] Result<CpuSet> read(const Target& target) const;
    void note(std::string action);

    Host& host_;
    std::map<Target, CpuSet> placed_;
    std::deque<std::string> actions_;
};

} // namespace schedd::actuators
