// CpuSet: a set of CPU numbers as a value, with set algebra and the kernel's list notation.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "components/kit/limits.h"
#include "components/kit/result.h"

namespace schedd::model {

using namespace schedd::kit;

/// The CPUs below 1,024 lie in the value itself, all that most machines have; a set with CPUs from there on
/// keeps those on the heap. Thousands of subjects hold some sets each, so the heap is as short as they allow.
class CpuSet {
public:
    CpuSet() = default;
    CpuSet(const CpuSet& other) : near_(other.near_), far_(other.far_ ? copy_of(other) : nullptr) {}
    CpuSet(CpuSet&& other) noexcept = default;
    CpuSet& operator=(const CpuSet& other) {
        if (this == &other) return *this;
        near_ = other.near_;
        if (far_ || other.far_) take_far(other);
        return *this;
    }
    CpuSet& operator=(CpuSet&& other) noexcept = default;
    ~CpuSet() = default;

    /// Reads "0-3,5" (also "0-6:2" strides are refused), spaces and newline at the end allowed; "" is the
    /// empty set. Fails with invalid_value on junk, reversed ranges and CPUs >= limits::kMaxCpus.
    static Result<CpuSet> parse(std::string_view list);
    /// {first, ..., last}. REQUIRES: 0 <= first <= last < limits::kMaxCpus.
    static CpuSet range(int first, int last);
    static CpuSet of(int cpu) { return range(cpu, cpu); }

    /// "0-3,5"; "" for the empty set.
    [[nodiscard]] std::string text() const;

    [[nodiscard]] bool empty() const {
        Word any = 0;
        for (const Word word : near_) any |= word;
        return any == 0 && !far_;
    }
    [[nodiscard]] int count() const {
        int cpus = far_ ? count_far() : 0;
        for (const Word word : near_) cpus += std::popcount(word);
        return cpus;
    }
    [[nodiscard]] bool contains(int cpu) const {
        if (is_near(cpu)) return (near_[word_of(cpu)] & bit_of(cpu)) != 0;
        return far_ && contains_far(cpu);
    }
    /// The lowest CPU, or -1. next(cpu) is the lowest one above `cpu`, or -1.
    [[nodiscard]] int first() const { return next(-1); }
    [[nodiscard]] int next(int cpu) const;
    /// The highest CPU, or -1.
    [[nodiscard]] int last() const;
    [[nodiscard]] bool subset_of(const CpuSet& other) const {
        Word beyond = 0;
        for (std::size_t i = 0; i < kNear; ++i) beyond |= near_[i] & ~other.near_[i];
        return beyond == 0 && (!far_ || far_subset_of(other));
    }
    [[nodiscard]] bool intersects(const CpuSet& other) const {
        Word shared = 0;
        for (std::size_t i = 0; i < kNear; ++i) shared |= near_[i] & other.near_[i];
        return shared != 0 || (far_ && other.far_ && far_intersects(other));
    }

    /// A CPU that no machine has, below 0 or from limits::kMaxCpus on, is in no set and cannot be added.
    void add(int cpu) {
        if (is_near(cpu)) near_[word_of(cpu)] |= bit_of(cpu);
        else add_far(cpu);
    }
    void remove(int cpu) {
        if (is_near(cpu)) near_[word_of(cpu)] &= ~bit_of(cpu);
        else remove_far(cpu);
    }

    CpuSet& operator|=(const CpuSet& other) {
        for (std::size_t i = 0; i < kNear; ++i) near_[i] |= other.near_[i];
        if (other.far_) unite_far(other);
        return *this;
    }
    CpuSet& operator&=(const CpuSet& other) {
        for (std::size_t i = 0; i < kNear; ++i) near_[i] &= other.near_[i];
        if (far_) intersect_far(other);
        return *this;
    }
    CpuSet& operator-=(const CpuSet& other) {
        for (std::size_t i = 0; i < kNear; ++i) near_[i] &= ~other.near_[i];
        if (far_ && other.far_) subtract_far(other);
        return *this;
    }
    friend CpuSet operator|(CpuSet a, const CpuSet& b) { return std::move(a |= b); }
    friend CpuSet operator&(CpuSet a, const CpuSet& b) { return std::move(a &= b); }
    /// The CPUs of `a` that are not in `b`.
    friend CpuSet operator-(CpuSet a, const CpuSet& b) { return std::move(a -= b); }
    bool operator==(const CpuSet& other) const {
        Word differing = 0;
        for (std::size_t i = 0; i < kNear; ++i) differing |= near_[i] ^ other.near_[i];
        return differing == 0 && (far_ ? other.far_ && *far_ == *other.far_ : !other.far_);
    }

private:
    using Word = std::uint64_t;
    using Words = std::vector<Word>;
    static constexpr int kBits = 64;
    static constexpr std::size_t kNear = 16;
    static constexpr int kNearCpus = static_cast<int>(kNear) * kBits;

    static bool is_near(int cpu) { return static_cast<unsigned>(cpu) < static_cast<unsigned>(kNearCpus); }
    static std::size_t word_of(int cpu) { return static_cast<std::size_t>(cpu) / kBits; }
    static Word bit_of(int cpu) { return Word{1} << (static_cast<unsigned>(cpu) % kBits); }

    static std::unique_ptr<Words> copy_of(const CpuSet& other);
    [[nodiscard]] std::size_t words() const { return kNear + (far_ ? far_->size() : 0); }
    [[nodiscard]] Word word(std::size_t at) const { return at < kNear ? near_[at] : (*far_)[at - kNear]; }
    void fill(int first, int last);
    Word& far_word(int cpu);
    void trim();
    void take_far(const CpuSet& other);
    [[nodiscard]] int count_far() const;
    [[nodiscard]] bool contains_far(int cpu) const;
    [[nodiscard]] bool far_subset_of(const CpuSet& other) const;
    [[nodiscard]] bool far_intersects(const CpuSet& other) const;
    void add_far(int cpu);
    void remove_far(int cpu);
    void unite_far(const CpuSet& other);
    void intersect_far(const CpuSet& other);
    void subtract_far(const CpuSet& other);

    std::array<Word, kNear> near_{};
    /// CPUs from kNearCpus on; none if there are none, and the last word is never 0: equal sets look alike.
    std::unique_ptr<Words> far_;
};

} // namespace schedd::model
