// Fill: how full each domain of a hierarchy is, and which of them has room; knows loads and classes only.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "components/model/subject.h"
#include "policies/hierarchy.h"

namespace schedd::policies {

/// What one subject wants: `duty` in CPUs; `load` is its duty, weighted where weights count.
struct Work {
    double duty = 0;
    double load = 0;
    WorkClass work_class = WorkClass::normal;
};

/// As fractions. A domain of which more than `widen_at` is wanted, and `imbalance` more per CPU than of the
/// coarser one around it, is strained (0 = never). A finer one has room if it stays `hysteresis` below that.
/// Batch work fills domains up to `fill`.
struct FillRules {
    double widen_at = 1;
    double imbalance = 0.05;
    double hysteresis = 0.1;
    double fill = 0.8;
};

/// Domains are indexes into the hierarchy, which must outlive this. Same input, same output: of equals the
/// lowest index. Each choice is made from coarse to fine; of one level the NUMA nodes are taken first.
class Fill {
public:
    Fill(const Hierarchy& hierarchy, const FillRules& rules);

    /// `domain` itself has it, and so has everything around it. kNowhere is ignored.
    void add(std::size_t domain, const Work& work) { change(domain, work, 1); }
    void remove(std::size_t domain, const Work& work) { change(domain, work, -1); }

    /// CPUs wanted in a domain and in all that is inside it, and what of it is batch work.
    [[nodiscard]] double wanted(std::size_t domain) const { return rows_[domain].duty; }
    [[nodiscard]] double batch(std::size_t domain) const { return rows_[domain].batch; }
    [[nodiscard]] double load(std::size_t domain) const { return rows_[domain].load; }
    [[nodiscard]] int latency_members(std::size_t domain) const { return rows_[domain].latency; }
    [[nodiscard]] bool is_strained(std::size_t domain) const { return would_strain(domain, 0); }
    /// How much must leave a domain so that no more than `widen_at` of it is wanted.
    [[nodiscard]] double excess(std::size_t domain) const {
        return rows_[domain].duty - rules_.widen_at * rows_[domain].cpus;
    }
    /// The same for `fill`.
    [[nodiscard]] double overflow(std::size_t domain) const {
        return rows_[domain].duty - rules_.fill * rows_[domain].cpus;
    }

    /// The least loaded domain inside `within` (kNowhere = anywhere) with the work in it; a coarser one, at
    /// the finest `within`, where the finer one would be strained. REQUIRES: there are domains.
    [[nodiscard]] std::size_t place(const Work& work, std::size_t within = kNowhere) const;
    /// The least loaded finer domain inside `within` that has room to spare, as fine as there is; or
    /// kNowhere.
    [[nodiscard]] std::size_t roomy(const Work& work, std::size_t within) const;
    /// The finest domain that the work fits into without going beyond `fill`, there or in anything around it:
    /// where most batch work is, first of the coarser domains; then where least latency work is. `margin` is
    /// kept free. kNowhere if there is none.
    [[nodiscard]] std::size_t pack(const Work& work, double margin = 0) const;
    [[nodiscard]] bool fits_packed(const Work& work, std::size_t leaf, double margin = 0) const;
    /// The least loaded finest domain without latency work that the work fits into, in the coarser domain
    /// that has least latency work for its finest ones; or kNowhere.
    [[nodiscard]] std::size_t spread(const Work& work) const;

private:
    struct Row {
        double duty = 0;
        double load = 0;
        double batch = 0;
        int latency = 0;
        int cpus = 0;
        int leaves = 0;
        std::size_t around = kNowhere;
        std::vector<std::size_t> inside;
    };
    void change(std::size_t domain, const Work& work, int sign);
    [[nodiscard]] bool would_strain(std::size_t domain, double duty) const;
    [[nodiscard]] std::size_t least_loaded(std::span<const std::size_t> rows, const Work& work) const;

    const Hierarchy& hierarchy_;
    FillRules rules_;
    std::vector<Row> rows_; // the domains; of a single level also one for each NUMA node, as what is around
    std::vector<std::size_t> roots_;
};

/// Which of these to take away so that `excess` is gone: the smallest that does it alone, otherwise the
/// largest; the first of equals. REQUIRES: not empty.
std::size_t choose_to_leave(std::span<const double> duties, double excess);

} // namespace schedd::policies
