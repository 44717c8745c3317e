// LoadBalancing: the policy's class, shared by the files that carry out its steps (load_balancing*.cpp).
#pragma once

#include <ranges>
#include <string>
#include <vector>

#include "components/model/policy.h"
#include "policies/balance.h"
#include "policies/fill.h"
#include "policies/homes.h"
#include "policies/infeasible.h"

namespace schedd::policies {

/// What one decision is made on: the loads where they lie, brought up to date with each step.
struct Standing {
    const View& view;
    std::vector<Bin> bins; // by domain; what a coarser one has lies in none of its finer ones
    Fill fill;
    bool is_packing = false;   // batch work leaves its domain only for another with batch work
    bool is_spreading = false; // there is a domain for each latency member
};

class LoadBalancing final : public Policy {
public:
    using Policy::Policy;

    enum Attribute : std::size_t {
        kLevel,
        kImbalance,
        kNumaImbalance,
        kHysteresis,
        kSettle,
        kMoveBudget,
        kMinLoad,
        kPushFrom,
        kWidenAt,
        kByClass,
        kBatchFill,
        kMoves,
        kWidened
    };

    std::vector<Decision> decide(const View& view) override;
    [[nodiscard]] std::vector<std::string> considered(const View& view,
                                                      const Subject& subject) const override;

protected:
    void changed(std::size_t /*index*/) override { make_due(); }

private:
    enum PortIndex : std::size_t { kNodeLoad, kProcessLoad };
    static constexpr Duration kBudgetPeriod = std::chrono::minutes(1);

    void measure(const Subjects& subjects);
    void weigh(const Subjects& subjects, int cpus);
    [[nodiscard]] Standing standing(const View& view) const;
    [[nodiscard]] int most_cpus() const;
    [[nodiscard]] bool is_too_large(const Home& home, int most) const;
    [[nodiscard]] bool may_come_back(const Home& home, Time now) const;
    void count_return(Home& home, Time now);
    [[nodiscard]] std::string why_again(const Home& home) const;
    void let_go_of_the_large(const View& view);
    void settle_newcomers(Standing& now, bool has_load);
    void place(Standing& now, std::size_t i, Placer& placer);
    void forget_old_moves(Time now);
    void judge_classes(Standing& now) const;
    void narrow_some(Standing& now);
    void unpack_overfull(Standing& now);
    void empty_a_domain(Standing& now);
    void part_latency_work(Standing& now);
    void move_some(Standing& now);
    void tell_transfer(Standing& now, const Transfer& move);
    void widen_some(Standing& now);

    [[nodiscard]] bool may_move(const Home& home, Time now) const;
    [[nodiscard]] bool may_balance(const Standing& now, std::size_t i) const;
    [[nodiscard]] std::vector<std::size_t> movable_in(const Standing& now, std::size_t domain,
                                                      WorkClass work_class) const;
    [[nodiscard]] WorkClass class_of(const View& view, std::size_t i) const {
        return flag_at(kByClass) ? view.subjects[i].demand.work_class : WorkClass::normal;
    }
    [[nodiscard]] Work work_of(const View& view, std::size_t i) const {
        // what is not placed is no member to be kept apart or together, only load
        const bool is_placed = homes_[i].domain != kNowhere;
        return {homes_[i].duty, homes_[i].load, is_placed ? class_of(view, i) : WorkClass::normal};
    }
    /// Where the load of a subject lies: in its home, or where it is confined to; of one that is let go that
    /// is where it was until now.
    [[nodiscard]] std::size_t whereabouts(const View& view, std::size_t i) const {
        return homes_[i].domain != kNowhere || homes_[i].is_too_large()
                   ? homes_[i].domain
                   : homes_.domain_around(view.subjects[i].current);
    }
    [[nodiscard]] std::string why_unplaced(std::size_t i, Time now) const;
    [[nodiscard]] std::string why_too_soon(const Home& home, Time now) const;
    [[nodiscard]] std::string why_not_movable(const Standing& now, std::size_t i) const;
    [[nodiscard]] std::vector<std::size_t> rivals_of(std::size_t domain) const;
    void consider_groups(const Standing& now, std::vector<std::string>& lines) const;
    void consider_rivals(const Standing& now, std::size_t i, std::vector<std::string>& lines) const;
    void count_out(Standing& now, std::size_t i) const;
    void count_in(Standing& now, std::size_t i) const;
    /// A chosen move, told and counted.
    void move(Standing& now, std::size_t i, std::size_t to, std::string why);
    void count_move() { report(kMoves, unsigned_at(kMoves) + 1); }
    [[nodiscard]] double least_duty() const { return static_cast<double>(unsigned_at(kMinLoad)) / 1000; }
    [[nodiscard]] double fraction(Attribute percent) const {
        return static_cast<double>(unsigned_at(percent)) / 100;
    }
    [[nodiscard]] const Hierarchy& hierarchy() const { return homes_.hierarchy(); }
    [[nodiscard]] std::ranges::iota_view<std::size_t, std::size_t> homes_indexes() const {
        return std::views::iota(std::size_t{0}, homes_.size());
    }

    Homes homes_;
    std::vector<Ask> asks_;     // reused from call to call
    bool is_saturated_ = false; // all CPUs are wanted, so that weights count
};

} // namespace schedd::policies
