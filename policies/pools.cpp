// pools - named groups of whole cores that grow and shrink with the load of the members in them.
//   pools = "web: min=2 max=8 level=l3 match=unit:web*; batch: share=idle class=batch", 16 cores
//   -> web has 2 cores, batch 1, all other members the 13 that are left
//   web's members want 3.7 CPUs for 3 updates, more than 80 % of 2 -> it gets 5 cores near those it has
//   later they want 1.5 at most for 10 updates, less than 40 % of 5 -> it gives back the last 2
// What can be written is in pool_spec.h, when a pool grows in pool_sizes.h, which cores it has in
// pool_cores.h. Usage: create schedulers/P/pools; write schedulers/P/pools.pools "..."; link
// probes/cpu/node_load .../node_load; process_load and cgroup_usage likewise
#include "policies/policies.h"

#include <algorithm>

#include <fmt/format.h>

#include "components/model/group_usage.h"
#include "policies/considered.h"
#include "policies/pool_members.h"
#include "policies/pool_sizes.h"
#include "policies/pools_considered.h"

namespace schedd::policies {

namespace {

enum PortIndex : std::size_t { kNodeLoad, kProcessLoad, kCgroupUsage };
constexpr PortSpec kPorts[] = {
    {.name = "node_load",
     .type = types::kLoad,
     .wants_updates = true,
     .doc = "Each update makes the policy look at its pools; the value does not matter."},
    {.name = "process_load",
     .type = types::kLoadByPid,
     .doc = "What each process wants of a CPU; only read."},
    {.name = "cgroup_usage",
     .type = types::kUsageByCgroup,
     .doc = "What a member's control group used of CPUs; only read, not needed: without it processes that "
            "come and go between two measurements are not counted."},
};

enum Attribute : std::size_t {
    kPools,
    kLow,
    kHigh,
    kPatience,
    kCalm,
    kDefaultMinimum,
    kPoolCpus,
    kUtilisation,
    kResizes,
    kNote
};
constexpr AttributeSpec kAttributes[] = {
    {.name = "pools",
     .kind = AttributeKind::text,
     .initial = "",
     .doc =
         "The pools, in the order in which members are tried: NAME: KEY=VALUE ...; NAME: ... with min= and "
         "max= (cores, 0 and 1 to 8192), level= (core, l3, numa, machine: the domain it never leaves), "
         "share= (none, idle), match= (patterns of member names) and class= (latency, normal, batch), the "
         "last two with commas."},
    {.name = "low",
     .unit = "percent",
     .initial = "40",
     .maximum = 100,
     .doc = "Utilisation below which a pool shrinks; 0 = never."},
    {.name = "high",
     .unit = "percent",
     .initial = "80",
     .minimum = 1,
     .maximum = 1000,
     .doc = "Utilisation beyond which a pool grows; 100 = each CPU has one task that always wants it."},
    {.name = "patience",
     .unit = "updates",
     .initial = "3",
     .minimum = 1,
     .maximum = 1000,
     .doc = "Updates in a row beyond `high` before a pool grows."},
    {.name = "calm",
     .unit = "updates",
     .initial = "10",
     .minimum = 1,
     .maximum = 10'000,
     .doc = "Updates in a row below `low` before a pool shrinks; up to 8 times as many after it had to grow "
            "again at once."},
    {.name = "default_minimum",
     .unit = "cores",
     .initial = "1",
     .minimum = 1,
     .maximum = limits::kMaxCpus,
     .doc = "Whole cores that are always left to members of no pool."},
    {.name = "pool_cpus",
     .kind = AttributeKind::text,
     .initial = "",
     .read_only = true,
     .doc = "The CPUs of each pool, without those that others lend it, and at last what is left to all "
            "others."},
    {.name = "utilisation",
     .kind = AttributeKind::text,
     .initial = "",
     .read_only = true,
     .doc = "What the members of each pool want of the CPUs that are in use for them."},
    {.name = "resizes", .unit = "resizes", .read_only = true, .doc = "How often a pool grew or shrank."},
    {.name = "note",
     .kind = AttributeKind::text,
     .initial = "",
     .read_only = true,
     .doc = "What keeps pools from being as they were written; empty while nothing does."},
};

/// A pool as it stands. Of its cores the first `busy` are in use for its members; only a pool that shares has
/// more, and lends them.
struct Pool {
    PoolSpec spec;
    PoolSize size = {};
    int busy = 0;
    bool had_members = false;
    bool is_stuck = false; // it wants more cores than it could get
    CpuSet had = {};       // its CPUs when `cause` was noted
    std::string cause = {};

