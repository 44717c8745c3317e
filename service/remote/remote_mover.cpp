// What may be moved, and one move after the other.
#include "service/remote/remote_mover.h"

#include <algorithm>

#include <fmt/format.h>

#include "components/kit/number.h"
#include "components/model/proc_text.h"

namespace schedd::remote {

namespace {

/// Between two that begin: as the original had it (one migration per 2 s).
constexpr Duration kBetween = std::chrono::seconds(2);
/// How old an answer of why_not() may be; what nobody has asked about for a while is forgotten.
constexpr Duration kFresh = std::chrono::seconds(2);
constexpr Duration kForget = std::chrono::seconds(30);
constexpr std::size_t kLooksPerTurn = 8;
constexpr std::size_t kUnits = 4096;
constexpr std::size_t kOver = 32;
/// A move has to bring this many times what it costs, and a second at least.
constexpr std::uint64_t kWorth = 3;
constexpr Duration kLeastOverhead = std::chrono::milliseconds(100); // however quick the last moves were
constexpr const char* kNotLookedAt = "it has not been looked at yet";

double seconds_of(Duration time) { return std::chrono::duration<double>(time).count(); }

} // namespace

RemoteMover::RemoteMover(const Clock& clock, Host& host, Log& log, Runner& runner, Steps& steps, Hooks hooks)
    : clock_(clock), host_(host), log_(log), runner_(runner), steps_(steps), hooks_(std::move(hooks)) {}

RemoteMover::~RemoteMover() = default;

void RemoteMover::begin(std::string trouble) {
    if (!trouble.empty()) {
        unavailable_ = "migration unavailable: " + trouble;
        return;
    }
    has_begun_ = true;
    runner_.start(steps_.recover(), [this](const JobResult& result) { recovered(result); });
    check_again();
}

void RemoteMover::check_again() {
    if (!has_begun_) return;
    runner_.start(steps_.check(), [this](const JobResult& result) {
        const auto before = unavailable_;
        unavailable_ = result.is_done() ? "" : "migration unavailable: " + result.said;
        if (before != unavailable_)
            log_.write(Severity::info, "migration", unavailable_.empty() ? "CRIU works" : unavailable_);
    });
}

/// What is told of: the copy may run over there.
void RemoteMover::recovered(const JobResult& result) {
    std::string_view rest = result.printed;
    while (!rest.empty()) {
        auto line = take_line(rest);
        const auto phase = take_word(line) == "unclear" ? Phase::settle : Phase::discard;
        const std::string unit(take_word(line));
        const std::string id(take_word(line));
        const std::string node(take_word(line));
        if (node.empty()) continue;
        Site site;
        site.name = node;
        for (const auto& known : hooks_.sites())
            if (known.name == node) site = known;
        start({++last_id_, unit, node, "schedd was ended in the middle of it", clock_.now()}, site, id,
              phase);
    }
}

std::string RemoteMover::own_name() const {
    for (const auto& site : hooks_.sites())
        if (site.is_self) return site.name;
    return "here";
}

int RemoteMover::on_going() const {
    return static_cast<int>(std::ranges::count_if(under_way_, [](const auto& one) {
        return one->journey->phase() != Phase::discard && !one->journey->is_over();
    }));
}

const RemoteMover::UnderWay* RemoteMover::under_way(const std::string& unit) const {
    for (const auto& one : under_way_)
        if (one->journey->course().unit == unit) return one.get();
    return nullptr;
}

std::string RemoteMover::unit_behind(const Target& target) const {
    if (target.sort == Target::Sort::unit) return target.name;
    if (target.sort != Target::Sort::process) return {};
    if (const auto at = units_.find(target); at != units_.end()) return at->second;
    if (units_.size() > kUnits) units_.clear();
    return units_[target] = unit_of(host_, target.pid);
}

Result<std::string> RemoteMover::unit_named(const std::string& what) const {
    if (what.starts_with("process:")) {
        const auto pid = parse_unsigned(what.substr(8));
        const auto unit = pid ? unit_of(host_, static_cast<Pid>(*pid)) : std::string();
        if (unit.empty())
            return fail(Errc::not_supported, what,
                        "it is in no unit of systemd, and units are what is moved");
        return unit;
    }
    auto unit = what.starts_with("unit:") ? what.substr(5) : what;
    if (unit.empty() || unit.find('/') != std::string::npos || unit.find(':') == 0)
        return fail(Errc::invalid_value, fmt::format("'{}'", what), "unit:NAME or process:PID is wanted");
    if (unit.find('.') == std::string::npos) unit += ".service";
    return unit;
}

const Payload& RemoteMover::look_now(const std::string& unit) {
    auto& known = known_[unit];
    known.payload = look_at(host_, unit);
    known.looked = known.asked = clock_.now();
    return known.payload;
}

std::string RemoteMover::why_not(const Target& target) const {
    if (!unavailable_.empty()) return unavailable_;
    const auto unit = unit_behind(target);
    if (unit.empty()) return "it is in no unit of systemd, and units are what is moved";
    if (const auto* one = under_way(unit))
        return fmt::format("it is being moved to {}", one->journey->course().site.name);
    const auto at = known_.find(unit);
    auto& known = at == known_.end() ? known_[unit] : at->second;
    known.asked = clock_.now();
    if (known.looked == Time{}) return kNotLookedAt;
    // any other process of the unit stands for it: they are moved together
    if (target.sort == Target::Sort::process && known.payload.why_not.empty() &&
        std::ranges::find(known.payload.staying, target.pid) != known.payload.staying.end())
        return fmt::format("it stays when {} is moved: it is not in the PID namespace of process {}", unit,
                           known.payload.init);
    return known.payload.why_not;
}

/// In the background: some at a time, those that somebody asks about.
void RemoteMover::refresh(Time now) {
    if (now < next_refresh_) return;
    std::size_t looked = 0;
    std::erase_if(known_, [&](const auto& one) { return now - one.second.asked > kForget; });
    for (auto& [unit, known] : known_) {
        if (known.looked != Time{} && now - known.looked < kFresh) continue;
        if (++looked > kLooksPerTurn) return;
        known.payload = look_at(host_, unit);
        known.looked = now;
    }
    next_refresh_ = now + std::chrono::milliseconds(500);
}

Status RemoteMover::check(const std::string& unit, const Site* site) {
    if (!unavailable_.empty()) return fail(Errc::not_supported, unavailable_);
    if (const auto* one = under_way(unit))
        return fail(Errc::busy, unit,
                    fmt::format("it is being moved to {} already", one->journey->course().site.name));
    if (std::ranges::find(jobs_, unit, &MoveFacts::unit) != jobs_.end())
        return fail(Errc::busy, unit, "it is being saved");
    if (!site)
        return fail(Errc::no_such_object, "the node it is to go to", "there is none of that name here");
    if (site->is_self) return fail(Errc::invalid_value, unit, "it is on this node already");
    if (!site->trouble.empty())
        return fail(Errc::no_such_object, fmt::format("node {}", site->name), site->trouble);
    if (const auto& payload = look_now(unit); !payload.why_not.empty())
        return fail(Errc::not_supported, unit, payload.why_not);
    return {};
}

Status RemoteMover::move(const std::string& scheduler, const Move& move) {
    const auto unit = unit_behind(move.target);
    if (unit.empty()) return fail(Errc::not_supported, move.target.text(), "it is in no unit of systemd");
    const auto sites = hooks_.sites();
    const auto site = std::ranges::find(sites, move.to, &Site::number);
    if (auto fit = check(unit, site == sites.end() ? nullptr : &*site); !fit) return fit;
    const Time now = clock_.now();
    if (on_going() > 0) return fail(Errc::busy, unit, "another move is under way");
    if (last_start_ && now - *last_start_ < kBetween)
        return fail(Errc::busy, unit, "another move began less than 2 s ago");
    const auto& payload = known_[unit].payload;
    if (move.gain > 0) {
        // What has run for long is expected to run as long again (Harchol-Balter and Downey 1997).
        const double cost = seconds_of(steps_.transfer_of(payload.bytes) + overhead_);
        const double gain = static_cast<double>(payload.age_s) * static_cast<double>(move.gain) / 1000;
        if (gain <= static_cast<double>(kWorth) * cost)
            return fail(Errc::not_applied, unit,
                        fmt::
                            format("it is expected to gain {:.1f} s of CPU over there ({} s old, {:.2f} more "
                                   "per second), and has to gain {} times the {:.1f} s that its {} MB cost",
                                   gain, payload.age_s, static_cast<double>(move.gain) / 1000, kWorth, cost,
                                   payload.bytes / 1'000'000));
    }
    start({++last_id_, unit, site->name, fmt::format("{}: {}", scheduler, move.reason), now}, *site,
          hooks_.new_id());
    return {};
}

void RemoteMover::start(Wanted wanted, const Site& site, std::string id, std::optional<Phase> resumed) {
    Course course{wanted.unit, std::move(id), own_name(), site, known_[wanted.unit].payload.bytes};
    const auto lookup = [this](const std::string& name) -> std::optional<Site> {
        for (auto& known : hooks_.sites())
            if (known.name == name) return std::move(known);
        return std::nullopt;
    };
    auto one = std::make_unique<UnderWay>();
    one->journey = std::make_unique<Journey>(std::move(course), clock_, runner_, steps_, lookup,
                                             [this, unit = wanted.unit] { changed(unit); });
    one->wanted = std::move(wanted);
    under_way_.push_back(std::move(one));
    if (!resumed) last_start_ = clock_.now();
    ++generation_;
    auto& journey = *under_way_.back()->journey;
    if (resumed) journey.resume(*resumed);
    else journey.begin();
}

MoveFacts RemoteMover::facts_of(const UnderWay& one) const {
    const auto& journey = *one.journey;
    const auto& course = journey.course();
    return {one.wanted.id,
            course.unit,
            course.site.name,
            course.site.number,
            std::string(name_of(journey.phase())),
            one.wanted.reason,
            journey.trouble(),
            course.bytes,
            static_cast<std::uint64_t>(milliseconds_of(journey.frozen())),
            static_cast<std::uint64_t>(milliseconds_of(clock_.now() - one.wanted.at))};
}

/// Told once for each phase; of a step that is tried again nothing is said.
void RemoteMover::changed(const std::string& unit) {
    for (const auto& one : under_way_) {
        const auto phase = one->journey->phase();
        if (one->journey->course().unit != unit || one->told == phase) continue;
        if (phase != Phase::moved || one->told != Phase::moved) hooks_.told(facts_of(*one));
        one->told = phase;
    }
}

void RemoteMover::finish(const UnderWay& over) {
    ++generation_;
    known_.erase(over.wanted.unit);
    if (const auto frozen = over.journey->frozen();
        over.journey->phase() == Phase::moved && frozen > Duration{}) {
        const auto rest = frozen - steps_.transfer_of(over.journey->course().bytes);
        overhead_ = (overhead_ + std::max<Duration>(rest, kLeastOverhead)) / 2;
    }
    is_over(facts_of(over));
}

void RemoteMover::is_over(MoveFacts facts) {
    over_.push_back(std::move(facts));
    if (over_.size() > kOver) over_.pop_front();
}

Time RemoteMover::turn(Time now) {
    Time next = kNever;
    for (const auto& one : under_way_) next = std::min(next, one->journey->turn(now));
    for (const auto& one : under_way_)
        if (one->journey->is_over()) finish(*one);
    std::erase_if(under_way_, [](const auto& one) { return one->journey->is_over(); });
    refresh(now);
    if (!known_.empty()) next = std::min(next, next_refresh_);
    take_next(now);
    if (!waiting_.empty()) next = std::min(next, now + std::chrono::milliseconds(500));
    return next;
}

void RemoteMover::take_next(Time now) {
    if (waiting_.empty() || on_going() > 0) return;
    if (last_start_ && now - *last_start_ < kBetween) return;
    auto wanted = std::move(waiting_.front());
    waiting_.pop_front();
    const auto sites = hooks_.sites();
    const auto site = std::ranges::find(sites, wanted.node, &Site::name);
    if (const auto fit = check(wanted.unit, site == sites.end() ? nullptr : &*site); !fit) {
        MoveFacts facts{.id = wanted.id,
                        .unit = wanted.unit,
                        .node = wanted.node,
                        .phase = std::string(name_of(Phase::stayed)),
                        .reason = wanted.reason,
                        .detail = fit.error().text()};
        hooks_.told(facts);
        is_over(std::move(facts));
        return;
    }
    start(std::move(wanted), *site, hooks_.new_id());
}

std::vector<MoveFacts> RemoteMover::facts() const {
    std::vector<MoveFacts> all(over_.begin(), over_.end());
    for (const auto& one : under_way_) all.push_back(facts_of(*one));
    all.insert(all.end(), jobs_.begin(), jobs_.end());
    for (const auto& wanted : waiting_)
        all.push_back({.id = wanted.id,
                       .unit = wanted.unit,
                       .node = wanted.node,
                       .phase = "waiting",
                       .reason = wanted.reason,
                       .age_ms = static_cast<std::uint64_t>(milliseconds_of(clock_.now() - wanted.at))});
    return all;
}

} // namespace schedd::remote
