// Scheduler: a process set, at most one policy, and a place in the stack.
#pragma once

#include "components/model/policy.h"
#include "components/model/process_set.h"

namespace schedd::model {

class Scheduler final : public Part {
public:
    enum Attribute : std::size_t { kPrecedence, kEjected };
    static const std::vector<AttributeSpec>& table();

    Scheduler(std::string name, const Environment& environment);

    [[nodiscard]] ProcessSet& process_set() const { return static_cast<ProcessSet&>(*children().front()); }
    [[nodiscard]] Policy* policy() const { return static_cast<Policy*>(child_of(Kind::policy)); }
    /// Larger comes first in the stack, before the rule "explicit before handle_all, later before earlier".
    [[nodiscard]] std::int64_t precedence() const { return integer_at(kPrecedence); }
    /// Why the policy was put out of action; empty while it is in it. Cleared by replacing the policy.
    [[nodiscard]] const std::string& ejected() const { return text_at(kEjected); }
    void set_ejected(std::string why) { report(kEjected, std::move(why)); }
};

} // namespace schedd::model
