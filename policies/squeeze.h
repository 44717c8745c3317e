// Squeeze: how many cores are taken from a pool while somebody else suffers from it. Numbers in, numbers out.
#pragma once

#include <string_view>

namespace schedd::policies {

/// What those who suffer want of CPUs now, beside what they wanted when a step was last taken.
enum class Wish { unknown, same, less };

/// Values are in any one unit. REQUIRES: 0 <= well < bound; patience, calm and step at least 1.
struct SqueezeRules {
    double bound = 0;      // more than this is too much
    double well = 0;       // less than this is well; between the two nothing happens
    unsigned patience = 1; // updates in a row that must be too much before a step is taken away
    unsigned calm = 1;     // updates in a row that must be well before a step is given back
    int step = 1;          // cores in a step
    int most = 0;          // cores that may be taken away at all
    Wish wish = Wish::unknown;
};

/// One value per update. More than twice the bound during all of `patience` takes two steps at once. When a
/// step that was given back is too much before the calm has lasted, it is taken back at once, and the next
/// calm must be twice as long, up to eight times: a pool that does harm at a certain size is not tried there
/// over and over. While it is known that as much is wanted as when a step was taken, that size is known to do
/// harm, and the longest calm is waited for from the start; while less is wanted, the plain one.
class Squeeze {
public:
    /// `blind`: there is no value. `squeezing` and `releasing` also name the updates that lead to a step.
    enum class State { calm, squeezing, holding, releasing, blind };
    enum class Step { none, taken, given };

    Step update(double value, const SqueezeRules& rules);
    /// There is no value: nothing is known, so nothing happens, and what was counted is void.
    void lose_sight();
    /// Begins with this many cores taken away.
    void start(int taken);
    /// No more than this many may stay taken away; true if that gave some back.
    bool limit(int most);

    [[nodiscard]] int taken() const { return taken_; }
    [[nodiscard]] State state() const { return state_; }
    /// Updates in a row so far that were too much, and that were well.
    [[nodiscard]] unsigned over() const { return over_; }
    [[nodiscard]] unsigned well() const { return well_; }
    /// Updates in a row that must be well now before a step is given back.
    [[nodiscard]] unsigned calm_wanted(const SqueezeRules& rules) const;
    /// Updates in a row that must be too much now before a step is taken.
    [[nodiscard]] unsigned patience_wanted(const SqueezeRules& rules) const {
        return is_on_trial_ ? 1 : rules.patience;
    }

private:
    Step take(const SqueezeRules& rules);
    Step give(const SqueezeRules& rules);

    int taken_ = 0;
    State state_ = State::calm;
    unsigned over_ = 0;        // updates in a row that were too much
    unsigned well_ = 0;        // ... that were well
    double lowest_ = 0;        // of those that were too much
    unsigned calms_ = 1;       // how many times `calm` is waited for
    bool is_on_trial_ = false; // a step was given back, and it is not sure yet that this lasts
};

std::string_view name_of(Squeeze::State state);

} // namespace schedd::policies
