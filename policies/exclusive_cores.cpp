// exclusive_cores - gives members the whole cores they ask for; all others share what is left.
//   4 cores of 2 CPUs, unit:db asks for 3 CPUs of its own -> it gets 0-3, all others share 4-7
//   unit:more then asks for 4 -> "the largest request that would fit now is 2"; it shares 4-7 until more is
//   free
// Which cores is in cores.h, who keeps what in claims.h. It has no ports: it decides when members, what they
// ask for, or the CPUs change. Usage: create schedulers/X; create schedulers/X/exclusive_cores; attach X
// unit:db.service, and set its cpus and exclusive
#include "policies/policies.h"

#include <algorithm>
#include <unordered_map>

#include <fmt/format.h>

#include "policies/claims.h"
#include "policies/considered.h"
#include "policies/exclusive_cores_considered.h"

namespace schedd::policies {

namespace {

enum Attribute : std::size_t {
    kReserved,
    kSharedMinimum,
    kWhenFull,
    kPrefer,
    kSmt,
    kPartition,
    kSharedCpus,
    kExclusiveCpus,
    kRefused,
    kLargestRequest,
    kReservedIgnored
};
constexpr AttributeSpec kAttributes[] = {
    {.name = "reserved",
     .kind = AttributeKind::text,
     .initial = "",
     .doc = "CPUs kept from all members, for the host: a list such as 0-1,16; empty = none."},
    {.name = "shared_minimum",
     .unit = "cores",
     .initial = "1",
     .maximum = limits::kMaxCpus,
     .doc = "Whole cores that are always left to members without cores of their own; at least one CPU is."},
    {.name = "when_full",
     .kind = AttributeKind::choice,
     .initial = "refuse",
     .choices = "refuse spill",
     .doc = "Who asks for more than is left: refuse = it gets no core more than it has and waits; spill = it "
            "gets the cores there are and shares CPUs for the rest."},
    {.name = "prefer",
     .kind = AttributeKind::choice,
     .initial = "class",
     .choices = "class performance efficient any",
     .doc = "Which kind of core is given first; class = latency performance, batch efficient, normal any."},
    {.name = "smt",
     .kind = AttributeKind::choice,
     .initial = "share",
     .choices = "share one_per_core",
     .doc =
         "share = each CPU of a core counts; one_per_core = a core counts as one, its siblings stay idle."},
    {.name = "partition",
     .kind = AttributeKind::choice,
     .initial = "none",
     .choices = "none root isolated",
     .doc =
         "What control groups with cores of their own become (cgroup version 2): root = no other group has "
         "their CPUs; isolated = and the kernel balances nothing there. Units stay as they are."},
    {.name = "shared_cpus",
     .kind = AttributeKind::text,
     .initial = "",
     .read_only = true,
     .doc = "What the members without cores of their own share."},
    {.name = "exclusive_cpus",
     .kind = AttributeKind::text,
     .initial = "",
     .read_only = true,
     .doc = "All CPUs of the cores that members have for themselves."},
    {.name = "refused",
     .unit = "members",
     .read_only = true,
     .doc = "How many have fewer CPUs of their own than they ask for."},
    {.name = "largest_request",
     .unit = "CPUs",
     .read_only = true,
     .doc = "The most that one more member could get now."},
    {.name = "reserved_ignored",
     .kind = AttributeKind::text,
     .initial = "",
     .read_only = true,
     .doc = "What of `reserved` has no effect, and why."},
};

constexpr std::size_t kNone = SIZE_MAX;

class ExclusiveCores final : public Policy {
public:
    ExclusiveCores(const Descriptor& type, std::string name, const Environment& environment)
        : Policy(type, std::move(name), environment) {
        make_due();
    }

    std::vector<Decision> decide(const View& view) override {
        const CpuSet usable = view.topology.usable();
        if (usable.empty()) return {}; // nowhere to be; who has what is kept for when CPUs are back
        follow_machine(view.topology, usable);
        collect(view.subjects);
        claims_.settle(asks_, view.subjects, rules());
        return decisions(view.subjects);
    }

