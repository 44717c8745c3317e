// Probe: measures, and holds the sources it measures for.
#pragma once

#include <algorithm>

#include "components/kit/limits.h"
#include "components/model/descriptor.h"
#include "components/model/flow.h"
#include "components/model/part.h"

namespace schedd::model {

/// The first row of every periodic probe's attribute table.
constexpr AttributeSpec probe_period(std::string_view initial_ms = "1000") {
    return {.name = "probe_period",
            .unit = "ms",
            .initial = initial_ms,
            .minimum = static_cast<std::int64_t>(limits::kPeriodMsMin),
            .maximum = static_cast<std::int64_t>(limits::kPeriodMsMax),
            .doc = "Time between two measurements."};
}

/// The other row that probes share: which of their plain sources other nodes are told of.
constexpr AttributeSpec publish(std::string_view initial = "") {
    return {.name = "publish",
            .kind = AttributeKind::text,
            .initial = initial,
            .doc =
                "Sources without a parameter that other nodes are told of in every heartbeat: their names, "
                "with blanks between."};
}

/// A named output of a probe.
class Source : public Part, public Output {
public:
    explicit Source(const SourceSpec& spec)
        : Part(Kind::source, std::string(spec.name), nullptr, {}), spec_(spec) {
        make_default();
    }
    [[nodiscard]] const SourceSpec& spec() const { return spec_; }
    [[nodiscard]] const Part& part() const override { return *this; }
    [[nodiscard]] const ValueType& output_type() const override { return spec_.type; }
    [[nodiscard]] std::optional<Sample> read_remote(NodeId node, const Parameter& parameter) const override;
    /// Where it stands, as other nodes know it; kept, so that remote reads make no text.
    [[nodiscard]] const std::string& key() const { return key_; }

    /// Somebody outside of the chains has read it and may do so again: it is measured for a while.
    void ask() const { is_asked_ = true; }
    /// Nobody has wanted it for a while, so that its probe need not measure it.
    [[nodiscard]] bool rests() const { return rests_; }

private:
    friend class Probe;
    const SourceSpec& spec_;
    mutable bool is_asked_ = false; // since the last run
    bool rests_ = false;
    Time wanted_until_{};
    std::string key_;
    const RemoteValues* remote_ = nullptr;
};

/// A source without parameter: holds the last sample, publishes each new one.
class PlainSource final : public Source {
public:
    using Source::Source;
    [[nodiscard]] std::optional<Sample> read(const Parameter& /*parameter*/) const override {
        return sample_;
    }
    /// Stores and publishes.
    void set(Sample sample) {
        sample_ = std::move(sample);
        publish(*sample_);
    }
    /// Stores without telling anybody: measured again, and the same as before.
    void refresh(Sample sample) { sample_ = std::move(sample); }
    /// From now on there is no value: the file is gone or holds garbage.
    void clear() { sample_.reset(); }

private:
    std::optional<Sample> sample_;
};

/// A source with a parameter: answers by asking its probe.
class LookupSource final : public Source {
public:
    using Look = std::function<std::optional<Sample>(const Parameter&)>;
    using List = std::function<void(const Visit&)>;
    LookupSource(const SourceSpec& spec, Look look, List list)
        : Source(spec), look_(std::move(look)), list_(std::move(list)) {}
    [[nodiscard]] std::optional<Sample> read(const Parameter& parameter) const override {
        return look_(parameter);
    }
    void list(const Visit& visit) const override { list_(visit); }

private:
    Look look_;
    List list_;
};

/// Derive, adopt the sources in the constructor, and implement measure().
class Probe : public Part {
public:
    /// REQUIRES: the first attribute is probe_period().
    Probe(const Descriptor& type, std::string name, const Environment& environment)
        : Part(Kind::probe, std::move(name), &type, type.attributes), environment_(environment) {}

    /// Takes one measurement and publishes what it found. Failures clear the sources and are said in
    /// `trouble`.
    virtual void measure(Time now) = 0;

    [[nodiscard]] Duration period() const { return std::chrono::milliseconds(unsigned_at(0)); }
    /// When measure() is next wanted; deadlines follow the previous one, so periods do not drift. At rest
    /// once a second is enough (or the period, if longer), until somebody wants a value.
    [[nodiscard]] Time next_due() const;
    /// Finds out what is wanted (demand.h) and measures.
    void run(Time now);
    /// Whether the source is wanted now: for its first values, by members, or by who has asked lately.
    [[nodiscard]] bool is_wanted(const Source& source) const;
    /// Whether it has to be told of processes that come and go.
    [[nodiscard]] virtual bool follows_processes() const { return false; }
    /// Whether other nodes are told of this source of the probe (attribute publish).
    [[nodiscard]] bool publishes(const Source& source) const;
    /// Why a source has no value: the file and its error; empty while all is well.
    [[nodiscard]] const std::string& trouble() const { return trouble_; }

protected:
    /// How long one of this probe's samples may be used: three periods, and no less than three seconds.
    [[nodiscard]] Duration fresh_for() const {
        return std::max<Duration>(3 * period(), std::chrono::seconds(3));
    }
    void changed(std::size_t index) override;
    Status accepts(std::size_t index, const AttributeValue& value) const override;
    void children_changed() override;
    /// Notes trouble (logged once per change) or its end (an empty text).
    void note_trouble(std::string trouble);
    [[nodiscard]] const Environment& environment() const { return environment_; }
    [[nodiscard]] const Source& source(std::size_t index) const {
        return static_cast<const Source&>(*children()[index]);
    }

private:
    /// How long a source stays wanted after somebody asked for it.
    [[nodiscard]] Duration asked_for() const;
    [[nodiscard]] bool look_who_wants(Time now);

    Environment environment_;
    Time next_due_{};
    Time ran_at_{};
    bool has_run_ = false;
    bool rests_ = false; // all its sources do
    std::string trouble_;
};

} // namespace schedd::model
