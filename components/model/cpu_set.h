// CpuSet: a set of CPU numbers as a value, with set algebra and the kernel's list notation.
#pragma once

#include <bitset>
#include <string>
#include <string_view>

#include "components/kit/limits.h"
#include "components/kit/result.h"

namespace schedd::model {

using namespace schedd::kit;

class CpuSet {
public:
    CpuSet() = default;

    /// Reads "0-3,5" (also "0-6:2" strides are refused), spaces and newline at the end allowed; "" is the
    /// empty set. Fails with invalid_value on junk, reversed ranges and CPUs >= limits::kMaxCpus.
    static Result<CpuSet> parse(std::string_view list);
    /// {first, ..., last}. REQUIRES: 0 <= first <= last < limits::kMaxCpus.
    static CpuSet range(int first, int last);
    static CpuSet of(int cpu) { return range(cpu, cpu); }

    /// "0-3,5"; "" for the empty set.
    [[nodiscard]] std::string text() const;

    [[nodiscard]] bool empty() const { return bits_.none(); }
    [[nodiscard]] int count() const { return static_cast<int>(bits_.count()); }
    [[nodiscard]] bool contains(int cpu) const {
        return cpu >= 0 && cpu < limits::kMaxCpus && bits_.test(static_cast<std::size_t>(cpu));
    }
    /// The lowest CPU, or -1. next(cpu) is the lowest one above `cpu`, or -1.
    [[nodiscard]] int first() const { return next(-1); }
    [[nodiscard]] int next(int cpu) const;
    [[nodiscard]] bool subset_of(const CpuSet& other) const { return (bits_ & ~other.bits_).none(); }
    [[nodiscard]] bool intersects(const CpuSet& other) const { return (bits_ & other.bits_).any(); }

    /// REQUIRES: 0 <= cpu < limits::kMaxCpus.
    void add(int cpu) { bits_.set(static_cast<std::size_t>(cpu)); }
    void remove(int cpu) { bits_.reset(static_cast<std::size_t>(cpu)); }

    CpuSet& operator|=(const CpuSet& other) {
        bits_ |= other.bits_;
        return *this;
    }
    CpuSet& operator&=(const CpuSet& other) {
        bits_ &= other.bits_;
        return *this;
    }
    friend CpuSet operator|(CpuSet a, const CpuSet& b) { return a |= b; }
    friend CpuSet operator&(CpuSet a, const CpuSet& b) { return a &= b; }
    /// The CPUs of `a` that are not in `b`.
    friend CpuSet operator-(CpuSet a, const CpuSet& b) {
        a.bits_ &= ~b.bits_;
        return a;
    }
    bool operator==(const CpuSet& other) const { return bits_ == other.bits_; }

private:
    std::bitset<static_cast<std::size_t>(limits::kMaxCpus)> bits_;
};

} // namespace schedd::model
