// nest - keeps its members on few warm cores, as many as their load needs and some headroom, and lets them go
// when that is all cores.
//   8 cores, members that want 1.4 CPUs        -> cores 0-1, after what was used before has been unused for
//   decay they want 3.0 CPUs from now on             -> 0-3: the reserve at once, the rest after impatience
//   they want 8.0                              -> nobody is held
// Batch members get no headroom, latency members the reserve in addition. The states of cores are in
// warm_cores.h, what a load needs in core_demand.h, who
// wants what in nest_members.h, which cores come first in core_order.h. Usage:
// create schedulers/N/nest; link probes/cpu/node_load .../node_load and process_load likewise
#include "policies/policies.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "policies/considered.h"
#include "policies/core_demand.h"
#include "policies/core_order.h"
#include "policies/nest_members.h"
#include "policies/warm_cores.h"

namespace schedd::policies {

namespace {

enum PortIndex : std::size_t { kNodeLoad, kProcessLoad, kWait };
constexpr PortSpec kPorts[] = {
    {.name = "node_load",
     .type = types::kLoad,
     .wants_updates = true,
     .doc =
         "Each update makes the policy look at the loads; as much as there are CPUs counts as saturation."},
    {.name = "process_load",
     .type = types::kLoadByPid,
     .doc = "What each process wants of a CPU; only read."},
    {.name = "wait",
     .type = types::kWaitByPid,
     .doc = "What of it each process waits for a CPU; only read, not needed: the nest also grows when a "
            "latency or normal member waits too much."},
};

enum Attribute : std::size_t {
    kPrefer,
    kSiblings,
    kHeadroom,
    kFloor,
    kReserve,
    kDecay,
    kImpatience,
    kBound,
    kNestCpus,
    kReserveCpus,
    kNestCores,
    kWanted,
    kState,
    kNote
};
constexpr AttributeSpec kAttributes[] = {
    {.name = "prefer",
     .kind = AttributeKind::choice,
     .initial = "any",
     .choices = "any performance efficient",
     .doc = "Which kind of core the nest is made of first; any = near cores matter more than their kind."},
    {.name = "siblings",
     .kind = AttributeKind::choice,
     .initial = "batch",
     .choices = "none batch all",
     .doc = "Whose load is packed onto all threads of a core; the others' counts one core for each CPU."},
    {.name = "headroom",
     .unit = "percent",
     .initial = "25",
     .maximum = 1000,
     .doc = "By how much the nest is larger than the load of its members; batch members get none of it."},
    {.name = "floor",
     .unit = "CPUs",
     .initial = "1",
     .minimum = 1,
     .maximum = limits::kMaxCpus,
     .doc = "The nest never has fewer CPUs than this; whole cores, so 1 is one core."},
    {.name = "reserve",
     .unit = "cores",
     .initial = "5",
     .maximum = limits::kMaxCpus,
     .doc = "How many cores beyond the nest may be kept warm; latency members may use them."},
    {.name = "decay",
     .unit = "ms",
     .initial = "10000",
     .maximum = 86'400'000,
     .doc = "How long a core is not needed before it leaves the nest for the reserve, and again before it "
            "leaves the reserve; up to 8 times as long in the nest after a core was missed."},
    {.name = "impatience",
     .unit = "ms",
     .initial = "1000",
     .maximum = 86'400'000,
     .doc = "How long the nest may be too small before it is widened to all that is needed; 0 = at the first "
            "update that says so."},
    {.name = "bound",
     .unit = "percent",
     .initial = "10",
     .minimum = 1,
     .maximum = 100,
     .doc = "What share of the time in which it wants a CPU a latency or normal member may wait for one."},
    {.name = "nest_cpus",
     .kind = AttributeKind::text,
     .initial = "",
     .read_only = true,
     .doc = "The CPUs of the nest, without the reserve."},
    {.name = "reserve_cpus",
     .kind = AttributeKind::text,
     .initial = "",
     .read_only = true,
     .doc = "The CPUs of the reserve."},
    {.name = "nest_cores", .unit = "cores", .read_only = true, .doc = "How many cores the nest has."},
    {.name = "wanted",
     .unit = "1/1000 task",
     .read_only = true,
     .doc = "The load of the members that count."},
    {.name = "state",
     .kind = AttributeKind::text,
     .initial = "spread",
     .read_only = true,
     .doc =
         "settled, short (it is too small), shrinking, spread (all cores: nobody is held), or blind: there "
         "is no value."},
    {.name = "note",
     .kind = AttributeKind::text,
     .initial = "",
     .read_only = true,
     .doc = "What keeps the policy from its work; empty while nothing does."},
};

constexpr std::string_view kOtherCores = "the machine's CPUs, the floor or the preferred kind changed";

/// What the members of a class are held on, and why; told once for as long as it stays the same.
struct Perch {
    CpuSet cpus;
    std::string reason;
};

class Nest final : public Policy {
public:
    using Policy::Policy;

