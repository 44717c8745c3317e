// Filter: stands between a source and a sink of one type; may drop an update, never blocks or changes a read
// unless that is what it is for.
#pragma once

#include "components/model/port.h"

namespace schedd::model {

/// Derive, and override update() to drop or change what passes, read() to change what is answered.
class Filter : public Part, public Output, public Input, public PortOwner {
public:
    Filter(const Descriptor& type, std::string name, const Environment& environment)
        : Part(Kind::filter, std::move(name), &type, type.attributes), clock_(environment.clock) {
        for (const PortSpec& spec : type.ports) adopt(std::make_unique<Port>(spec, *this, clock_));
    }

    /// A filter takes the type of the sink it is created in. Set once, before it is connected.
    void take_type(const ValueType& type) { value_type_ = type; }

    [[nodiscard]] const Part& part() const override { return *this; }
    [[nodiscard]] const ValueType& output_type() const override { return value_type_; }
    [[nodiscard]] const ValueType& input_type() const override { return value_type_; }
    [[nodiscard]] bool wants_updates() const override { return subscribed(); }
    void completed() override {
        for (Input* sink : sinks()) sink->completed();
    }

    [[nodiscard]] std::optional<Sample> read(const Parameter& parameter) const override {
        return collect(parameter);
    }
    /// What another node's chain would make of its value is not known here: its source's value passes.
    [[nodiscard]] std::optional<Sample> read_remote(NodeId node, const Parameter& parameter) const override {
        return collect_remote(node, parameter);
    }
    /// What the source answers, before this filter has done anything to it.
    [[nodiscard]] std::optional<Sample> collected(const Parameter& parameter = {}) const {
        return collect(parameter);
    }
    void list(const Visit& visit) const override {
        if (source()) source()->list(visit);
    }
    void update(const Sample& sample) override { publish(sample); }
    void told(const Port& /*port*/, const Sample* /*sample*/) override {}

protected:
    [[nodiscard]] Time now() const { return clock_.now(); }
    /// The filter's own extra port by its place in the descriptor.
    [[nodiscard]] const Port& port(std::size_t index) const {
        return static_cast<const Port&>(*children()[index]);
    }

private:
    const Clock& clock_;
    ValueType value_type_;
};

} // namespace schedd::model
