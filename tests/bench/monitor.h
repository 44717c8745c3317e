// Monitor: a peer that refreshes once a second (top, htop, pidstat), and the CPU time of one of its
// refreshes.
#pragma once

#include <string>
#include <vector>

#include "tests/bench/process.h"

namespace schedd::bench {

/// Stopped (SIGSTOP) while it is not measured, so that it takes nothing from what is.
class Monitor {
public:
    struct Spec {
        std::string name;
        std::vector<std::string> words;
        bool has_terminal;
        std::string mark; // is written once per refresh; "" = each burst of output is one
    };
    /// Starts it and waits for two refreshes: the first differ from the rest.
    static Result<Monitor> start(const Spec& spec);
    /// CPU time of one refresh in ns, as the mean of `count`.
    Result<double> measure(int count);

private:
    Monitor(Spec spec, Process process) : spec_(std::move(spec)), process_(std::move(process)) {}
    /// Waits for the next refresh; answers the CPU time used until its output began.
    Result<std::int64_t> next_refresh();
    bool takes_mark(std::string_view text);

    Spec spec_;
    Process process_;
    std::string rest_; // end of the last output, where a mark may have begun
    std::int64_t last_output_ns_ = 0;
};

} // namespace schedd::bench
