// The kernel's cpulist notation (Documentation/admin-guide/kernel-parameters, "cpu lists"), and the CPUs from
// 1,024 on, which few machines have.
#include "components/model/cpu_set.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include <fmt/format.h>

namespace schedd::model {

namespace {

std::unexpected<Error> bad_list(std::string_view list) {
    return fail(Errc::invalid_value, fmt::format("CPU list '{}' cannot be read", list.substr(0, 64)),
                fmt::format("use numbers and ranges such as 0-3,5 below {}", limits::kMaxCpus));
}

/// Takes a number off the front of `rest`; none if there is no number or it is too large.
std::optional<int> take_cpu(std::string_view& rest) {
    int cpu = 0;
    const auto [stop, error] = std::from_chars(rest.data(), rest.data() + rest.size(), cpu);
    if (error != std::errc{} || cpu < 0 || cpu >= limits::kMaxCpus || rest.front() == '-')
        return std::nullopt;
    rest.remove_prefix(static_cast<std::size_t>(stop - rest.data()));
    return cpu;
}

} // namespace

Result<CpuSet> CpuSet::parse(std::string_view list) {
    while (!list.empty() && (list.back() == '\n' || list.back() == ' ' || list.back() == '\0'))
        list.remove_suffix(1);
    CpuSet set;
    std::string_view rest = list;
    while (!rest.empty()) {
        const auto first = take_cpu(rest);
        if (!first) return bad_list(list);
        auto last = first;
        if (rest.starts_with('-')) {
            rest.remove_prefix(1);
            if (rest.empty() || !(last = take_cpu(rest)) || *last < *first) return bad_list(list);
        }
        set.fill(*first, *last);
        if (rest.empty()) break;
        if (rest.front() != ',' || rest.size() == 1) return bad_list(list);
        rest.remove_prefix(1);
    }
    return set;
}

CpuSet CpuSet::range(int first, int last) {
    CpuSet set;
    set.fill(first, last);
    return set;
}

void CpuSet::fill(int first, int last) {
    if (last > first && !is_near(last)) add(last); // the heap part grows once
    for (int cpu = first; cpu <= last;) {
        const int end = std::min(last, cpu | (kBits - 1)); // of this word
        add(cpu);
        Word& bits = is_near(cpu) ? near_[word_of(cpu)] : far_word(cpu);
        bits |= ~Word{0} >> static_cast<unsigned>(kBits - 1 - (end - cpu))
                                << static_cast<unsigned>(cpu % kBits);
        cpu = end + 1;
    }
}

int CpuSet::next(int cpu) const {
    // by words: bit by bit, 500 members' states took half of a resting daemon's time
    if (cpu >= limits::kMaxCpus - 1) return -1;
    int from = std::max(cpu + 1, 0);
    if (is_near(from)) {
        std::size_t at = word_of(from);
        Word bits = near_[at] & ~Word{0} << static_cast<unsigned>(from % kBits);
        while (bits == 0 && ++at < kNear) bits = near_[at];
        if (bits != 0) return static_cast<int>(at) * kBits + std::countr_zero(bits);
        from = kNearCpus;
    }
    std::size_t at = word_of(from);
    if (at >= words()) return -1;
    Word bits = word(at) & ~Word{0} << static_cast<unsigned>(from % kBits);
    while (bits == 0 && ++at < words()) bits = word(at);
    return bits == 0 ? -1 : static_cast<int>(at) * kBits + std::countr_zero(bits);
}

int CpuSet::last() const {
    for (std::size_t at = words(); at > 0; --at)
        if (const Word bits = word(at - 1); bits != 0)
            return static_cast<int>(at) * kBits - 1 - std::countl_zero(bits);
    return -1;
}

std::string CpuSet::text() const {
    fmt::memory_buffer out;
    for (int cpu = first(); cpu >= 0;) {
        int last = cpu;
        while (contains(last + 1)) ++last;
        if (out.size() > 0) out.push_back(',');
        if (last == cpu) fmt::format_to(std::back_inserter(out), "{}", cpu);
        else fmt::format_to(std::back_inserter(out), "{}-{}", cpu, last);
        cpu = next(last);
    }
    return fmt::to_string(out);
}

std::unique_ptr<CpuSet::Words> CpuSet::copy_of(const CpuSet& other) {
    return std::make_unique<Words>(*other.far_);
}

/// REQUIRES: the heap part reaches as far as `cpu`.
CpuSet::Word& CpuSet::far_word(int cpu) { return (*far_)[word_of(cpu) - kNear]; }

void CpuSet::trim() {
    while (!far_->empty() && far_->back() == 0) far_->pop_back();
    if (far_->empty()) far_.reset();
}

void CpuSet::take_far(const CpuSet& other) {
    if (!other.far_) far_.reset();
    else if (far_) *far_ = *other.far_;
    else far_ = copy_of(other);
}

int CpuSet::count_far() const {
    int cpus = 0;
    for (const Word word : *far_) cpus += std::popcount(word);
    return cpus;
}

bool CpuSet::contains_far(int cpu) const {
    return cpu >= kNearCpus && word_of(cpu) < words() && (word(word_of(cpu)) & bit_of(cpu)) != 0;
}

bool CpuSet::far_subset_of(const CpuSet& other) const {
    if (words() > other.words()) return false; // the last word is not 0
    Word beyond = 0;
    for (std::size_t i = 0; i < far_->size(); ++i) beyond |= (*far_)[i] & ~(*other.far_)[i];
    return beyond == 0;
}

bool CpuSet::far_intersects(const CpuSet& other) const {
    Word shared = 0;
    for (std::size_t i = 0; i < std::min(far_->size(), other.far_->size()); ++i)
        shared |= (*far_)[i] & (*other.far_)[i];
    return shared != 0;
}

void CpuSet::add_far(int cpu) {
    if (cpu < 0 || cpu >= limits::kMaxCpus) return;
    if (!far_) far_ = std::make_unique<Words>();
    if (word_of(cpu) >= words()) far_->resize(word_of(cpu) - kNear + 1);
    far_word(cpu) |= bit_of(cpu);
}

void CpuSet::remove_far(int cpu) {
    if (cpu < 0 || cpu >= limits::kMaxCpus) return;
    if (word_of(cpu) >= words()) return;
    far_word(cpu) &= ~bit_of(cpu);
    trim();
}

void CpuSet::unite_far(const CpuSet& other) {
    if (!far_) far_ = std::make_unique<Words>();
    if (far_->size() < other.far_->size()) far_->resize(other.far_->size());
    for (std::size_t i = 0; i < other.far_->size(); ++i) (*far_)[i] |= (*other.far_)[i];
}

void CpuSet::intersect_far(const CpuSet& other) {
    if (far_->size() > other.words() - kNear) far_->resize(other.words() - kNear);
    for (std::size_t i = 0; i < far_->size(); ++i) (*far_)[i] &= (*other.far_)[i];
    trim();
}

void CpuSet::subtract_far(const CpuSet& other) {
    for (std::size_t i = 0; i < std::min(far_->size(), other.far_->size()); ++i)
        (*far_)[i] &= ~(*other.far_)[i];
    trim();
}

} // namespace schedd::model
