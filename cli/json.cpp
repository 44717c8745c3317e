// Safe access to the daemon's JSON.
#include "cli/json.h"

#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace schedd::cli {

Answer<Json> parse_json(std::string_view text, std::string_view from) {
    auto json = Json::parse(text.begin(), text.end(), nullptr, /*allow_exceptions=*/false);
    if (json.is_discarded())
        return give_up(Exit::error, fmt::format("{} answered with something that is not JSON ({} bytes)",
                                                from, text.size()));
    return json;
}

std::string dump_json(const Json& json, JsonForm form) {
    const int indent = form == JsonForm::pretty ? 2 : -1;
    return json.dump(indent, ' ', false, Json::error_handler_t::replace) + "\n";
}

const Json& field(const Json& object, std::string_view key) {
    static const Json kNull;
    if (!object.is_object()) return kNull;
    const auto found = object.find(std::string(key));
    return found == object.end() ? kNull : *found;
}

std::string text_at(const Json& object, std::string_view key) { return scalar(field(object, key)); }

std::int64_t number_at(const Json& object, std::string_view key) {
    const Json& value = field(object, key);
    if (value.is_number_float()) {
        const double real = value.get<double>();
        return std::abs(real) < 9e18 ? static_cast<std::int64_t>(real) : 0;
    }
    return value.is_number() ? value.get<std::int64_t>() : 0;
}

bool flag_at(const Json& object, std::string_view key) {
    const Json& value = field(object, key);
    return value.is_boolean() && value.get<bool>();
}

std::string scalar(const Json& value) {
    if (value.is_null()) return {};
    if (value.is_string()) return value.get_ref<const std::string&>();
    if (value.is_number_float()) return fmt::format("{}", value.get<double>());
    return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

} // namespace schedd::cli
