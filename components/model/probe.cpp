// What probes share.
#include "components/model/probe.h"

#include <fmt/format.h>

#include "components/kit/log.h"
#include "components/model/cluster.h"
#include "components/model/demand.h"
#include "components/model/proc_text.h"

namespace schedd::model {

namespace {

/// While nobody wants anything of a probe it measures no more often than this: its values, and filters that
/// remember, stay those of the last second, and the machine sleeps meanwhile.
constexpr Duration kRestPeriod = std::chrono::seconds(1);
/// Who asks once in so many periods, or in so long a time, is taken to go on asking.
constexpr int kAskedPeriods = 30;
constexpr Duration kAskedFor = std::chrono::seconds(10);

} // namespace

std::optional<Sample> Source::read_remote(NodeId node, const Parameter& parameter) const {
    if (!remote_) return std::nullopt;
    const auto* row = node_of(remote_->nodes(), node);
    if (row && row->is_self) return read(parameter);
    if (!row || !spec_.type.parameter.empty()) return std::nullopt;
    return remote_->read(node, key_);
}

Duration Probe::asked_for() const { return std::max<Duration>(kAskedPeriods * period(), kAskedFor); }

bool Probe::is_wanted(const Source& source) const {
    return !has_run_ || source.is_asked_ || environment_.clock.now() < source.wanted_until_ ||
           feeds_members(source);
}

/// Who had asked at a longer period is not measured for at the shorter one for all that time.
void Probe::changed(std::size_t index) {
    if (index != 0) return;
    next_due_ = Time{};
    const Time latest = environment_.clock.now() + asked_for();
    for (const auto& part : children()) {
        auto& until = static_cast<Source&>(*part).wanted_until_;
        until = std::min(until, latest);
    }
}

/// False if nobody wants anything.
bool Probe::look_who_wants(Time now) {
    const bool is_new = !std::exchange(has_run_, true); // who makes a probe wants its first values
    bool is_wanted = false;
    for (const auto& part : children()) {
        auto& source = static_cast<Source&>(*part);
        auto& until = source.wanted_until_;
        if (is_new || feeds_members(source)) until = std::max(until, now + fresh_for());
        if (std::exchange(source.is_asked_, false)) until = std::max(until, now + asked_for());
        source.rests_ = until <= now;
        is_wanted = is_wanted || !source.rests_;
    }
    return is_wanted;
}

void Probe::run(Time now) {
    rests_ = !look_who_wants(now);
    measure(now);
    ran_at_ = now;
    const Duration step = rests_ ? std::max(period(), kRestPeriod) : period();
    const Time due = std::min(next_due_, now); // it may have been hurried
    next_due_ = due + step > now ? due + step : now + step;
}

Time Probe::next_due() const {
    const bool is_woken = rests_ && std::ranges::any_of(children(), [this](const auto& part) {
                              return is_wanted(static_cast<const Source&>(*part));
                          });
    return is_woken ? std::min(next_due_, ran_at_ + period()) : next_due_;
}

bool Probe::publishes(const Source& source) const {
    const auto* spec = attribute_spec("publish");
    if (!spec) return false;
    std::string_view names = text_at(static_cast<std::size_t>(spec - attributes().data()));
    while (true) {
        const auto name = take_word(names);
        if (name.empty()) return false;
        if (name == source.name()) return true;
    }
}

Status Probe::accepts(std::size_t index, const AttributeValue& value) const {
    if (attributes()[index].name != "publish") return {};
    std::string known;
    for (const auto& part : children())
        if (static_cast<const Source&>(*part).output_type().parameter.empty())
            known += (known.empty() ? "" : " ") + part->name();
    std::vector<std::string_view> seen;
    std::string_view names = std::get<std::string>(value);
    for (auto name = take_word(names); !name.empty(); name = take_word(names)) {
        const auto* part = child(name);
        const bool is_plain = part && static_cast<const Source&>(*part).output_type().parameter.empty();
        const bool is_twice = std::ranges::find(seen, name) != seen.end();
        seen.push_back(name);
        if (is_plain && !is_twice) continue;
        return fail(Errc::invalid_value,
                    fmt::format("{}.publish cannot hold '{}'{}", path().text(), name.substr(0, 64),
                                is_twice ? " twice"
                                : part   ? ": it takes a parameter"
                                         : ""),
                    known.empty() ? "accepted: nothing, all its sources take a parameter"
                                  : "accepted: nothing, or with blanks between: " + known);
    }
    return {};
}

/// Sources come with the probe and stay; all probes stand in one folder.
void Probe::children_changed() {
    for (const auto& part : children()) {
        auto& source = static_cast<Source&>(*part);
        if (!source.key_.empty()) continue;
        source.key_ = Path({"probes", name(), source.name()}).text();
        source.remote_ = environment_.remote;
    }
}

void Probe::note_trouble(std::string trouble) {
    if (trouble == trouble_) return;
    const auto where = path().text();
    if (trouble.empty()) environment_.log.write(Severity::info, where, "measures again");
    else environment_.log.write(Severity::warning, where, "no value: " + trouble);
    trouble_ = std::move(trouble);
}

} // namespace schedd::model
