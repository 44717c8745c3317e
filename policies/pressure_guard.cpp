// pressure_guard - protects latency members: when one waits too long for CPUs, those of batch members become
// fewer, step by step, and are given back slowly when all is well.
//   8 cores, unit:web.service waits 23 % of the time, 3 updates long -> batch members get cores 0-5
//   at 8 % nothing changes; below 5 % for 10 updates -> 0-6, after 10 more they are let go
// The counting is in squeeze.h, which cores are left in core_order.h. Normal members are never touched, nor
// latency members unless keep_apart is set. Usage: create schedulers/G/pressure_guard; link
// probes/pressure/cgroup_cpu_some .../pressure; write .../process_set/unit:web.service.class latency
#include "policies/policies.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "policies/considered.h"
#include "policies/core_order.h"
#include "policies/pressure_guard_considered.h"
#include "policies/squeeze.h"
#include "policies/tracks.h"

namespace schedd::policies {

namespace {

enum PortIndex : std::size_t { kPressure, kWait, kNodePressure, kProcessLoad };
constexpr PortSpec kPorts[] = {
    {.name = "pressure",
     .type = types::kPressureByCgroup,
     .doc = "CPU pressure of the control group of a unit or cgroup member."},
    {.name = "wait",
     .type = types::kWaitByPid,
     .doc = "Scheduling delay of a process; summed over a member that has no pressure of its own."},
    {.name = "node_pressure",
     .type = types::kPressure,
     .wants_updates = true,
     .doc = "CPU pressure of the machine, batch work's own included; used while no latency member has had a "
            "value. Each update makes the policy decide."},
    {.name = "process_load",
     .type = types::kLoadByPid,
     .doc =
         "What each process wants of a CPU; not needed. Tells a latency member that became idle, whose CPUs "
         "are given back soon, from one that is well because of what was taken; only read."},
};

enum Attribute : std::size_t {
    kBound,
    kRelease,
    kPatience,
    kCalm,
    kStep,
    kFloor,
    kKeepApart,
    kPeriod,
    kPoolCpus,
    kWorst,
    kSqueezed,
    kState,
    kNote
};
constexpr AttributeSpec kAttributes[] = {
    {.name = "bound",
     .unit = "percent",
     .initial = "10",
     .minimum = 1,
     .maximum = 100,
     .doc = "Share of the time that a latency member may wait for a CPU."},
    {.name = "release",
     .unit = "percent",
     .initial = "50",
     .minimum = 1,
     .maximum = 95,
     .doc = "Below this share of the bound a latency member is well."},
    {.name = "patience",
     .unit = "updates",
     .initial = "3",
     .minimum = 1,
     .maximum = 1000,
     .doc = "Updates in a row beyond the bound before the batch pool becomes smaller."},
    {.name = "calm",
     .unit = "updates",
     .initial = "10",
     .minimum = 1,
     .maximum = 10'000,
     .doc = "Updates in a row in which all are well before the pool grows; up to 8 times as many after a "
            "growth that did harm."},
    {.name = "step",
     .unit = "percent",
     .initial = "10",
     .minimum = 1,
     .maximum = 100,
     .doc =
         "Share of the usable cores taken or given at once, at least one; two steps are taken beyond twice "
         "the bound."},
    {.name = "floor",
     .unit = "CPUs",
     .initial = "1",
     .minimum = 1,
     .maximum = limits::kMaxCpus,
     .doc = "The pool never has fewer CPUs than this; whole cores, so 1 is one core."},
    {.name = "keep_apart",
     .kind = AttributeKind::boolean,
     .initial = "false",
     .doc = "Latency members stay off the pool's CPUs while at least half of the cores are outside of it."},
    {.name = "period",
     .unit = "ms",
     .initial = "1000",
     .minimum = static_cast<std::int64_t>(limits::kPeriodMsMin),
     .maximum = static_cast<std::int64_t>(limits::kPeriodMsMax),
     .doc = "How often the values are looked at without an update; one that is not new does not count."},
    {.name = "pool_cpus",
     .kind = AttributeKind::text,
     .initial = "",
     .read_only = true,
     .doc = "The CPUs that batch members share."},
    {.name = "worst",
     .kind = AttributeKind::text,
     .initial = "",
     .read_only = true,
     .doc = "The latency member that waits most, and its share of the time."},
    {.name = "squeezed", .unit = "cores", .read_only = true, .doc = "How many cores the pool has lost."},
    {.name = "state",
     .kind = AttributeKind::text,
     .initial = "calm",
     .read_only = true,
     .doc = "calm, squeezing, holding, releasing, or blind: there is no value."},
    {.name = "note",
     .kind = AttributeKind::text,
     .initial = "",
     .read_only = true,
     .doc = "What keeps the policy from its work; empty while nothing does."},
};

/// What the policy remembers of one subject.
struct Track {
    Target target;
    CpuSet home = {};          // the CPUs it came with; empty = all
    bool was_measured = false; // it had a value of its own at some time
};

/// The largest value of this round. `who` is empty if there is none.
struct Worst {
    std::string who;
    std::int64_t share = 0; // thousandths of the time
    Time time{};