    std::vector<Decision> decide(const View& view) override {
        if (cores_.follow(view.topology, kind_order()) && has_started_) cause_ = kOtherCores;
        if (cores_.size() == 0) return {};
        members_.follow(view.subjects, cores_.usable());
        if (!has_started_) start(view);
        look(view);
        perch();
        tell();
        return decisions(view.subjects);
    }
    [[nodiscard]] Time next_due() const override {
        return std::min(nest_.next_due(rules()), batch_.next_due(batch_rules()));
    }
    [[nodiscard]] std::vector<std::string> considered(const View& view,
                                                      const Subject& subject) const override;

protected:
    void changed(std::size_t /*index*/) override { make_due(); }

private:
    void start(const View& view);
    void look(const View& view);
    void resize(Time now);
    [[nodiscard]] WarmCores::Strain strain() const;
    void note_change(int before, const std::string& why);
    void perch();
    void put(WorkClass work_class, int cores, std::string reason);
    void tell();
    [[nodiscard]] std::string_view state() const;
    [[nodiscard]] std::string note() const;
    void consider_size(Time now, std::vector<std::string>& lines) const;
    void consider_class(WorkClass work_class, std::vector<std::string>& lines) const;
    [[nodiscard]] std::vector<Decision> decisions(const Subjects& subjects) const;

    [[nodiscard]] KindOrder kind_order() const;
    [[nodiscard]] Duration duration_at(Attribute index) const {
        return std::chrono::milliseconds(unsigned_at(index));
    }
    [[nodiscard]] WarmRules rules() const;
    [[nodiscard]] WarmRules batch_rules() const;
    [[nodiscard]] CoreDemand demand() const;
    [[nodiscard]] int floor_cores() const { return cores_.cores_for(static_cast<int>(unsigned_at(kFloor))); }
    [[nodiscard]] bool is_machine_full() const { return node_load_ >= 1000 * cores_.usable().count(); }
    [[nodiscard]] bool is_spread() const { return nest_.primary() >= cores_.size(); }

