// Walking chains up to those who decide, and down to what is measured.
#include "components/model/demand.h"

#include <algorithm>

#include "components/model/tree.h"

namespace schedd::model {

bool feeds_members(const Output& output) {
    return std::ranges::any_of(output.sinks(), [](const Input* sink) {
        const Part* part = &sink->part();
        // a filter's own port serves that filter
        if (part->kind() == Kind::port) part = part->parent();
        if (!part || !part->parent()) return true; // outside of the tree: it was made to take values
        if (part->kind() == Kind::filter) return feeds_members(static_cast<const Filter&>(*part));
        const auto& set = static_cast<const Scheduler&>(*part->parent()).process_set();
        return set.handle_all() || !set.children().empty();
    });
}

void ask_source_of(const Part& part) {
    const Part* at = &part;
    while (at->kind() == Kind::filter || at->kind() == Kind::port) {
        const auto* output = input_of(*at)->source();
        if (!output) return;
        at = &output->part();
    }
    if (at->kind() == Kind::source) static_cast<const Source&>(*at).ask();
}

} // namespace schedd::model
