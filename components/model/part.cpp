// Places and attributes of parts.
#include "components/model/part.h"

#include <algorithm>

#include <fmt/format.h>

namespace schedd::model {

std::string_view name_of(Kind kind) {
    switch (kind) {
    case Kind::folder: return "folder";
    case Kind::probe: return "probe";
    case Kind::source: return "source";
    case Kind::filter: return "filter";
    case Kind::port: return "port";
    case Kind::policy: return "policy";
    case Kind::scheduler: return "scheduler";
    case Kind::process_set: return "process_set";
    case Kind::member: return "member";
    case Kind::node: return "node";
    }
    return "part";
}

Part::Part(Kind kind, std::string name, const Descriptor* type, AttributeTable attributes)
    : kind_(kind), name_(std::move(name)), type_(type), attributes_(attributes) {
    values_.reserve(attributes.size());
    for (const auto& spec : attributes) values_.push_back(parse_attribute(spec, spec.initial).value());
}

Path Part::path() const {
    std::vector<std::string> names;
    for (const Part* part = this; part->parent_; part = part->parent_) names.push_back(part->name_);
    std::ranges::reverse(names);
    return Path(std::move(names));
}

Part* Part::child(std::string_view name) const {
    const auto at = std::ranges::find_if(children_, [&](const auto& c) { return c->name_ == name; });
    return at == children_.end() ? nullptr : at->get();
}

Part* Part::child_of(Kind kind) const {
    const auto at = std::ranges::find_if(children_, [&](const auto& c) { return c->kind_ == kind; });
    return at == children_.end() ? nullptr : at->get();
}

Part& Part::adopt(std::unique_ptr<Part> part, std::size_t index) {
    part->parent_ = this;
    index = std::min(index, children_.size());
    Part& adopted =
        **children_.insert(children_.begin() + static_cast<std::ptrdiff_t>(index), std::move(part));
    children_changed();
    return adopted;
}

std::pair<std::unique_ptr<Part>, std::size_t> Part::release(const Part& part) {
    const auto at = std::ranges::find_if(children_, [&](const auto& c) { return c.get() == &part; });
    const auto index = static_cast<std::size_t>(at - children_.begin());
    auto owned = std::move(*at);
    children_.erase(at);
    owned->parent_ = nullptr;
    children_changed();
    return {std::move(owned), index};
}

const AttributeSpec* Part::attribute_spec(std::string_view name) const {
    const auto at = std::ranges::find(attributes_, name, &AttributeSpec::name);
    return at == attributes_.end() ? nullptr : &*at;
}

namespace {

std::unexpected<Error> no_attribute(const Part& part, std::string_view name) {
    std::string known;
    for (const auto& spec : part.attributes()) known += (known.empty() ? "" : " ") + std::string(spec.name);
    return fail(Errc::no_such_object,
                fmt::format("{} has no attribute '{}'", part.path().text(), name.substr(0, 64)),
                known.empty() ? "it has none" : "it has: " + known);
}

} // namespace

Result<AttributeValue> Part::read_attribute(std::string_view name) const {
    const auto* spec = attribute_spec(name);
    if (!spec) return no_attribute(*this, name);
    return values_[static_cast<std::size_t>(spec - attributes_.data())];
}

Status Part::write_attribute(std::string_view name, const AttributeValue& value) {
    const auto* spec = attribute_spec(name);
    if (!spec) return no_attribute(*this, name);
    const auto where = fmt::format("{}.{}", path().text(), name);
    if (spec->read_only) return fail(Errc::not_supported, where + " is read-only", "it reports a state");
    auto checked = check_attribute(*spec, value);
    if (!checked)
        return fail(checked.error().kind, path().text() + ": " + checked.error().what,
                    checked.error().detail);
    const auto index = static_cast<std::size_t>(spec - attributes_.data());
    if (auto accepted = accepts(index, *checked); !accepted) return accepted;
    values_[index] = std::move(*checked);
    changed(index);
    return {};
}

Status Part::accepts(std::size_t /*index*/, const AttributeValue& /*value*/) const { return {}; }

bool Part::report(std::size_t index, AttributeValue value) {
    if (values_[index] == value) return false;
    values_[index] = std::move(value);
    reported_ |= std::uint64_t{1} << index;
    return true;
}

} // namespace schedd::model