    [[nodiscard]] double percent() const { return static_cast<double>(share) / 10; }
};

/// The subjects of this round, in short.
struct Round {
    Worst worst;
    std::string lost;         // a latency member that had a value before and has none now
    bool has_latency = false; // one that runs
    bool has_batch = false;
    bool is_machine = false;          // `worst` is the machine's
    std::optional<std::int64_t> runs; // what latency members run, in thousandths of a CPU
};

constexpr std::int64_t kAllTheTime = 1000;
constexpr std::int64_t kMostLoad = 1'000'000'000; // of a process; what is beyond is no load

class PressureGuard final : public Policy {
public:
    using Policy::Policy;

    std::vector<Decision> decide(const View& view) override {
        next_look_ = view.now + period();
        const bool is_other_machine = cores_.follow(view.topology);
        if (cores_.size() == 0) return {};
        follow_subjects(view.subjects);
        const bool is_cut = squeeze_.limit(most());
        if (squeeze_.taken() > 0 && (is_other_machine || is_cut))
            give_reason(fmt::format("{} core{} taken away after CPUs or the floor changed", squeeze_.taken(),
                                    squeeze_.taken() == 1 ? " stays" : "s stay"));
        last_ = look(view.subjects);
        const Round& round = last_;
        if (!has_started_ && round.has_batch) start(view.subjects);
        count(round, view.now);
        tell(round);
        return decisions(view.subjects);
    }
    [[nodiscard]] Time next_due() const override { return next_look_; }
    [[nodiscard]] std::vector<std::string> considered(const View& view,
                                                      const Subject& subject) const override;

protected:
    void changed(std::size_t /*index*/) override { make_due(); }

private:
    void follow_subjects(const Subjects& subjects);
    [[nodiscard]] Round look(const Subjects& subjects);
    [[nodiscard]] std::optional<Sample> value_of(const Subject& subject) const;
    [[nodiscard]] std::optional<std::int64_t> running_of(const Subject& subject,
                                                         const std::optional<Sample>& value) const;
    [[nodiscard]] Wish wish_of(const Round& round) const;
    void start(const Subjects& subjects);
    void count(const Round& round, Time now);
    void give_reason(const std::string& cause);
    void tell(const Round& round);
    [[nodiscard]] std::string note_on(const Round& round) const;
    [[nodiscard]] std::vector<Decision> decisions(const Subjects& subjects) const;

    [[nodiscard]] Duration period() const { return std::chrono::milliseconds(unsigned_at(kPeriod)); }
    [[nodiscard]] int floor_cores() const { return cores_.cores_for(static_cast<int>(unsigned_at(kFloor))); }
    /// Cores that may be taken away.
    [[nodiscard]] int most() const { return cores_.size() - floor_cores(); }
    [[nodiscard]] CpuSet pool() const { return cores_.first(cores_.size() - squeeze_.taken()); }
    [[nodiscard]] SqueezeRules rules() const;