    [[nodiscard]] bool is_sharing() const { return spec.share == PoolShare::idle; }
};

/// Pools that `note` names one by one.
constexpr int kMostTold = 8;

class Pools final : public Policy {
public:
    Pools(const Descriptor& type, std::string name, const Environment& environment)
        : Policy(type, std::move(name), environment) {
        make_due();
    }

    std::vector<Decision> decide(const View& view) override {
        if (view.topology.usable().empty()) return {}; // who has what is kept for when CPUs are back
        follow_machine(view.topology);
        follow_text();
        members_.follow(view.subjects);
        members_.measure(view.subjects, port(kProcessLoad));
        members_.add_short_lived(view.subjects, port(kCgroupUsage));
        settle(view.subjects);
        if (const auto update = port(kNodeLoad).collected(); update && update->time > counted_) {
            counted_ = update->time; // however often it is asked, an update counts once
            resize();
        }
        tell();
        return decisions(view.subjects);
    }

    [[nodiscard]] bool gives_alone() const override { return true; }
    [[nodiscard]] std::vector<std::string> considered(const View& /*view*/,
                                                      const Subject& subject) const override {
        const auto at = members_.find(subject.target);
        if (!at || pools_.empty()) return {}; // nothing was decided about it yet
        std::vector<PoolStanding> rows;
        for (std::size_t i = 0; i < pools_.size(); ++i)
            rows.push_back({.spec = pools_[i].spec,
                            .least = least(i),
                            .busy = pools_[i].busy,
                            .cpus = busy_cpus(i).count(),
                            .load = members_.load(i),
                            .over = pools_[i].size.over(),
                            .under = pools_[i].size.under(),
                            .calm = pools_[i].size.calm_wanted(rules())});
        return considered_by(rows, cores_, {rules(), keep()}, members_.pool_of(*at));
    }

protected:
    Status accepts(std::size_t index, const AttributeValue& value) const override {
        if (index != kPools) return {};
        const auto parsed = parse_pools(std::get<std::string>(value));
        if (parsed) return {};
        return std::unexpected(parsed.error());
    }
    void changed(std::size_t /*index*/) override { make_due(); }

private:
    void follow_machine(const Topology& topology);
    void follow_text();
    void settle(const Subjects& subjects);
    void find_again(const Subjects& subjects);
    void note_changes();
    void resize();
    bool shrink(std::size_t pool);
    void grow(std::span<const std::size_t> wanting);
    void tell();
    [[nodiscard]] std::string note() const;
    [[nodiscard]] std::vector<Decision> decisions(const Subjects& subjects);
    [[nodiscard]] Decision decision_of(std::size_t pool, const CpuSet& lent) const;

    [[nodiscard]] int keep() const {
        return std::min(static_cast<int>(unsigned_at(kDefaultMinimum)), cores_.cores());
    }
    /// What it has in any case: what was written, and a core for members that there are.
    [[nodiscard]] int least(std::size_t pool) const {
        return std::max(pools_[pool].spec.least, members_.count(pool) > 0 ? 1 : 0);
    }
    [[nodiscard]] CpuSet busy_cpus(std::size_t pool) const { return cores_.first(pool, pools_[pool].busy); }
    [[nodiscard]] CpuSet lent_by(std::size_t pool) const { return cores_.cpus(pool) - busy_cpus(pool); }
    [[nodiscard]] double high() const { return static_cast<double>(unsigned_at(kHigh)) / 100; }
    [[nodiscard]] double low() const { return static_cast<double>(unsigned_at(kLow)) / 100; }
    [[nodiscard]] SizeRules rules() const {
        return {low(), high(), static_cast<unsigned>(unsigned_at(kPatience)),
                static_cast<unsigned>(unsigned_at(kCalm))};
    }

