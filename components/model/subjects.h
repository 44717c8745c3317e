// Subjects: those of one scheduler, ordered by target. A table keeps each where it is while others come and
// go, so that one change among many costs what it is worth; policies read it, or plain rows, through one
// view.
#pragma once

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "components/model/subject.h"

namespace schedd::model {

/// Subjects to be read, ordered by target, each once. Valid as long as what it was made from stays as it is.
class Subjects {
public:
    class Iterator {
    public:
        using difference_type = std::ptrdiff_t;
        using value_type = Subject;
        using reference = const Subject&;
        using pointer = const Subject*;
        using iterator_category = std::random_access_iterator_tag;

        Iterator() = default;
        Iterator(const Subjects* all, std::size_t at)
            : row_(all->row_), places_(all->places_), at_(static_cast<difference_type>(at)) {}
        reference operator*() const { return places_ ? *places_[at_] : row_[at_]; }
        pointer operator->() const { return &**this; }
        reference operator[](difference_type step) const { return *(*this + step); }
        Iterator& operator+=(difference_type step) {
            at_ += step;
            return *this;
        }
        Iterator& operator-=(difference_type step) { return *this += -step; }
        Iterator& operator++() { return *this += 1; }
        Iterator& operator--() { return *this += -1; }
        Iterator operator++(int) { return std::exchange(*this, *this + 1); }
        Iterator operator--(int) { return std::exchange(*this, *this - 1); }
        friend Iterator operator+(Iterator at, difference_type step) { return at += step; }
        friend Iterator operator+(difference_type step, Iterator at) { return at += step; }
        friend Iterator operator-(Iterator at, difference_type step) { return at -= step; }
        friend difference_type operator-(const Iterator& a, const Iterator& b) { return a.at_ - b.at_; }
        bool operator==(const Iterator& other) const { return at_ == other.at_; }
        auto operator<=>(const Iterator& other) const { return at_ <=> other.at_; }

    private:
        const Subject* row_ = nullptr;
        const std::unique_ptr<Subject>* places_ = nullptr;
        difference_type at_ = 0;
    };

    Subjects() = default;
    Subjects(std::span<const Subject> row) : row_(row.data()), size_(row.size()) {}
    Subjects(const std::vector<Subject>& row) : Subjects(std::span(row)) {}
    Subjects(std::span<const std::unique_ptr<Subject>> places)
        : places_(places.data()), size_(places.size()) {}

    [[nodiscard]] std::size_t size() const { return size_; }
    [[nodiscard]] bool empty() const { return size_ == 0; }
    const Subject& operator[](std::size_t at) const { return places_ ? *places_[at] : row_[at]; }
    [[nodiscard]] const Subject& front() const { return (*this)[0]; }
    [[nodiscard]] Iterator begin() const { return {this, 0}; }
    [[nodiscard]] Iterator end() const { return {this, size_}; }
    /// Null if it is not among them.
    [[nodiscard]] const Subject* find(const Target& target) const {
        const auto at = std::ranges::lower_bound(*this, target, {}, &Subject::target);
        return at != end() && at->target == target ? &*at : nullptr;
    }

private:
    const Subject* row_ = nullptr;
    const std::unique_ptr<Subject>* places_ = nullptr; // else `row_`
    std::size_t size_ = 0;
};

/// Subjects to be kept.
class SubjectTable {
public:
    [[nodiscard]] Subjects all() const { return {std::span(rows_)}; }
    [[nodiscard]] std::size_t size() const { return rows_.size(); }
    [[nodiscard]] Subject* find(const Target& target) {
        const auto at = place_of(target);
        return at != rows_.end() && (*at)->target == target ? at->get() : nullptr;
    }
    /// In the place of the one with the same target, if there is one.
    Subject& put(Subject subject) {
        const auto at = place_of(subject.target);
        if (at != rows_.end() && (*at)->target == subject.target) return **at = std::move(subject);
        return **rows_.insert(at, std::make_unique<Subject>(std::move(subject)));
    }
    void erase(const Target& target) {
        const auto at = place_of(target);
        if (at != rows_.end() && (*at)->target == target) rows_.erase(at);
    }
    /// All anew. REQUIRES: ordered by target, each once.
    void assign(std::vector<Subject> subjects) {
        rows_.clear();
        rows_.reserve(subjects.size());
        for (auto& subject : subjects) rows_.push_back(std::make_unique<Subject>(std::move(subject)));
    }
    /// Each of them to be changed, but for its target.
    [[nodiscard]] std::span<const std::unique_ptr<Subject>> rows() { return rows_; }

private:
    using Rows = std::vector<std::unique_ptr<Subject>>;
    [[nodiscard]] Rows::iterator place_of(const Target& target) {
        return std::ranges::lower_bound(rows_, target, {},
                                        [](const auto& row) -> const Target& { return row->target; });
    }
    Rows rows_;
};

} // namespace schedd::model

template <> inline constexpr bool std::ranges::enable_borrowed_range<schedd::model::Subjects> = true;
template <> inline constexpr bool std::ranges::enable_view<schedd::model::Subjects> = true;
