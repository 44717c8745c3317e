// Connecting outputs and inputs.
#include "components/model/flow.h"

#include <algorithm>

namespace schedd::model {

Output::~Output() {
    for (Input* sink : sinks_) sink->source_ = nullptr;
}

bool Output::subscribed() const {
    return std::ranges::any_of(sinks_, [](const Input* sink) { return sink->wants_updates(); });
}

void Output::publish(const Sample& sample) const {
    for (Input* sink : sinks_)
        if (sink->wants_updates()) sink->update(sample);
}

void Input::connect(Output& source, std::size_t place) {
    source_ = &source;
    auto& sinks = source.sinks_;
    sinks.insert(sinks.begin() + static_cast<std::ptrdiff_t>(std::min(place, sinks.size())), this);
}

std::size_t Input::disconnect() {
    if (!source_) return SIZE_MAX;
    auto& sinks = source_->sinks_;
    const auto at = std::ranges::find(sinks, this);
    const auto place = static_cast<std::size_t>(at - sinks.begin());
    sinks.erase(at);
    source_ = nullptr;
    return place;
}

std::optional<Sample> Input::collect(const Parameter& parameter) const {
    return source_ ? source_->read(parameter) : std::nullopt;
}

std::optional<Sample> Input::collect_remote(NodeId node, const Parameter& parameter) const {
    return source_ ? source_->read_remote(node, parameter) : std::nullopt;
}

} // namespace schedd::model