    std::vector<Pool> pools_;
    PoolCores cores_;     // in the order of pools_
    PoolMembers members_; // likewise
    std::string text_;    // what pools_ was made from
    CpuSet usable_;       // what cores_ was made from
    std::uint64_t generation_ = 0;
    CpuSet default_cpus_; // as last decided
    Time counted_{};      // the time of the last update that counted
};

void Pools::follow_machine(const Topology& topology) {
    if (topology.generation == generation_ && topology.usable() == usable_) return;
    generation_ = topology.generation;
    usable_ = topology.usable();
    cores_.follow(topology);
}

/// A pool that keeps its name keeps what it has.
void Pools::follow_text() {
    if (text_ == text_at(kPools)) return;
    text_ = text_at(kPools);
    auto specs = parse_pools(text_).value_or(std::vector<PoolSpec>());
    std::vector<Pool> pools;
    std::vector<PoolCores::Bounds> bounds;
    std::vector<std::size_t> from;
    for (auto& spec : specs) {
        const auto at = std::ranges::find(pools_, spec.name, [](const Pool& pool) { return pool.spec.name; });
        bounds.push_back({spec.least, spec.most, spec.level});
        from.push_back(at == pools_.end() ? PoolCores::kNew : static_cast<std::size_t>(at - pools_.begin()));
        if (at == pools_.end()) {
            pools.push_back({.spec = spec});
        } else {
            pools.push_back(*at);
            pools.back().spec = spec;
        }
    }
    cores_.arrange(bounds, from);
    pools_ = std::move(pools);
    members_.follow(std::move(specs));
}

void Pools::settle(const Subjects& subjects) {
    for (std::size_t i = 0; i < pools_.size(); ++i) cores_.set_least(i, least(i));
    find_again(subjects);
    cores_.settle(keep());
    for (std::size_t i = 0; i < pools_.size(); ++i) {
        Pool& pool = pools_[i];
        pool.had_members = pool.had_members || members_.count(i) > 0;
        const int least_busy = std::min(members_.count(i) > 0 ? 1 : 0, cores_.count(i));
        pool.busy = pool.is_sharing() ? std::clamp(pool.busy, least_busy, cores_.count(i)) : cores_.count(i);
    }
    note_changes();
}

/// After a restart members run where an earlier run has put them. A pool that meets its first members takes
/// the cores on which most of them are held and on which no others are.
void Pools::find_again(const Subjects& subjects) {
    const auto is_to_find = [&](std::size_t i) { return !pools_[i].had_members && members_.count(i) > 0; };
    bool is_any = false;
    for (std::size_t i = 0; i < pools_.size(); ++i) is_any = is_any || is_to_find(i);
    if (!is_any) return;
    const auto held = members_.held_on(subjects); // the last is that of the default pool
    for (std::size_t i = 0; i < pools_.size(); ++i) {
        if (!is_to_find(i)) continue;
        CpuSet found = held[i] - default_cpus_;
        for (std::size_t other = 0; other < held.size(); ++other)
            if (other != i) found = found - held[other];
        if (found.empty()) continue;
        cores_.take_found(i, found, keep());
        if (!cores_.cpus(i).subset_of(found)) continue;
        pools_[i].busy = cores_.count(i);
        pools_[i].had = cores_.cpus(i);
        pools_[i].cause = "its members were found there";
    }
}

void Pools::note_changes() {
    for (std::size_t i = 0; i < pools_.size(); ++i) {
        Pool& pool = pools_[i];
        const CpuSet now = cores_.cpus(i);
        if (now == pool.had) continue;
        pool.cause = pool.had.empty() ? fmt::format("its least is {}", counted(least(i), "core"))
                                      : fmt::format("it had CPUs {} before pools, members or the machine "
                                                    "changed",
                                                    pool.had.text());
        pool.had = now;
    }
}

/// What one update of the load leads to: first what is given back, then what is wanted, of that.
void Pools::resize() {
    std::vector<std::size_t> wanting;
    for (std::size_t i = 0; i < pools_.size(); ++i) {
        Pool& pool = pools_[i];
        const auto load = members_.load(i);
        if (!load) {
            pool.size.lose_sight();
            continue;
        }
        const int cpus = busy_cpus(i).count();
        if (*load <= high() * cpus) pool.is_stuck = false;
        switch (pool.size.update(*load, cpus, rules())) {
        case PoolSize::Step::none: break;
        case PoolSize::Step::grow: wanting.push_back(i); break;
        case PoolSize::Step::shrink:
            if (shrink(i)) report(kResizes, unsigned_at(kResizes) + 1);
        }
    }
    grow(wanting);
}

/// Gives back what was taken last, as long as it is too much and the rest is not too little.
bool Pools::shrink(std::size_t i) {
    Pool& pool = pools_[i];
    const int before = pool.busy;
    const int cpus = busy_cpus(i).count();
    const double need = pool.size.load() / high();
    const int least_busy = pool.is_sharing() ? std::min(1, least(i)) : least(i);
    while (pool.busy > least_busy) {
        const int have = busy_cpus(i).count();
        const int rest = cores_.first(i, pool.busy - 1).count();
        if (pool.size.load() >= low() * have || rest < need) break;
        --pool.busy;
    }
    if (pool.busy == before) return false;
    const auto calm = pool.size.calm_wanted(rules());
    while (cores_.count(i) > std::max(least(i), pool.busy)) cores_.give_back(i);
    pool.size.shrank();
    pool.had = cores_.cpus(i);
    pool.cause =
        fmt::format("at most {:.2f} of {} were wanted, below {} %, in {}", pool.size.load(),
                    counted(cpus, "CPU"), unsigned_at(kLow), counted(static_cast<int>(calm), "update"));
    return true;
}

/// One core each in turn, so that where few are left each gets some.
void Pools::grow(std::span<const std::size_t> wanting) {
    std::vector<int> had; // busy CPUs
    for (const std::size_t i : wanting) had.push_back(busy_cpus(i).count());
    for (bool is_again = true; is_again;) {
        is_again = false;
        for (const std::size_t i : wanting) {
            Pool& pool = pools_[i];
            const double need = pool.size.load() / high();
            pool.is_stuck = busy_cpus(i).count() < need && pool.busy < pool.spec.most;
            if (!pool.is_stuck) continue;
            if (pool.busy == cores_.count(i) && !cores_.grow(i, keep())) continue;
            ++pool.busy; // of its own that it lent, or the new one
            is_again = true;
        }
    }
    for (std::size_t k = 0; k < wanting.size(); ++k) {
        const std::size_t i = wanting[k];
        Pool& pool = pools_[i];
        if (busy_cpus(i).count() == had[k]) continue;
        report(kResizes, unsigned_at(kResizes) + 1);
        pool.had = cores_.cpus(i);
        pool.cause = fmt::format("at least {:.2f} of {} were wanted, beyond {} %, in {}", pool.size.load(),
                                 counted(had[k], "CPU"), unsigned_at(kHigh),
                                 counted(static_cast<int>(unsigned_at(kPatience)), "update"));
    }
}

void Pools::tell() {
    std::string cpus;
    std::string used;
    for (std::size_t i = 0; i < pools_.size(); ++i) {
        const auto& name = pools_[i].spec.name;
        cpus += fmt::format("{} {}; ", name, cores_.count(i) > 0 ? cores_.cpus(i).text() : "none");
        const auto load = members_.load(i);
        const int count = busy_cpus(i).count();
        if (i > 0) used += ", ";
        if (!load) used += name + " not known";
        else if (count == 0) used += fmt::format("{} {:.2f} CPUs, has none", name, *load);
        else used += fmt::format("{} {:.0f} % of {}", name, 100 * *load / count, counted(count, "CPU"));
    }
    report(kPoolCpus, pools_.empty() ? std::string() : cpus + "default " + cores_.rest().text());
    report(kUtilisation, used);
    report(kNote, note());
}

std::string Pools::note() const {
    if (pools_.empty()) return "no pools: write some into `pools`";
    std::string text;
    const auto add = [&](const std::string& what) { text += (text.empty() ? "" : "; ") + what; };
    int least_of_all = 0;
    bool is_any_short = false;
    int told = 0;
    for (std::size_t i = 0; i < pools_.size(); ++i) {
        least_of_all += least(i);
        const auto& spec = pools_[i].spec;
        if (cores_.count(i) < least(i)) {
            is_any_short = true;
            if (++told <= kMostTold)
                add(fmt::format("{} has {} of the {} that are its least", spec.name, cores_.count(i),
                                counted(least(i), "core")));
        } else if (pools_[i].is_stuck && ++told <= kMostTold) {
            add(fmt::format("{} wants more than the {} that it can have{}", spec.name,
                            counted(cores_.count(i), "core"),
                            spec.level == PoolLevel::machine
                                ? std::string()
                                : fmt::format(" in its {} domain", name_of(spec.level))));
        }
    }
    if (told > kMostTold) add("more pools likewise");
    if (is_any_short && least_of_all > cores_.cores() - keep())
        add(fmt::format("all together have {} as their least, of {} without {} for the default pool",
                        counted(least_of_all, "core"), cores_.cores(), keep()));
    if (const auto update = port(kNodeLoad).collected(); !update)
        add("node_load has no value: no pool grows or shrinks");
    else if (const auto blind = members_.first_unseen(); blind < pools_.size())
        add(pools_[blind].spec.name + " stays as it is: process_load has no value for its members");
    if (low() >= high())
        add(fmt::format("low ({} %) is not below high ({} %): pools are as small as high allows",
                        unsigned_at(kLow), unsigned_at(kHigh)));
    return text;
}

std::vector<Decision> Pools::decisions(const Subjects& subjects) {
    default_cpus_ = cores_.rest();
    if (pools_.empty()) return {}; // nothing is asked for, so nobody is held
    CpuSet lent;
    for (std::size_t i = 0; i < pools_.size(); ++i) lent |= lent_by(i);
    default_cpus_ |= lent;
    std::vector<Decision> of_pool;
    for (std::size_t i = 0; i < pools_.size(); ++i) of_pool.push_back(decision_of(i, lent));
    const auto rest =
        fmt::format("pool default has CPUs {}: what {} {}{}", default_cpus_.text(),
                    counted(static_cast<int>(pools_.size()), "pool"), pools_.size() == 1 ? "leaves" : "leave",
                    lent.empty() ? "" : fmt::format(", and CPUs {} that are lent", lent.text()));
    std::vector<Decision> all;
    all.reserve(subjects.size());
    for (std::size_t k = 0; k < subjects.size(); ++k) {
        const auto pool = members_.pool_of(k);
        if (pool == pools_.size()) {
            all.push_back({subjects[k].target, default_cpus_, rest});
        } else {
            all.push_back(of_pool[pool]);
            all.back().target = subjects[k].target;
            all.back().reason += "; " + members_.rule_of(k);
        }
    }
    return all;
}

/// What the members of a pool get. One that shares also uses what others lend in its domain; one without a
/// core is in the default pool. What a pool has and does not lend is nobody else's, whoever places them.
Decision Pools::decision_of(std::size_t i, const CpuSet& lent) const {
    const Pool& pool = pools_[i];
    const int count = cores_.count(i);
    if (count == 0)
        return {{},
                default_cpus_,
                fmt::format("pool {} has no core, as none of the {} that are its least could be had: its "
                            "members "
                            "share CPUs {} of the default pool",
                            pool.spec.name, counted(least(i), "core"), default_cpus_.text())};
    const CpuSet own = cores_.cpus(i);
    CpuSet borrowed;
    if (pool.is_sharing()) borrowed = (lent - own) & cores_.domain_of(i);
    auto reason = fmt::format("pool {} has CPUs {}, {} on {}", pool.spec.name, own.text(),
                              counted(count, "core"), cores_.place(i));
    if (!borrowed.empty()) reason += fmt::format(", and is lent CPUs {}", borrowed.text());
    if (const CpuSet away = lent_by(i); !away.empty())
        reason += fmt::format(", and lends CPUs {}", away.text());
    if (count < least(i)) reason += fmt::format(", not the {} that are its least", counted(least(i), "core"));
    return {{}, own | borrowed, reason + ": " + pool.cause, {}, busy_cpus(i)};
}

} // namespace

const Descriptor kPools{
    .name = "pools",
    .kind = Kind::policy,
    .doc = "Named pools of whole cores that grow and shrink with the load of the members in them.",
    .make = make_part<Pools>,
    .attributes = kAttributes,
    .ports = kPorts,
};

} // namespace schedd::policies
