// Published values by node and path; paths are counted and kept once.
#include "components/membership/values.h"

#include <algorithm>

namespace schedd::membership {

void Values::take(NodeUid from, const Message& message, Duration period, Time now) {
    if (message.loads.empty() && message.sources.empty() && !nodes_.contains(from)) return;
    auto& node = nodes_[from];
    node.heard = now;
    node.period = period;
    node.told = 0;
    message.loads.each([&](const Load& load) {
        if (auto* source = source_of(node, load.id)) {
            source->value = load.value;
            node.told |= std::uint64_t{1} << static_cast<std::size_t>(source - node.sources.data());
        }
    });
    message.sources.each([&](const SourceName& name) {
        if (auto* source = source_of(node, name.id)) rename(*source, name.path);
    });
}

/// Its place, made if there is none; one without a value now gives way when all places are taken.
Values::Source* Values::source_of(Node& node, std::uint16_t id) {
    auto& sources = node.sources;
    for (auto& source : sources)
        if (source.id == id) return &source;
    if (sources.size() < limits::kSources) return &sources.emplace_back(Source{.id = id});
    for (std::size_t i = 0; i < sources.size(); ++i) {
        if (is_told(node, i)) continue;
        release(sources[i].path);
        sources[i] = {.id = id};
        return &sources[i];
    }
    return nullptr;
}

void Values::rename(Source& source, std::string_view path) {
    if (source.path != kNoPath && paths_[source.path].text == path) return;
    release(source.path);
    source.path = intern(path);
}

std::uint16_t Values::intern(std::string_view path) {
    if (const auto at = path_ids_.find(path); at != path_ids_.end()) {
        ++paths_[at->second].uses;
        return at->second;
    }
    std::uint16_t id = kNoPath;
    if (!free_paths_.empty()) {
        id = free_paths_.back();
        free_paths_.pop_back();
    } else if (paths_.size() <= UINT16_MAX) {
        id = static_cast<std::uint16_t>(paths_.size());
        paths_.emplace_back();
    } else return kNoPath; // 65,535 different ones: these stay without names
    paths_[id] = {std::string(path), 1};
    path_ids_.emplace(path, id);
    return id;
}

void Values::release(std::uint16_t path) {
    if (path == kNoPath || --paths_[path].uses > 0) return;
    path_ids_.erase(paths_[path].text);
    paths_[path] = {};
    free_paths_.push_back(path);
}

void Values::forget(NodeUid from) {
    const auto at = nodes_.find(from);
    if (at == nodes_.end()) return;
    for (const auto& source : at->second.sources) release(source.path);
    nodes_.erase(at);
}

std::optional<Values::Value> Values::read(NodeUid from, std::string_view path) const {
    const auto at = nodes_.find(from);
    const auto known = path_ids_.find(path);
    if (at == nodes_.end() || known == path_ids_.end()) return std::nullopt;
    const auto& node = at->second;
    for (std::size_t i = 0; i < node.sources.size(); ++i)
        if (node.sources[i].path == known->second && is_told(node, i))
            return Value{node.sources[i].value, node.heard, node.period};
    return std::nullopt;
}

void Values::list(NodeUid from, const std::function<void(std::string_view path, const Value&)>& visit) const {
    const auto at = nodes_.find(from);
    if (at == nodes_.end()) return;
    const auto& node = at->second;
    std::vector<std::pair<std::string_view, Value>> told;
    for (std::size_t i = 0; i < node.sources.size(); ++i) {
        const auto& source = node.sources[i];
        if (source.path != kNoPath && is_told(node, i))
            told.push_back({paths_[source.path].text, {source.value, node.heard, node.period}});
    }
    std::ranges::sort(told, {}, &std::pair<std::string_view, Value>::first);
    for (const auto& [path, value] : told) visit(path, value);
}

std::size_t Values::bytes() const {
    constexpr std::size_t kHashNode = sizeof(std::pair<NodeUid, Node>) + 3 * sizeof(void*);
    std::size_t sum = nodes_.size() * kHashNode;
    for (const auto& [uid, node] : nodes_) sum += node.sources.capacity() * sizeof(Source);
    for (const auto& path : paths_) sum += sizeof(Path) + 2 * (path.text.size() + sizeof(void*) * 6);
    return sum;
}

} // namespace schedd::membership