    CoreOrder cores_;
    Squeeze squeeze_;
    std::vector<Track> tracks_;       // in the subjects' order
    std::string reason_;              // of the pool as it is
    std::optional<std::int64_t> ran_; // Round::runs when a core was last taken away
    Round last_;                      // as last looked at
    Time counted_{};                  // the time of the last value that counted
    Time next_look_{};
    bool has_started_ = false;
};

SqueezeRules PressureGuard::rules() const {
    const double bound = 10 * static_cast<double>(unsigned_at(kBound));
    return {.bound = bound,
            .well = bound * static_cast<double>(unsigned_at(kRelease)) / 100,
            .patience = static_cast<unsigned>(unsigned_at(kPatience)),
            .calm = static_cast<unsigned>(unsigned_at(kCalm)),
            .step = std::max(1, cores_.size() * static_cast<int>(unsigned_at(kStep)) / 100),
            .most = most()};
}

/// Who is gone is forgotten. Of who is not held it is known what CPUs it came with: it never gets others.
void PressureGuard::follow_subjects(const Subjects& subjects) {
    policies::follow(tracks_, subjects);
    for (std::size_t i = 0; i < subjects.size(); ++i)
        if (!subjects[i].held)
            tracks_[i].home = cores_.usable().subset_of(subjects[i].current) ? CpuSet() : subjects[i].current;
}

/// The pressure of its group, else the delays of its processes together, which is the most that its pressure
/// can be.
std::optional<Sample> PressureGuard::value_of(const Subject& subject) const {
    if (!subject.group.empty()) {
        auto sample = port(kPressure).collected(Parameter(std::string_view(subject.group)));
        if (sample) return sample;
    }
    std::optional<Sample> sum;
    std::int64_t share = 0;
    for (const Pid pid : subject.pids) {
        const auto sample = port(kWait).collected(Parameter(static_cast<std::int64_t>(pid)));
        if (!sample) continue;
        share =
            std::min(share + std::clamp<std::int64_t>(number_of(sample->value), 0, kAllTheTime), kAllTheTime);
        if (!sum || sample->time > sum->time) sum = sample;
    }
    if (sum) sum->value = share;
    return sum;
}

/// What its processes run of CPUs. Their load less what of it was waiting: waiting is what the pool's size
/// changes. Where the delays of a process are not known, its group's pressure stands for them.
std::optional<std::int64_t> PressureGuard::running_of(const Subject& subject,
                                                      const std::optional<Sample>& value) const {
    std::optional<std::int64_t> sum;
    bool is_wait_known = true;
    for (const Pid pid : subject.pids) {
        const Parameter parameter(static_cast<std::int64_t>(pid));
        const auto load = port(kProcessLoad).collected(parameter);
        if (!load) continue;
        const auto wait = port(kWait).collected(parameter);
        is_wait_known &= wait.has_value();
        const auto most = std::clamp<std::int64_t>(number_of(load->value), 0, kMostLoad);
        const auto waited = wait ? std::clamp<std::int64_t>(number_of(wait->value), 0, most) : 0;
        sum = sum.value_or(0) + most - waited;
    }
    if (!sum || is_wait_known || !value) return sum;
    return std::max<std::int64_t>(*sum - std::clamp<std::int64_t>(number_of(value->value), 0, kAllTheTime),
                                  0);
}

/// Half of what it was is less: what a member runs differs from update to update.
Wish PressureGuard::wish_of(const Round& round) const {
    if (!round.runs || !ran_) return Wish::unknown;
    return *round.runs > 0 && 2 * *round.runs >= *ran_ ? Wish::same : Wish::less;
}

Round PressureGuard::look(const Subjects& subjects) {
    Round round;
    bool was_any_measured = false;
    for (std::size_t i = 0; i < subjects.size(); ++i) {
        const Subject& subject = subjects[i];
        round.has_batch |= subject.demand.work_class == WorkClass::batch;
        if (subject.demand.work_class != WorkClass::latency || subject.pids.empty()) continue;
        round.has_latency = true;
        Track& track = tracks_[i];
        const auto sample = value_of(subject);
        if (const auto runs = running_of(subject, sample)) round.runs = round.runs.value_or(0) + *runs;
        if (!sample) {
            if (track.was_measured && round.lost.empty()) round.lost = subject.target.text();
            was_any_measured |= track.was_measured;
            continue;
        }
        track.was_measured = was_any_measured = true;
        const auto share = std::clamp<std::int64_t>(number_of(sample->value), 0, kAllTheTime);
        if (round.worst.who.empty() || share > round.worst.share)
            round.worst = {subject.target.text(), share, sample->time};
    }
    if (!round.has_latency || was_any_measured) return round;
    if (const auto sample = port(kNodePressure).collected()) {
        round.worst = {"the machine", std::clamp<std::int64_t>(number_of(sample->value), 0, kAllTheTime),
                       sample->time};
        round.is_machine = true;
    }
    return round;
}

/// After a restart what an earlier run has taken stays taken, if all that is held has one and the same pool.
void PressureGuard::start(const Subjects& subjects) {
    has_started_ = true;
    CpuSet found;
    for (const Subject& subject : subjects) {
        if (subject.demand.work_class != WorkClass::batch || !subject.held) continue;
        const CpuSet current = subject.current & cores_.usable();
        if (current.empty() || (!found.empty() && found != current)) return;
        found = current;
    }
    const int cores = cores_.size_of(found);
    if (cores == 0 || cores < floor_cores() || cores == cores_.size()) return;
    squeeze_.start(cores_.size() - cores);
    give_reason("it was found like this");
}

/// A value counts once, however often the policy is asked to decide meanwhile.
void PressureGuard::count(const Round& round, Time now) {
    SqueezeRules by = rules();
    if (!round.has_batch) by.most = squeeze_.taken(); // nobody to take from
    double value = static_cast<double>(round.worst.share);
    if (!round.has_latency) { // nobody suffers
        if (now - counted_ < period()) return;
        counted_ = now;
        value = 0;
    } else if (round.worst.who.empty()) {
        return squeeze_.lose_sight();
    } else {
        if (round.worst.time <= counted_) return;
        counted_ = round.worst.time;
        if (!round.lost.empty()) value = std::max(value, by.well); // who is not seen may not be well
    }
    by.wish = wish_of(round);
    const unsigned calm = squeeze_.calm_wanted(by);
    const unsigned patience = squeeze_.patience_wanted(by);
    switch (squeeze_.update(value, by)) {
    case Squeeze::Step::none: break;
    case Squeeze::Step::taken:
        ran_ = round.runs;
        give_reason(fmt::format("{} waited for a CPU {:.1f} % of the time, beyond {} % in {}",
                                round.worst.who, round.worst.percent(), unsigned_at(kBound),
                                counted(static_cast<int>(patience), "update")));
        break;
    case Squeeze::Step::given:
        give_reason(fmt::format("no latency member waited for a CPU {:g} % of the time in {}", by.well / 10,
                                counted(static_cast<int>(calm), "update")));
        break;
    }
}

void PressureGuard::give_reason(const std::string& cause) {
    reason_ = fmt::format("the batch pool has {} of {}: {}", pool().count(),
                          counted(cores_.usable().count(), "CPU"), cause);
}

void PressureGuard::tell(const Round& round) {
    report(kPoolCpus, pool().text());
    report(kWorst, round.worst.who.empty()
                       ? std::string()
                       : fmt::format("{} {:.0f} %", round.worst.who, round.worst.percent()));
    report(kSqueezed, static_cast<std::uint64_t>(squeeze_.taken()));
    report(kState, std::string(name_of(squeeze_.state())));
    report(kNote, note_on(round));
}

std::string PressureGuard::note_on(const Round& round) const {
    if (most() == 0)
        return fmt::format("nothing can be taken away: {} with {} can be used, the floor is {}",
                           counted(cores_.size(), "core"), counted(cores_.usable().count(), "CPU"),
                           counted(static_cast<int>(unsigned_at(kFloor)), "CPU"));
    if (!round.has_batch) return "no member is of class batch: there is nobody to take CPUs from";
    if (!round.has_latency) return "no member of class latency runs: there is nobody to protect";
    if (round.worst.who.empty() && round.lost.empty())
        return "no port has a value: link pressure, wait or node_pressure";
    if (!round.lost.empty()) return round.lost + " has no value any more: nothing is given back";
    if (round.is_machine) return "no latency member has a value: the machine's counts, batch work's included";
    return {};
}

/// Names only those who are narrowed: who is not is let go, to what it came with.
std::vector<Decision> PressureGuard::decisions(const Subjects& subjects) const {
    std::vector<Decision> held;
    if (squeeze_.taken() == 0) return held;
    const CpuSet batch = pool();
    const CpuSet rest = cores_.usable() - batch;
    const bool is_apart = flag_at(kKeepApart) && 2 * squeeze_.taken() >= cores_.size();
    for (std::size_t i = 0; i < subjects.size(); ++i) {
        const Subject& subject = subjects[i];
        const CpuSet& home = tracks_[i].home;
        const bool is_batch = subject.demand.work_class == WorkClass::batch;
        if (!is_batch && (!is_apart || subject.demand.work_class != WorkClass::latency)) continue;
        CpuSet cpus = is_batch ? batch : rest;
        if (home.intersects(cores_.usable())) cpus &= home;
        if (cpus.empty() && !is_batch) continue;
        // all that it came with has been taken away: one core of it stays
        if (cpus.empty()) cpus = cores_.first_core_in(home);
        std::string reason = is_batch ? reason_ : "kept off the batch pool: " + reason_;
        if (is_batch && cpus != batch) reason += fmt::format("; of its own CPUs {}", home.text());
        held.push_back({subject.target, cpus, std::move(reason)});
    }
    return held;
}

std::vector<std::string> PressureGuard::considered(const View& /*view*/, const Subject& subject) const {
    if (cores_.size() == 0) return {}; // nothing has been looked at yet
    const auto track = std::ranges::lower_bound(tracks_, subject.target, {}, &Track::target);
    const bool is_known = track != tracks_.end() && track->target == subject.target;
    const auto value = value_of(subject);
    auto by = rules();
    by.wish = wish_of(last_);
    return considered_by({.cores = cores_,
                          .squeeze = squeeze_,
                          .rules = by,
                          .floor = static_cast<int>(unsigned_at(kFloor)),
                          .is_kept_apart = flag_at(kKeepApart),
                          .worst = last_.worst.who,
                          .worst_share = last_.worst.share,
                          .note = note_on(last_),
                          .home = is_known ? track->home : CpuSet(),
                          .own_share = value ? std::optional(number_of(value->value)) : std::nullopt},
                         subject.demand.work_class);
}

} // namespace

const Descriptor kPressureGuard{
    .name = "pressure_guard",
    .kind = Kind::policy,
    .doc = "Takes CPUs from batch members, step by step, while latency members wait for theirs.",
    .make = make_part<PressureGuard>,
    .attributes = kAttributes,
    .ports = kPorts,
};

} // namespace schedd::policies
