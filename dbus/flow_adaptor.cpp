// The two ends of a chain on the bus: what sources and filters put out, what filters and ports collect.
#include "components/kit/limits.h"
#include "components/model/demand.h"
#include "dbus/adaptors.h"
#include "dbus/flow_values.h"
#include "dbus/paths.h"

namespace schedd::dbus {

using namespace schedd::model;

namespace {

/// Property D-Bus knows no absence: Get fails with NoValue, GetAll and signals show an empty text.
Status write_sample(const Result<Sample>& sample, Writer& out) {
    if (sample) out.variant(sample->value);
    else if (out.is_single_get()) return std::unexpected(sample.error());
    else out.variant(Value(std::string()));
    return {};
}

/// A signal tells a new part's value too, but nobody has asked for that one.
void ask_if_read(const Part& part, const Writer& out) {
    if (out.is_read()) ask_source_of(part);
}

Status list(const Output& output, Writer& out) {
    ask_source_of(output.part());
    out.open_dictionary();
    std::size_t count = 0;
    output.list([&](const Parameter& parameter, const Sample& sample) {
        if (++count <= limits::kTasks) out.entry(text_of(parameter), sample.value);
    });
    out.close_dictionary();
    return {};
}

Property constant_text(std::string name, std::string_view text) {
    return {std::move(name), "s", Emits::constant, [text](Writer& out) -> Status {
                out.text(text);
                return {};
            }};
}

} // namespace

void add_value_type(Interface& interface, const ValueType& type) {
    interface.properties.push_back(constant_text("ValueType", type.name));
    interface.properties.push_back(constant_text("Unit", type.unit));
    interface.properties.push_back(constant_text("Parameter", type.parameter));
}

void add_output(Interface& interface, Part& part, Surroundings around) {
    interface.properties.push_back({"Value", "v", Emits::nothing, [&part](Writer& out) {
                                        ask_if_read(part, out);
                                        return write_sample(value_of(part), out);
                                    }});
    interface.methods.push_back({"Get",
                                 {{"parameter", "s"}},
                                 {{"value", "v"}},
                                 ReadHandler([&part](Reader& in, Writer& out) -> Status {
                                     ask_source_of(part);
                                     const auto sample = value_of(part, in.text());
                                     if (!sample) return std::unexpected(sample.error());
                                     out.variant(sample->value);
                                     return {};
                                 })});
    interface.methods.push_back(
        {"List", {}, {{"values", "a{sv}"}}, ReadHandler([&part](Reader&, Writer& out) {
             return list(*output_of(part), out);
         })});
    interface.methods.push_back({"Watch",
                                 {{"min_interval_ms", "t"}},
                                 {},
                                 ReadHandler([&part, &watches = around.watches](Reader& in, Writer&) {
                                     const auto interval_ms = in.number();
                                     return watches.watch(part, in.sender(), interval_ms);
                                 })});
    interface.signals.push_back({"Sampled", {{"value", "v"}, {"age_ms", "t"}}});
}

void add_input(Interface& interface, Part& part) {
    interface.properties.push_back({"CollectedValue", "v", Emits::nothing, [&part](Writer& out) {
                                        ask_if_read(part, out);
                                        return write_sample(collected_value_of(part), out);
                                    }});
    interface.properties.push_back({"SourceLink", "o", Emits::change, [&part](Writer& out) -> Status {
                                        const auto* source = input_of(part)->source();
                                        out.object(source ? object_path(source->part().path()) : "/");
                                        return {};
                                    }});
}

} // namespace schedd::dbus