    /// Who shares comes and goes without a word to anybody else. Units and control groups with cores of their
    /// own do so with one word to all who share.
    std::optional<Revision> revise(const View& view, std::span<const Target> touched) override {
        if (generation_ != view.topology.generation || usable_ != view.topology.usable() || usable_.empty())
            return std::nullopt;
        std::vector<CoreAsk> asks;
        std::vector<Target> gone;
        Revision revision;
        for (const Target& target : touched) {
            const auto at = std::ranges::lower_bound(view.subjects, target, {}, &Subject::target);
            const auto* subject = at != view.subjects.end() && at->target == target ? &*at : nullptr;
            const bool asks_now = subject && subject->demand.exclusive;
            if (target.sort == Target::Sort::process && (asks_now || processes_ask_)) return std::nullopt;
            if (asks_now) {
                const auto place = static_cast<std::size_t>(at - view.subjects.begin());
                asks.push_back({target, request_of(subject->demand), {place}});
                continue;
            }
            if (claims_.find(target)) gone.push_back(target);
            if (subject) most_shared_ = std::max(most_shared_, subject->demand.cpus);
        }
        if (!asks.empty() || !gone.empty()) {
            claims_.settle_some(asks, gone, view.subjects, rules());
            // who is named is let alone if nothing is said of it, even where all is as it was
            for (const CoreAsk& ask : asks)
                if (claims_.find(ask.key)) claims_.of(ask.key).reason.clear();
            if (!say_otherwise(view.subjects, revision)) return std::nullopt;
        }
        for (const Target& target : touched)
            if (const auto* subject = view.subjects.find(target); subject && !subject->demand.exclusive)
                revision.decisions.push_back(sharing(*subject));
        return revision;
    }

    [[nodiscard]] bool gives_alone() const override { return true; }

    [[nodiscard]] std::vector<std::string> considered(const View& view,
                                                      const Subject& subject) const override {
        return considered_by(claims_, subject,
                             {.when_full = text_at(kWhenFull),
                              .shared_minimum = static_cast<int>(unsigned_at(kSharedMinimum)),
                              .reserved = reserved_,
                              .is_one_per_core = text_at(kSmt) == "one_per_core"},
                             view.topology);
    }

protected:
    Status accepts(std::size_t index, const AttributeValue& value) const override {
        if (index != kReserved) return {};
        const auto parsed = CpuSet::parse(std::get<std::string>(value));
        if (parsed) return {};
        return std::unexpected(parsed.error());
    }
    void changed(std::size_t /*index*/) override { make_due(); }

private:
    void follow_machine(const Topology& topology, const CpuSet& usable);
    void collect(const Subjects& subjects);
    [[nodiscard]] CoreRequest request_of(const Demand& demand) const;
    [[nodiscard]] Claims::Rules rules() const;
    [[nodiscard]] std::vector<Decision> decisions(const Subjects& subjects);
    [[nodiscard]] bool say_otherwise(const Subjects& subjects, Revision& revision);
    void make_pool();
    [[nodiscard]] Decision owning(const Subject& subject, Claim& claim) const;
    [[nodiscard]] Decision sharing(const Subject& subject) const;
    void make_partition(const Subject& subject, Decision& decision) const;
    [[nodiscard]] Decision decision_of(Claim& claim) const;
    [[nodiscard]] std::string reason_of(const Claim& claim) const;

