// Part: anything that has a name in the tree - its place, its children and its attributes.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "components/model/attribute.h"
#include "components/model/path.h"

namespace schedd::model {

struct Descriptor;

enum class Kind { folder, probe, source, filter, port, policy, scheduler, process_set, member, node };
std::string_view name_of(Kind kind);

/// A node of the tree. Owns its children; does not move once placed, so references to it hold until it is
/// removed.
class Part {
public:
    /// `type` is null for kinds that have only one type; it outlives the part. Attributes start at their
    /// defaults.
    Part(Kind kind, std::string name, const Descriptor* type, AttributeTable attributes);
    virtual ~Part() = default;
    Part(const Part&) = delete;
    Part& operator=(const Part&) = delete;

    [[nodiscard]] Kind kind() const { return kind_; }
    [[nodiscard]] const std::string& name() const { return name_; }
    [[nodiscard]] const Descriptor* type() const { return type_; }
    [[nodiscard]] Part* parent() const { return parent_; }
    [[nodiscard]] Path path() const;

    [[nodiscard]] const std::vector<std::unique_ptr<Part>>& children() const { return children_; }
    [[nodiscard]] Part* child(std::string_view name) const;
    /// The first child of a kind, or null.
    [[nodiscard]] Part* child_of(Kind kind) const;
    /// Puts `part` at `index` among the children (the end if too large). Returns it.
    Part& adopt(std::unique_ptr<Part> part, std::size_t index = SIZE_MAX);
    /// Takes a child out and says where it stood. REQUIRES: `part` is a child.
    std::pair<std::unique_ptr<Part>, std::size_t> release(const Part& part);
    /// A part that came with its parent (a source, a port, a process set) and cannot be removed alone.
    [[nodiscard]] bool is_default() const { return is_default_; }
    void make_default() { is_default_ = true; }

    [[nodiscard]] AttributeTable attributes() const { return attributes_; }
    [[nodiscard]] const AttributeSpec* attribute_spec(std::string_view name) const;
    [[nodiscard]] const AttributeValue& attribute(std::size_t index) const { return values_[index]; }
    /// Fails with no_such_object; the error lists the attributes there are.
    [[nodiscard]] Result<AttributeValue> read_attribute(std::string_view name) const;
    /// Validates by the declaration, asks the part, stores, tells the part. Nothing is changed on failure:
    /// no_such_object, not_supported (read-only), invalid_value, or what `accepts` says.
    Status write_attribute(std::string_view name, const AttributeValue& value);

    /// Which attributes the part has reported anew since this was last asked (bit = index); for the one skin
    /// that announces them.
    [[nodiscard]] std::uint64_t take_reported() { return std::exchange(reported_, 0); }

protected:
    /// A last say before a valid value is stored, for rules that a range cannot express.
    virtual Status accepts(std::size_t index, const AttributeValue& value) const;
    /// The attribute has its new value.
    virtual void changed(std::size_t /*index*/) {}
    /// A child came or went.
    virtual void children_changed() {}
    /// Sets a read-only attribute (state the part reports); true if it differs from before.
    bool report(std::size_t index, AttributeValue value);

    // Typed access for the part's own use. REQUIRES: the attribute is of that kind.
    [[nodiscard]] std::uint64_t unsigned_at(std::size_t index) const {
        return std::get<std::uint64_t>(values_[index]);
    }
    [[nodiscard]] std::int64_t integer_at(std::size_t index) const {
        return std::get<std::int64_t>(values_[index]);
    }
    [[nodiscard]] bool flag_at(std::size_t index) const { return std::get<bool>(values_[index]); }
    [[nodiscard]] const std::string& text_at(std::size_t index) const {
        return std::get<std::string>(values_[index]);
    }

private:
    Kind kind_;
    bool is_default_ = false;
    std::string name_;
    const Descriptor* type_;
    Part* parent_ = nullptr;
    std::vector<std::unique_ptr<Part>> children_;
    AttributeTable attributes_;
    std::vector<AttributeValue> values_;
    std::uint64_t reported_ = 0;
};

/// Calls `visit(part)` for `part` and everything below it, parents first.
template <class Visit> void for_each_part(Part& part, const Visit& visit) {
    visit(part);
    for (const auto& child : part.children()) for_each_part(*child, visit);
}

} // namespace schedd::model
