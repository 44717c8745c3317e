// PoolSize: when a pool has too few CPUs or too many for the load in it. Numbers in, numbers out.
#pragma once

namespace schedd::policies {

/// Utilisation is load per CPU; 1 = each CPU has one task that always wants it. REQUIRES: 0 < high; patience
/// and calm at least 1.
struct SizeRules {
    double low = 0;        // below it there are too many CPUs
    double high = 0;       // beyond it there are too few
    unsigned patience = 1; // updates in a row that must be beyond `high` before a pool grows
    unsigned calm = 1;     // updates in a row that must be below `low` before it shrinks
};

/// One load per update. A pool grows to what the least of the loads wanted that were too much, and shrinks to
/// what the largest of those wanted that were too little, so a single value moves nothing. No shrinking leads
/// beyond `high`: a load that stays the same never makes a pool grow and shrink in turn. A pool that has to
/// grow before `calm` updates have passed since it shrank shrinks next after twice as many, at most eight
/// times.
class PoolSize {
public:
    enum class Step { none, grow, shrink };

    /// `load` in tasks, on so many CPUs. What is counted towards a step starts anew after it, also if nothing
    /// could be done.
    Step update(double load, int cpus, const SizeRules& rules);
    /// There is no value: what was counted is void.
    void lose_sight() { over_ = under_ = 0; }
    /// The pool did become smaller after a `shrink`.
    void shrank() { is_on_trial_ = true, lasted_ = 0; }

    /// The load that the last step is for.
    [[nodiscard]] double load() const { return load_; }
    /// Updates in a row so far that were beyond `high`, and that were below `low`.
    [[nodiscard]] unsigned over() const { return over_; }
    [[nodiscard]] unsigned under() const { return under_; }
    /// Updates in a row that must be below `low` now.
    [[nodiscard]] unsigned calm_wanted(const SizeRules& rules) const { return rules.calm * calms_; }

private:
    double load_ = 0;
    double extreme_ = 0; // the least load of those too large in a row, or the largest of those too small
    unsigned over_ = 0;
    unsigned under_ = 0;
    unsigned calms_ = 1;       // how many times `calm` is waited for
    unsigned lasted_ = 0;      // updates since it shrank
    bool is_on_trial_ = false; // it shrank, and it is not sure yet that this lasts
};

} // namespace schedd::policies