    Claims claims_;
    CpuSet usable_; // what the cores were last made from, with the next three
    std::uint64_t generation_ = 0;
    std::string reserved_text_;
    std::string smt_;
    CpuSet reserved_;
    std::vector<CoreAsk> asks_;
    std::vector<std::size_t> ask_of_; // by subject; kNone if it asks for none of its own
    bool processes_ask_ = false;
    int most_shared_ = 0; // CPUs that one asks for who shares; perhaps more than any does now
    /// What members without cores of their own share, in words too.
    struct Pool {
        CpuSet cpus = {};
        CpuSet exclusive = {};
        std::string taken = {};
        std::string reason = {};
    };
    Pool pool_;
};

void ExclusiveCores::follow_machine(const Topology& topology, const CpuSet& usable) {
    if (generation_ == topology.generation && usable_ == usable && reserved_text_ == text_at(kReserved) &&
        smt_ == text_at(kSmt))
        return;
    usable_ = usable;
    generation_ = topology.generation;
    reserved_text_ = text_at(kReserved);
    smt_ = text_at(kSmt);
    const CpuSet wanted = CpuSet::parse(reserved_text_).value_or(CpuSet());
    std::string ignored;
    reserved_ = wanted & usable;
    if (reserved_ == usable) {
        ignored = fmt::format("{}: that is all there is, members need at least one CPU", wanted.text());
        reserved_ = {};
    } else if (reserved_ != wanted) {
        ignored = fmt::format("{}: not online and allowed here", (wanted - usable).text());
    }
    report(kReservedIgnored, std::move(ignored));
    claims_.follow(
        Cores(topology, reserved_, smt_ == "share" ? Cores::Smt::share : Cores::Smt::one_per_core));
}

CoreRequest ExclusiveCores::request_of(const Demand& demand) const {
    using Kinds = CoreRequest::Kinds;
    const bool is_latency = demand.work_class == WorkClass::latency;
    CoreRequest request{.cpus = std::max(1, demand.cpus), .kinds = Kinds::any, .spread = is_latency};
    const std::string& prefer = text_at(kPrefer);
    if (prefer == "performance" || (prefer == "class" && is_latency)) request.kinds = Kinds::performance;
    if (prefer == "efficient" || (prefer == "class" && demand.work_class == WorkClass::batch))
        request.kinds = Kinds::efficient;
    return request;
}

void ExclusiveCores::collect(const Subjects& subjects) {
    asks_.clear();
    processes_ask_ = false;
    ask_of_.assign(subjects.size(), kNone);
    std::unordered_map<std::string_view, std::size_t> by_member; // only processes share an ask
    for (std::size_t i = 0; i < subjects.size(); ++i) {
        const Subject& subject = subjects[i];
        if (!subject.demand.exclusive) continue;
        if (subject.target.sort == Target::Sort::process) {
            processes_ask_ = true;
            const auto [at, is_new] = by_member.try_emplace(subject.member, asks_.size());
            ask_of_[i] = at->second;
            if (!is_new) {
                asks_[at->second].subjects.push_back(i);
                continue;
            }
        } else {
            ask_of_[i] = asks_.size();
        }
        asks_.push_back({CoreAsk::key_of(subject), request_of(subject.demand), {i}});
    }
}

std::string ExclusiveCores::reason_of(const Claim& claim) const {
    const Cores& cores = claims_.cores();
    return fmt::format("CPUs {}: {} of its own for the {} it asks for{}, on {}{}",
                       cores.mask(claim.cores).text(),
                       counted(static_cast<int>(claim.cores.size()), "whole core"),
                       counted(claim.request.cpus, "CPU"), smt_ == "share" ? "" : ", siblings kept idle",
                       cores.place(claim.cores), claim.was_found ? ", where it was found" : "");
}

Decision ExclusiveCores::decision_of(Claim& claim) const {
    const Cores& cores = claims_.cores();
    const CpuSet& shared = pool_.cpus;
    if (claim.missing == 0) {
        if (claim.reason.empty()) claim.reason = reason_of(claim);
        return {{}, cores.mask(claim.cores), claim.reason, {}, cores.cpus(claim.cores)};
    }
    claim.reason.clear();
    const auto asks = fmt::format("asks for {} of its own", counted(claim.request.cpus, "CPU"));
    const CpuSet own = cores.mask(claim.cores);
    if (text_at(kWhenFull) == "spill") {
        if (own.empty())
            return {{}, shared, fmt::format("{}, no core is left: shares CPUs {}", asks, shared.text())};
        return {{},
                own | shared,
                fmt::format("{}, has {} on CPUs {}: shares CPUs {} for the rest", asks,
                            claim.request.cpus - claim.missing, own.text(), shared.text()),
                {},
                cores.cpus(claim.cores)};
    }
    const int largest = claims_.largest_request();
    if (own.empty())
        return {{},
                shared,
                fmt::format("{}, the largest request that would fit now is {}: stays in the shared pool, "
                            "CPUs {}",
                            asks, largest, shared.text())};
    return {{},
            own,
            fmt::format("{}, only {} more would fit now: keeps CPUs {} that it has", asks, largest,
                        own.text()),
            {},
            cores.cpus(claim.cores)};
}

/// Of a control group that shares none of its CPUs; units own their groups, and processes have none.
void ExclusiveCores::make_partition(const Subject& subject, Decision& decision) const {
    if (subject.target.sort != Target::Sort::cgroup || text_at(kPartition) == "none") return;
    if (decision.alone.empty() || !decision.cpus.subset_of(decision.alone)) return;
    decision.tuning.partition = text_at(kPartition) == "root" ? Partition::root : Partition::isolated;
}

Decision ExclusiveCores::owning(const Subject& subject, Claim& claim) const {
    auto decision = decision_of(claim);
    make_partition(subject, decision);
    decision.target = subject.target;
    return decision;
}

Decision ExclusiveCores::sharing(const Subject& subject) const {
    if (subject.demand.cpus <= pool_.cpus.count()) return {subject.target, pool_.cpus, pool_.reason};
    return {subject.target, pool_.cpus,
            fmt::format("asks for {}, the shared pool has only {} ({}): {}",
                        counted(subject.demand.cpus, "CPU"), pool_.cpus.count(), pool_.cpus.text(),
                        pool_.taken)};
}

Claims::Rules ExclusiveCores::rules() const {
    return {.keep_free = static_cast<int>(unsigned_at(kSharedMinimum)),
            .spill = text_at(kWhenFull) == "spill"};
}

std::vector<Decision> ExclusiveCores::decisions(const Subjects& subjects) {
    make_pool();
    most_shared_ = 0;
    std::vector<Decision> all;
    all.reserve(subjects.size());
    for (std::size_t i = 0; i < subjects.size(); ++i) {
        const Subject& subject = subjects[i];
        if (ask_of_[i] != kNone) {
            all.push_back(owning(subject, claims_.of(asks_[ask_of_[i]].key)));
            continue;
        }
        most_shared_ = std::max(most_shared_, subject.demand.cpus);
        all.push_back(sharing(subject));
    }
    return all;
}

/// Of all whose cores are others now, who wait, and who share. False if all must be asked about: what is said
/// to those who ask for more than the pool has differs, and processes ask together.
bool ExclusiveCores::say_otherwise(const Subjects& subjects, Revision& revision) {
    const Pool before = pool_;
    make_pool();
    if (processes_ask_ || most_shared_ > std::min(before.cpus.count(), pool_.cpus.count())) return false;
    if (before.reason != pool_.reason) {
        auto& shift = revision.shifts.emplace_back();
        shift.was.cpus = before.cpus;
        shift.was.reason = before.reason;
        shift.now.cpus = pool_.cpus;
        shift.now.reason = pool_.reason;
    }
    for (Claim& claim : claims_.all()) {
        if (!claim.reason.empty()) continue;
        const auto* subject = subjects.find(claim.key);
        if (!subject) return false;
        revision.decisions.push_back(owning(*subject, claim));
    }
    return true;
}

void ExclusiveCores::make_pool() {
    pool_.cpus = claims_.cores().rest();
    pool_.exclusive = usable_ - pool_.cpus - reserved_;
    pool_.taken = fmt::format("{} of {} CPUs are exclusive, {} reserved", pool_.exclusive.count(),
                              usable_.count(), reserved_.count());
    const auto shared = pool_.cpus.text();
    pool_.reason = fmt::format("shares CPUs {}: {}", shared, pool_.taken);
    report(kSharedCpus, shared);
    report(kExclusiveCpus, pool_.exclusive.text());
    report(kRefused, static_cast<std::uint64_t>(
                         std::ranges::count_if(claims_.all(), [](const Claim& c) { return c.missing > 0; })));
    report(kLargestRequest, static_cast<std::uint64_t>(claims_.largest_request()));
}

} // namespace

const Descriptor kExclusiveCores{
    .name = "exclusive_cores",
    .kind = Kind::policy,
    .doc = "Gives members the whole cores they ask for; the others share what is left.",
    .make = make_part<ExclusiveCores>,
    .attributes = kAttributes,
};

} // namespace schedd::policies
