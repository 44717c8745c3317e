// Stacking and ordering.
#include "components/placement/planner.h"

#include <algorithm>
#include <set>
#include <tuple>
#include <unordered_map>
#include <unordered_set>

#include <fmt/format.h>

namespace schedd::placement {

std::string_view name_of(Opinion::Result result) {
    switch (result) {
    case Opinion::Result::decides: return "decides";
    case Opinion::Result::narrows: return "narrows";
    case Opinion::Result::conflict: return "conflict";
    case Opinion::Result::excludes: return "excludes";
    case Opinion::Result::disputes: return "disputes";
    }
    return "decides";
}

bool Verdict::has_conflict() const {
    return std::ranges::any_of(opinions, [](const Opinion& o) {
        return o.result == Opinion::Result::conflict || o.result == Opinion::Result::disputes;
    });
}

std::string Verdict::disagreement() const {
    std::string text;
    const auto add = [&](const std::string& more) { text += (text.empty() ? "" : "; ") + more; };
    CpuSet decided; // by those that came before
    for (const auto& opinion : opinions) {
        if (opinion.result == Opinion::Result::decides) decided = opinion.cpus;
        else if (opinion.result == Opinion::Result::narrows) decided &= opinion.cpus;
        else if (opinion.result == Opinion::Result::conflict) {
            const auto& beside = decided.empty() || decided.intersects(opinion.cpus) ? cpus : decided;
            add(fmt::format("{} wants CPUs {}, none of which is left{}", opinion.scheduler,
                            opinion.cpus.text(),
                            beside.empty() ? ""
                                           : fmt::format(" beside {}, decided before it", beside.text())));
        } else if (opinion.result == Opinion::Result::disputes)
            add(fmt::format("{} gives CPUs {} to {} alone, and nothing else is left", opinion.scheduler,
                            opinion.cpus.text(), opinion.member));
    }
    return text;
}

namespace {

bool comes_first(const Wish& a, const Wish& b) {
    return std::tuple(a.is_bystander, -a.precedence, !a.is_explicit, UINT64_MAX - a.order,
                      std::string_view(a.scheduler)) < std::tuple(b.is_bystander, -b.precedence,
                                                                  !b.is_explicit, UINT64_MAX - b.order,
                                                                  std::string_view(b.scheduler));
}

/// Masks already granted that bind a target from outside: those of the groups its processes are in, and of
/// the processes in the group.
class Bonds {
public:
    void grant(const Wish& wish, const CpuSet& cpus) {
        const bool is_process = wish.decision.target.sort == Target::Sort::process;
        auto& granted = is_process ? by_process_ : by_group_;
        for (const Pid pid : wish.pids) granted.insert_or_assign(pid, cpus);
    }

    /// Whether `cpus` leaves something to every grant of the other sort for these processes; a process is
    /// also narrowed by its group's grant.
    bool narrow(const Wish& wish, CpuSet& cpus) const {
        const bool is_process = wish.decision.target.sort == Target::Sort::process;
        const auto& others = is_process ? by_group_ : by_process_;
        if (others.empty()) return true;
        for (const Pid pid : wish.pids) {
            const auto at = others.find(pid);
            if (at == others.end()) continue;
            if (!cpus.intersects(at->second)) return false;
            if (is_process) cpus &= at->second;
        }
        return true;
    }

private:
    std::unordered_map<Pid, CpuSet> by_process_;
    std::unordered_map<Pid, CpuSet> by_group_;
};

/// What targets were given alone, in the order of the stack, and who is kept off it.
class Alone {
public:
    void add(const Wish& wish, const Opinion& opinion, const CpuSet& granted) {
        // siblings of its CPUs that are to stay idle are not in its own set
        const auto cpus = wish.decision.alone & (granted | (wish.decision.alone - wish.decision.cpus));
        if (cpus.empty() || wish.pids.empty()) return; // it does not run: nobody disturbs it
        grants_.push_back({wish.decision.target, opinion.scheduler, opinion.member, cpus, wish.pids});
        all_ |= cpus;
        schedulers_.insert(opinion.scheduler);
    }

    void keep_off(const std::vector<Wish>& wishes, std::map<Target, Verdict>& verdicts) const {
        if (grants_.empty()) return;
        std::map<Target, const std::vector<Pid>*> strangers;
        for (const Wish& wish : wishes) // few: who gives CPUs away alone has seen to its own members
            if (const auto at = verdicts.find(wish.decision.target); is_strange(at->second))
                strangers.emplace(wish.decision.target, &wish.pids);
        for (const auto& [target, pids] : strangers) keep_off(target, *pids, verdicts.at(target));
    }

private:
    struct Grant {
        Target target;
        std::string scheduler;
        std::string member;
        CpuSet cpus;
        std::vector<Pid> pids;
    };

