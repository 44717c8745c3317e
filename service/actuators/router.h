// Router: sends each target to the actuator for its sort; make_actuator() is the one table of actuators.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "components/kit/host.h"
#include "components/placement/actuator.h"
#include "service/actuators/file_watch.h"
#include "service/actuators/unit_manager.h"

namespace schedd::actuators {

using namespace schedd::placement;

class Router final : public Actuator {
public:
    /// Who does what; all but `affinity` may be null.
    struct Parts {
        std::unique_ptr<Actuator> affinity;
        std::unique_ptr<Actuator> cgroup;
        std::unique_ptr<Actuator> systemd;
    };
    /// With `processes_too` processes go to `cgroup` instead of to `affinity`.
    Router(std::string name, Host& host, Parts parts, bool groups_too, bool processes_too)
        : name_(std::move(name)), host_(host), parts_(std::move(parts)), groups_too_(groups_too),
          processes_too_(processes_too) {}

    [[nodiscard]] std::string_view name() const override { return name_; }
    [[nodiscard]] bool handles(Target::Sort sort) const override;
    Result<CpuSet> current(const Target& target) override;
    Result<std::string> capture(const Target& target) override;
    Result<std::string> capture_child(const Target& parent, const std::string& parent_original,
                                      const CpuSet& parent_written, const Target& child) override;
    Outcome place(const Target& target, const CpuSet& cpus) override;
    Outcome check(const Target& target, const CpuSet& written) override;
    Result<std::string> capture_tuning(const Target& target, const std::string& original,
                                       const Tuning& tuning) override;
    [[nodiscard]] Tuning written_tuning(const std::string& original) const override;
    [[nodiscard]] std::string told(const std::string& original) const override;
    Outcome tune(const Target& target, const Tuning& tuning, const std::string& original,
                 Outcome outcome) override;
    Outcome check_tuning(const Target& target, const Tuning& tuning, Outcome outcome) override;
    std::optional<CpuSet> online() override;
    void forget_answers() override;
    /// By what `original` says it was captured by, so that a ledger written under another --actuator is
    /// honoured.
    Outcome restore(const Target& target, const std::string& original) override;
    Outcome put_back(const Target& target, const std::string& original,
                     std::span<const CpuSet> written) override;

private:
    /// Null where this sort is not handled.
    [[nodiscard]] Actuator* actuator_for(const Target& target) const;
    [[nodiscard]] Actuator* actuator_of(const std::string& original) const;

    std::string name_;
    Host& host_;
    Parts parts_;
    bool groups_too_;
    bool processes_too_;
};

/// `kind` is auto (processes by affinity, control groups by their cpuset, units by `units` if there are any),
/// systemd (the same, and `units` must be there), affinity (processes alone), cgroup (processes too by own
/// control groups) or dry-run. `host` is the running machine, for dry-run any tree; `watch`,
/// which may be null, is told which files show foreign writers; all outlive the actuator. Fails with
/// not_supported, invalid_value, controller_unavailable (cgroup or systemd without cpusets).
Result<std::unique_ptr<Actuator>> make_actuator(std::string_view kind, Host& host,
                                                UnitManager* units = nullptr, FileWatch* watch = nullptr);

} // namespace schedd::actuators
