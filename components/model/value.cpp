// Text forms of values, parameters and types.
#include "components/model/value.h"

#include <fmt/format.h>

namespace schedd::model {

std::string describe(const ValueType& type) {
    auto text = fmt::format("{} [{}]", type.name, type.unit);
    if (!type.parameter.empty()) text += fmt::format(" by {}", type.parameter);
    return text;
}

std::int64_t number_of(const Value& value) {
    if (const auto* integer = std::get_if<std::int64_t>(&value)) return *integer;
    if (const auto* real = std::get_if<double>(&value)) return static_cast<std::int64_t>(*real);
    return 0;
}

std::string text_of(const Value& value) {
    return std::visit([](const auto& v) { return fmt::format("{}", v); }, value);
}

std::string text_of(const Parameter& parameter) {
    if (const auto* number = std::get_if<std::int64_t>(&parameter)) return std::to_string(*number);
    if (const auto* text = std::get_if<std::string_view>(&parameter)) return std::string(*text);
    return {};
}

} // namespace schedd::model
