// org.schedd1.Node: a machine of the cluster on the bus - what changes is announced, ages and values are
// read.
#include <charconv>

#include "dbus/adaptors.h"

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

Interface node_interface(NodePart& node, Surroundings around) {
    auto interface = part_interface("org.schedd1.Node", node, around);
    // another machine of the same number is another object
    for (auto& property : interface.properties)
        if (property.name == "Uid" || property.name == "Self") property.emits = Emits::constant;
    const auto live = [&](std::string name, std::string_view signature,
                          void (*write)(const NodeFacts&, Writer&)) {
        interface.properties.push_back({std::move(name), signature, Emits::nothing,
                                        [&node, &backend = around.backend, write](Writer& out) -> Status {
                                            // forgotten a moment ago: it goes with the next turn
                                            write(backend.node(uid_of(node.uid())).value_or(NodeFacts()),
                                                  out);
                                            return {};
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
    return interface;
}

} // namespace schedd::dbus
