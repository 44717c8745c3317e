// A small tree and a list of types as the daemon describes them, for tests of the file view.
#pragma once

#include <nlohmann/json.hpp>

#include "cli/fs/place.h"

namespace schedd::cli::fs {

inline Json part(const std::string& name, const std::string& kind, const std::string& type,
                 std::vector<Json> children = {}) {
    Json json{{"name", name}, {"kind", kind}, {"type", type}, {"children", Json::array()}};
    for (auto& child : children) json["children"].push_back(std::move(child));
    return json;
}

/// probes/cpu with two sources; scheduler A: policy with a port, a filter in it and a filter with a port of
/// its own in that; members of several sorts; node 0 and one without a number.
inline Json described() {
    auto members = part("process_set", "process_set", "process_set",
                        {part("process:12", "member", "member"), part("group:7", "member", "member"),
                         part("exec:/usr/bin/make", "member", "member"),
                         part("process+children:9", "member", "member")});
    auto limit =
        part("freq_limit_filter", "filter", "freq_limit_filter", {part("last_event", "port", "port")});
    auto cache = part("remote_cache", "filter", "remote_cache_filter", {limit});
    auto policy = part("load_balancing", "policy", "load_balancing",
                       {part("node_load", "port", "port", {cache}), part("process_load", "port", "port")});
    return part("", "folder", "folder",
                {part("probes", "folder", "folder",
                      {part("cpu", "probe", "cpu",
                            {part("node_load", "source", "source"),
                             part("process_load", "source", "source")})}),
                 part("schedulers", "folder", "folder",
                      {part("A", "scheduler", "scheduler", {policy, members})}),
                 part("nodes", "folder", "folder",
                      {part("0", "node", "node"), part("00112233aabbccdd", "node", "node")})});
}

inline Json attribute(const std::string& name, const std::string& kind, bool read_only = false) {
    return {{"name", name}, {"kind", kind}, {"read_only", read_only}};
}

inline Json listed() {
    const auto type = [](const std::string& kind, const std::string& name, std::vector<Json> attributes) {
        Json json{{"kind", kind}, {"name", name}, {"attributes", Json::array()}};
        for (auto& one : attributes) json["attributes"].push_back(std::move(one));
        return json;
    };
    return Json::array(
        {type("probe", "cpu", {attribute("probe_period", "unsigned")}),
         type("filter", "remote_cache_filter", {attribute("polling_period", "unsigned")}),
         type("filter", "freq_limit_filter", {attribute("min_interval", "unsigned")}),
         type("scheduler", "scheduler", {attribute("node_set", "text"), attribute("ejected", "text", true)}),
         type("process_set", "process_set", {attribute("handle_all", "boolean")}),
         type("member", "member", {attribute("weight", "unsigned")})});
}

struct SmallTree {
    SmallTree() {
        mirror.load(described());
        types.load(listed());
    }
    [[nodiscard]] Place at(std::string_view file) const { return place_of(file, mirror, types); }
    [[nodiscard]] std::vector<std::string> names_in(std::string_view directory) const {
        std::vector<std::string> names;
        for (const auto& entry : entries_of(at(directory), mirror, types)) names.push_back(entry.name);
        return names;
    }
    Mirror mirror;
    Types types;
};

} // namespace schedd::cli::fs
