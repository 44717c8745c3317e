// power_profile - lets the power profile that people chose decide about packing: of its own members by class,
// and by settings of other schedulers of the same stack.
//   8 fast cores (0-15) and 16 slow ones (16-31), "power-saver: batch.kind=efficient batch.cores=25%
//   N.active=true" profile power-saver   -> batch members on 6 slow cores, 16-21; schedulers/N decides
//   profile balanced      -> nobody is held, schedulers/N is as it was before
// The table is read by power_table.h. It decides about its members alone; what it wants of others is in
// settings(), which the owner of the tree carries out and takes back. A profile without a row, and no
// profile, change nothing. Usage: create schedulers/POWER/power_profile; link probes/power/profile
// schedulers/POWER/power_profile/profile
#include "policies/policies.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "components/model/cpu_words.h"
#include "components/model/power.h"
#include "components/model/tree.h"
#include "policies/considered.h"
#include "policies/core_order.h"
#include "policies/power_table.h"

namespace schedd::policies {

namespace {

enum PortIndex : std::size_t { kProfilePort, kOnBatteryPort };
constexpr PortSpec kPorts[] = {
    {.name = "profile",
     .type = types::kPowerProfile,
     .wants_updates = true,
     .doc = "The power profile; each other one makes the policy decide."},
    {.name = "on_battery",
     .type = types::kOnBattery,
     .wants_updates = true,
     .doc = "Not needed: with a row 'battery', that row counts on battery while no profile is known."},
};

constexpr std::string_view kDefaultTable =
    "power-saver: batch.kind=efficient batch.cores=25% batch.weight=20 */nest.prefer=efficient "
    "*/nest.headroom=0 */nest.reserve=1 */nest.decay=2000 */load_balancing.by_class=true; "
    "balanced: ; "
    "performance: */nest.floor=8192 */load_balancing.by_class=false";

enum Attribute : std::size_t { kTable, kLinger, kProfile, kRow, kPacked, kNote };
constexpr AttributeSpec kAttributes[] = {
    {.name = "table",
     .kind = AttributeKind::text,
     .initial = kDefaultTable,
     .doc = "What holds under which profile: PROFILE: CLASS.kind= .cores= .weight= of members, and "
            "SCHEDULER/POLICY.ATTRIBUTE= of others; ... (policies/README.md)"},
    {.name = "linger",
     .unit = "ms",
     .initial = "5000",
     .maximum = 86'400'000,
     .doc = "How long the last profile counts after nobody says one any more."},
    {.name = "profile",
     .kind = AttributeKind::text,
     .initial = "",
     .read_only = true,
     .doc = "The profile that counts now; empty while none is known."},
    {.name = "row",
     .kind = AttributeKind::text,
     .initial = "",
     .read_only = true,
     .doc = "The row of the table in force; empty while none is."},
    {.name = "packed",
     .kind = AttributeKind::text,
     .initial = "",
     .read_only = true,
     .doc = "Which classes of members are on which CPUs because of the row, as the machine says."},
    {.name = "note",
     .kind = AttributeKind::text,
     .initial = "",
     .read_only = true,
     .doc =
         "What keeps the policy from its work, or which settings of others do not hold; empty while all do."},
};

class PowerProfile final : public Policy {
public:
    PowerProfile(const Descriptor& type, std::string name, const Environment& environment)
        : Policy(type, std::move(name), environment), table_(parse_power_table(kDefaultTable).value()) {}

