// FakeActuator: a machine of masks in memory that records every act, can refuse, lie and lose targets.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "components/placement/actuator.h"
#include "components/placement/ledger.h"

namespace schedd::test {

using namespace schedd::placement;

class FakeActuator final : public Actuator {
public:
    explicit FakeActuator(CpuSet machine) : machine_(machine) {}

    [[nodiscard]] std::string_view name() const override { return "fake"; }
    [[nodiscard]] bool handles(Target::Sort sort) const override {
        return sort == Target::Sort::process || (sort == Target::Sort::cgroup && whole_cgroups) ||
               (sort == Target::Sort::unit && whole_units);
    }
    Result<CpuSet> current(const Target& target) override {
        if (gone.contains(target)) return ended(target);
        return mask(target);
    }
    Result<std::string> capture(const Target& target) override {
        acts.push_back("capture " + target.text());
        if (gone.contains(target)) return ended(target);
        if (refuses_capture) return fail(Errc::denied, "capture refused", "by the test");
        return mask(target).text();
    }
    Result<std::string> capture_child(const Target& /*parent*/, const std::string& original,
                                      const CpuSet& written, const Target& child) override {
        if (gone.contains(child) || mask(child) != written) return ended(child);
        return original;
    }
    Outcome place(const Target& target, const CpuSet& cpus) override {
        acts.push_back("place " + target.text() + " " + cpus.text());
        if (gone.contains(target)) return {State::gone, cpus, {}, "ended"};
        if (refuses.contains(target)) return {State::invalid, cpus, mask(target), "refused by the test"};
        masks_[target] = cpus;
        if (target.sort == Target::Sort::unit && undoes) masks_.erase(*undoes);
        return {State::applied, cpus, cpus, {}};
    }
    Outcome check(const Target& target, const CpuSet& written) override {
        ++checks;
        if (gone.contains(target)) return {State::gone, written, {}, "ended"};
        const auto now = mask(target);
        if (now == written) return {State::applied, written, now, {}};
        return {says_foreign || foreign.contains(target) ? State::foreign : State::overridden, written, now,
                "changed by another"};
    }
    Result<std::string> capture_tuning(const Target&, const std::string& original, const Tuning&) override {
        return original; // the masks alone are put back here
    }
    Outcome tune(const Target& target, const Tuning& tuning, const std::string& /*original*/,
                 Outcome outcome) override {
        acts.push_back("tune " + target.text() + " " + tuning.text());
        return outcome;
    }
    Outcome check_tuning(const Target& /*target*/, const Tuning& /*tuning*/, Outcome outcome) override {
        return outcome;
    }
    Outcome restore(const Target& target, const std::string& original) override {
        acts.push_back("restore " + target.text() + " " + original);
        if (gone.contains(target)) return {State::gone, {}, {}, "ended"};
        if (refuses.contains(target))
            return {State::invalid, mask(target), mask(target), "refused by the test"};
        masks_[target] = CpuSet::parse(original).value();
        return {State::free, {}, masks_[target], {}};
    }

    std::optional<CpuSet> online() override { return online_now; }

    [[nodiscard]] CpuSet mask(const Target& target) const {
        const auto at = masks_.find(target);
        return at == masks_.end() ? machine_ : at->second;
    }
    void set_mask(const Target& target, const CpuSet& cpus) { masks_[target] = cpus; }
    /// Acts since the last call, and a fresh start.
    std::vector<std::string> take_acts() { return std::exchange(acts, {}); }

    bool whole_cgroups = true;
    bool whole_units = false;
    std::optional<Target> undoes; // loses its mask whenever a unit is placed
    bool refuses_capture = false;
    std::optional<CpuSet> online_now; // none: it cannot tell
    bool says_foreign = false; // of what is not as it was written
    std::set<Target> gone;
    std::set<Target> refuses;
    std::set<Target> foreign; // what differs there was written by somebody else
    std::vector<std::string> acts;
    int checks = 0;

private:
    static std::unexpected<Error> ended(const Target& target) {
        return fail(Errc::no_such_object, target.text() + " has ended");
    }

    CpuSet machine_;
    std::map<Target, CpuSet> masks_;
};

/// The ledger's lines in memory; can be full.
class MemoryStore final : public LedgerStore {
public:
    Status append(std::string_view lines) override {
        if (is_full) return fail(Errc::io, "ledger cannot be written", "no space left");
        text += lines;
        ++appends;
        return {};
    }
    Status replace(std::string_view all) override {
        if (is_full) return fail(Errc::io, "ledger cannot be written", "no space left");
        text = all;
        ++replaces;
        return {};
    }
    std::string text;
    bool is_full = false;
    int appends = 0;
    int replaces = 0;
};

} // namespace schedd::test
