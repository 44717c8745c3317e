// Flow: the two ends a chain is made of. An Output answers reads and publishes updates; an Input has at most
// one Output as its source.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "components/model/value.h"

namespace schedd::model {

class Part;
class Input;

/// The side of a source or filter that others read. Neither reading nor publishing allocates or blocks.
class Output {
public:
    Output() = default;
    Output(const Output&) = delete;
    Output& operator=(const Output&) = delete;
    /// Sinks still connected lose their source.
    virtual ~Output();
    /// The part this is a side of.
    [[nodiscard]] virtual const Part& part() const = 0;
    [[nodiscard]] virtual const ValueType& output_type() const = 0;
    /// The value now, or none: never measured, unknown parameter, nothing connected.
    [[nodiscard]] virtual std::optional<Sample> read(const Parameter& parameter) const = 0;
    /// What the same output of another node has told last, with that node as origin; of this node what
    /// read() says. None without a cluster, for who is not there, and for what is not published.
    [[nodiscard]] virtual std::optional<Sample> read_remote(NodeId /*node*/,
                                                            const Parameter& /*parameter*/) const {
        return std::nullopt;
    }

    /// For a type with a parameter: visits all parameters that have a value. Otherwise visits nothing.
    using Visit = std::function<void(const Parameter&, const Sample&)>;
    virtual void list(const Visit& /*visit*/) const {}

    [[nodiscard]] const std::vector<Input*>& sinks() const { return sinks_; }
    /// Whether an update published here would reach a port that wants updates.
    [[nodiscard]] bool subscribed() const;

protected:
    /// Pushes a sample to all sinks that want updates.
    void publish(const Sample& sample) const;

private:
    friend class Input;
    std::vector<Input*> sinks_;
};

/// The side of a filter or port that collects. Disconnects itself when destroyed.
class Input {
public:
    Input() = default;
    Input(const Input&) = delete;
    Input& operator=(const Input&) = delete;
    virtual ~Input() { disconnect(); }

    [[nodiscard]] virtual const Part& part() const = 0;
    [[nodiscard]] virtual const ValueType& input_type() const = 0;
    /// Takes an update from below; called only while wants_updates().
    virtual void update(const Sample& sample) = 0;
    /// Subscription goes from the policy down: true if the port at the upper end has a handler for updates.
    [[nodiscard]] virtual bool wants_updates() const = 0;
    /// A source was linked and the chain below is complete: tells the policy at the upper end, once.
    virtual void completed() = 0;

    [[nodiscard]] Output* source() const { return source_; }
    /// REQUIRES: no source yet, and equal types (the tree checks both and words the errors).
    /// `place` is where it stands among the source's sinks, at the end if too large.
    void connect(Output& source, std::size_t place = SIZE_MAX);
    /// Returns the place it had.
    std::size_t disconnect();

protected:
    /// What the source answers; none without a source.
    [[nodiscard]] std::optional<Sample> collect(const Parameter& parameter) const;
    [[nodiscard]] std::optional<Sample> collect_remote(NodeId node, const Parameter& parameter) const;

private:
    friend class Output;
    Output* source_ = nullptr;
};

} // namespace schedd::model