    std::vector<Decision> decide(const View& view) override;
    [[nodiscard]] const Settings* settings() const override { return &wanted_; }
    void settings_told(const std::string& trouble) override {
        settings_trouble_ = trouble;
        tell_note();
    }
    [[nodiscard]] Status fits(const Tree& tree) const override;
    [[nodiscard]] Time next_due() const override { return next_look_; }
    [[nodiscard]] std::vector<std::string> considered(const View& view,
                                                      const Subject& subject) const override;

protected:
    Status accepts(std::size_t index, const AttributeValue& value) const override {
        if (index != kTable) return {};
        const auto read = parse_power_table(std::get<std::string>(value));
        return read ? Status() : std::unexpected(read.error());
    }
    void changed(std::size_t index) override {
        if (index == kTable) table_ = parse_power_table(text_at(kTable)).value();
        make_due();
    }

private:
    void look(const View& view);
    void choose(const View& view, const PowerRow* row);
    void tell_packed(const View& view, const std::vector<Decision>& decisions);
    [[nodiscard]] CpuSet cpus_for(const View& view, const ClassRule& rule) const;
    void want(const View& view, const PowerRow& row);
    void remember_narrow(const View& view);
    void tell_note();
    [[nodiscard]] Status fits(const Tree& tree, const PowerRow& row, const Setting& setting) const;
    [[nodiscard]] std::unexpected<Error> refuse(const PowerRow& row, const Setting& setting,
                                                const Error& why) const;

