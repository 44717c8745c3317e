// The JSON shapes of what is known of other nodes.
#include <nlohmann/json.hpp>

#include "dbus/describe.h"

namespace schedd::dbus {

namespace {

using Json = nlohmann::ordered_json;

std::string digest_text(const membership::Digest& digest) {
    return digest == membership::Digest() ? std::string() : membership::short_text(digest);
}

Json node_json(const NodeFacts& node) {
    Json addresses = Json::array();
    for (const auto& address : node.addresses) addresses.push_back(text_of(address));
    Json values = Json::object();
    for (const auto& value : node.values)
        if (value.is_fresh) values[value.path] = {{"value", value.value}, {"age_ms", value.age_ms}};
    Json out{{"number", node.number < 0 ? Json() : Json(node.number)},
             {"name", node.name},
             {"uid", text_of(node.uid)},
             {"self", node.is_self},
             {"state", node.state},
             {"takes_work", membership::takes_work(node.standing)},
             {"addresses", std::move(addresses)},
             {"silence_ms", milliseconds_of(node.silence)},
             {"period_ms", milliseconds_of(node.period)},
             {"since_ms", milliseconds_of(node.since)},
             {"clock_offset_ms", node.clock_offset_ms},
             {"loss", node.loss},
             {"unicast", node.is_unicast},
             {"configuration", digest_text(node.digest)}};
    if (node.applied)
        out.update({{"applied_configuration", digest_text(node.applied->digest)},
                    {"applied", node.applied->applied},
                    {"failed", node.applied->failed},
                    {"unsupported", node.applied->unsupported}});
    out["trouble"] = node.trouble;
    out["values"] = std::move(values);
    return out;
}

std::string text_of_json(const Json& json) {
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

} // namespace

std::string describe_nodes(const NetworkFacts& network, const std::vector<NodeFacts>& nodes) {
    Json list = Json::array();
    for (const auto& node : nodes) list.push_back(node_json(node));
    return text_of_json({{"on", network.off.empty()},
                         {"off", network.off},
                         {"cluster", network.cluster},
                         {"port", network.port},
                         {"nodes", std::move(list)}});
}

std::string describe_place(const TaskPlace& place) {
    return text_of_json({{"node", place.number < 0 ? Json() : Json(place.number)},
                         {"name", place.name},
                         {"here", place.is_here},
                         {"addresses", place.addresses},
                         {"scheduler", place.scheduler},
                         {"reason", place.reason}});
}

std::string describe_remote(const NodeFacts& node, const NodeValue& value) {
    return text_of_json({{"path", value.path},
                         {"kind", "published"},
                         {"node",
                          {{"number", node.number < 0 ? Json() : Json(node.number)},
                           {"name", node.name},
                           {"uid", text_of(node.uid)},
                           {"state", node.state}}},
                         {"value", value.value},
                         {"age_ms", value.age_ms}});
}

} // namespace schedd::dbus