    static bool has_decided(const std::string& scheduler, const Verdict& verdict) {
        return std::ranges::any_of(verdict.opinions, [&](const Opinion& opinion) {
            return opinion.scheduler == scheduler && opinion.result <= Opinion::Result::narrows;
        });
    }
    [[nodiscard]] bool is_strange(const Verdict& verdict) const {
        return verdict.cpus.intersects(all_) && std::ranges::any_of(schedulers_, [&](const auto& scheduler) {
                   return !has_decided(scheduler, verdict);
               });
    }
    void keep_off(const Target& target, const std::vector<Pid>& pids, Verdict& verdict) const {
        const std::unordered_set<Pid> own(pids.begin(), pids.end());
        for (const auto& grant : grants_) {
            if (grant.target == target) return; // it is alone itself, and before those that follow
            if (!verdict.cpus.intersects(grant.cpus) || has_decided(grant.scheduler, verdict)) continue;
            // what contains the other, or is inside it, is bound to share
            if (std::ranges::any_of(grant.pids, [&](Pid pid) { return own.contains(pid); })) continue;
            const auto left = verdict.cpus - grant.cpus;
            const auto result = left.empty() ? Opinion::Result::disputes : Opinion::Result::excludes;
            verdict.opinions.push_back({grant.scheduler, grant.member, verdict.cpus & grant.cpus,
                                        fmt::format("{} has them alone", grant.member), result});
            if (!left.empty()) verdict.cpus = left;
        }
    }

    std::vector<Grant> grants_;
    std::set<std::string> schedulers_; // that have given some
    CpuSet all_;
};

std::size_t depth_of(const Target& target) {
    if (target.sort != Target::Sort::cgroup) return SIZE_MAX; // processes are inside every group
    return static_cast<std::size_t>(std::ranges::count(target.name, '/'));
}

} // namespace

std::map<Target, Verdict> combine(std::vector<Wish> wishes, const CpuSet& usable) {
    std::vector<Wish*> in_order; // wishes are large, and may be many
    in_order.reserve(wishes.size());
    for (Wish& wish : wishes) in_order.push_back(&wish);
    std::ranges::stable_sort(in_order, [](const Wish* a, const Wish* b) { return comes_first(*a, *b); });
    std::map<Target, Verdict> verdicts;
    auto next = verdicts.end(); // of one scheduler they often come in the order of targets
    Bonds bonds;
    Alone alone;
    for (Wish* const each : in_order) {
        Wish& wish = *each;
        if (wish.is_bystander && verdicts.contains(wish.decision.target)) {
            wish.is_bystander = false; // another has decided, or spoken for it
            continue;
        }
        const auto at = verdicts.try_emplace(next, wish.decision.target);
        next = std::next(at);
        auto& verdict = at->second;
        Opinion opinion{std::move(wish.scheduler), std::move(wish.member), wish.decision.cpus,
                        std::move(wish.decision.reason), Opinion::Result::decides};
        const bool is_first = verdict.cpus.empty();
        CpuSet cpus = opinion.cpus & usable;
        if (!is_first) cpus &= verdict.cpus;
        if (cpus.empty() || !bonds.narrow(wish, cpus)) {
            opinion.result = Opinion::Result::conflict;
        } else {
            opinion.result = is_first ? Opinion::Result::decides : Opinion::Result::narrows;
            verdict.cpus = cpus;
            verdict.tuning.add(wish.decision.tuning);
            bonds.grant(wish, cpus);
            alone.add(wish, opinion, cpus);
        }
        verdict.opinions.push_back(std::move(opinion));
    }
    alone.keep_off(wishes, verdicts);
    for (const Wish& wish : wishes) // who is in nobody's way is let alone
        if (const auto at = verdicts.find(wish.decision.target);
            wish.is_bystander && at != verdicts.end() && at->second.opinions.size() == 1)
            verdicts.erase(at);
    return verdicts;
}

Plan make_plan(const std::map<Target, Verdict>& verdicts, const Holdings& held,
               const std::map<Target, Tuning>& tuned) {
    Plan plan;
    for (const auto& [target, verdict] : verdicts) {
        if (verdict.cpus.empty()) continue;
        const auto now = held.find(target);
        const auto settings = tuned.find(target);
        const bool is_tuned =
            settings == tuned.end() ? verdict.tuning.empty() : settings->second == verdict.tuning;
        if (now != held.end() && now->second == verdict.cpus && is_tuned) continue;
        const bool grows = now != held.end() && now->second.subset_of(verdict.cpus);
        plan.steps.push_back({target, verdict.cpus, grows, verdict.tuning});
    }
    std::ranges::stable_sort(plan.steps, [](const Step& a, const Step& b) {
        if (a.grows != b.grows) return a.grows;
        return a.grows ? depth_of(a.target) < depth_of(b.target) : depth_of(a.target) > depth_of(b.target);
    });
    for (const auto& [target, cpus] : held) {
        const auto wanted = verdicts.find(target);
        if (wanted == verdicts.end() || wanted->second.cpus.empty()) plan.releases.push_back(target);
    }
    return plan;
}

} // namespace schedd::placement
