// What records (log, sink, tree listener) and what is set by hand (source).
#pragma once

#include <string>
#include <vector>

#include "components/kit/log.h"
#include "components/model/filter.h"
#include "components/model/tree.h"

namespace schedd::test {

using namespace schedd::model;

class RecordingLog final : public kit::Log {
public:
    struct Line {
        kit::Severity level;
        std::string about;
        std::string message;
    };
    void write(kit::Severity level, std::string_view about, std::string_view message) override {
        lines_.push_back({level, std::string(about), std::string(message)});
    }
    [[nodiscard]] const std::vector<Line>& lines() const { return lines_; }
    /// How many lines hold `text`.
    [[nodiscard]] std::size_t count(std::string_view text) const {
        std::size_t found = 0;
        for (const auto& line : lines_) found += line.message.find(text) != std::string::npos ? 1U : 0U;
        return found;
    }
    void clear() { lines_.clear(); }

private:
    std::vector<Line> lines_;
};

/// A part for what stands outside any tree.
class LoosePart final : public Part {
public:
    LoosePart(Kind kind, std::string name) : Part(kind, std::move(name), nullptr, {}) {}
};

/// An Input that records each update. `wants` false: it only reads, as a port without a handler does.
class RecordingSink final : public Input {
public:
    explicit RecordingSink(ValueType type = types::kLoad, bool wants = true) : type_(type), wants_(wants) {
        updates_.reserve(64);
    }
    [[nodiscard]] const Part& part() const override { return part_; }
    [[nodiscard]] const ValueType& input_type() const override { return type_; }
    void update(const Sample& sample) override {
        ++count_;
        if (updates_.size() < updates_.capacity()) updates_.push_back(sample);
    }
    [[nodiscard]] bool wants_updates() const override { return wants_; }
    void completed() override { ++completions_; }

    /// The first 64 updates; recording them allocates nothing.
    [[nodiscard]] const std::vector<Sample>& updates() const { return updates_; }
    [[nodiscard]] std::vector<std::int64_t> numbers() const {
        std::vector<std::int64_t> out;
        for (const auto& sample : updates_) out.push_back(number_of(sample.value));
        return out;
    }
    [[nodiscard]] std::size_t count() const { return count_; }
    [[nodiscard]] int completions() const { return completions_; }
    void clear() {
        updates_.clear();
        count_ = 0;
        completions_ = 0;
    }
    using Input::collect;

private:
    LoosePart part_{Kind::port, "recording"};
    ValueType type_;
    bool wants_;
    std::vector<Sample> updates_;
    std::size_t count_ = 0;
    int completions_ = 0;
};

/// An Output whose value the test sets; with a parameter type it answers `number` + parameter for numbers >=
/// 0.
class SettableSource final : public Output {
public:
    explicit SettableSource(ValueType type = types::kLoad) : type_(type) {}
    [[nodiscard]] const Part& part() const override { return part_; }
    [[nodiscard]] const ValueType& output_type() const override { return type_; }
    [[nodiscard]] std::optional<Sample> read(const Parameter& parameter) const override {
        if (type_.parameter.empty()) return sample_;
        const auto* number = std::get_if<std::int64_t>(&parameter);
        if (!number || *number < 0 || !sample_) return std::nullopt;
        auto shifted = *sample_;
        shifted.value = number_of(sample_->value) + *number;
        return shifted;
    }
    /// What is read from now on, without telling anybody.
    void set(std::optional<Sample> sample) { sample_ = std::move(sample); }
    /// Sets and publishes.
    void push(const Sample& sample) {
        sample_ = sample;
        publish(sample);
    }
    void push(std::int64_t value, Time time) { push(Sample{.value = value, .time = time}); }

private:
    LoosePart part_{Kind::source, "settable"};
    ValueType type_;
    std::optional<Sample> sample_;
};

/// Records what a tree tells, as lines "added PATH", "removed PATH", "changed PATH.ATTRIBUTE".
class RecordingListener final : public TreeListener {
public:
    void part_added(Part& part) override { lines_.push_back("added " + part.path().text()); }
    void part_removed(const Path& path, Part& part) override {
        lines_.push_back("removed " + path.text());
        last_removed_name_ = part.name();
    }
    void part_changed(Part& part, std::string_view attribute) override {
        lines_.push_back("changed " + part.path().text() + "." + std::string(attribute));
    }
    [[nodiscard]] const std::vector<std::string>& lines() const { return lines_; }
    [[nodiscard]] const std::string& last_removed_name() const { return last_removed_name_; }
    void clear() { lines_.clear(); }

private:
    std::vector<std::string> lines_;
    std::string last_removed_name_;
};

} // namespace schedd::test
