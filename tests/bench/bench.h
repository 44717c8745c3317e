// What a benchmark is here: a function that adds rows, each a comparison measured in this very run.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "components/kit/result.h"
#include "tests/bench/sample.h"

namespace schedd::bench {

using namespace schedd::kit;

/// What a ratio should be (or `ours` itself, where there is no peer). Told, never enforced.
struct Goal {
    enum class Sense { at_most, at_least };
    Sense sense = Sense::at_most;
    double bound = 0;

    [[nodiscard]] bool met_by(double value) const {
        return sense == Sense::at_most ? value <= bound : value >= bound;
    }
};

/// One line of the report. `is_met` is empty when it could not be measured; then `note` says why.
struct Row {
    std::string id;
    std::string what;
    std::string unit; // of `ours` and `peer`
    std::optional<double> ours;
    std::optional<double> peer;
    std::optional<double> ratio; // ours / peer, the median over the pairs
    std::optional<Goal> goal;
    std::optional<bool> is_met;
    std::string note;
};

/// What a benchmark is told, and where its rows go.
class Run {
public:
    /// `programs` is the directory of the built programs.
    Run(bool is_quick, std::string programs) : is_quick_(is_quick), programs_(std::move(programs)) {}

    [[nodiscard]] bool is_quick() const { return is_quick_; }
    /// Full number of repetitions, or fewer for a quick run.
    [[nodiscard]] int repeats(int full, int quick) const { return is_quick_ ? quick : full; }
    [[nodiscard]] std::string program(std::string_view name) const {
        return programs_ + "/" + std::string(name);
    }

    /// A line on standard error, after the id of the benchmark under way.
    void progress(std::string_view text) const;
    void begin(std::string_view id) { id_ = id; }

    /// The comparison of two medians; the goal is on the ratio.
    void compared(std::string what, std::string unit, const Pairs& pairs, std::optional<Goal> goal,
                  std::string note = {});
    /// A figure without a peer; the goal is on the figure.
    void alone(std::string what, std::string unit, double ours, std::optional<Goal> goal,
               std::string note = {});
    void not_measured(std::string what, std::string unit, std::optional<Goal> goal, const Error& why);

    [[nodiscard]] const std::vector<Row>& rows() const { return rows_; }

private:
    bool is_quick_;
    std::string programs_;
    std::string id_;
    std::vector<Row> rows_;
};

/// A failure means that nothing more of it could be measured; rows added before stand.
struct Benchmark {
    std::string_view id;
    std::string_view what;
    Status (*measure)(Run& run);
};

Status probe_pass(Run& run);
Status update_path(Run& run);
Status decide(Run& run);
Status idle(Run& run);
Status units(Run& run);
Status bus(Run& run);
Status cli(Run& run);
Status plan(Run& run);
Status topology(Run& run);
Status apply(Run& run);
Status reaction(Run& run);
Status overhead(Run& run);
Status protection(Run& run);
Status wire(Run& run);
Status file_view(Run& run);
Status peers(Run& run);

} // namespace schedd::bench