    CoreOrder cores_;
    WarmCores nest_;
    WarmCores batch_; // the part of the nest that batch work fills
    NestMembers members_;
    std::array<Perch, 3> perches_;                 // by class
    std::string cause_ = "it was found like this"; // of the nest's present size
    Time counted_ = Time::min();                   // the time of the last node_load that counted
    std::int64_t node_load_ = 0;
    int needed_ = 0;
    bool is_blind_ = true;
    bool has_started_ = false;
};

KindOrder Nest::kind_order() const {
    const std::string& prefer = text_at(kPrefer);
    if (prefer == "performance") return KindOrder::performance;
    return prefer == "efficient" ? KindOrder::efficient : KindOrder::any;
}

WarmRules Nest::rules() const {
    return {.decay = duration_at(kDecay),
            .impatience = duration_at(kImpatience),
            .floor = floor_cores(),
            .most = cores_.size(),
            .reserve = static_cast<int>(unsigned_at(kReserve))};
}

/// Batch work has no reserve of its own: beyond its part lies the rest of the nest.
WarmRules Nest::batch_rules() const {
    WarmRules batch = rules();
    batch.reserve = 0;
    return batch;
}

/// With headroom, for the nest as a whole.
CoreDemand Nest::demand() const {
    const double roomy = 1 + static_cast<double>(unsigned_at(kHeadroom)) / 100;
    const std::string& siblings = text_at(kSiblings);
    const double others = members_.wanted().latency + members_.wanted().normal;
    if (siblings == "all") return {.packed = members_.wanted().all() * roomy};
    if (siblings == "none") return {.apart = members_.wanted().all() * roomy};
    return {.packed = members_.wanted().batch * roomy, .apart = others * roomy};
}

/// All cores count as just used, so that nobody is held before `decay` has passed. After a restart the nest
/// is as an earlier run left it, if all that is held are the first cores.
void Nest::start(const View& view) {
    has_started_ = !view.subjects.empty(); // those of an earlier run may come yet
    CpuSet held;
    CpuSet batch;
    for (const Subject& subject : view.subjects) {
        if (!subject.held) continue;
        held |= subject.current & cores_.usable();
        if (subject.demand.work_class == WorkClass::batch) batch |= subject.current & cores_.usable();
    }
    const int found = cores_.size_of(held);
    const int found_batch = cores_.size_of(batch);
    nest_.start(found > 0 ? found : cores_.size(), view.now);
    batch_.start(found > 0 && found_batch > 0 ? found_batch : nest_.primary(), view.now);
}

/// A node_load counts once. What is known stays true until the next one.
void Nest::look(const View& view) {
    const int before = nest_.primary();
    nest_.limit(view.now, rules());
    batch_.limit(view.now, batch_rules());
    note_change(before, std::string(kOtherCores));
    const auto node_load = port(kNodeLoad).collected();
    const bool is_new = node_load && node_load->time > counted_;
    if (is_new) {
        counted_ = node_load->time;
        is_blind_ = !members_.measure(view.subjects, port(kProcessLoad), port(kWait), nest_.grown_at());
    }
    if (!node_load || is_blind_) {
        is_blind_ = true;
        counted_ = node_load ? counted_ : Time::min();
        nest_.lose_sight();
        batch_.lose_sight();
    } else if (is_new) {
        node_load_ = number_of(node_load->value);
        resize(view.now);
    } else {
        const int last = nest_.primary();
        nest_.pass(view.now, rules());
        batch_.pass(view.now, batch_rules());
        note_change(last, "");
    }
}

WarmCores::Strain Nest::strain() const {
    if (members_.wanted().waiting.empty()) return WarmCores::Strain::none;
    const double bound = static_cast<double>(unsigned_at(kBound)) / 100;
    if (members_.wanted().waiting_share > bound) return WarmCores::Strain::much;
    return 2 * members_.wanted().waiting_share > bound ? WarmCores::Strain::some : WarmCores::Strain::none;
}

void Nest::resize(Time now) {
    const int before = nest_.primary();
    needed_ = is_machine_full() ? cores_.size() : cores_filled_by(demand(), cores_.threads());
    nest_.update(now, needed_, strain(), rules());
    const bool packs_batch = text_at(kSiblings) != "none";
    const CoreDemand batch{.packed = packs_batch ? members_.wanted().batch : 0,
                           .apart = packs_batch ? 0 : members_.wanted().batch};
    batch_.update(now, cores_filled_by(batch, cores_.threads()), WarmCores::Strain::none, batch_rules());
    note_change(before, "");
}

/// Why the nest has another size than before; by default what was measured.
void Nest::note_change(int before, const std::string& why) {
    const int cores = nest_.primary();
    if (cores == before) return;
    if (!why.empty()) {
        cause_ = why;
    } else if (cores > before && cores > needed_) {
        cause_ = fmt::format("{} waited {:.0f} % of the time that it wanted a CPU, beyond {} %",
                             members_.wanted().waiting, 100 * members_.wanted().waiting_share,
                             unsigned_at(kBound));
    } else {
        cause_ = fmt::format("members want {:.2f} CPUs, with {} % headroom {}", members_.wanted().all(),
                             unsigned_at(kHeadroom), counted(needed_, "core"));
        if (cores < before)
            cause_ += fmt::format(", and more were not needed for {} ms", unsigned_at(kDecay));
    }
}

/// Latency members also have the reserve; batch members only what they fill of the nest. A reason says what
/// stays true while the CPUs of its class stay the same.
void Nest::perch() {
    const int all = cores_.size();
    const int nest = nest_.primary();
    const int batch = std::min(batch_.primary(), nest);
    put(WorkClass::normal, nest,
        fmt::format("the nest has {} of {}: {}", nest, counted(all, "core"), cause_));
    put(WorkClass::latency, nest_.warm(),
        fmt::format("the nest and its reserve have {} of {}: {}", nest_.warm(), counted(all, "core"),
                    cause_));
    put(WorkClass::batch, batch,
        fmt::format("batch work of {:.2f} tasks has the first {} of {}", members_.wanted().batch, batch,
                    counted(all, "core")));
}

void Nest::put(WorkClass work_class, int cores, std::string reason) {
    Perch& perch = perches_[static_cast<std::size_t>(work_class)];
    CpuSet cpus = cores_.first(cores);
    if (perch.cpus != cpus) perch = {std::move(cpus), std::move(reason)};
}

void Nest::tell() {
    report(kNestCpus, cores_.first(nest_.primary()).text());
    report(kReserveCpus, (cores_.first(nest_.warm()) - cores_.first(nest_.primary())).text());
    report(kNestCores, static_cast<std::uint64_t>(nest_.primary()));
    report(kWanted, static_cast<std::uint64_t>(1000 * members_.wanted().all() + 0.5));
    report(kState, std::string(state()));
    report(kNote, note());
}

std::string_view Nest::state() const {
    if (is_blind_) return "blind";
    if (is_spread()) return "spread";
    if (nest_.is_short()) return "short";
    return needed_ < nest_.primary() && floor_cores() < nest_.primary() ? "shrinking" : "settled";
}

std::string Nest::note() const {
    if (floor_cores() >= cores_.size())
        return fmt::format("nothing can be packed: {} with {} can be used, the floor is {}",
                           counted(cores_.size(), "core"), counted(cores_.usable().count(), "CPU"),
                           counted(static_cast<int>(unsigned_at(kFloor)), "CPU"));
    if (is_blind_ && counted_ == Time::min()) return "node_load has no value: link cpu/node_load";
    if (is_blind_) return "no member has a value on process_load: link cpu/process_load";
    if (is_machine_full())
        return fmt::format("the machine is full: {:.2f} tasks want its {}",
                           static_cast<double>(node_load_) / 1000, counted(cores_.usable().count(), "CPU"));
    if (members_.confined() > 0)
        return fmt::format("{} member{} came with CPUs of {} own and {} left alone", members_.confined(),
                           members_.confined() == 1 ? "" : "s", members_.confined() == 1 ? "its" : "their",
                           members_.confined() == 1 ? "is" : "are");
    return {};
}

/// A newcomer is taken in when it has been measured and the nest is not too small. Who came with CPUs of its
/// own is left alone.
std::vector<Decision> Nest::decisions(const Subjects& subjects) const {
    std::vector<Decision> held;
    if (is_spread()) return held;
    for (std::size_t i = 0; i < subjects.size(); ++i) {
        const Subject& subject = subjects[i];
        const WorkClass work_class = subject.demand.work_class;
        const bool is_short = nest_.is_short() || (work_class == WorkClass::batch && batch_.is_short());
        if (members_.is_confined(i) || (!subject.held && (is_short || !members_.is_known(i)))) continue;
        const Perch& perch = perches_[static_cast<std::size_t>(work_class)];
        if (perch.cpus != cores_.usable()) held.push_back({subject.target, perch.cpus, perch.reason});
    }
    return held;
}

/// What the size follows from, and when it changes if nothing else does.
void Nest::consider_size(Time now, std::vector<std::string>& lines) const {
    const Wanted& wanted = members_.wanted();
    lines.push_back(
        fmt::format("members want {:.2f} CPUs (latency {:.2f}, normal {:.2f}, batch {:.2f}): with "
                    "{} % headroom that fills {} of {}, and the nest has {} and {} in reserve",
                    wanted.all(), wanted.latency, wanted.normal, wanted.batch, unsigned_at(kHeadroom),
                    needed_, counted(cores_.size(), "core"), nest_.primary(), nest_.reserve()));
    const auto in = [&](Time at) { return std::max<std::int64_t>(0, milliseconds_of(at - now)); };
    if (const Time at = nest_.widens_at(rules()); at != kNever)
        lines.push_back(fmt::format("it is too small, and is widened in {} ms if it stays so", in(at)));
    if (const Time at = nest_.shrinks_at(rules()); at != kNever)
        lines.push_back(
            fmt::format("its last core leaves it in {} ms if it is not needed until then", in(at)));
    if (!wanted.waiting.empty())
        lines.push_back(fmt::format("{} waited most, {:.0f} % of the time that it wanted a CPU: beyond {} % "
                                    "the nest is widened, beyond half of that no core is given up",
                                    wanted.waiting, 100 * wanted.waiting_share, unsigned_at(kBound)));
    if (!is_spread())
        lines.push_back(fmt::format("floor={} would add a core at once: CPUs {}",
                                    cores_.first(nest_.primary() + 1).count(),
                                    cores_.first(nest_.primary() + 1).text()));
}

/// What its class costs it.
void Nest::consider_class(WorkClass work_class, std::vector<std::string>& lines) const {
    if (is_spread()) return;
    const int batch = std::min(batch_.primary(), nest_.primary());
    const CpuSet reserve = cores_.first(nest_.warm()) - cores_.first(nest_.primary());
    if (work_class == WorkClass::batch && batch < nest_.primary())
        lines.push_back(fmt::format("class=normal would give it all {} of the nest instead of the first {}",
                                    counted(nest_.primary(), "core"), batch));
    if (work_class != WorkClass::latency && !reserve.empty())
        lines.push_back(fmt::format("class=latency would give it the nest and the reserve, CPUs {} more",
                                    reserve.text()));
}

std::vector<std::string> Nest::considered(const View& view, const Subject& subject) const {
    const auto index = members_.find(subject.target);
    if (cores_.size() == 0 || !index) return {}; // nothing was decided about it yet
    std::vector<std::string> lines;
    if (members_.is_confined(*index)) {
        lines.push_back(fmt::format("it came with CPUs of its own, {}, and is left there: they may lie "
                                    "outside of the nest, so its load does not count",
                                    subject.current.text()));
        return lines;
    }
    if (is_spread())
        lines.push_back(
            fmt::format("the nest has all {}, so nobody is held", counted(cores_.size(), "core")));
    else if (!members_.is_known(*index))
        lines.emplace_back("it has not been measured yet, and is taken in when process_load tells of it");
    if (auto why = note(); !why.empty()) lines.push_back(std::move(why));
    consider_size(view.now, lines);
    consider_class(subject.demand.work_class, lines);
    return lines;
}

} // namespace

const Descriptor kNest{
    .name = "nest",
    .kind = Kind::policy,
    .doc =
        "Packs its members onto few warm cores, as many as their load needs, and lets go when that is all.",
    .make = make_part<Nest>,
    .attributes = kAttributes,
    .ports = kPorts,
};

} // namespace schedd::policies
