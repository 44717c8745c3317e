// org.schedd1.Node: a machine of the cluster on the bus - what changes is announced, ages and values are
// read.
#include <charconv>

#include "dbus/adaptors.h"
#include "dbus/paths.h"

namespace schedd::dbus {

using namespace schedd::model;

namespace {

membership::NodeUid uid_of(const std::string& text) {
    std::uint64_t bits = 0;
    std::from_chars(text.data(), text.data() + text.size(), bits, 16);
    return membership::NodeUid{bits};
}

std::uint64_t ms_of(Duration duration) {
    return static_cast<std::uint64_t>(std::max(milliseconds_of(duration), 0LL));
}

} // namespace

FamilyTable node_table(Surroundings around) {
    FamilyTable table{.interface = "org.schedd1.Node",
                      .below = object_path(Path({"nodes"})),
                      .properties = {}};
    auto& properties = table.properties;
    properties.push_back(
        {"Path", "s", Emits::constant, [](const Part& part, Writer& out) { out.text(part.path().text()); }});
    properties.push_back({"Type", "s", Emits::constant,
                          [](const Part& part, Writer& out) { out.text(name_of(part.kind())); }});
    const auto attributes = NodePart::table();
    for (std::size_t i = 0; i < attributes.size(); ++i) {
        // another machine of the same number is another object
        const bool is_constant = i == NodePart::kUid || i == NodePart::kSelf;
        properties.push_back({camel_case(attributes[i].name), signature_of(attributes[i].kind),
                              is_constant ? Emits::constant : Emits::change,
                              [i](const Part& part, Writer& out) { out.attribute(part.attribute(i)); }});
    }
    const auto live = [&](std::string name, std::string_view signature,
                          void (*write)(const NodeFacts&, Writer&)) {
        properties.push_back({std::move(name), signature, Emits::nothing,
                              [&backend = around.backend, write](const Part& part, Writer& out) {
                                  const auto uid = uid_of(static_cast<const NodePart&>(part).uid());
                                  // forgotten a moment ago: it goes with the next turn
                                  write(backend.node(uid).value_or(NodeFacts()), out);
                              }});
    };
    live("Addresses", "as", [](const NodeFacts& facts, Writer& out) {
        std::vector<std::string> texts;
        for (const auto& address : facts.addresses) texts.push_back(text_of(address));
        out.texts(texts);
    });
    live("Silence", "t", [](const NodeFacts& facts, Writer& out) { out.number(ms_of(facts.silence)); });
    live("Period", "t", [](const NodeFacts& facts, Writer& out) { out.number(ms_of(facts.period)); });
    live("Since", "t", [](const NodeFacts& facts, Writer& out) { out.number(ms_of(facts.since)); });
    live("ClockOffset", "x",
         [](const NodeFacts& facts, Writer& out) { out.attribute(AttributeValue(facts.clock_offset_ms)); });
    live("Loss", "d", [](const NodeFacts& facts, Writer& out) { out.real(facts.loss); });
    live("Values", "a{s(it)}", [](const NodeFacts& facts, Writer& out) {
        std::vector<Writer::AgedValue> values;
        for (const auto& value : facts.values)
            if (value.is_fresh) values.push_back({value.path, value.value, value.age_ms});
        out.aged_values(values);
    });
    return table;
}

} // namespace schedd::dbus
