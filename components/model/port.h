// Port: where a policy or a filter collects values; the upper end of a chain.
#pragma once

#include "components/kit/clock.h"
#include "components/model/descriptor.h"
#include "components/model/flow.h"
#include "components/model/part.h"

namespace schedd::model {

class Port;

/// What a part with ports is told.
class PortOwner {
public:
    virtual ~PortOwner() = default;
    /// An update reached the port, or its chain has just been completed (then `sample` is null).
    virtual void told(const Port& port, const Sample* sample) = 0;
};

class Port final : public Part, public Input {
public:
    Port(const PortSpec& spec, PortOwner& owner, const Clock& clock)
        : Part(Kind::port, std::string(spec.name), nullptr, {}), spec_(spec), owner_(owner), clock_(clock) {
        make_default();
    }

    [[nodiscard]] const PortSpec& spec() const { return spec_; }
    /// The collected value: none without a source, or when the sample is too old to use.
    [[nodiscard]] std::optional<Sample> collected(const Parameter& parameter = {}) const {
        auto sample = collect(parameter);
        if (sample && !sample->fresh_at(clock_.now())) sample.reset();
        return sample;
    }

    /// The same of another node, with the age of what was heard; never blocks.
    [[nodiscard]] std::optional<Sample> collected_from(NodeId node, const Parameter& parameter = {}) const {
        auto sample = collect_remote(node, parameter);
        if (sample && !sample->fresh_at(clock_.now())) sample.reset();
        return sample;
    }

    [[nodiscard]] const Part& part() const override { return *this; }
    [[nodiscard]] const ValueType& input_type() const override { return spec_.type; }
    [[nodiscard]] bool wants_updates() const override { return spec_.wants_updates; }
    void update(const Sample& sample) override { owner_.told(*this, &sample); }
    void completed() override { owner_.told(*this, nullptr); }

private:
    const PortSpec& spec_;
    PortOwner& owner_;
    const Clock& clock_;
};

} // namespace schedd::model