    std::vector<PowerRow> table_;
    std::string profile_; // the last that was known, while it counts
    Time heard_{};        // when it was known last
    Time next_look_ = kNever;
    Settings wanted_;
    std::string settings_trouble_;
    std::string trouble_;
    std::string too_many_; // which classes ask for more cores than there are
    std::map<Target, CpuSet> decided_;
    int looks_ = 0;                         // since the last other decision
    std::array<CpuSet, kWorkClasses> cpus_; // by class; empty: it is let alone
    std::array<std::string, kWorkClasses> reasons_;
    std::array<std::optional<std::uint64_t>, kWorkClasses> weights_;
    std::set<Target> narrow_; // came with fewer CPUs than all
};

/// A value that is still good says nothing when it goes: it is looked at again when it would be too old.
void PowerProfile::look(const View& view) {
    const auto said = port(kProfilePort).collected();
    const auto battery = port(kOnBatteryPort).collected();
    const bool has_row = std::ranges::find(table_, "battery", &PowerRow::profile) != table_.end();
    next_look_ = kNever;
    const auto look_after = [&](const Sample& sample) {
        if (sample.fresh_for != Duration::max()) next_look_ = sample.time + sample.fresh_for + Duration(1);
    };
    if (said) {
        profile_ = text_of(said->value);
        heard_ = view.now;
        look_after(*said);
    } else if (battery && number_of(battery->value) != 0 && has_row) {
        profile_ = "battery";
        heard_ = view.now;
        look_after(*battery);
    } else if (!profile_.empty()) {
        const Time until = heard_ + std::chrono::milliseconds(unsigned_at(kLinger));
        if (view.now < until) next_look_ = until;
        else profile_.clear();
    }
}

CpuSet PowerProfile::cpus_for(const View& view, const ClassRule& rule) const {
    CoreOrder order;
    const auto kind = rule.kind.value_or(KindOrder::any);
    order.follow(view.topology, kind);
    int cores = order.size();
    if (rule.cores) {
        cores = rule.is_percent ? (order.size() * *rule.cores + 99) / 100 : *rule.cores;
    } else if (kind != KindOrder::any) { // those of that kind
        CpuSet of_kind;
        std::optional<int> best;
        for (const Cpu& cpu : view.topology.cpus) {
            if (!view.topology.usable().contains(cpu.id)) continue;
            const int rank = kind == KindOrder::efficient ? -cpu.kind : cpu.kind;
            if (best && rank < *best) continue;
            if (best != rank) of_kind = {};
            best = rank;
            of_kind.add(cpu.id);
        }
        return of_kind;
    }
    return order.first(std::clamp(cores, 1, order.size()));
}

void PowerProfile::choose(const View& view, const PowerRow* row) {
    too_many_.clear();
    for (const auto work_class : {WorkClass::latency, WorkClass::normal, WorkClass::batch}) {
        const auto at = static_cast<std::size_t>(work_class);
        cpus_[at] = {};
        weights_[at].reset();
        if (!row || !row->classes[at].places()) continue;
        const auto& rule = row->classes[at];
        cpus_[at] = cpus_for(view, rule);
        weights_[at] = rule.weight;
        const bool is_all = cpus_[at] == view.topology.usable();
        reasons_[at] = is_all
                           ? fmt::format("{}: {} work may run everywhere", row->profile, name_of(work_class))
                           : fmt::format("{}: {} work is packed on {}", row->profile, name_of(work_class),
                                         cpu_words(cpus_[at]));
        CoreOrder order;
        order.follow(view.topology, KindOrder::any);
        if (rule.cores && !rule.is_percent && *rule.cores > order.size())
            too_many_ += fmt::format("{}{} asks for {} cores for {} work, which has all {}",
                                     too_many_.empty() ? "" : "; ", row->profile, *rule.cores,
                                     name_of(work_class), order.size());
    }
}

/// A class is packed where the machine has one of its members where it was decided: it is looked at soon
/// after a decision, and then now and then.
void PowerProfile::tell_packed(const View& view, const std::vector<Decision>& decisions) {
    constexpr int kSoon = 3;
    std::map<Target, CpuSet> decided;
    for (const auto& decision : decisions) decided.emplace(decision.target, decision.cpus);
    looks_ = decided == decided_ ? std::min(looks_ + 1, kSoon) : 0;
    decided_ = std::move(decided);
    std::array<bool, kWorkClasses> is_packed{};
    bool is_narrow = false;
    for (const Subject& subject : view.subjects) {
        const auto at = decided_.find(subject.target);
        if (at == decided_.end() || view.topology.usable().subset_of(at->second)) continue;
        is_narrow = true;
        if (!subject.current.empty() && subject.current.subset_of(at->second))
            is_packed[static_cast<std::size_t>(subject.demand.work_class)] = true;
    }
    std::string packed;
    for (const auto work_class : {WorkClass::latency, WorkClass::normal, WorkClass::batch}) {
        const auto at = static_cast<std::size_t>(work_class);
        if (is_packed[at])
            packed += fmt::format("{}{} on {}", packed.empty() ? "" : ", ", name_of(work_class),
                                  cpu_words(cpus_[at]));
    }
    report(kPacked, std::move(packed));
    if (is_narrow)
        next_look_ = std::min(next_look_, view.now + std::chrono::seconds(looks_ < kSoon ? 1 : 10));
}

void PowerProfile::want(const View& view, const PowerRow& row) {
    wanted_.settings = row.settings;
    wanted_.reason = row.profile;
    CpuSet rest = view.topology.usable();
    for (std::size_t at = 0; at < kWorkClasses; ++at) {
        const auto& rule = row.classes[at];
        if (!rule.hints()) continue;
        auto hint = rule.hint;
        hint.cpus = (rule.places() ? cpus_[at] : view.topology.usable()) & rest;
        rest = rest - hint.cpus;
        if (!hint.cpus.empty()) wanted_.hints.push_back(std::move(hint));
    }
    if (row.all == FrequencyHint{} || rest.empty()) return;
    wanted_.hints.push_back(row.all);
    wanted_.hints.back().cpus = rest;
}

/// Whoever was narrowed by others before schedd came is left as narrow.
void PowerProfile::remember_narrow(const View& view) {
    std::set<Target> narrow;
    for (const Subject& subject : view.subjects) {
        const bool was = narrow_.contains(subject.target);
        if (was || (!subject.held && !view.topology.usable().subset_of(subject.current)))
            narrow.insert(subject.target);
    }
    narrow_ = std::move(narrow);
}

std::vector<Decision> PowerProfile::decide(const View& view) {
    look(view);
    const PowerRow* row = profile_.empty() ? nullptr : row_for(table_, profile_);
    wanted_ = {};
    if (view.topology.usable().empty()) row = nullptr;
    choose(view, row);
    if (row) want(view, *row);
    if (profile_.empty()) trouble_ = "no profile is known: link power/profile, and see what the probe says";
    else if (!row)
        trouble_ = fmt::format("the profile '{}' has no row: nothing is changed", profile_.substr(0, 64));
    else trouble_.clear();
    report(kProfile, profile_);
    report(kRow, row ? row->profile : std::string());
    remember_narrow(view);
    tell_note();
    std::vector<Decision> decisions;
    for (const Subject& subject : view.subjects) {
        const auto at = static_cast<std::size_t>(subject.demand.work_class);
        if (cpus_[at].empty() || narrow_.contains(subject.target)) continue;
        decisions.push_back({subject.target, cpus_[at], reasons_[at], Tuning{weights_[at], {}, {}}});
    }
    tell_packed(view, decisions);
    return decisions;
}

void PowerProfile::tell_note() {
    std::string note = trouble_;
    for (const auto* more : {&too_many_, &settings_trouble_})
        if (!more->empty()) note += (note.empty() ? "" : "; ") + *more;
    report(kNote, std::move(note));
}

std::vector<std::string> PowerProfile::considered(const View& view, const Subject& subject) const {
    std::vector<std::string> lines;
    if (narrow_.contains(subject.target))
        lines.emplace_back("it came with fewer CPUs than all, and is left there");
    for (const auto& row : table_) {
        if (row.profile == text_at(kRow)) continue;
        const auto& rule = row.classes[static_cast<std::size_t>(subject.demand.work_class)];
        if (!rule.places() || view.topology.usable().empty()) continue;
        lines.push_back(
            fmt::format("under {} it would have {}", row.profile, cpu_words(cpus_for(view, rule))));
    }
    return lines;
}

std::unexpected<Error> PowerProfile::refuse(const PowerRow& row, const Setting& setting,
                                            const Error& why) const {
    return fail(why.kind,
                fmt::format("{}.table, row '{}', {}.{}: {}", path().text(), row.profile, setting.part.text(),
                            setting.attribute.substr(0, 64), why.what),
                why.detail);
}

/// What is shipped names types alone, of which a build may lack some.
Status PowerProfile::fits(const Tree& tree) const {
    if (text_at(kTable) == kDefaultTable) return {};
    for (const auto& row : table_)
        for (const auto& setting : row.settings)
            if (auto fitting = fits(tree, row, setting); !fitting) return fitting;
    return {};
}

/// With "*" the type must be one that there is; it may have no instance. Members need not be there.
Status PowerProfile::fits(const Tree& tree, const PowerRow& row, const Setting& setting) const {
    const auto& names = setting.part.names();
    const AttributeSpec* spec = nullptr;
    std::string known;
    const auto look_in = [&](AttributeTable attributes) {
        for (const auto& one : attributes) {
            if (one.name == setting.attribute) spec = &one;
            if (!one.read_only) known += (known.empty() ? "" : " ") + std::string(one.name);
        }
    };
    if (names[1] == "*") {
        const auto type = tree.registry().find(Kind::policy, names[2]);
        if (!type) return refuse(row, setting, type.error());
        look_in((*type)->attributes);
    } else if (names.size() == 4 && names[2] == "process_set") { // members come and go
        const auto scheduler = tree.find(Path({names[0], names[1]}));
        if (!scheduler) return refuse(row, setting, scheduler.error());
        look_in(Member::table());
    } else {
        const auto part = tree.find(setting.part);
        if (!part) return refuse(row, setting, part.error());
        if (parent() && (*part == parent() || *part == this))
            return refuse(row, setting, {Errc::cycle, "it would set itself", "name another scheduler"});
        look_in((*part)->attributes());
    }
    if (!spec || spec->read_only)
        return refuse(row, setting,
                      {Errc::no_such_object, spec ? "it is only reported" : "there is no such attribute",
                       "it has: " + known});
    if (const auto value = parse_attribute(*spec, setting.value); !value)
        return refuse(row, setting, value.error());
    return {};
}

} // namespace

const Descriptor kPowerProfile{
    .name = "power_profile",
    .kind = Kind::policy,
    .doc = "Lets the power profile decide about packing: of its members by class, and by settings of other "
           "schedulers.",
    .make = make_part<PowerProfile>,
    .attributes = kAttributes,
    .ports = kPorts,
};

} // namespace schedd::policies
