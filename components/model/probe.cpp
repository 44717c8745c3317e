// What probes share.
#include "components/model/probe.h"

#include <fmt/format.h>

#include "components/kit/log.h"
#include "components/model/cluster.h"
#include "components/model/proc_text.h"

namespace schedd::model {

std::optional<Sample> Source::read_remote(NodeId node, const Parameter& parameter) const {
    if (!remote_) return std::nullopt;
    const auto* row = node_of(remote_->nodes(), node);
    if (row && row->is_self) return read(parameter);
    if (!row || !spec_.type.parameter.empty()) return std::nullopt;
    return remote_->read(node, key_);
}

bool Probe::publishes(const Source& source) const {
    const auto* spec = attribute_spec("publish");
    if (!spec) return false;
    std::string_view names = text_at(static_cast<std::size_t>(spec - attributes().data()));
    while (true) {
        const auto name = take_word(names);
        if (name.empty()) return false;
        if (name == source.name()) return true;
    }
}

Status Probe::accepts(std::size_t index, const AttributeValue& value) const {
    if (attributes()[index].name != "publish") return {};
    std::string known;
    for (const auto& part : children())
        if (static_cast<const Source&>(*part).output_type().parameter.empty())
            known += (known.empty() ? "" : " ") + part->name();
    std::vector<std::string_view> seen;
    std::string_view names = std::get<std::string>(value);
    for (auto name = take_word(names); !name.empty(); name = take_word(names)) {
        const auto* part = child(name);
        const bool is_plain = part && static_cast<const Source&>(*part).output_type().parameter.empty();
        const bool is_twice = std::ranges::find(seen, name) != seen.end();
        seen.push_back(name);
        if (is_plain && !is_twice) continue;
        return fail(Errc::invalid_value,
                    fmt::format("{}.publish cannot hold '{}'{}", path().text(), name.substr(0, 64),
                                is_twice ? " twice"
                                : part   ? ": it takes a parameter"
                                         : ""),
                    known.empty() ? "accepted: nothing, all its sources take a parameter"
                                  : "accepted: nothing, or with blanks between: " + known);
    }
    return {};
}

/// Sources come with the probe and stay; all probes stand in one folder.
void Probe::children_changed() {
    for (const auto& part : children()) {
        auto& source = static_cast<Source&>(*part);
        if (!source.key_.empty()) continue;
        source.key_ = Path({"probes", name(), source.name()}).text();
        source.remote_ = environment_.remote;
    }
}

void Probe::note_trouble(std::string trouble) {
    if (trouble == trouble_) return;
    const auto where = path().text();
    if (trouble.empty()) environment_.log.write(Severity::info, where, "measures again");
    else environment_.log.write(Severity::warning, where, "no value: " + trouble);
    trouble_ = std::move(trouble);
}

} // namespace schedd::model
