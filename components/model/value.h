// Values: what flows along a chain, its type, and a sample of it with time and origin.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "components/kit/clock.h"

namespace schedd::model {

using namespace schedd::kit;

using Pid = std::int32_t;
using NodeId = std::int32_t;
constexpr NodeId kLocalNode = -1;

/// The type of a source or sink. Two ends fit only if all three words agree exactly.
/// `parameter` is empty for plain values, else what a reader must name: "pid", "cpu", "cgroup".
struct ValueType {
    std::string_view name;
    std::string_view unit;
    std::string_view parameter = {};
    bool operator==(const ValueType&) const = default;
};

/// "load [1/1000 task] by pid".
std::string describe(const ValueType& type);

/// The types in use. `load` counts runnable tasks in thousandths: 1000 = one task that always wants a CPU.
namespace types {
constexpr ValueType kLoad{"load", "1/1000 task"};
constexpr ValueType kLoadByPid{"load", "1/1000 task", "pid"};
constexpr ValueType kWaitByPid{"wait", "1/1000 of time", "pid"};
constexpr ValueType kUsageByCpu{"usage", "percent", "cpu"};
constexpr ValueType kMemory{"memory", "KiB"};
constexpr ValueType kMemoryByNode{"memory", "KiB", "node"};
constexpr ValueType kMemoryByCgroup{"memory", "KiB", "[node]/cgroup"};
constexpr ValueType kPressure{"pressure", "1/1000 of time"};
constexpr ValueType kPressureByCgroup{"pressure", "1/1000 of time", "cgroup"};
constexpr ValueType kInstant{"instant", "ns"};
constexpr ValueType kCount{"count", "events"};
} // namespace types

using Value = std::variant<std::int64_t, double, std::string>;

/// The value as a number (0 for text); policies and numeric filters reason with this.
std::int64_t number_of(const Value& value);
/// The value as people and files read it: "1234", "0.5", "performance".
std::string text_of(const Value& value);

/// What a reader names to a source with a parameter: a pid or CPU number, or a cgroup path.
using Parameter = std::variant<std::monostate, std::int64_t, std::string_view>;
std::string text_of(const Parameter& parameter);

/// One measurement. `fresh_for` is how long after `time` it may still be used.
struct Sample {
    Value value;
    Time time{};
    Duration fresh_for = Duration::max();
    NodeId origin = kLocalNode;

    [[nodiscard]] bool fresh_at(Time now) const {
        return fresh_for == Duration::max() || now - time <= fresh_for;
    }
};

} // namespace schedd::model
