// Reading chains for callers.
#include "dbus/flow_values.h"

#include <fmt/format.h>

#include "components/kit/number.h"
#include "components/model/source_trouble.h"

namespace schedd::dbus {

namespace {

using namespace schedd::model;

Result<Parameter> parameter_of(const Part& part, const ValueType& type, std::string_view text) {
    if (type.parameter.empty() && !text.empty())
        return fail(Errc::invalid_value, part.path().text() + " takes no parameter", "leave it out");
    if (type.parameter.empty()) return Parameter{};
    if (text.empty())
        return fail(Errc::no_value,
                    fmt::format("{} has one value per {}", part.path().text(), type.parameter),
                    fmt::format("name a {}, or list them all", type.parameter));
    if (const auto number = parse_integer(text)) return Parameter{*number};
    return Parameter{text};
}

Result<Sample> sample_or_why(std::optional<Sample> sample, const Part& part) {
    if (sample) return std::move(*sample);
    return fail(Errc::no_value, part.path().text() + " has no value", why_none(part));
}

std::string why_source_has_none(const Source& source, bool of_all) {
    const auto& probe = static_cast<const Probe&>(*source.parent());
    const auto* by_source = dynamic_cast<const SourceTrouble*>(&probe);
    auto trouble = by_source ? by_source->trouble_of(source) : probe.trouble();
    if (!trouble.empty()) return trouble;
    if (source.rests())
        return fmt::
            format("nobody wanted it for a while, so it was not measured; it is now: ask again in {} ms",
                   2 * milliseconds_of(probe.period()));
    if (!source.output_type().parameter.empty() && !of_all)
        return fmt::format("nothing is known of that {}", source.output_type().parameter);
    return "not measured yet";
}

} // namespace

Result<Sample> value_of(const Part& part, std::string_view text) {
    const auto* output = output_of(part);
    if (!output)
        return fail(Errc::not_supported, part.path().text() + " puts out no value", "sources and filters do");
    const auto parameter = parameter_of(part, output->output_type(), text);
    if (!parameter) return std::unexpected(parameter.error());
    return sample_or_why(output->read(*parameter), part);
}

Result<Sample> collected_value_of(const Part& part, std::string_view text) {
    const auto* input = input_of(part);
    if (!input)
        return fail(Errc::not_supported, part.path().text() + " collects nothing", "filters and ports do");
    const auto parameter = parameter_of(part, input->input_type(), text);
    if (!parameter) return std::unexpected(parameter.error());
    if (part.kind() == Kind::port)
        return sample_or_why(static_cast<const Port&>(part).collected(*parameter), part);
    return sample_or_why(static_cast<const Filter&>(part).collected(*parameter), part);
}

std::string why_none(const Part& part, bool of_all) {
    if (part.kind() == Kind::source) return why_source_has_none(static_cast<const Source&>(part), of_all);
    const auto* input = input_of(part);
    if (!input) return {};
    while (const auto* output = input->source()) {
        if (output->part().kind() == Kind::source) {
            const auto& source = static_cast<const Source&>(output->part());
            if (source.output_type().parameter.empty() && source.read({}))
                return "the value is too old, or held back by a filter";
            return why_source_has_none(source, of_all);
        }
        input = input_of(output->part());
    }
    return "no source is linked to " + input->part().path().text();
}

} // namespace schedd::dbus
